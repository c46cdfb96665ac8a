"""How many events of a function run at once, and how many wait for their turn in memory.

A burst of events must not start a process for each of them. A function begins with a few at once; as long as events
wait and most of those that run take longer than a tick, the number doubles, up to its concurrency. What doesn't find
room to wait goes back into the durable queue, and comes back spread over time.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque

from ...clock import Clock, Handle
from . import model


class Gate:
    """One function's. `most` is its concurrency, as last heard of."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._width = model.EVENT_WIDTH
        self._most = 0
        self._running = 0
        self._ended = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: Handle | None = None
        self._turned_away = 0

    @property
    def idle(self) -> bool:
        return not self._running and not self._waiting

    async def enter(self, most: int) -> bool:
        """Wait for a turn; False if too many wait already, or none may run at all. `leave` gives the turn back."""
        self._most = most
        self._grant()
        if not self._waiting and self._running < min(self._width, most):
            self._running += 1
            return True
        if len(self._waiting) >= model.EVENTS_WAITING or most == 0:
            self._turned_away += 1
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._watch()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.leave()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise
        return True

    def leave(self) -> None:
        self._running -= 1
        self._ended += 1
        self._grant()

    def pause(self) -> float:
        """After how many seconds one that was turned away shall come again."""
        return 0.5 + random.random() * self._turned_away / model.EVENTS_A_SECOND

    def _grant(self) -> None:
        while self._waiting and self._running < min(self._width, self._most):
            turn = self._waiting.popleft()
            if not turn.done():
                self._running += 1
                turn.set_result(None)

    def _watch(self) -> None:
        if self._timer is None:
            self._ended = 0
            self._timer = self._clock.call_later(model.EVENT_TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if not self._waiting:
            self._width = model.EVENT_WIDTH
            self._turned_away = 0
            return
        if self._ended < self._running:
            self._width = min(2 * self._width, model.CONCURRENT_EXECUTIONS)
        if not self._running:
            self._most = max(1, self._most)  # its concurrency was taken away; who tries will be told
        self._grant()
        self._watch()


class Gates:
    """One for each function that has events, by account, region and name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gates: dict[tuple[str, str, str], Gate] = {}

    def of(self, account: str, region: str, name: str) -> Gate:
        key = account, region, name
        gate = self._gates.get(key)
        if gate is None:
            for idle in [key for key, gate in self._gates.items() if gate.idle]:
                del self._gates[idle]
            gate = self._gates[key] = Gate(self._clock)
        return gate
