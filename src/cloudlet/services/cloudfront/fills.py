"""Objects on their way into the cache: read once from the origin, by a task of their own, whoever waits for them.

A `Flight` is one origin request that others with the same key wait for. A `Fill` is a body that comes in pieces: the
viewer who caused it reads along, the cache gets it when it is whole. One that turns out to be too large to be kept is
handed over to that viewer, who from there on reads from the origin at his own pace.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from ...errors import PeerGone


class Flight:
    """What happens to a key just now. Whoever waits looks into the cache again afterwards."""

    __slots__ = ("_done", "url", "void")

    def __init__(self, url: str) -> None:
        self.url = url
        self.void = False
        """What it brings was invalidated before it came."""
        self._done: asyncio.Future[None] | None = None

    async def wait(self) -> None:
        if self._done is None:
            self._done = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._done)

    def land(self) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(None)


class Fill:
    """Call `run` in a task; read `pieces` at most once."""

    def __init__(self, body: AsyncIterator[bytes], limit: int, whole: Callable[[bytes | None], None]) -> None:
        """`whole` is called once: with the body, or with None if it isn't kept."""
        self._body = body
        self._limit = limit
        self._whole = whole
        self._pieces: list[bytes] = []
        self._size = 0
        self._ended = False
        self._too_large = False
        self._error: Exception | None = None
        self._wake: asyncio.Future[None] | None = None
        self._reader_gone = False

    async def run(self) -> None:
        try:
            async for piece in self._body:
                self._pieces.append(piece)
                self._size += len(piece)
                self._call()
                if self._size > self._limit:
                    self._too_large = True
                    break
        except Exception as error:  # the reader raises it, or nobody is interested any more
            self._error = error
        self._ended = True
        kept = self._error is None and not self._too_large
        self._whole(b"".join(self._pieces) if kept else None)
        self._call()
        if self._too_large and self._reader_gone:
            await discard(self._body)

    def _call(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def pieces(self) -> AsyncIterator[bytes]:
        at = 0
        try:
            while True:
                while at < len(self._pieces):
                    piece = self._pieces[at]
                    if self._too_large:
                        self._pieces[at] = b""
                    at += 1
                    yield piece
                if self._ended:
                    break
                self._wake = asyncio.get_running_loop().create_future()
                await self._wake
            if self._error is not None:
                raise PeerGone("the origin broke off") from self._error
            if self._too_large:
                async for piece in self._body:
                    yield piece
        finally:
            self._reader_gone = True
            if self._too_large:
                await discard(self._body)


async def discard(body: bytes | AsyncIterator[bytes]) -> None:
    """Let go of a body that nobody reads to its end. A generator that never began has nothing that ends it, so it is
    begun."""
    if isinstance(body, AsyncGenerator):
        async for _ in body:
            break
    close = getattr(body, "aclose", None)
    if close is not None:
        await close()


async def collected(body: bytes | AsyncIterator[bytes], limit: int) -> bytes | None:
    """The whole body; None (and the rest left unread) if it is larger than `limit`."""
    if isinstance(body, bytes):
        return body if len(body) <= limit else None
    pieces, size = [], 0
    async for piece in body:
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            await discard(body)
            return None
    return b"".join(pieces)
