"""Writes a streamed body: as fast as it comes and as the client takes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from .head import LAST_CHUNK


class Taker(Protocol):
    """The connection, as far as the pump needs it."""

    @property
    def is_open(self) -> bool: ...

    async def drained(self) -> None:
        """Return when the client has taken most of what was written."""
        ...


async def pump(
    taker: Taker,
    transport: asyncio.Transport,
    body: AsyncIterator[bytes],
    length: int | None,
    *,
    chunked: bool,
) -> None:
    """`length` is what was declared, None if nothing was. Raises `ValueError` if the body is of another."""
    sent = 0
    write = transport.writelines
    try:
        if length != 0:
            async for piece in body:
                if not taker.is_open:
                    return
                sent += len(piece)
                if length is not None and sent > length:
                    break
                if piece:
                    write((b"%x\r\n" % len(piece), piece, b"\r\n") if chunked else (piece,))
                await taker.drained()
    finally:
        close = getattr(body, "aclose", None)
        if close is not None:
            await close()
    if length is not None and sent != length:
        raise ValueError(f"a streamed body has {sent} bytes or more, its Content-Length says {length}")
    if chunked and taker.is_open:
        transport.write(LAST_CHUNK)
