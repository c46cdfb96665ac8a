"""Moves the node's clock, and knows after a restart how far it was ahead.

    ("clock", "ahead")    seconds by which the clock ran ahead of the machine's, at most

A node that starts reads the machine's clock, so time is set back by as much as it was ahead. Who keeps waits is told
then as if a person had done it.
"""

from __future__ import annotations

import asyncio

from .clock import Clock
from .store.interface import Store, Transaction
from .store.keys import Subspace

_AHEAD = Subspace("clock").pack("ahead")


class Timekeeper:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._settling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        value = await self._store.read(lambda tx: tx.get(_AHEAD))
        if value is not None:
            self._clock.was_ahead(float(value))
            self._settling = asyncio.create_task(self._settle())

    async def stop(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.gather(self._settling, return_exceptions=True)

    async def move(self, seconds: float) -> None:
        """Move time. When this returns, who keeps waits has done what there is to do about it."""
        if seconds > 0:
            ahead = self._clock.offset + seconds
            await self._store.transact(lambda tx: _remember(tx, ahead))
        self._clock.advance(seconds)
        if seconds < 0:
            await self._settle()

    async def _settle(self) -> None:
        await self._clock.settled()
        await self._store.transact(lambda tx: _remember(tx, self._clock.offset))


async def _remember(tx: Transaction, ahead: float) -> None:
    if ahead > 0:
        await tx.put(_AHEAD, repr(ahead).encode())
    else:
        await tx.delete(_AHEAD)
