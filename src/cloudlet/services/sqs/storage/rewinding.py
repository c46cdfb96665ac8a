"""Messages that wait when time is set back.

What began to wait at a time that now lies ahead would wait until the clock gets there again. It shall wait no longer
than it had left, and what could be received shall be received: its place in the order is moved. What began before waits
as if time had never run ahead. The counts of hidden messages by the second are counted anew on the way.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson

from ....clock import Clock
from ....store.interface import Store, Transaction
from .messages import Held, Id
from .queues import DELAYED, IN_FLIGHT, Name, Queue, count_later, every

PAGE = 256
STEP = 64
"""About how many messages one transaction looks at."""
Row = tuple[bytes, bytes]


async def rewind(store: Store, clock: Clock, back: float) -> None:
    """Look at the hidden messages of all queues, since time was set back by `back` seconds."""
    after: Name | None = None
    while queues := await store.read(partial(every, after=after, limit=PAGE)):
        for queue in queues:
            second: int | None = clock.now_ms() // 1000
            while second is not None:
                second = await store.transact(
                    partial(_step, queue=queue, second=second, back=int(back * 1000), now=clock.now_ms())
                )
        after = queues[-1].name


async def _step(tx: Transaction, queue: Queue, second: int, back: int, now: int) -> int | None:
    """Look at some messages that are shown from a second on. Gives the second to go on with; None if there is none."""
    rows, end = await _rows(tx, queue, second)
    for kind in (DELAYED, IN_FLIGHT):
        last = queue.later.range(kind)[1] if end is None else queue.later.pack(kind, end)
        await tx.delete_range(queue.later.pack(kind, second), last)
    for key, value in rows:
        visible, *parts = queue.order.unpack(key)
        if visible > now:
            shown = await _shown(tx, queue, Id(*parts), visible, value, now, max(now, visible - back))
            await count_later(tx, queue, IN_FLIGHT if value else DELAYED, shown, 1, now)
    return end


async def _rows(tx: Transaction, queue: Queue, second: int) -> tuple[list[Row], int | None]:
    """Some whole seconds of the order, and the one that follows; None if that was all."""
    rows = await tx.range(queue.order.pack(second * 1000), queue.order.range()[1], limit=STEP)
    if len(rows) < STEP:
        return rows, None
    first, last = (queue.order.unpack(key)[0] // 1000 for key in (rows[0][0], rows[-1][0]))
    if first < last:
        return [row for row in rows if row[0] < queue.order.pack(last * 1000)], last
    return await tx.range(queue.order.pack(first * 1000), queue.order.pack((first + 1) * 1000)), first + 1


async def _shown(
    tx: Transaction, queue: Queue, id: Id, visible: int, value: bytes, now: int, shown: int
) -> int:
    """Move a hidden message whose wait began ahead of `now` so that it is `shown`. Gives when it will be visible."""
    held_key, message_key = queue.held.pack(*id), queue.message.pack(*id)
    row = await tx.get(held_key if value else message_key)
    if row is None:
        return visible
    if value:
        held = Held(*orjson.loads(row))
        if max(held.last, held.changed) <= now:
            return visible
        held = held._replace(visible=shown, last=min(held.last, now), changed=now)
        await tx.put(held_key, orjson.dumps(list(held)))
    else:
        message: dict[str, Any] = orjson.loads(row)
        if message.get("Begun", id.sent) <= now:
            return visible
        await tx.put(message_key, orjson.dumps({**message, "Visible": shown, "Begun": now}))
    await tx.delete(queue.order.pack(visible, *id))
    await tx.put(queue.order.pack(shown, *id), value)
    return shown
