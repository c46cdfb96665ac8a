"""Queues as they are kept, their counts, and the tasks that move their messages. See the package for the keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from ....names import arn
from ....store.interface import Timers, Transaction
from ....store.keys import Subspace, successor
from .. import model

RETENTION_TIMER = "sqs.retention"
NAME_TIMER = "sqs.name"
SWEEP_TASK = "sqs.sweep"
MOVE_TASK = "sqs.move"

DELAYED, IN_FLIGHT = 0, 1
HISTORY = frozenset(
    ("MessageId", "Visible", "Begun", "ReceivedBefore", "FirstReceived", "DeadLetterQueueSourceArn")
)
"""What a message's record has of its own past; the rest is as it was sent."""

_space = Subspace("sqs")
_queue = _space.sub("queue")
_deleted = _space.sub("deleted")
_source = _space.sub("source")
_move = _space.sub("move")
MESSAGES = _space.sub("message")
ORDER = _space.sub("order")
HELD = _space.sub("held")
COUNT = _space.sub("count")
LATER = _space.sub("later")

Record = dict[str, Any]


class Name(NamedTuple):
    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        return arn("sqs", self.region, self.account, self.name)


@dataclass(slots=True)
class Queue:
    """A queue's record. One that `queue` gives is shared and must not be changed."""

    name: Name
    uid: int
    generation: int
    created: int
    modified: int
    attributes: dict[str, str]
    """Those that were set, but for counts and times."""
    tags: dict[str, str]
    purged: int = 0
    delay: int = field(init=False)
    retention: int = field(init=False)
    visibility: int = field(init=False)
    wait: int = field(init=False)
    max_size: int = field(init=False)
    dead_letters: Name | None = field(init=False)
    max_receives: int = field(init=False)
    order: Subspace = field(init=False)
    message: Subspace = field(init=False)
    held: Subspace = field(init=False)
    later: Subspace = field(init=False)
    count_key: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.delay = int(self.attribute("DelaySeconds")) * 1000
        self.retention = int(self.attribute("MessageRetentionPeriod")) * 1000
        self.visibility = int(self.attribute("VisibilityTimeout")) * 1000
        self.wait = int(self.attribute("ReceiveMessageWaitTimeSeconds"))
        self.max_size = int(self.attribute("MaximumMessageSize"))
        redrive = orjson.loads(self.attributes.get("RedrivePolicy") or "{}")
        target = redrive.get("deadLetterTargetArn")
        self.dead_letters = name_of(target) if target else None
        self.max_receives = redrive.get("maxReceiveCount", 0)
        self.order = ORDER.sub(self.uid, self.generation)
        self.message = MESSAGES.sub(self.uid, self.generation)
        self.held = HELD.sub(self.uid, self.generation)
        self.later = LATER.sub(self.uid, self.generation)
        self.count_key = COUNT.pack(self.uid, self.generation)

    def attribute(self, name: str) -> str:
        return self.attributes.get(name) or model.DEFAULTS.get(name, "")

    @property
    def place(self) -> tuple[int, int]:
        return self.uid, self.generation


def name_of(arn: str) -> Name | None:
    """The queue that an ARN means; None if it is no queue's."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sqs" or not all(parts[3:]):
        return None
    return Name(parts[4], parts[3], parts[5])


# --- queues ------------------------------------------------------------


def _decode(value: bytes) -> Queue:
    record = orjson.loads(value)
    return Queue(Name(*record.pop("name")), **record)


@lru_cache(maxsize=1024)
def _key(name: Name) -> bytes:
    return _queue.pack(*name)


async def find(tx: Transaction, name: Name) -> Queue | None:
    return await tx.load(_key(name), _decode)


async def queue(tx: Transaction, name: Name) -> Queue:
    """The queue, or QueueDoesNotExist."""
    found = await tx.load(_key(name), _decode)
    if found is None:
        raise model.no_queue()
    return found


async def put_queue(tx: Transaction, queue: Queue, old: Queue | None = None) -> None:
    """Write a queue and where its dead letters go."""
    if old is not None and old.dead_letters not in (None, queue.dead_letters):
        await tx.delete(_source.pack(*old.dead_letters, *queue.name))
    if queue.dead_letters is not None and (old is None or old.dead_letters != queue.dead_letters):
        await tx.put(_source.pack(*queue.dead_letters, *queue.name), b"")
    record = {
        "name": list(queue.name),
        "uid": queue.uid,
        "generation": queue.generation,
        "created": queue.created,
        "modified": queue.modified,
        "attributes": queue.attributes,
        "tags": queue.tags,
        "purged": queue.purged,
    }
    await tx.put(_key(queue.name), orjson.dumps(record))


async def delete_queue(tx: Transaction, timers: Timers, queue: Queue, now: int) -> None:
    """Delete the queue; its messages are left to a sweep."""
    await tx.delete(_key(queue.name))
    if queue.dead_letters is not None:
        await tx.delete(_source.pack(*queue.dead_letters, *queue.name))
    await tx.delete_range(*_move.range(*queue.name))
    await timers.cancel(tx, RETENTION_TIMER, tuple(queue.name))
    await rouse(tx, queue)
    await tx.put(_deleted.pack(*queue.name), b"%d" % now)
    await timers.set(tx, NAME_TIMER, tuple(queue.name), now / 1000 + model.NAME_SECONDS)


async def rouse(tx: Transaction, queue: Queue) -> None:
    """Wake who waits for messages of this generation; there will be none."""
    await tx.put(queue.order.prefix, b"")
    await tx.delete(queue.order.prefix)


async def is_name_taken(tx: Transaction, name: Name, now: int) -> bool:
    """Whether a queue of that name was deleted within the minute; not if that minute lies ahead of the clock."""
    deleted = await tx.get(_deleted.pack(*name))
    return deleted is not None and int(deleted or now) <= now


async def free_name(tx: Transaction, name: Name) -> None:
    await tx.delete(_deleted.pack(*name))


async def names(tx: Transaction, account: str, region: str, prefix: str, after: str, limit: int) -> list[str]:
    """Names of queues in order, those that begin with `prefix` and come after `after`."""
    begin = _queue.pack(account, region, max(prefix, after))
    end = _queue.pack(account, region, prefix + "\U0010ffff") if prefix else _queue.range(account, region)[1]
    if after:
        begin = successor(begin)
    return [_queue.unpack(key)[2] for key, _ in await tx.range(begin, end, limit=limit)]


async def every(tx: Transaction, after: Name | None, limit: int) -> list[Queue]:
    """Everybody's queues after one, in order."""
    begin, end = _queue.range()
    if after is not None:
        begin = successor(_key(after))
    return [_decode(value) for _, value in await tx.range(begin, end, limit=limit)]


async def sources(tx: Transaction, name: Name, after: str = "", limit: int = 0) -> list[Name]:
    """The queues whose dead letters come to this one."""
    begin, end = _source.range(*name)
    if after:
        begin = successor(_source.pack(*name, name.account, name.region, after))
    return [Name(*_source.unpack(key)[3:]) for key, _ in await tx.range(begin, end, limit=limit)]


# --- counts ------------------------------------------------------------


async def total(tx: Transaction, queue: Queue) -> int:
    value = await tx.get(queue.count_key)
    return 0 if value is None else int(value.split()[0])


async def count_messages(
    tx: Transaction, queue: Queue, change: int, timers: Timers | None = None, oldest: int = 0
) -> None:
    """Count messages. With those that come, of which the oldest was sent at `oldest`, their retention begins."""
    key = queue.count_key
    value = await tx.get(key)
    number, due = (0, 0) if value is None else map(int, value.split())
    number = max(0, number + change)
    if timers is not None and (due == 0 or oldest + queue.retention < due):
        due = oldest + queue.retention
        await timers.set(tx, RETENTION_TIMER, tuple(queue.name), due / 1000)
    await tx.put(key, b"%d %d" % (number, due))


async def count_later(tx: Transaction, queue: Queue, kind: int, visible: int, change: int, now: int) -> None:
    if visible <= now:
        return
    second = visible // 1000
    key = queue.later.pack(kind, second)
    value = await tx.get(key)
    number = (0 if value is None else int(value)) + change
    if number > 0:
        await tx.put(key, b"%d" % number)
    elif value is not None:
        await tx.delete(key)
    if value is None and change > 0:
        await tx.delete_range(queue.later.pack(kind), queue.later.pack(kind, now // 1000))


async def counts(tx: Transaction, queue: Queue, now: int) -> dict[str, int]:
    """How many messages are visible, delayed and in flight."""
    second = now // 1000 + 1
    later = [0, 0]
    for kind in (DELAYED, IN_FLIGHT):
        end = queue.later.range(kind)[1]
        for _, value in await tx.range(queue.later.pack(kind, second), end):
            later[kind] += int(value)
    begin, end = queue.order.pack(now + 1), queue.order.pack(second * 1000)
    for _, value in await tx.range(begin, end):
        later[IN_FLIGHT if value else DELAYED] += 1
    delayed, held = later
    return {
        "visible": max(0, await total(tx, queue) - delayed - held),
        "delayed": delayed,
        "in_flight": held,
    }


# --- moves ------------------------------------------------------------


async def put_move(tx: Transaction, source: Name, move: Record) -> None:
    await tx.put(_move.pack(*source, move["started"], move["id"]), orjson.dumps(move))


async def moves(tx: Transaction, source: Name) -> list[Record]:
    """The tasks that moved messages of the queue, the newest first."""
    return [orjson.loads(value) for _, value in await tx.range(*_move.range(*source), reverse=True)]


async def move(tx: Transaction, source: Name, id: str) -> Record | None:
    return next((move for move in await moves(tx, source) if move["id"] == id), None)


async def delete_move(tx: Transaction, source: Name, move: Record) -> None:
    await tx.delete(_move.pack(*source, move["started"], move["id"]))
