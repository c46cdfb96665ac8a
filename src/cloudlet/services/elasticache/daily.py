"""Daily snapshots: a durable timer for each cache that keeps some, at its time of day in UTC."""

from __future__ import annotations

import datetime
from typing import Any

from ...context import Node
from ...store.interface import Transaction
from . import snapshots, storage
from .storage import Name, Record

DAY = 86_400
_KINDS = {"serverless": "serverlesssnapshot", "cluster": "snapshot", "group": "snapshot"}


async def schedule(tx: Transaction, node: Node, name: Name, cache: Record) -> None:
    """Set or cancel the timer, as the record wants it."""
    if not cache["retention"] or cache["status"] == "deleting":
        await node.timers.cancel(tx, storage.DAILY_TIMER, tuple(name))
        return
    now = node.clock.now()
    hours, minutes = (cache.get("daily") or cache["window"].partition("-")[0]).split(":")
    due = now - now % DAY + int(hours) * 3600 + int(minutes) * 60
    await node.timers.set(tx, storage.DAILY_TIMER, tuple(name), due if due > now else due + DAY)


async def on_timer(node: Node, tx: Transaction, id: tuple[Any, ...]) -> None:
    name = Name(*id)
    cache = await storage.find(tx, name)
    if cache is None:
        return
    await schedule(tx, node, name, cache)
    if cache["status"] != "available" or not cache["retention"]:
        return
    now = node.clock.now()
    stamp = datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%Y-%m-%d-%H-%M")
    target = name._replace(kind=_KINDS[name.kind], name=f"automatic.{name.name}-{stamp}")
    if await storage.find(tx, target) is None:
        expires = now + cache["retention"] * DAY
        more = {"type": "automated", "expires": expires}
        await snapshots.order(tx, node, target, snapshots.new(target, name, cache, now, **more))
