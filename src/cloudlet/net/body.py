"""The body of a request that is streamed: filled by the connection, read once by the handler, bounded in between."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from ..errors import PeerGone

HIGH_WATER = 256 * 1024


class BodyStream:
    """An async iterator of pieces. `wanted` is called when the handler waits for more, so that the connection can say
    `100 Continue` and read on."""

    __slots__ = ("_error", "_pieces", "_waiter", "_wanted", "buffered", "discarding", "done", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, wanted: Callable[[], None]) -> None:
        self.loop = loop
        self.buffered = 0
        self.done = False
        self.discarding = False
        self._pieces: deque[bytes] = deque()
        self._wanted = wanted
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None

    @property
    def full(self) -> bool:
        return self.buffered >= HIGH_WATER

    def feed(self, piece: bytes) -> None:
        if not self.discarding:
            self._pieces.append(piece)
            self.buffered += len(piece)
            self._wake()

    def finish(self, error: Exception | None = None) -> None:
        self.done = True
        self._error = error
        self._wake()

    def discard(self) -> None:
        """Nobody will read it any more."""
        self.discarding = True
        self._pieces.clear()
        self.buffered = 0

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def __aiter__(self) -> BodyStream:
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self.done or self.discarding:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._waiter = self.loop.create_future()
            self._wanted()
            await self._waiter
        piece = self._pieces.popleft()
        was_full = self.full
        self.buffered -= len(piece)
        if was_full and not self.full:
            self._wanted()
        return piece


def gone() -> PeerGone:
    return PeerGone("the client went away before its request's body was complete")
