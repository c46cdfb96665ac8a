"""A small HTTP/1.1 client, for HTTP integrations and subscribers: one request, one connection.

It is written on asyncio's streams and httptools, which are here already, rather than on a library in threads: a backend
that hangs for 29 seconds then costs a socket and not one of a few threads.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import lru_cache
from urllib.parse import SplitResult, urlencode, urlsplit

import httptools

MAX_ANSWER = 10 * 1024 * 1024
PIECE = 64 * 1024


class HttpFailed(Exception):
    """No answer could be had; the message says why."""


class _Collector:
    """What httptools calls."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.pieces: list[bytes] = []
        self.size = 0
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]},{text}" if key in self.headers else text

    def on_body(self, body: bytes) -> None:
        self.size += len(body)
        self.pieces.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


async def request(
    method: str,
    uri: str,
    headers: dict[str, str],
    query: dict[str, str],
    body: bytes,
    tls: ssl.SSLContext | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower-case names) and body of the answer. `tls` says whom to trust beside the usual ones."""
    url, port = _place(uri)
    context = (tls or _tls()) if url.scheme == "https" else None
    try:
        reader, writer = await asyncio.open_connection(url.hostname, port, ssl=context)
    except (OSError, UnicodeError) as error:
        raise HttpFailed(f"cannot connect to {url.netloc}: {error}") from None
    try:
        writer.write(_head(method, url, headers, query, len(body)) + body)
        return await _answer(reader, url.netloc, method)
    except OSError as error:
        raise HttpFailed(f"{url.netloc} broke the connection: {error}") from None
    finally:
        writer.close()


def _place(uri: str) -> tuple[SplitResult, int]:
    """The parts of the URI, and its port. Who gives it can have made anything of it."""
    try:
        url = urlsplit(uri)
        port = url.port or (443 if url.scheme == "https" else 80)
    except ValueError:
        raise HttpFailed(f"invalid URI {uri}") from None
    if url.scheme not in ("http", "https") or not url.hostname:
        raise HttpFailed(f"invalid URI {uri}")
    return url, port


def _head(method: str, url: SplitResult, headers: dict[str, str], query: dict[str, str], size: int) -> bytes:
    target = url.path or "/"
    text = "&".join(part for part in (url.query, urlencode(query)) if part)
    if text:
        target += f"?{text}"
    sent = {
        "Host": url.netloc.rpartition("@")[2],
        **headers,
        "Content-Length": str(size),
        "Connection": "close",
    }
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise HttpFailed("a header or the path of the request has a line break in it")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _answer(reader: asyncio.StreamReader, where: str, method: str) -> tuple[int, dict[str, str], bytes]:
    collector = _Collector()
    parser = httptools.HttpResponseParser(collector)
    try:
        while not collector.complete:
            piece = await reader.read(PIECE)
            if not piece:
                break
            parser.feed_data(piece)
            if collector.size > MAX_ANSWER:
                raise HttpFailed(f"the answer of {where} is larger than 10 MB")
    except httptools.HttpParserError as error:
        raise HttpFailed(f"{where} does not speak HTTP: {error}") from None
    status = parser.get_status_code()
    declared = collector.headers.get("content-length")
    cut_off = declared is not None and method != "HEAD" and collector.size < int(declared)
    if (
        not status
        or cut_off
        or (not collector.complete and "chunked" in collector.headers.get("transfer-encoding", ""))
    ):
        raise HttpFailed(f"{where} closed the connection before its answer was complete")
    return status, collector.headers, b"".join(collector.pieces)
