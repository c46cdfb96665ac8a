"""What operations on caches of every kind have in common: looking at them, changing them, ending them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import daily, launch, model, snapshots, storage, waiting
from ..names import named
from ..storage import Name, Record

Response = dict[str, Any]
Show = Callable[[Name, Record, list[Record]], Response]
"""A cache and its servers as they are told."""


async def look(ctx: Context, kind: str, wanted: str | None, show: Show) -> list[Response]:
    """The cache that is asked for, once it has settled; else all of its kind."""
    if wanted is not None:
        await waiting.settled(ctx, named(ctx, kind, wanted))

    async def body(tx: Transaction) -> list[Response]:
        if wanted is not None:
            found = [await storage.need(tx, named(ctx, kind, wanted))]
        else:
            found = await storage.every(tx, ctx.account, ctx.region, kind)
        return [
            show(
                named(ctx, kind, cache["name"]), waiting.seen(ctx, cache), await storage.servers_of(tx, cache)
            )
            for cache in found
        ]

    return await ctx.store.read(body)


async def available(tx: Transaction, name: Name) -> Record:
    """The cache, if something may be done with it now."""
    cache = await storage.need(tx, name)
    if cache["status"] != "available":
        raise model.wrong_state(name.kind, name.name, cache["status"])
    return cache


async def keep(ctx: Context, tx: Transaction, name: Name, cache: Record) -> None:
    """Write a cache down, and when its daily snapshots are due."""
    await storage.put(tx, name, cache)
    await daily.schedule(tx, ctx.node, name, cache)


async def end(ctx: Context, name: Name, final: str | None, show: Show) -> Response:
    """Delete a cache; its last act is the snapshot that is asked for."""

    async def body(tx: Transaction) -> Response:
        cache = await storage.need(tx, name)
        if cache["status"] == "deleting":
            raise model.not_deletable(name.kind, name.name, cache["status"])
        servers = await storage.servers_of(tx, cache)
        cache = cache | {"status": "deleting"}
        await keep(ctx, tx, name, cache)
        place: list[str] = []
        if final:
            kind = "serverlesssnapshot" if name.kind == "serverless" else "snapshot"
            target = named(ctx, kind, final.lower())
            taken = snapshots.new(target, name, cache, ctx.clock.now_ms() / 1000)
            await storage.add(tx, target, taken)
            place = list(target)
        await launch.delete(tx, cache, place)
        return show(name, cache, servers)

    return await ctx.store.transact(body)
