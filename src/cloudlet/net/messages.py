"""What the server hands to the application and takes from it: requests, responses, upgrades, sockets.

The application is one object with two methods. `plan` sees a request's head as soon as it is there and says what
becomes of the body; `handle` answers. Both are called on the loop; `handle` runs without a task until it first waits
(so it may not begin with `asyncio.timeout`; `asyncio.wait_for` is fine).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Chunks(Protocol):
    """Tells whether the pieces of a body are signed as its head is. Asked once for each, in order."""

    def fits(self, digest: str, given: str) -> bool: ...

    def trailer_fits(self, trailers: Iterable[tuple[str, str]], given: str) -> bool: ...


LOOPBACK = ("127.", "::1", "::ffff:127.")


class Request:
    """One request. `body` is whole unless the plan was to stream, then `stream` yields it once."""

    __slots__ = (
        "body", "chunks", "headers", "http_version", "method", "path", "patient", "peer", "query", "raw_headers",
        "received", "scheme", "stream",
    )  # fmt: skip

    def __init__(self) -> None:
        self.method = ""
        self.path = ""  # as sent, still percent-encoded, without the query
        self.query = ""  # as sent, without "?"
        self.headers: dict[str, str] = {}  # lower-case names; repeated ones joined by ", "
        self.raw_headers: list[tuple[str, str]] = []  # as sent, in order
        self.body = b""
        self.stream: AsyncIterator[bytes] | None = None
        self.chunks: Chunks | None = None  # set by who verified the head's signature, for who reads the body
        self.peer: tuple[str, int] = ("", 0)
        self.scheme = "http"
        self.http_version = "1.1"
        self.received = 0.0  # loop.time() when the head was complete
        self.patient = (
            False  # its handler may set it: it does nothing but wait, cancel it when the client has gone
        )

    @property
    def host(self) -> str:
        return self.headers.get("host", "")

    @property
    def from_here(self) -> bool:
        """Whether the peer is on this machine."""
        return not self.peer[0] or self.peer[0].startswith(LOOPBACK)

    @property
    def wants_websocket(self) -> bool:
        return self.headers.get("upgrade", "").lower() == "websocket"


@dataclass(slots=True)
class Response:
    """An answer. `head`, when given, is the finished header block between the status line and the blank line, each line
    ended by CRLF, for hot paths; `headers` are added to it. Content-Length, Date and Connection are the server's."""

    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | AsyncIterator[bytes] = b""
    head: bytes = b""


class Socket(Protocol):
    """One open WebSocket. Everything is synchronous: it writes or buffers; `buffered` says how much is waiting."""

    @property
    def buffered(self) -> int:
        """Bytes that the peer has not taken yet."""
        ...

    @property
    def closed(self) -> bool: ...

    def send_text(self, data: bytes) -> None: ...
    def send_binary(self, data: bytes) -> None: ...

    def send_frame(self, frame: bytes) -> None:
        """Write a frame made by `websocket.frame`: built once, written to many."""
        ...

    def ping(self, data: bytes = b"") -> None: ...

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Start the closing handshake; `on_close` follows, by force after a few seconds."""
        ...

    def abort(self) -> None:
        """Drop the connection now."""
        ...

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class SocketListener(Protocol):
    """Whose callbacks a socket calls. They must not block; exceptions in them are bugs and close it with 1011."""

    def on_open(self, socket: Socket) -> None: ...

    def on_message(self, payload: bytes, text: bool) -> None:
        """A whole message. Text has been checked to be UTF-8."""
        ...

    def on_ping(self, payload: bytes) -> None:
        """A ping came; the pong has been sent."""
        ...

    def on_drain(self) -> None:
        """`buffered` fell to zero after a write had to wait."""
        ...

    def on_close(self, code: int, reason: str, clean: bool) -> None:
        """Called once. 1006 when the connection broke without a close frame, 1005 when the frame had no code."""
        ...


@dataclass(slots=True)
class Upgrade:
    """Accept a WebSocket: 101 with `headers`, then `listener` hears of it."""

    listener: SocketListener
    headers: Sequence[tuple[str, str]] = ()
    subprotocol: str | None = None
    max_message: int = 128 * 1024
    max_frame: int = 128 * 1024


@dataclass(slots=True)
class Tunnel:
    """The answer to a CONNECT. `target` None: the tunnel ends here, and what comes through it is served as if it had
    been dialled directly (TLS or plain); else the address to join it to."""

    target: tuple[str, int] | None = None


@dataclass(slots=True)
class Plan:
    """What becomes of a body: collected up to `limit` bytes, else `too_large` is answered; or streamed."""

    limit: int = 16 * 1024 * 1024
    stream: bool = False
    too_large: Callable[[Request], Response] | None = None


class Application(Protocol):
    def plan(self, request: Request) -> Plan: ...
    async def handle(self, request: Request) -> Response | Upgrade | Tunnel: ...


@dataclass(slots=True)
class Limits:
    """The server's own limits. Precedents: nginx 8 KiB a line and 32 KiB a head, AWS 10,240 bytes of headers."""

    head_bytes: int = 64 * 1024
    headers: int = 256
    head_seconds: float = 30.0  # from the first byte of a head to its end
    body_idle_seconds: float = 60.0  # between two pieces of a body
    keep_alive_seconds: float = 300.0
    pipeline: int = 64  # requests of one connection waiting for their turn
