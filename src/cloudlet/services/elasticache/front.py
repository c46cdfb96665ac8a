"""The node's end of TLS in front of a server that has none: two transports joined, each reading as fast as the other
takes it.

The front has the cache's port for as long as the node runs, also while the server behind it starts anew: who connects
then waits for it. Nothing is parsed and nothing is copied but by the kernel and by TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import cast

BACKLOG = 1024
ACCEPT_AT_ONCE = 64
ACCEPT_PAUSE_SECONDS = 0.1
FIRST_BYTE_SECONDS = 30.0
HANDSHAKE_SECONDS = 15.0
TLS_FIRST_BYTE = 0x16  # a TLS record of type handshake
HIGH_WATER = 512 * 1024


class _End(asyncio.Protocol):
    """One end of a joined pair. What it reads goes to `other`."""

    __slots__ = ("_done", "_front", "_held", "other", "transport")

    def __init__(self, front: Front) -> None:
        self._front = front
        self._held: list[bytes] = []
        self._done = False
        self.transport: asyncio.Transport | None = None
        self.other: _End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        self._front.ends.add(self)

    def join(self, other: _End) -> None:
        """Called on the client's end once the server's is there."""
        self.other, other.other = other, self
        assert other.transport is not None
        for data in self._held:
            other.transport.write(data)
        self._held.clear()
        if self._done:
            self.eof_received()

    def data_received(self, data: bytes) -> None:
        other = self.other
        if other is None:
            self._held.append(data)
            if self.transport is not None:
                self.transport.pause_reading()
        elif other.transport is not None:
            other.transport.write(data)

    def _beyond(self) -> asyncio.Transport | None:
        """The other end's transport, while it is open."""
        transport = self.other.transport if self.other is not None else None
        return transport if transport is not None and not transport.is_closing() else None

    def eof_received(self) -> bool:
        """One side has said all; the other may still answer, where the transport can be half open."""
        self._done = True
        other = self.other
        if other is None:
            return True
        beyond = self._beyond()
        if beyond is not None and beyond.can_write_eof():
            beyond.write_eof()
        return not other._done and self.transport is not None and self.transport.can_write_eof()

    def pause_writing(self) -> None:
        if (beyond := self._beyond()) is not None:
            beyond.pause_reading()

    def resume_writing(self) -> None:
        if (beyond := self._beyond()) is not None:
            beyond.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.ends.discard(self)
        other, self.other, self.transport = self.other, None, None
        if other is not None and other.transport is not None:
            other.other = None
            other.transport.close()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class Front:
    """Listens on a cache's port and joins who comes to the server's socket file."""

    def __init__(
        self,
        target: Path,
        context: Callable[[], Awaitable[ssl.SSLContext]],
        *,
        plain_too: bool,
        ready: Callable[[], Awaitable[bool]],
        log: logging.Logger,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._target = target
        self._context = context
        self._plain_too = plain_too
        self._ready = ready
        self._log = log
        self._listeners: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.ends: set[_End] = set()

    def listen(self, hosts: Sequence[str], port: int) -> None:
        """Raises `OSError` if the port is taken on the first host; the others are welcome, not needed."""
        for index, host in enumerate(hosts):
            try:
                self._listeners.append(listener(host, port))
            except OSError:
                if index == 0:
                    raise
        for sock in self._listeners:
            self._listen_on(sock)

    def _listen_on(self, sock: socket.socket) -> None:
        if sock in self._listeners:
            self._loop.add_reader(sock.fileno(), self._accept, sock)

    def close(self) -> None:
        for sock in self._listeners:
            self._loop.remove_reader(sock.fileno())
            sock.close()
        self._listeners.clear()
        self.drop()

    def drop(self) -> None:
        """End all connections; new ones are welcome."""
        for task in list(self._tasks):
            task.cancel()
        for end in list(self.ends):
            end.abort()

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(ACCEPT_AT_ONCE):
            try:
                sock, _ = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:  # above all, no more file descriptors
                self._log.warning("a connection to a cache was not accepted: %s", error)
                self._loop.remove_reader(listener.fileno())
                self._loop.call_later(ACCEPT_PAUSE_SECONDS, self._listen_on, listener)
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = self._loop.create_task(self._serve(sock))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, sock: socket.socket) -> None:
        """From a fresh connection to two joined transports; from then on there are only callbacks."""
        near = _End(self)
        try:
            context: ssl.SSLContext | None = await self._context()
            if self._plain_too and await self._first_byte(sock) != TLS_FIRST_BYTE:
                context = None
            timeout = HANDSHAKE_SECONDS if context is not None else None
            await self._loop.connect_accepted_socket(
                lambda: near, sock, ssl=context, ssl_handshake_timeout=timeout
            )
            if not await self._ready():
                near.abort()
                return
            _, far = await self._loop.create_unix_connection(lambda: _End(self), str(self._target))
        except OSError:  # TLS's own errors are such, too: the client goes away or spoke something else
            near.abort()
            sock.close()
            return
        except asyncio.CancelledError:
            near.abort()
            sock.close()
            raise
        if near.transport is None:
            far.abort()
            return
        near.join(far)
        near.transport.resume_reading()

    async def _first_byte(self, sock: socket.socket) -> int:
        readable: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(sock.fileno(), _wake, readable)
        try:
            await asyncio.wait_for(readable, FIRST_BYTE_SECONDS)
        finally:
            self._loop.remove_reader(sock.fileno())
        with contextlib.suppress(BlockingIOError):
            data = sock.recv(1, socket.MSG_PEEK)
            if data:
                return data[0]
        raise ConnectionResetError("nothing came")


def listener(host: str, port: int) -> socket.socket:
    """A listening socket; an IPv6 one for IPv6 alone, so that both can have the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
