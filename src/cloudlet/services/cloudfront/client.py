"""A streaming HTTP/1.1 client for origins in the outside world: one request, one connection, the answer as it comes.

API Gateway has a small client of its own for integrations, which collects its answer; a CDN must not. Durations here
are of the real world: they are other machines' time.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import TypeVar

import httptools

PIECE = 64 * 1024
HEAD_BYTES = 64 * 1024
Headers = list[tuple[str, str]]
T = TypeVar("T")


class OriginFailed(Exception):
    """No answer could be had: the status and the reason that the viewer is told."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(slots=True, frozen=True)
class Target:
    host: str
    address: str
    """Where the host is dialled: itself, but for names of this machine that resolvers may not know."""
    port: int
    tls: ssl.SSLContext | None
    connect_seconds: float
    read_seconds: float
    attempts: int


class _Reader:
    """What httptools calls. Interim answers (1xx) are passed over."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.headers: Headers = []
        self.pieces: deque[bytes] = deque()
        self.begun = False
        self.complete = False

    def feed(self, piece: bytes) -> None:
        try:
            self.parser.feed_data(piece)
        except (httptools.HttpParserUpgrade, httptools.HttpParserError):
            if not self.complete:
                raise OriginFailed(502, "broken") from None

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.begun:
            self.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        if self.parser.get_status_code() >= 200:
            self.begun = True
        else:
            self.headers.clear()

    def on_body(self, body: bytes) -> None:
        self.pieces.append(body)

    def on_message_complete(self) -> None:
        self.complete = self.begun


@dataclass(slots=True)
class Answer:
    status: int
    headers: Headers
    body: AsyncIterator[bytes]


async def request(target: Target, method: str, path: str, headers: Headers, body: bytes) -> Answer:
    """Raises `OriginFailed`."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    head = ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode("latin-1", "replace")
    reader, writer = await _connect(target)
    try:
        writer.write(head + body)
        return await _answer(target, reader, writer, method)
    except BaseException:
        writer.close()
        raise


async def _connect(target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    attempt = 1
    while True:
        try:
            return await asyncio.wait_for(
                asyncio.open_connection(
                    target.address,
                    target.port,
                    ssl=target.tls,
                    server_hostname=target.host if target.tls is not None else None,
                    limit=HEAD_BYTES,
                ),
                target.connect_seconds,
            )
        except TimeoutError:
            failure = OriginFailed(504, "connect")
        except ssl.SSLError:
            raise OriginFailed(502, "tls") from None
        except (socket.gaierror, UnicodeError):
            raise OriginFailed(502, "resolve") from None
        except OSError:
            failure = OriginFailed(502, "connect")
        if attempt >= target.attempts:
            raise failure
        attempt += 1


async def _answer(
    target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str
) -> Answer:
    """The head; what of the body came with it is given first."""
    found = _Reader()
    size = 0
    while not found.begun:
        piece = await _timed(reader.read(PIECE), target.read_seconds)
        size += len(piece)
        if not piece or size > HEAD_BYTES + PIECE:
            raise OriginFailed(502, "broken")
        found.feed(piece)
    status = found.parser.get_status_code()
    empty = method == "HEAD" or status in (204, 304)
    return Answer(status, found.headers, _nothing(writer) if empty else _body(target, reader, writer, found))


async def _body(
    target: Target,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    found: _Reader,
) -> AsyncIterator[bytes]:
    """Up to its end; a body cut short raises, so that nobody takes it for whole."""
    declared = next((int(v) for n, v in found.headers if n.lower() == "content-length" and v.isdigit()), None)
    chunked = any(n.lower() == "transfer-encoding" for n, _ in found.headers)
    sent = 0
    try:
        while True:
            while found.pieces:
                piece = found.pieces.popleft()
                sent += len(piece)
                yield piece
            if found.complete or sent == declared:
                return
            piece = await _timed(reader.read(PIECE), target.read_seconds)
            if not piece:
                if chunked or declared is not None:
                    raise OriginFailed(502, "broken")
                return
            found.feed(piece)
    finally:
        writer.close()


async def _nothing(writer: asyncio.StreamWriter) -> AsyncIterator[bytes]:
    writer.close()
    empty: tuple[bytes, ...] = ()
    for piece in empty:
        yield piece


async def _timed(waiting: Awaitable[T], seconds: float) -> T:
    try:
        return await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        raise OriginFailed(504, "slow") from None
    except OSError:
        raise OriginFailed(502, "broken") from None
