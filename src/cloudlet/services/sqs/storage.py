"""Where queues and messages lie.

    ("queue", account, region, name)                  -> queue: uid, generation, attributes, tags, ...
    ("deleted", account, region, name)                -> nothing: a queue of that name was deleted within the minute
    ("source", account, region, name, *source)        -> nothing: the queue `source` names this one for its dead letters
    ("move", account, region, name, started, task)    -> a task that moves the queue's messages
    and of the queue's messages, under its uid and generation:
    ("message", uid, generation, sent, stamp)         -> the message as it was sent
    ("order", uid, generation, visible, sent, stamp)  -> "" of a message never received here, else "r"
    ("held", uid, generation, sent, stamp)            -> visible, receives, first and last receive, of a received one
    ("count", uid, generation)                        -> number of messages, when the retention timer is due (0: unset)
    ("later", uid, generation, kind, second)          -> how many of a kind (0 delayed, 1 in flight) that second frees

All times are milliseconds. A message can be received from `visible` on, so a receive is the begin of one range, delay
and visibility timeout are a place in it, and nothing has to happen when they end. What is in flight or delayed now is
the sum of `later` beyond this second and the keys of `order` in the rest of it. A purged queue goes on in a new
generation; the old one, like a deleted queue, is swept piece by piece.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from ...names import arn
from ...store.interface import Store, Timers, Transaction
from ...store.keys import Subspace, successor
from . import model

RETENTION_TIMER = "sqs.retention"
NAME_TIMER = "sqs.name"
SWEEP_TASK = "sqs.sweep"
MOVE_TASK = "sqs.move"

DELAYED, IN_FLIGHT = 0, 1
SWEEP_STEP, SWEEP_MESSAGES = 512, 64
"""How many keys one transaction of a sweep deletes; messages may be large."""
EXPIRE_STEP = 256
DROP_STEP = 256
"""About how many messages one receive drops or buries before it lets others have their turn."""
HISTORY = frozenset(("MessageId", "Visible", "ReceivedBefore", "FirstReceived", "DeadLetterQueueSourceArn"))
"""What a message's record has of its own past; the rest is as it was sent."""

_space = Subspace("sqs")
_queue = _space.sub("queue")
_deleted = _space.sub("deleted")
_source = _space.sub("source")
_move = _space.sub("move")
_message = _space.sub("message")
_order = _space.sub("order")
_held = _space.sub("held")
_count = _space.sub("count")
_later = _space.sub("later")

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
        self.order = _order.sub(self.uid, self.generation)
        self.message = _message.sub(self.uid, self.generation)
        self.held = _held.sub(self.uid, self.generation)
        self.later = _later.sub(self.uid, self.generation)
        self.count_key = _count.pack(self.uid, self.generation)

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
    await tx.put(_deleted.pack(*queue.name), b"")
    await timers.set(tx, NAME_TIMER, tuple(queue.name), now / 1000 + model.NAME_SECONDS)


async def rouse(tx: Transaction, queue: Queue) -> None:
    """Wake who waits for messages of this generation; there will be none."""
    await tx.put(queue.order.prefix, b"")
    await tx.delete(queue.order.prefix)


async def is_name_taken(tx: Transaction, name: Name) -> bool:
    return await tx.get(_deleted.pack(*name)) is not None


async def free_name(tx: Transaction, name: Name) -> None:
    await tx.delete(_deleted.pack(*name))


async def names(tx: Transaction, account: str, region: str, prefix: str, after: str, limit: int) -> list[str]:
    """Names of queues in order, those that begin with `prefix` and come after `after`."""
    begin = _queue.pack(account, region, max(prefix, after))
    end = _queue.pack(account, region, prefix + "\U0010ffff") if prefix else _queue.range(account, region)[1]
    if after:
        begin = successor(begin)
    return [_queue.unpack(key)[2] for key, _ in await tx.range(begin, end, limit=limit)]


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


async def _add(
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


async def _add_later(tx: Transaction, queue: Queue, kind: int, visible: int, change: int, now: int) -> None:
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


# --- messages ------------------------------------------------------------


class Id(NamedTuple):
    """A message's place among those of its queue."""

    sent: int
    stamp: bytes


class Held(NamedTuple):
    visible: int
    receives: int
    first: int
    last: int


class Taken(NamedTuple):
    """A received message."""

    id: Id
    message: Record
    held: Held


async def add(
    tx: Transaction, timers: Timers, queue: Queue, messages: list[Record], sent: int, delays: list[int]
) -> None:
    """Put new messages into the queue."""
    for message, delay in zip(messages, delays, strict=True):
        await _put(tx, queue, Id(sent, tx.stamp()), {**message, "Visible": sent + delay})
        if delay:
            await _add_later(tx, queue, DELAYED, sent + delay, 1, sent)
    await _add(tx, queue, len(messages), timers, sent)


async def _put(tx: Transaction, queue: Queue, id: Id, message: Record) -> None:
    await tx.put(queue.order.pack(message["Visible"], *id), b"")
    await tx.put(queue.message.pack(*id), orjson.dumps(message))


async def _held_at(tx: Transaction, queue: Queue, id: Id) -> Held | None:
    value = await tx.get(queue.held.pack(*id))
    return None if value is None else Held(*orjson.loads(value))


async def take(
    tx: Transaction, timers: Timers, queue: Queue, now: int, limit: int, visibility: int
) -> tuple[list[Taken], bool]:
    """Receive up to `limit` messages, hidden until `now + visibility`. Expired ones are dropped on the way, and those
    received too often go to the dead-letter queue. Also whether there were so many of these that it stopped early."""
    taken: list[Taken] = []
    begin, end = queue.order.prefix, queue.order.pack(now + 1)
    dead = await find(tx, queue.dead_letters) if queue.dead_letters is not None else None
    gone = 0
    while len(taken) < limit and gone < DROP_STEP:
        wanted = limit - len(taken)
        rows = await tx.range(begin, end, limit=wanted)
        for key, received in rows:
            _, *parts = queue.order.unpack(key)
            id = Id(*parts)
            value = await tx.get(queue.message.pack(*id))
            held = await _held_at(tx, queue, id) if received else None
            await tx.delete(key)
            if value is None:
                continue
            message = orjson.loads(value)
            receives = held.receives if held is not None else message.get("ReceivedBefore", 0)
            if id.sent + queue.retention <= now:
                await _forget(tx, queue, id)
                gone += 1
            elif dead is not None and receives - message.get("ReceivedBefore", 0) >= queue.max_receives:
                await _forget(tx, queue, id)
                await _bury(tx, timers, queue, dead, id, message, held, now)
                gone += 1
            else:
                first = held.first if held is not None else message.get("FirstReceived", now)
                taken.append(Taken(id, message, Held(now + visibility, receives + 1, first, now)))
        if len(rows) < wanted:
            break
        begin = successor(rows[-1][0])
    for id, _, held in taken:
        await tx.put(queue.order.pack(held.visible, *id), b"r")
        await tx.put(queue.held.pack(*id), orjson.dumps(list(held)))
    if taken:
        await _add_later(tx, queue, IN_FLIGHT, now + visibility, len(taken), now)
    if gone:
        await _add(tx, queue, -gone)
    return taken, gone >= DROP_STEP


async def put_back(tx: Transaction, queue: Queue, taken: list[Taken], now: int) -> None:
    """As if the messages had not been received."""
    for id, message, held in taken:
        if await _held_at(tx, queue, id) != held:
            continue
        receives = held.receives - 1
        await tx.delete(queue.order.pack(held.visible, *id))
        await _add_later(tx, queue, IN_FLIGHT, held.visible, -1, now)
        if receives > message.get("ReceivedBefore", 0):
            await tx.put(queue.order.pack(now, *id), b"r")
            earlier = held._replace(visible=now, receives=receives)
            await tx.put(queue.held.pack(*id), orjson.dumps(list(earlier)))
        else:
            await tx.put(queue.order.pack(message["Visible"], *id), b"")
            await tx.delete(queue.held.pack(*id))


async def _bury(
    tx: Transaction,
    timers: Timers,
    queue: Queue,
    dead: Queue,
    id: Id,
    message: Record,
    held: Held | None,
    now: int,
) -> None:
    """Put a message into the dead-letter queue. Its age and its count of receives go on there."""
    buried = {**message, "Visible": now, "DeadLetterQueueSourceArn": queue.name.arn}
    if held is not None:
        buried |= {"ReceivedBefore": held.receives, "FirstReceived": held.first}
    await _put(tx, dead, id, buried)
    await _add(tx, dead, 1, timers, id.sent)


async def _forget(tx: Transaction, queue: Queue, id: Id) -> None:
    """Remove what there is of a message but for its place in the order."""
    await tx.delete(queue.message.pack(*id))
    await tx.delete(queue.held.pack(*id))


async def next_shown(tx: Transaction, queue: Queue, now: int) -> int | None:
    """When the next of the hidden messages becomes visible."""
    begin, end = queue.order.pack(now + 1), queue.order.range()[1]
    rows = await tx.range(begin, end, limit=1)
    return queue.order.unpack(rows[0][0])[0] if rows else None


async def delete(tx: Transaction, queue: Queue, id: Id, receives: int, now: int) -> bool:
    """Delete a message as received for the `receives`th time. Whether it was there, and that was the last time."""
    held = await _held_at(tx, queue, id)
    if held is None or held.receives != receives:
        return False
    await tx.delete(queue.order.pack(held.visible, *id))
    await _forget(tx, queue, id)
    await _add_later(tx, queue, IN_FLIGHT, held.visible, -1, now)
    await _add(tx, queue, -1)
    return True


async def held(tx: Transaction, queue: Queue, id: Id, receives: int) -> Held | None:
    """What is known of a message as received for the `receives`th time; None if that was not the last time."""
    found = await _held_at(tx, queue, id)
    return found if found is not None and found.receives == receives else None


async def show_at(tx: Transaction, queue: Queue, id: Id, held: Held, visible: int, now: int) -> None:
    """Make a message in flight visible at another time."""
    await tx.delete(queue.order.pack(held.visible, *id))
    await tx.put(queue.order.pack(visible, *id), b"r")
    await tx.put(queue.held.pack(*id), orjson.dumps(list(held._replace(visible=visible))))
    await _add_later(tx, queue, IN_FLIGHT, held.visible, -1, now)
    await _add_later(tx, queue, IN_FLIGHT, visible, 1, now)


async def first_visible(tx: Transaction, queue: Queue, now: int) -> Record | None:
    """The first message that could be received, left where it is."""
    while rows := await tx.range(queue.order.prefix, queue.order.pack(now + 1), limit=1):
        _, *parts = queue.order.unpack(rows[0][0])
        id = Id(*parts)
        value = await tx.get(queue.message.pack(*id))
        if value is not None and id.sent + queue.retention > now:
            found: Record = orjson.loads(value)
            return found
        await pull_first(tx, queue, now)
    return None


async def pull_first(tx: Transaction, queue: Queue, now: int) -> None:
    """Take the first message that could be received out of the queue for good."""
    for key, _ in await tx.claim(queue.order.prefix, queue.order.pack(now + 1), 1):
        _, *parts = queue.order.unpack(key)
        await _forget(tx, queue, Id(*parts))
        await _add(tx, queue, -1)


async def expire(tx: Transaction, timers: Timers, queue: Queue, now: int) -> None:
    """Delete messages past their retention, as many as one turn may, and set the timer to what comes next."""
    begin, end = queue.message.prefix, queue.message.pack(now - queue.retention + 1)
    rows = await tx.range(begin, end, limit=EXPIRE_STEP)
    for key, value in rows:
        id = Id(*queue.message.unpack(key))
        found = await _held_at(tx, queue, id)
        visible = orjson.loads(value)["Visible"] if found is None else found.visible
        await tx.delete(queue.order.pack(visible, *id))
        await _forget(tx, queue, id)
        await _add_later(tx, queue, DELAYED if found is None else IN_FLIGHT, visible, -1, now)
    number = max(0, await total(tx, queue) - len(rows))
    await arm(tx, timers, queue, number)


async def arm(tx: Transaction, timers: Timers, queue: Queue, number: int) -> None:
    """Set the retention timer to the oldest of `number` messages."""
    oldest = await tx.range(*queue.message.range(), limit=1)
    due = 0
    if oldest:
        due = queue.message.unpack(oldest[0][0])[0] + queue.retention
        await timers.set(tx, RETENTION_TIMER, tuple(queue.name), due / 1000)
    await tx.put(queue.count_key, b"%d %d" % (number, due))


async def sweep(store: Store, uid: int, generation: int) -> None:
    """Delete all messages of a generation, in steps between which others have their turn."""

    async def step(tx: Transaction) -> bool:
        for table in (_order, _held, _later, _count, _message):
            begin, end = table.range(uid, generation)
            limit = SWEEP_MESSAGES if table is _message else SWEEP_STEP
            rows = await tx.range(begin, end, limit=limit)
            if rows:
                await tx.delete_range(begin, successor(rows[-1][0]))
                return True
        return False

    while await store.transact(step):
        pass


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
