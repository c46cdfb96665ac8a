"""The heads of responses as bytes: status lines and dates made once, headers checked on their way out.

Rule: nothing that a function or a user supplies may end a line. A header with CR, LF or NUL in it is a bug of whoever
made the response, and raises `ValueError` before a byte is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from .messages import Response

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE = b"Connection: close\r\n"
KEEP = b"Connection: keep-alive\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LAST_CHUNK = b"0\r\n\r\n"

SERVERS_OWN = frozenset({"connection", "content-length", "date", "keep-alive", "transfer-encoding"})


@lru_cache(maxsize=1024)
def status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii")


def may_have_body(status: int) -> bool:
    return status >= 200 and status != 204 and status != 304


def header_block(headers: Sequence[tuple[str, str]]) -> bytes:
    """The lines of `headers`; the server's own ones among them are left out."""
    return joined([f"{name}: {value}\r\n" for name, value in headers if name.lower() not in SERVERS_OWN])


def joined(lines: list[str]) -> bytes:
    """Finished lines as one block: none may be two."""
    text = "".join(lines)
    if text.count("\n") != len(lines) or text.count("\r") != len(lines) or "\0" in text:
        raise ValueError(f"a response header has a line break or NUL in it: {text!r}")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")


def find(headers: Sequence[tuple[str, str]], name: str) -> str | None:
    """The first value of `name` (lower case)."""
    for key, value in headers:
        if key.lower() == name:
            return value
    return None


def whole(method: str, response: Response, body: bytes) -> tuple[bytes, bytes]:
    """The framing line of an answer that is all here, and what of its body is sent."""
    if not may_have_body(response.status):
        return b"", b""
    if method != "HEAD":
        return b"Content-Length: %d\r\n" % len(body), body
    declared = find(response.headers, "content-length") if not body else None
    return b"Content-Length: %d\r\n" % (len(body) if declared is None else int(declared)), b""


def streamed(version: str, response: Response) -> tuple[bytes, int | None]:
    """The framing line of an answer in pieces and its length, if declared; no line: up to the connection's end."""
    declared = find(response.headers, "content-length")
    if declared is not None:
        return b"Content-Length: %d\r\n" % int(declared), int(declared)
    return b"" if version == "1.0" else CHUNKED, None


def plain(status: int, reason: str) -> Response:
    return Response(status, (("Content-Type", "text/plain; charset=utf-8"),), f"{reason}\n".encode())


class Dates:
    """The Date line, made once a second."""

    __slots__ = ("_line", "_second", "_wall")

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._second = -1
        self._line = b""

    def line(self) -> bytes:
        second = int(self._wall())
        if second != self._second:
            self._second = second
            self._line = f"Date: {formatdate(second, usegmt=True)}\r\n".encode("ascii")
        return self._line
