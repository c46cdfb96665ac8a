"""When an item's time is up: from the attribute that its table names, in seconds, to a timer.

The timer only says that it is time to look: an item that was changed or deleted since, or whose table counts by another
attribute or by none, stays as it is. The service itself takes up to some days; here items go when the clock says.
"""

from __future__ import annotations

from decimal import Decimal

from ...context import Context
from ...store.interface import Transaction
from .attributes import Value
from .table import Table

EXPIRE = "dynamodb.expire"

_TOO_OLD = 5 * 365 * 86400
"""Items that expired longer ago than that are left alone, so that a wrong unit deletes nothing."""
_MAX = 1 << 40


def due_at(value: Value, now: float) -> float | None:
    """When an item with this attribute goes; None is never."""
    text: str | None = value.get("N")
    if text is None:
        return None
    moment = Decimal(text)
    if not now - _TOO_OLD <= moment <= _MAX:
        return None
    return float(moment)


async def set_timer(ctx: Context, tx: Transaction, table: Table, key: bytes, value: Value) -> None:
    due = due_at(value, ctx.clock.now())
    if due is not None:
        await ctx.node.timers.set(tx, EXPIRE, (*table.scope, key), due, table.name.encode())
