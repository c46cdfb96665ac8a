"""The room's messages: kept in one order, read by pages, told to everybody.

A message waits in the room's item (`p:…`) until the room's teller, one at a time, gives it its number: in one
transaction it is kept in `Messages` and moves on in the item (`n:…`), from where it goes when it was told. So the
number is given with the message, nobody has to try again however many write at once, and what a dead teller left is in
one place. The key in `Messages` is the writer and the second in which the message is to go (`timestamp`), by which
DynamoDB deletes it. Where there is no `Messages`, a message has its number and is not remembered.
"""

import json
import os
import random
import time
import uuid

import people
import posts
import rooms
import table
import turns

LIFETIME = int(os.environ.get("MESSAGE_LIFETIME", "604800"))
INDEX = "byRoom"
TRIES = 20
PAUSE = 0.02
ONCE_KEPT = 3600
LARGEST_FRAME = 100_000
"""Bytes; API Gateway takes 128 KB."""
WAITS, NUMBERED = "p:", "n:"

_stamps = {}
"""Of each writer, the last second that this process gave him."""


def hand_in(message):
    """The message waits for its number; False if too many do: an item has 400 KB."""
    try:
        table.update(
            table.CONNECTIONS,
            {"connectionId": rooms.key(message["room"])},
            "SET #p = :message ADD seq :one",
            {":message": json.dumps(message, ensure_ascii=False), ":one": 1, ":most": turns.MOST},
            {"#p": f"{WAITS}{message['at']:014}:{uuid.uuid4().hex}"},
            "seq < ceiling OR attribute_not_exists(ceiling) AND (attribute_not_exists(seq) OR seq < :most)",
            "NONE",
        )
    except table.Unmet:
        return False
    return True


def waiting(item):
    """{attribute: message}, in the order in which they came."""
    return {name: json.loads(item[name]) for name in sorted(item) if name.startswith(WAITS)}


def numbered(item):
    """{attribute: message} that a teller has left untold."""
    found = {name: json.loads(value) for name, value in item.items() if name.startswith(NUMBERED)}
    return dict(sorted(found.items(), key=lambda one: one[1]["seq"]))


def number(item, waiting):
    """Gives the messages their numbers and keeps them. Returns {attribute: message} as `numbered`, and [(message, where
    it is)] of those that were written before; raises turns.Lost."""
    left, before = dict(waiting), []
    for message in left.values():
        message["timestamp"] = _next(message["userHandle"])
    for _ in range(TRIES):
        for seq, message in enumerate(left.values(), item.get("last", 0) + 1):
            message["seq"] = seq
        fresh = {f"{NUMBERED}{message['seq']}": message for message in left.values()}
        try:
            table.transact(_moving(item, waiting, fresh), *_keeping(left.values()))
            return fresh, before
        except table.Cancelled as cancelled:
            _correct(cancelled.reasons, left, before)
    raise RuntimeError(f"{len(left)} messages in {item['connectionId']} found no place in {TRIES} tries")


def _moving(item, waiting, fresh):
    """In the room's item."""
    values = {f":n{at}": json.dumps(message, ensure_ascii=False) for at, message in enumerate(fresh.values())}
    names = {f"#n{at}": name for at, name in enumerate(fresh)}
    names |= {f"#p{at}": name for at, name in enumerate(waiting)}
    setting = "".join(f", #n{at} = :n{at}" for at in range(len(fresh)))
    removing = ", ".join(f"#p{at}" for at in range(len(waiting)))
    return {
        "Update": table.change(
            table.CONNECTIONS,
            {"connectionId": item["connectionId"]},
            f"SET #last = :last{setting} REMOVE {removing}",
            {**values, ":last": item.get("last", 0) + len(fresh), ":me": item["teller"]},
            {**names, "#last": "last"},
            "teller = :me",
        )
    }


def _keeping(messages):
    if not table.MESSAGES:
        return
    for message in messages:
        yield {"Put": table.new(table.MESSAGES, {name: message[name] for name in message if name != "once"})}
        if "once" in message:
            kept = {"connectionId": once_key(message), "expires": int(time.time()) + ONCE_KEPT}
            kept |= {name: message[name] for name in ("userHandle", "timestamp")}
            yield {"Put": table.new(table.CONNECTIONS, kept)}


def _correct(reasons, left, before):
    """Takes out what was written before, and gives other times to those whose second is taken."""
    if reasons[0][0] == "ConditionalCheckFailed":
        raise turns.Lost
    rest = iter(reasons[1:])
    for name, message in list(left.items()) if table.MESSAGES else ():
        if next(rest)[0] == "ConditionalCheckFailed":
            message["timestamp"] = _after_last(message["userHandle"])
        if "once" in message:
            code, kept = next(rest)
            if code == "ConditionalCheckFailed":
                before.append((message, kept))
                del left[name]
    if any(code == "TransactionConflict" for code, _ in reasons):
        time.sleep(random.random() * PAUSE)


def once_key(message):
    return f"once#{message['owner']}#{message['once']}"


def _next(writer):
    """A second that this writer has not had, as far as this process knows."""
    stamp = _stamps[writer] = max(int(time.time()) + LIFETIME, _stamps.get(writer, 0) + 1)
    return stamp


def _after_last(writer):
    """A second that this writer has not had."""
    items, _ = table.query(
        table.MESSAGES,
        "userHandle = :writer",
        {":writer": writer},
        ConsistentRead=True,
        ScanIndexForward=False,
        Limit=1,
    )
    _stamps[writer] = max(_stamps.get(writer, 0), items[0]["timestamp"] if items else 0)
    return _next(writer)


def last_number(room):
    item = table.get(table.CONNECTIONS, {"connectionId": rooms.key(room)}) or {}
    return item.get("last", 0)


def find(room, seq):
    """One message by its number; None if there is none. An index lags behind, so it is looked for more than once."""
    for attempt in range(5):
        items, _ = table.query(
            table.MESSAGES, "room = :room AND seq = :seq", {":room": room, ":seq": seq}, IndexName=INDEX
        )
        if items:
            return items[0]
        if attempt == 0 and seq > last_number(room):
            return None
        time.sleep(PAUSE)
    return None


def wire(item, language=None):
    """A message as a client gets it."""
    frame = {
        "seq": item["seq"],
        "from": item["userHandle"],
        "id": people.id_of(item["owner"]),
        "text": item["text"],
        "at": item["at"],
        "language": item.get("language"),
        "edited": item["edited"],
        "deleted": item["deleted"],
        "version": item["version"],
    }
    translated = item["translations"].get(language) if language else None
    return {**frame, "translated": translated} if translated else frame


def frames(items, members):
    """[{connection: text}, …]: the messages for each member, who finds his own refs in his own; in parts, where they
    are too much for one frame."""
    batches, size = [[]], 0
    for item in items:
        size += len(posts.text(wire(item)).encode())
        if size > LARGEST_FRAME and batches[-1]:
            batches.append([])
            size = 0
        batches[-1].append(item)
    return [_frames_of(batch, members) for batch in batches if batch]


def _frames_of(items, members):
    told = dict.fromkeys(members, posts.text({"type": "message", "messages": [wire(item) for item in items]}))
    for connection in {item.get("connection") for item in items if "ref" in item} & members.keys():
        mine = [_with_ref(item, connection) for item in items]
        told[connection] = posts.text({"type": "message", "messages": mine})
    return told


def _with_ref(item, connection):
    if item.get("connection") != connection or "ref" not in item:
        return wire(item)
    return {**wire(item), "ref": item["ref"]}
