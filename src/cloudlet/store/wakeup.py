"""One thing to wait for where three may happen: a key under a prefix was written, a time came, somebody poked."""

from __future__ import annotations

import asyncio

from ..clock import Clock
from .interface import Store


class Wakeup:
    """For one waiter. What happens while it doesn't wait is not lost."""

    def __init__(self, store: Store, clock: Clock, prefix: bytes) -> None:
        self._clock = clock
        self._watch = store.watch(prefix)
        self._event = asyncio.Event()
        self._follower = asyncio.create_task(self._follow())

    def poke(self) -> None:
        self._event.set()

    async def wait(self, until: float | None) -> None:
        """Return after a write or a poke, or once the clock is at `until`."""
        handle = None if until is None else self._clock.call_at(until, self._event.set)
        try:
            await self._event.wait()
        finally:
            if handle is not None:
                handle.cancel()
        self._event.clear()

    def close(self) -> None:
        self._follower.cancel()
        self._watch.close()

    async def _follow(self) -> None:
        while True:
            await self._watch.wait()
            self._event.set()
