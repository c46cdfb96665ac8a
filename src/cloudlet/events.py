"""What happens on the node, live: the bus behind `cloudlet up`, `cloudlet logs` and the console.

An event is a dict with `at` (seconds), `kind` (e.g. "ws.open", "lambda.report", "cfn.event") and what else its
kind has. Emitting costs next to nothing while nobody listens. A listener that doesn't read loses its oldest
events, and is told how many in `lost`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from .clock import Clock

LISTENER_BACKLOG = 2048


class Listener:
    def __init__(self, bus: Events) -> None:
        self._bus = bus
        self._queue: deque[dict[str, Any]] = deque(maxlen=LISTENER_BACKLOG)
        self._wake = asyncio.Event()
        self.lost = 0

    def put(self, event: dict[str, Any]) -> None:
        if len(self._queue) == LISTENER_BACKLOG:
            self.lost += 1
        self._queue.append(event)
        self.wake()

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """The events from now on, until the bus is closed."""
        while True:
            while self._queue:
                yield self._queue.popleft()
            if self._bus.closed:
                return
            self._wake.clear()
            await self._wake.wait()

    def wake(self) -> None:
        self._wake.set()

    def close(self) -> None:
        self._bus.listeners.discard(self)


class Events:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.listeners: set[Listener] = set()
        self.closed = False

    def close(self) -> None:
        """Let every listener come to its end."""
        self.closed = True
        for listener in self.listeners:
            listener.wake()

    def emit(self, kind: str, **fields: Any) -> None:
        if self.listeners:
            event = {"at": self._clock.now(), "kind": kind, **fields}
            for listener in self.listeners:
                listener.put(event)

    def listen(self) -> Listener:
        listener = Listener(self)
        self.listeners.add(listener)
        return listener
