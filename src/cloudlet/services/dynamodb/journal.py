"""What a table with point-in-time recovery was: for each write the item that it replaced, as long as one may go back.

An entry is the second of the write (with six decimals), the item's key and the item as it lay there. To know the table
at a moment, take it as it is and put back what was replaced since, the oldest of each item. One timer a table forgets
what is too old.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...context import Context, Node
from ...store.interface import Timers, Transaction
from . import storage
from .changes import Change
from .table import Record, Table

FORGET = "dynamodb.forget-past"
BATCH = 1000
_DAY = 86400


async def note(ctx: Context, tx: Transaction, change: Change) -> None:
    entry = b"%017.6f%b%b%b" % (
        ctx.clock.now(),
        len(change.key).to_bytes(2, "big"),
        change.key,
        change.stored or b"",
    )
    await tx.put(storage.past_of(change.table).pack(tx.stamp()), entry)


def read(value: bytes) -> tuple[float, bytes, bytes]:
    """When, which item, and what it was (nothing if it wasn't)."""
    end = 19 + int.from_bytes(value[17:19], "big")
    return float(value[:17]), value[19:end], value[end:]


async def past(tx: Transaction, table: Table, moment: float) -> dict[bytes, bytes]:
    """The items that have changed since a moment, as they were then: by key, empty if there was none."""
    found: dict[bytes, bytes] = {}
    begin, end = storage.past_of(table).range()
    while True:
        rows = await tx.range(begin, end, limit=BATCH, reverse=True)
        for _, value in rows:
            at, key, stored = read(value)
            if at <= moment:
                return found
            found[key] = stored
        if len(rows) < BATCH:
            return found
        end = rows[-1][0]


async def begin(ctx: Context, tx: Transaction, record: Record) -> None:
    id = (ctx.account, ctx.region, record["name"], record["id"])
    await ctx.node.timers.set(tx, FORGET, id, ctx.clock.now() + _DAY)


def forgetter(node: Node) -> Callable[[Transaction, tuple[Any, ...], bytes], Any]:
    async def forget(tx: Transaction, id: tuple[Any, ...], payload: bytes) -> None:
        await _forget(tx, node.timers, id, node.clock.now())

    return forget


async def _forget(tx: Transaction, timers: Timers, id: tuple[Any, ...], now: float) -> None:
    """Once a day, and in batches while there is more; all of it when recovery is off or the table gone."""
    account, region, name, table_id = id
    table = await storage.find_table(tx, account, region, name)
    recovery = table.record.get("recovery") if table is not None and table.id == table_id else None
    keep = now - recovery["days"] * _DAY if recovery else now
    space = storage.past_in(account, region, table_id)
    rows = await tx.range(*space.range(), limit=BATCH)
    old = [key for key, value in rows if read(value)[0] <= keep]
    if old:
        await tx.delete_range(old[0], old[-1] + b"\x00")
    if len(old) == BATCH:
        await timers.set(tx, FORGET, id, now)
    elif recovery:
        await timers.set(tx, FORGET, id, now + _DAY)
