"""A table's stream: what each write adds to it, in the write's own transaction, and when that goes again.

A stream has one shard. Its records lie in the form in which they leave, after the second in which they were made. Each
stream has one timer, at the latest when its oldest record is a day old: a record then goes on time, and a stream in
which nothing happens is looked at once a day. A stream that is disabled can be read for one more day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

from ...context import Context, Node
from ...store.interface import Timers, Transaction, Watch
from ...store.keys import Subspace
from . import storage
from .attributes import encode_json, equal, item_size
from .changes import Change
from .model import stream_not_found
from .table import Record

TRIM = "dynamodb.trim-stream"
RETENTION = 86400
BATCH = 1000
"""Records that one transaction trims."""

_SERVICE = b',"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}'


# --- a stream's life


async def begin(ctx: Context, tx: Transaction, record: Record, view: str) -> None:
    """Give a table a new stream. Its label is the time, moved on if the table had a stream at that time already."""
    millisecond = int(ctx.clock.now() * 1000)
    name = record["name"]
    while await storage.get_stream(tx, ctx.account, ctx.region, name, _label(millisecond)) is not None:
        millisecond += 1
    label = _label(millisecond)
    first = storage.sequence_number(tx.stamp())
    record["stream"] = {"StreamEnabled": True, "StreamViewType": view}
    record["stream_label"] = label
    stream: Record = {
        "arn": f"{record['arn']}/stream/{label}",
        "table": name,
        "table_id": record["id"],
        "label": label,
        "view": view,
        "keys": record["keys"],
        "created": millisecond / 1000,
        "first": first,
        "shard": f"shardId-{millisecond:020d}-{md5(record['id'].encode(), usedforsecurity=False).hexdigest()[:8]}",
    }
    await storage.put_stream(tx, ctx.account, ctx.region, stream)
    id = (ctx.account, ctx.region, name, label)
    await ctx.node.timers.set(tx, TRIM, id, ctx.clock.now() + RETENTION)


def _label(millisecond: int) -> str:
    moment = datetime.fromtimestamp(millisecond // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millisecond % 1000:03d}"


async def end(ctx: Context, tx: Transaction, record: Record) -> None:
    """Disable a table's stream, if it has one."""
    if record.pop("stream", None) is None:
        return
    stream = await storage.get_stream(tx, ctx.account, ctx.region, record["name"], record["stream_label"])
    if stream is not None:
        ended = {**stream, "ended": ctx.clock.now(), "last": storage.sequence_number(tx.stamp())}
        await storage.put_stream(tx, ctx.account, ctx.region, ended)


# --- records


async def note(ctx: Context, tx: Transaction, change: Change, by_service: bool) -> None:
    """Add a write to its table's stream, unless it changed nothing."""
    table, old, new = change.table, change.old, change.new
    stream = table.stream
    assert stream is not None
    if old is not None and new is not None and equal({"M": old}, {"M": new}):
        return
    item = new if new is not None else old
    assert item is not None
    keys = {name: item[name] for name in table.keys}
    size = item_size(keys)
    images = b""
    if new is not None and stream.new:
        images += b',"NewImage":' + encode_json(new)
        size += change.size
    if change.stored is not None and stream.old:
        images += b',"OldImage":' + storage.body_of(change.stored)
        size += change.old_size
    stamp = tx.stamp()
    sequence = storage.sequence_number(stamp)
    body = (
        b'{"eventID":"%b","eventName":"%b","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"%b",'
        b'"dynamodb":{"ApproximateCreationDateTime":%d,"Keys":%b%b,"SequenceNumber":"%b","SizeBytes":%d,'
        b'"StreamViewType":"%b"}%b}'
    ) % (
        md5(f"{table.id}{sequence}".encode(), usedforsecurity=False).hexdigest().encode(),
        b"INSERT" if change.stored is None else b"REMOVE" if new is None else b"MODIFY",
        ctx.region.encode(),
        (second := int(ctx.clock.now())),
        encode_json(keys),
        images,
        sequence.encode(),
        size,
        stream.view.encode(),
        _SERVICE if by_service else b"",
    )
    await tx.put(stream.changes.pack(stamp), b"%010d%b" % (second, body))


# --- their end


def trimmer(node: Node) -> Callable[[Transaction, tuple[Any, ...], bytes], Any]:
    async def trim(tx: Transaction, id: tuple[Any, ...], payload: bytes) -> None:
        await _trim(tx, node.timers, id, node.clock.now())

    return trim


async def _trim(tx: Transaction, timers: Timers, id: tuple[Any, ...], now: float) -> None:
    account, region, name, label = id
    stream = await storage.get_stream(tx, account, region, name, label)
    if stream is None:
        return
    changes = storage.changes_of(account, region, stream)
    rows = await tx.range(*changes.range(), limit=BATCH)
    gone = [row for row in rows if storage.noted_at(row[1]) + RETENTION <= now]
    if gone:
        await tx.delete_range(gone[0][0], gone[-1][0] + b"\x00")
        horizon = storage.position_after(changes, gone[-1][0])
        await storage.put_stream(tx, account, region, {**stream, "horizon": horizon})
    if len(gone) == BATCH:
        due = now
    elif len(gone) < len(rows):
        due = storage.noted_at(rows[len(gone)][1]) + RETENTION
    elif "ended" not in stream:
        due = now + RETENTION
    elif stream["ended"] + RETENTION > now:
        due = stream["ended"] + RETENTION
    else:
        await storage.delete_stream(tx, account, region, stream)
        return
    await timers.set(tx, TRIM, id, due)


# --- who reads


class Streams:
    """The long-lived part: lets a reader wait for what comes. (GetRecords answers at once, as the service's does.)"""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.held: set[bytes] = set()
        """See `ongoing`."""

    async def start(self) -> None:
        """There is nothing to begin: streams are written by their tables' writes."""

    async def stop(self) -> None:
        """Whoever watches a stream closes the watch."""

    async def watch(self, arn: str) -> Watch:
        """Wakes after each transaction that added to the stream. The watcher closes it."""
        _, changes = await self._node.store.read(lambda tx: _found(tx, arn))
        return self._node.store.watch(changes.prefix)

    async def newest(self, arn: str) -> str:
        """The sequence number after which the stream is empty just now."""

        async def body(tx: Transaction) -> str:
            stream, changes = await _found(tx, arn)
            return storage.sequence_before(await newest_position(tx, stream, changes))

        return await self._node.store.read(body)

    async def oldest(self, arn: str) -> str:
        """The sequence number before the first record that the stream still has."""
        stream, _ = await self._node.store.read(lambda tx: _found(tx, arn))
        return storage.sequence_before(oldest_position(stream))


async def _found(tx: Transaction, arn: str) -> tuple[Record, Subspace]:
    place = storage.stream_place(arn)
    stream = None if place is None else await storage.get_stream(tx, *place)
    if place is None or stream is None:
        raise stream_not_found(arn)
    return stream, storage.changes_of(place[0], place[1], stream)


def oldest_position(stream: Record) -> int:
    first = storage.position_of(stream["first"]) or 0
    return max(int(stream.get("horizon", 0)), first)


async def newest_position(tx: Transaction, stream: Record, changes: Subspace) -> int:
    """The position after the last record."""
    rows = await tx.range(*changes.range(), limit=1, reverse=True)
    return storage.position_after(changes, rows[0][0]) if rows else oldest_position(stream)
