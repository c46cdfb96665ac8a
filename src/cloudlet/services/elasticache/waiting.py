"""Describing one cache that is changing waits a moment for the change to end, so that who waits needn't sleep."""

from __future__ import annotations

import asyncio
import contextlib

from ...context import Context
from . import fleet, lifecycle, snapshots, storage
from .storage import Name, Record

LONGEST = 8.0


async def settled(ctx: Context, name: Name) -> Record | None:
    """The cache, as it is once it doesn't change any more or when the wait is over; None if there is none."""
    watch = ctx.store.watch(storage.key(name))
    ends = ctx.clock.monotonic() + LONGEST
    try:
        while True:
            cache = await ctx.store.read(lambda tx: storage.find(tx, name))
            left = ends - ctx.clock.monotonic()
            passing = (*lifecycle.PASSING, snapshots.BUSY, "deleting")
            if cache is None or cache["status"] not in passing or left <= 0:
                return cache
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(watch.wait(), left)
    finally:
        watch.close()


def seen(ctx: Context, cache: Record) -> Record:
    """The cache as it is shown: one whose server can't be started says so."""
    if cache["status"] == "available":
        keepers = [fleet.of(ctx).keeper(uid) for uid in cache["servers"]]
        if any(keeper is None or keeper.trouble for keeper in keepers):
            return cache | {"status": "incompatible-network"}
    return cache
