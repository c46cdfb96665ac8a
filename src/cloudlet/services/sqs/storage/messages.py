"""Messages as they are kept: their places in the queue's order, and what moves them. See the package for the keys."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from ....store.interface import Store, Timers, Transaction
from ....store.keys import successor
from .queues import (
    COUNT,
    DELAYED,
    HELD,
    IN_FLIGHT,
    LATER,
    MESSAGES,
    ORDER,
    RETENTION_TIMER,
    Queue,
    Record,
    count_later,
    count_messages,
    find,
    total,
)

SWEEP_STEP, SWEEP_MESSAGES = 512, 64
"""How many keys one transaction of a sweep deletes; messages may be large."""
EXPIRE_STEP = 256
DROP_STEP = 256
"""About how many messages one receive drops or buries before it lets others have their turn."""


class Id(NamedTuple):
    """A message's place among those of its queue."""

    sent: int
    stamp: bytes


class Held(NamedTuple):
    visible: int
    receives: int
    first: int
    last: int
    changed: int = 0
    """When its visibility was changed since."""


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
            await count_later(tx, queue, DELAYED, sent + delay, 1, sent)
    await count_messages(tx, queue, len(messages), timers, sent)


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
        await count_later(tx, queue, IN_FLIGHT, now + visibility, len(taken), now)
    if gone:
        await count_messages(tx, queue, -gone)
    return taken, gone >= DROP_STEP


async def put_back(tx: Transaction, queue: Queue, taken: list[Taken], now: int) -> None:
    """As if the messages had not been received."""
    for id, message, held in taken:
        if await _held_at(tx, queue, id) != held:
            continue
        receives = held.receives - 1
        await tx.delete(queue.order.pack(held.visible, *id))
        await count_later(tx, queue, IN_FLIGHT, held.visible, -1, now)
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
    buried = {**message, "Visible": now, "Begun": now, "DeadLetterQueueSourceArn": queue.name.arn}
    if held is not None:
        buried |= {"ReceivedBefore": held.receives, "FirstReceived": held.first}
    await _put(tx, dead, id, buried)
    await count_messages(tx, dead, 1, timers, id.sent)


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
    await count_later(tx, queue, IN_FLIGHT, held.visible, -1, now)
    await count_messages(tx, queue, -1)
    return True


async def held(tx: Transaction, queue: Queue, id: Id, receives: int) -> Held | None:
    """What is known of a message as received for the `receives`th time; None if that was not the last time."""
    found = await _held_at(tx, queue, id)
    return found if found is not None and found.receives == receives else None


async def show_at(tx: Transaction, queue: Queue, id: Id, held: Held, visible: int, now: int) -> None:
    """Make a message in flight visible at another time."""
    await tx.delete(queue.order.pack(held.visible, *id))
    await tx.put(queue.order.pack(visible, *id), b"r")
    await tx.put(queue.held.pack(*id), orjson.dumps(list(held._replace(visible=visible, changed=now))))
    await count_later(tx, queue, IN_FLIGHT, held.visible, -1, now)
    await count_later(tx, queue, IN_FLIGHT, visible, 1, now)


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
        await count_messages(tx, queue, -1)


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
        await count_later(tx, queue, DELAYED if found is None else IN_FLIGHT, visible, -1, now)
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
        for table in (ORDER, HELD, LATER, COUNT, MESSAGES):
            begin, end = table.range(uid, generation)
            limit = SWEEP_MESSAGES if table is MESSAGES else SWEEP_STEP
            rows = await tx.range(begin, end, limit=limit)
            if rows:
                await tx.delete_range(begin, successor(rows[-1][0]))
                return True
        return False

    while await store.transact(step):
        pass
