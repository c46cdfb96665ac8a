"""The board: the cache's keys, and every operation on them.

    {scribble}:bitmap:WxHxB   the pixels, B bits each, row by row
    {scribble}:points         a stream: the accepted messages of the last minutes
    {scribble}:floor          the newest entry that the stream has dropped
    {scribble}:unsaved        entries that aren't in the table yet, by time
    {scribble}:connections    connection id → when it came, short id, name
    {scribble}:roster         a number that changes with the connections
    {scribble}:cursors        connection id → a pointer that nobody was told of yet
    {scribble}:rate:ID        the connection's token bucket
    {scribble}:lock           held by the one who tells everybody
    {scribble}:due            somebody was woken to take the lock and hasn't yet
    {scribble}:watch          somebody will look whether the lock's holder still lives
    {scribble}:told …         up to which entry everybody was told
    {scribble}:restored       the entry that marks the last restoring

What has to happen together is one script. All keys have one hash tag, so they lie in one slot of a cluster. An entry's
id is `ms-n` there and the number ms * 4096 + n everywhere else.
"""

import hashlib
import json
import os
import time
from base64 import b32encode
from pathlib import Path

import restore
import settings
import valkey
from valkey.backoff import ExponentialBackoff
from valkey.retry import Retry

LOCK_MS = 5_000
RESTORE_MS = 60_000
CURSORS_MS = 250
HERE_MS = 1_000
MOST_ENTRIES = 500

_cache = valkey.Valkey.from_url(
    os.environ["CACHE_URL"],
    socket_timeout=10,
    socket_connect_timeout=5,
    retry=Retry(ExponentialBackoff(cap=1, base=0.05), 4),
    retry_on_error=[valkey.ConnectionError, valkey.TimeoutError],
)


def _key(name):
    return f"{{scribble}}:{name}"


BITMAP = _key(f"bitmap:{settings.WIDTH}x{settings.HEIGHT}x{settings.BITS}")
POINTS, FLOOR, UNSAVED = _key("points"), _key("floor"), _key("unsaved")
CONNECTIONS, ROSTER, CURSORS = _key("connections"), _key("roster"), _key("cursors")
LOCK, DUE, WATCH = _key("lock"), _key("due"), _key("watch")
TOLD, TOLD_HERE = _key("told"), _key("told-here")
CURSORS_GATE, HERE_GATE = _key("gate-cursors"), _key("gate-here")
RESTORED, RESTORING = _key("restored"), _key("restoring")

_scripts = {
    path.stem: _cache.register_script(path.read_text())
    for path in (Path(__file__).parent / "scripts").glob("*.lua")
}


def _run(name, keys, args):
    return _scripts[name](keys=keys, args=args)


def number(id):
    """An entry's id as a number; in JavaScript's integers until the year 2039."""
    ms, _, n = id.decode().partition("-")
    return int(ms) * 4096 + int(n)


def entry_id(number):
    return f"{number >> 12}-{number & 4095}"


def short(connection):
    """What others see of a connection's id."""
    return b32encode(hashlib.blake2s(connection.encode(), digest_size=5).digest()).decode().lower()


# Drawing


class Slow(Exception):
    """Too much of one connection; `wait_ms` until there is room for it."""

    def __init__(self, wait_ms):
        super().__init__(f"wait {wait_ms} ms")
        self.wait_ms = wait_ms


class Unknown(Exception):
    """The connection is not in the list: the cache has lost it."""


def charge(connection, cost):
    """Take the cost from the connection's bucket; raises Slow and Unknown."""
    _draw(connection, cost, "", ())


def draw(connection, cost, batch, points):
    """Set the points and remember them; returns the entry's id. Raises Slow and Unknown, then nothing was done."""
    return number(_draw(connection, cost, batch, points))


def _draw(connection, cost, batch, points):
    keys = [BITMAP, POINTS, UNSAVED, FLOOR, _key(f"rate:{connection}"), CONNECTIONS]
    args = [connection, cost, settings.RATE_POINTS, settings.RATE_SECONDS * 1000, settings.KEPT_MS, batch]
    args.append(f"u{settings.BITS}")
    for x, y, colour in points:
        args += (y * settings.WIDTH + x, colour)
    while True:
        said, *rest = _run("draw", keys, args)
        if said == b"lost":
            make_whole()
        elif said == b"slow":
            raise Slow(rest[0])
        elif said == b"unknown":
            raise Unknown
        else:
            return rest[0]


def saved(ids):
    """Note that the entries are in the table. Returns the number of the last restoring's entry, or 0."""
    restored = _run("saved", [UNSAVED, RESTORED], [entry_id(id) for id in ids])
    return number(restored) if restored else 0


def unsaved(older_ms):
    """Entries that should be in the table and may not be: (id, points), the oldest first."""
    ids = _cache.zrange(UNSAVED, 0, int(time.time() * 1000) - older_ms, byscore=True, offset=0, num=500)
    for id in ids:
        found = _cache.xrange(POINTS, id, id)
        if found:
            flat = json.loads(found[0][1][b"batch"])["points"]
            yield number(id), [flat[at : at + 3] for at in range(0, len(flat), 3)]
        else:
            _cache.zrem(UNSAVED, id)


# Who is here. Each of these says in how many seconds somebody has to look whether there is something to tell (-1:
# nobody): at once if the lock is free, else when its holder, if he should have died, has lost it.


def register(connection, name):
    return _run("register", [CONNECTIONS, ROSTER, LOCK, DUE, WATCH], [connection, short(connection), name])


def forget(connections, young_ms=0):
    return _run("forget", [CONNECTIONS, ROSTER, LOCK, DUE, WATCH, CURSORS], [young_ms, *connections])


def point(connection, x, y):
    return _run("point", [CONNECTIONS, CURSORS, LOCK, DUE, WATCH], [connection, x, y])


def here():
    return _cache.hlen(CONNECTIONS)


def is_here(connection):
    return _cache.hexists(CONNECTIONS, connection)


# Telling


def turn(token, told_id, told_here, roster, watching):
    """See turn.lua."""
    keys = [
        LOCK,
        POINTS,
        TOLD,
        CONNECTIONS,
        ROSTER,
        CURSORS,
        DUE,
        FLOOR,
        CURSORS_GATE,
        HERE_GATE,
        TOLD_HERE,
        WATCH,
    ]
    args = [token, LOCK_MS, told_id, told_here, roster, MOST_ENTRIES, CURSORS_MS, HERE_MS, int(watching)]
    said, *rest = _run("turn", keys, args)
    return said.decode(), rest


def wait_for_points(ms, told_id):
    """Until there is an entry after the one that was told, or the time is over."""
    _cache.xread({POINTS: told_id}, count=1, block=ms)


def stop(token, told_id):
    _run("stop", [LOCK, TOLD], [token, told_id])


# Catching up


def since(id):
    """What somebody needs who has everything up to `id` (None: who has nothing): ("points", last id, entries) or
    ("picture", last id, bitmap)."""
    while True:
        said, *rest = _run("since", [BITMAP, POINTS, FLOOR], ["" if id is None else entry_id(id)])
        if said == b"lost":
            make_whole()
            continue
        last, what = rest
        return said.decode(), number(last), entries(what) if said == b"points" else what


def entries(found):
    """(id, batch) of each of a stream's entries, as scripts say them."""
    return [(number(id), fields[1].decode()) for id, fields in found]


def picture():
    """The number of the last entry, and the bitmap with all up to it."""
    _, last, bitmap = since(None)
    return last, bitmap


# A lost cache


def make_whole(force=False):
    """Put a bitmap where there is none: from what was saved of it, before anything is drawn. `force`: there is one, and
    it is older than what was saved. One does it, the others wait."""
    until = time.monotonic() + RESTORE_MS / 1000
    while force or not _cache.exists(BITMAP):
        if _cache.set(RESTORING, 1, nx=True, px=RESTORE_MS):
            marker = json.dumps({"by": "", "points": []})
            keys = [BITMAP, POINTS, FLOOR, RESTORED, TOLD, RESTORING]
            _run("restore", keys, [restore.bitmap(), marker])
            return
        if time.monotonic() > until:
            raise TimeoutError("the board is being restored, and it takes too long")
        time.sleep(0.02)
        force = force and bool(_cache.exists(RESTORING))
