"""How many batches of a source run at once.

A source begins with a few. Each second in which all are busy, and most of them longer than that second, as many more
are let in: a backlog of slow work spreads out, one of quick work needs no further workers. While the function is
throttled nobody comes in.
"""

from __future__ import annotations

import asyncio

from ....clock import Clock, Handle
from .. import model

TICK = 1.0


class Crew:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._width = model.QUEUE_BATCHES
        self._most = 0
        self._running = 0
        self._ended = 0
        self._throttled = 0
        self._waiting: asyncio.Future[None] | None = None
        self._timer: Handle | None = None

    async def room(self, most: int) -> int:
        """Wait until one more may run, of at most `most`; how many may. There is one who waits."""
        self._most = most
        while not self.is_room():
            if self._timer is None:
                self._ended = 0
                self._timer = self._clock.call_later(TICK, self._tick)
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return min(self._width, most) - self._running

    def is_room(self) -> bool:
        return not self._throttled and self._running < min(self._width, self._most)

    def begin(self) -> None:
        self._running += 1

    def end(self) -> None:
        self._running -= 1
        self._ended += 1
        self._wake()

    def throttled(self, change: int) -> None:
        """A batch begins (1) or ceases (-1) to wait because the function is throttled."""
        self._throttled += change
        self._wake()

    def rest(self) -> None:
        """The source was empty for a while: the next rush begins as the first did."""
        self._width = max(model.QUEUE_BATCHES, self._running)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done() and self.is_room():
            self._waiting.set_result(None)

    def _tick(self) -> None:
        self._timer = None
        if self._waiting is None or self._waiting.done():
            return
        if self._ended < self._running and not self._throttled:
            self._width = min(self._width + model.QUEUE_BATCHES, model.CONCURRENT_EXECUTIONS)
        self._wake()
        if not self._waiting.done():
            self._ended = 0
            self._timer = self._clock.call_later(TICK, self._tick)
