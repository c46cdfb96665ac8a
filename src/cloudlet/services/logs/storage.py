"""Where log groups, streams and events lie.

    ("group", account, region, group)                          -> group: created, class, retention, tags, ...
    ("stream", account, region, group, stream)                 -> stream: created, first, last, ingested, bytes
    ("bytes", account, region, group)                          -> size of the group's events
    ("chunk", account, region, group, first ms, stamp)         -> chunk: stream, ingested, events as [ms, message]
    ("index", account, region, group, stream, first ms, stamp) -> nothing: that chunk is the stream's

A chunk is what one PutLogEvents brought, at most a second of it, in order. An event's place is one number, by which
events of a group are ordered: its time, its chunk's stamp, its index in the chunk (see `place`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from ...store.interface import Store, Transaction
from ...store.keys import Subspace
from . import model

_space = Subspace("logs")
RETENTION_TIMER = "logs.retention"

Record = dict[str, Any]
_STAMP_BITS = 80
_INDEX_BITS = 16


def sequence_token(ingested: int) -> str:
    """PutLogEvents still gives one, and takes any."""
    return f"{ingested:056d}"


class Group(NamedTuple):
    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        return f"arn:aws:logs:{self.region}:{self.account}:log-group:{self.name}"


class Event(NamedTuple):
    place: int
    stream: str
    at: int
    message: str
    ingested: int


def place(at: int, stamp: int = 0, index: int = 0) -> int:
    """An event's place in the order of its group; without stamp and index the first place of its millisecond."""
    return (at << (_STAMP_BITS + _INDEX_BITS)) | (stamp << _INDEX_BITS) | index


def time_of(place: int) -> int:
    return place >> (_STAMP_BITS + _INDEX_BITS)


async def group(tx: Transaction, group: Group) -> Record:
    """The group's record, shared and not to be changed. Raises when there is none."""
    record = await tx.load(_space.pack("group", *group), orjson.loads)
    if record is None:
        raise model.no_group()
    found: Record = record
    return found


async def group_exists(tx: Transaction, group: Group) -> bool:
    return await tx.get(_space.pack("group", *group)) is not None


async def put_group(tx: Transaction, group: Group, record: Record) -> None:
    await tx.put(_space.pack("group", *group), orjson.dumps(record))


async def delete_group(tx: Transaction, group: Group) -> None:
    """The group with all that is in it."""
    await tx.delete(_space.pack("group", *group))
    await tx.delete(_space.pack("bytes", *group))
    for table in ("stream", "chunk", "index"):
        await tx.delete_range(*_space.range(table, *group))


async def groups(
    tx: Transaction, account: str, region: str, after: str = "", limit: int = 0
) -> list[tuple[str, Record]]:
    """Pairs of name and record, by name."""
    begin, end = _space.range("group", account, region)
    if after:
        begin = _space.pack("group", account, region, after) + b"\x00"
    return [
        (_space.unpack(key)[3], orjson.loads(value)) for key, value in await tx.range(begin, end, limit=limit)
    ]


async def stored_bytes(tx: Transaction, group: Group) -> int:
    value = await tx.get(_space.pack("bytes", *group))
    return 0 if value is None else int(value)


async def add_bytes(tx: Transaction, group: Group, change: int) -> None:
    total = max(0, await stored_bytes(tx, group) + change)
    await tx.put(_space.pack("bytes", *group), str(total).encode())


async def stream(tx: Transaction, group: Group, name: str) -> Record | None:
    value = await tx.get(_space.pack("stream", *group, name))
    return None if value is None else orjson.loads(value)


async def put_stream(tx: Transaction, group: Group, name: str, record: Record) -> None:
    await tx.put(_space.pack("stream", *group, name), orjson.dumps(record))


async def streams(tx: Transaction, group: Group) -> list[tuple[str, Record]]:
    """Pairs of name and record, by name."""
    pairs = await tx.range(*_space.range("stream", *group))
    return [(_space.unpack(key)[4], orjson.loads(value)) for key, value in pairs]


async def delete_stream(tx: Transaction, group: Group, name: str, record: Record) -> None:
    await tx.delete(_space.pack("stream", *group, name))
    for key, _ in await tx.range(*_space.range("index", *group, name)):
        *_, first, stamp = _space.unpack(key)
        await tx.delete(_space.pack("chunk", *group, first, stamp))
    await tx.delete_range(*_space.range("index", *group, name))
    await add_bytes(tx, group, -record.get("bytes", 0))


async def put_chunk(
    tx: Transaction, group: Group, stream: str, ingested: int, events: list[tuple[int, str]]
) -> None:
    """Events in order, at most CHUNK_SPAN_MS apart."""
    first, stamp = events[0][0], tx.stamp()
    value = orjson.dumps({"stream": stream, "ingested": ingested, "events": events})
    await tx.put(_space.pack("chunk", *group, first, stamp), value)
    await tx.put(_space.pack("index", *group, stream, first, stamp), b"")


def size(events: Sequence[Any]) -> int:
    return sum(len(message.encode()) + model.EVENT_OVERHEAD for _, message in events)


class Reader:
    """Reads events with `begin <= place < end`, from the front or the back, a few chunks in each transaction.

    Chunks are ordered by their first event. So after some chunks the order is certain only up to `frontier`; events
    beyond it wait until the next reading.
    """

    def __init__(
        self, group: Group, begin: int, end: int, *, stream: str | None = None, reverse: bool = False
    ) -> None:
        self._group = group
        self._stream = stream
        self._reverse = reverse
        self._begin, self._end = begin, end
        table, *rest = ("chunk", *group) if stream is None else ("index", *group, stream)
        self._low = _space.pack(table, *rest, max(0, time_of(begin) - model.CHUNK_SPAN_MS))
        self._high = _space.pack(table, *rest, time_of(end - 1) + 1)
        self._waiting: list[Event] = []
        self._limit = model.SCAN_FIRST
        self.frontier = end if reverse else begin
        self.done = begin >= end

    async def more(self, store: Store) -> list[Event]:
        """The next events in order (backwards when `reverse`); it may be none although more follow."""
        limit = self._limit
        found = await store.read(lambda tx: self._chunks(tx, limit))
        for _, stamp, value in found:
            self._waiting += [e for e in _expand(stamp, value) if self._begin <= e.place < self._end]
        self._waiting.sort(reverse=self._reverse)
        if len(found) < limit:
            self.done = True
            events, self._waiting = self._waiting, []
            return events
        self._limit = min(2 * limit, model.SCAN_CHUNKS)
        return self._certain(_space.unpack(found[-1][0])[-2], found[-1][0])

    async def _chunks(self, tx: Transaction, limit: int) -> list[tuple[bytes, bytes, bytes]]:
        """Key, stamp and value of the next chunks."""
        found = []
        for key, value in await tx.range(self._low, self._high, limit=limit, reverse=self._reverse):
            *_, first, stamp = _space.unpack(key)
            if self._stream is not None:
                value = await tx.get(_space.pack("chunk", *self._group, first, stamp)) or b""
            found.append((key, stamp, value))
        return found

    def _certain(self, first: int, last: bytes) -> list[Event]:
        """What waits and can't be overtaken any more, `first` being the time of the last chunk read."""
        if self._reverse:
            # What was not read begins no later than the last chunk read, so it ends at most one span after that.
            self._high = last
            self.frontier = min(self._end, place(first + model.CHUNK_SPAN_MS + 1))
            cut = next(
                (n for n, e in enumerate(self._waiting) if e.place < self.frontier), len(self._waiting)
            )
        else:
            self._low = last + b"\x00"
            self.frontier = max(self._begin, place(first))
            cut = next(
                (n for n, e in enumerate(self._waiting) if e.place >= self.frontier), len(self._waiting)
            )
        events, self._waiting = self._waiting[:cut], self._waiting[cut:]
        return events


def _expand(stamp: bytes, value: bytes) -> list[Event]:
    chunk = orjson.loads(value)
    number = int.from_bytes(stamp, "big")
    stream, ingested = chunk["stream"], chunk["ingested"]
    return [
        Event(place(at, number, index), stream, at, message, ingested)
        for index, (at, message) in enumerate(chunk["events"])
    ]


async def oldest(tx: Transaction, group: Group) -> int | None:
    """The time of the group's oldest chunk."""
    pairs = await tx.range(*_space.range("chunk", *group), limit=1)
    return int(_space.unpack(pairs[0][0])[4]) if pairs else None


async def expire(tx: Transaction, group: Group, before: int) -> None:
    """Delete chunks all of whose events are older, up to RETENTION_CHUNKS of them."""
    begin, _ = _space.range("chunk", *group)
    end = _space.pack("chunk", *group, max(0, before - model.CHUNK_SPAN_MS))
    freed: dict[str, int] = {}
    for key, value in await tx.range(begin, end, limit=model.RETENTION_CHUNKS):
        *_, first, stamp = _space.unpack(key)
        chunk = orjson.loads(value)
        name = chunk["stream"]
        freed[name] = freed.get(name, 0) + size(chunk["events"])
        await tx.delete(key)
        await tx.delete(_space.pack("index", *group, name, first, stamp))
    for name, gone in freed.items():
        record = await stream(tx, group, name)
        if record is not None:
            await put_stream(tx, group, name, {**record, "bytes": max(0, record.get("bytes", 0) - gone)})
    await add_bytes(tx, group, -sum(freed.values()))
