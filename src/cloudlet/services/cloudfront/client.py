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

from ...errors import PeerGone

PIECE = 64 * 1024
HEAD_BYTES = 64 * 1024
Headers = list[tuple[str, str]]
T = TypeVar("T")


class OriginFailed(PeerGone):
    """No answer could be had, or not all of it: the status and the reason that the viewer is told."""

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


class Body:
    """An answer's body as it comes. It ends, or raises if it is cut short, so that nobody takes it for whole."""

    def __init__(
        self,
        target: Target,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        found: _Reader,
        *,
        empty: bool,
    ) -> None:
        self._target = target
        self._reader = reader
        self._writer = writer
        self._found = found
        self._declared = _declared(found.headers)
        self._chunked = any(name.lower() == "transfer-encoding" for name, _ in found.headers)
        self._read = 0
        self._ended = empty

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        found = self._found
        while not self._ended:
            if found.pieces:
                piece = found.pieces.popleft()
                self._read += len(piece)
                return piece
            if found.complete or self._read == self._declared:
                break
            data = await _timed(self._reader.read(PIECE), self._target.read_seconds)
            if data:
                found.feed(data)
            elif self._chunked or self._declared is not None:
                self._writer.close()
                raise OriginFailed(502, "broken")
            else:
                break
        await self.aclose()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self._ended = True
        self._writer.close()


def _declared(headers: Headers) -> int | None:
    return next((int(v) for n, v in headers if n.lower() == "content-length" and v.isdecimal()), None)


@dataclass(slots=True)
class Answer:
    status: int
    headers: Headers
    body: Body


@dataclass(slots=True)
class Opened:
    """The origin has accepted a WebSocket."""

    headers: Headers
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def request(
    target: Target, method: str, path: str, headers: Headers, body: bytes | AsyncIterator[bytes]
) -> Answer:
    """A streamed body has its length among the headers, or is sent in chunks. Raises `OriginFailed`."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    chunked = not isinstance(body, bytes) and _declared(headers) is None
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    elif isinstance(body, bytes) and (body or method in ("POST", "PUT", "PATCH")):
        lines.append(f"Content-Length: {len(body)}")
    lines.append("Connection: close")
    reader, writer = await _connect(target)
    try:
        if isinstance(body, bytes):
            writer.write(_head(lines) + body)
        else:
            writer.write(_head(lines))
            await _upload(target, writer, body, chunked=chunked)
        return await _answer(target, reader, writer, method)
    except BaseException:
        writer.close()
        raise


async def open_socket(target: Target, path: str, headers: Headers) -> Answer | Opened:
    """A WebSocket's handshake; an answer if it is refused. Raises `OriginFailed`."""
    reader, writer = await _connect(target)
    try:
        writer.write(_head([f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]))
        head = await _timed(reader.readuntil(b"\r\n\r\n"), target.read_seconds)
        found = _Reader()
        if head.partition(b" ")[2].startswith(b"101 "):
            for line in head.decode("latin-1").splitlines()[1:-1]:
                name, _, value = line.partition(":")
                found.headers.append((name, value.strip()))
            return Opened(found.headers, reader, writer)
        found.feed(head)
        empty = found.parser.get_status_code() in (204, 304)
        return Answer(
            found.parser.get_status_code(), found.headers, Body(target, reader, writer, found, empty=empty)
        )
    except BaseException:
        writer.close()
        raise


async def _upload(
    target: Target, writer: asyncio.StreamWriter, body: AsyncIterator[bytes], *, chunked: bool
) -> None:
    async for piece in body:
        if piece:
            writer.writelines((b"%x\r\n" % len(piece), piece, b"\r\n") if chunked else (piece,))
            await _timed(writer.drain(), target.read_seconds)
    if chunked:
        writer.write(b"0\r\n\r\n")


def _head(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


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
    return Answer(status, found.headers, Body(target, reader, writer, found, empty=empty))


async def _timed(waiting: Awaitable[T], seconds: float) -> T:
    try:
        return await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        raise OriginFailed(504, "slow") from None
    except (OSError, EOFError, asyncio.LimitOverrunError):
        raise OriginFailed(502, "broken") from None
