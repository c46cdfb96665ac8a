"""The listeners. One port carries everything: the first byte of a connection tells TLS from plain HTTP.

Connections are accepted here rather than by the loop, so that running out of file descriptors means to pause accepting
and not to lose the listener.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Callable
from typing import cast

from .authority import Authority
from .drive import Rest
from .frames import GOING_AWAY
from .http import HttpConnection
from .hub import TICK_SECONDS, Hub
from .messages import Application, Limits

BACKLOG = 2048
ACCEPT_AT_ONCE = 128
ACCEPT_PAUSE_SECONDS = 0.1
HANDSHAKE_SECONDS = 30.0
TLS_FIRST_BYTE = 0x16  # a TLS record of type handshake
OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class _Opening(asyncio.Protocol):
    """A connection of which no byte has come yet."""

    __slots__ = ("_hub", "_scheme", "_transport", "deadline")

    def __init__(self, hub: Hub, scheme: str = "http") -> None:
        self._hub = hub
        self._scheme = scheme
        self._transport: asyncio.Transport | None = None
        self.deadline = hub.now() + hub.limits.keep_alive_seconds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._hub.timed.add(self)

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        if transport is None:
            return
        self._hub.timed.discard(self)
        if data[0] == TLS_FIRST_BYTE:
            self._transport = None
            self._hub.spawn(_secure(self._hub, transport, data))
        else:
            connection = HttpConnection(self._hub, transport, self._scheme)
            transport.set_protocol(connection)
            connection.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._hub.forget(self)

    def expire(self) -> None:
        self.abort()

    def drain(self) -> None:
        self.abort()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def serve(hub: Hub, transport: asyncio.Transport, first: bytes, scheme: str) -> None:
    """Serve `transport` as a connection that has just been made, of which `first` has been read."""
    opening = _Opening(hub, scheme)
    transport.set_protocol(opening)
    opening.connection_made(transport)
    if first:
        opening.data_received(first)


async def _secure(hub: Hub, transport: asyncio.Transport, first: bytes) -> None:
    """Put TLS on a transport whose ClientHello, or its beginning, has been read already."""
    if hub.tls is None:
        transport.abort()
        return
    transport.pause_reading()
    context = await hub.tls.server_context()
    if transport.is_closing():
        return

    def feed() -> None:
        layer = cast(asyncio.BufferedProtocol, transport.get_protocol())
        view = memoryview(first)
        while view and not transport.is_closing():
            buffer = memoryview(layer.get_buffer(len(view)))
            count = min(len(buffer), len(view))
            buffer[:count] = view[:count]
            layer.buffer_updated(count)
            view = view[count:]

    opening = _Opening(hub, "https")
    starting = hub.loop.start_tls(
        transport, opening, context, server_side=True, ssl_handshake_timeout=HANDSHAKE_SECONDS
    )
    begun = Rest(starting, starting.send(None))
    # Its first step has scheduled the layer's connection_made and the reading that goes on. What was read goes in
    # between: behind the former, and before the loop looks at the socket.
    hub.loop.call_soon(feed)
    try:
        secured = await begun
    except (TimeoutError, OSError) as error:
        hub.log.debug("a TLS handshake failed: %s", error)
        return
    if secured is not None:
        opening.connection_made(secured)


class Server:
    def __init__(
        self,
        application: Application,
        limits: Limits | None = None,
        *,
        tls: Authority | None = None,
        log: logging.Logger | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        """`now` is the clock of time-outs; a test gives its own and calls `tick`."""
        self._application = application
        self._limits = limits or Limits()
        self._tls = tls
        self._log = log or logging.getLogger("cloudlet.net")
        self._now = now
        self._hub: Hub | None = None
        self._listeners: list[socket.socket] = []
        self._ticker: asyncio.TimerHandle | None = None
        self.port = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen. A loopback address brings the other family's along, where the machine has it."""
        loop = asyncio.get_running_loop()
        self._listeners = _listen(host, port, self._log)
        self.port = self._listeners[0].getsockname()[1]
        self._hub = Hub(self._application, self._limits, self._tls, self._log, self._now or loop.time, serve)
        for listener in self._listeners:
            loop.add_reader(listener.fileno(), self._accept, listener)
        if self._now is None:
            self._ticker = loop.call_later(TICK_SECONDS, self._beat)

    async def stop(self, grace: float = 5.0) -> None:
        """Stop accepting, let requests in flight finish for `grace` seconds, then drop what is left."""
        hub = self._hub
        if hub is None:
            return
        for listener in self._listeners:
            hub.loop.remove_reader(listener.fileno())
            listener.close()
        self._listeners = []
        hub.draining = True
        for connection in list(hub.timed):
            connection.drain()
        for websocket in list(hub.sockets):
            websocket.close(GOING_AWAY)
        hub.changed()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hub.emptied.wait(), grace)
        rest = [*hub.tasks, *hub.background]
        for task in rest:
            task.cancel()
        for connection in list(hub.timed):
            connection.abort()
        for websocket in list(hub.sockets):
            websocket.abort()
        if rest:
            await asyncio.wait(rest)
        await asyncio.sleep(0)
        if self._ticker is not None:
            self._ticker.cancel()
        self._hub = None

    def tick(self) -> None:
        """Look for connections whose time is up."""
        if self._hub is not None:
            self._hub.tick()

    def _beat(self) -> None:
        if self._hub is not None:
            self._hub.tick()
            self._ticker = self._hub.loop.call_later(TICK_SECONDS, self._beat)

    def _accept(self, listener: socket.socket) -> None:
        hub = self._hub
        if hub is None:
            return
        for _ in range(ACCEPT_AT_ONCE):
            try:
                accepted, _address = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in OUT_OF_RESOURCES:  # of that one connection, e.g. its network is down
                    self._log.info("a connection could not be taken: %s", error)
                    return
                self._log.warning("no more connections for the moment: %s", error)
                hub.loop.remove_reader(listener.fileno())
                hub.loop.call_later(ACCEPT_PAUSE_SECONDS, self._accept_again, listener)
                return
            accepted.setblocking(False)
            hub.spawn(self._attach(hub, accepted))

    def _accept_again(self, listener: socket.socket) -> None:
        if self._hub is not None and listener in self._listeners:
            self._hub.loop.add_reader(listener.fileno(), self._accept, listener)

    async def _attach(self, hub: Hub, accepted: socket.socket) -> None:
        try:
            await hub.loop.connect_accepted_socket(lambda: _Opening(hub), accepted)
        except OSError as error:
            self._log.info("a connection could not be taken: %s", error)
            accepted.close()


def _listen(host: str, port: int, log: logging.Logger) -> list[socket.socket]:
    first = _bind(host, port)
    other = {"127.0.0.1": "::1", "localhost": "::1", "::1": "127.0.0.1"}.get(host)
    if other is None:
        return [first]
    taken = first.getsockname()[1]
    try:
        return [first, _bind(other, taken)]
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            log.warning(
                "port %d of %s is another program's; clients that try it first will meet that one",
                taken,
                other,
            )
        return [first]


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        "127.0.0.1" if host == "localhost" else host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != "::")
        listener.setblocking(False)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
