"""Tunnels to other hosts, for CONNECT: two transports joined, each reading only as fast as the other takes it."""

from __future__ import annotations

import asyncio
from typing import cast

from .head import status_line
from .hub import NEVER, Hub

ESTABLISHED = b"HTTP/1.1 200 Connection Established\r\n\r\n"
DIAL_SECONDS = 30.0


class Pipe(asyncio.Protocol):
    """One end of a tunnel. What it reads goes to `other`."""

    __slots__ = ("_ended", "_hub", "deadline", "other", "transport")

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._ended = False
        self.deadline = NEVER
        self.transport: asyncio.Transport | None = None
        self.other: Pipe | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._hub.timed.add(self)

    def data_received(self, data: bytes) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """Half of the tunnel is done; the other half may go on."""
        self._ended = True
        other = self.other.transport if self.other is not None else None
        if other is None or other.is_closing() or not other.can_write_eof():
            return False
        other.write_eof()
        return not (self.other is not None and self.other._ended)

    def pause_writing(self) -> None:
        if (
            self.other is not None
            and self.other.transport is not None
            and not self.other.transport.is_closing()
        ):
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if (
            self.other is not None
            and self.other.transport is not None
            and not self.other.transport.is_closing()
        ):
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._hub.forget(self)
        other, self.other, self.transport = self.other, None, None
        if other is not None and other.transport is not None:
            other.other = None
            other.transport.close()

    def expire(self) -> None:
        self.abort()

    def drain(self) -> None:
        self.abort()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class _Dialled(Pipe):
    """The far end. The client hears of it before anything that comes from there."""

    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.other is None or self.other.transport is None:
            self.abort()
        else:
            self.other.transport.write(ESTABLISHED)


async def join(hub: Hub, transport: asyncio.Transport, target: tuple[str, int], first: bytes) -> None:
    """Dial `target` and join it to `transport`, which isn't being read; answers 502 or 504 if that fails."""
    near, far = Pipe(hub), _Dialled(hub)
    near.other, far.other = far, near
    transport.set_protocol(near)
    near.connection_made(transport)
    try:
        await asyncio.wait_for(hub.loop.create_connection(lambda: far, *target), DIAL_SECONDS)
    except (OSError, TimeoutError) as error:
        hub.log.info("no tunnel to %s:%d: %s", *target, error)
        status = 504 if isinstance(error, TimeoutError) else 502
        body = f"{target[0]}:{target[1]} can't be reached: {error}\n".encode()
        framing = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        transport.write(status_line(status) + framing + body)
        transport.close()
        return
    if near.transport is not None:
        if first:
            near.data_received(first)
        transport.resume_reading()
