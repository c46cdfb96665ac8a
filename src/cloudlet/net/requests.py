"""Bytes to requests: httptools' parser under the server's limits.

Rules:
- What two servers could read differently is refused: Content-Length beside Transfer-Encoding, either of them twice,
  folded or misspelt lines (the parser does that, it is left strict), Transfer-Encoding in HTTP/1.0, no Host or two.
- Nothing grows without a bound: a head, a trailer or chunk framing may take `head_bytes` between two pieces of body; a
  body what its plan says, and what is beyond is read and dropped, so that the connection stays usable.
- After an error the parser is dead, and so is the connection once its answer is written.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import httptools

from .body import BodyStream
from .handshake import refusal
from .head import plain
from .hub import Hub
from .messages import Plan, Request, Response

IDLE, HEAD, BODY = 0, 1, 2
DROP_BYTES = 64 * 1024 * 1024


class Refused(Exception):
    """The request can't be served and the connection can't go on."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def refused(status: int, reason: str) -> Refused:
    return Refused(plain(status, reason))


@lru_cache(maxsize=2048)
def _name(raw: bytes) -> tuple[str, str]:
    name = raw.decode("latin-1")
    return name, name.lower()


class Receiver(Protocol):
    """The connection, as far as its reader needs it."""

    peer: tuple[str, int]
    scheme: str

    def begin(self, request: Request, answer: Response | None = None) -> None:
        """A request that is complete, or whose body is streamed; `answer` if it is settled already."""
        ...

    def body_wanted(self) -> None:
        """The handler waits for the next piece of its streamed body."""
        ...

    def body_awaited(self) -> None:
        """The client waits for `100 Continue`."""
        ...

    def body_complete(self) -> None:
        """The last piece of a streamed body has come."""
        ...


class RequestReader:
    __slots__ = (
        "_body", "_hub", "_limit", "_owner", "_parser", "_pieces", "_replay", "_request", "_size", "_takeover",
        "_too_large", "_url", "_used", "awaits_continue", "held", "last", "rest", "stage", "stream",
    )  # fmt: skip

    def __init__(self, hub: Hub, owner: Receiver) -> None:
        self._hub = hub
        self._owner: Any = owner
        self._parser: Any = httptools.HttpRequestParser(self)
        self._request = Request()
        self._url = b""
        self._body = b""
        self._pieces: list[bytes] | None = None
        self._size = 0  # of the body so far
        self._used = 0  # bytes since the last piece of a body
        self._limit = 0
        self._too_large: Response | None = None
        self._takeover = False  # this request makes something else of the connection
        self._replay = False  # the parser has to be shown this request's framing again
        self.stage = IDLE
        self.stream: BodyStream | None = None
        self.awaits_continue = False
        self.last = False  # after this request the client will send no other
        self.held = False  # a request that takes the connection over is being answered
        self.rest: bytes | None = None  # what followed it

    def feed(self, data: bytes) -> None:
        """Parse; may call `begin` any number of times. Raises Refused."""
        if self.rest is not None:
            data, self.rest = self.rest + data, None
        if self.held:
            self.rest = data
            return
        while data:
            self._parse(data)
            data = self._unread()

    def _unread(self) -> bytes:
        if self.rest is None or self.held:
            return b""
        rest, self.rest = self.rest, None
        return rest

    def _parse(self, data: bytes) -> None:
        self._used += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._detour(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if isinstance(cause, Refused):
                raise cause from None
            self._hub.log.error("a request could not be taken", exc_info=cause or error)
            raise refused(500, "Internal Server Error") from None
        except httptools.HttpParserError as error:
            if self.last and self.stage == IDLE:
                return  # it had said that there would be nothing more
            raise refused(400, f"Bad request: {error}") from None
        if self._used > self._hub.limits.head_bytes:
            if self.stage == IDLE:
                self._used = 0
            else:
                raise refused(
                    431 if self.stage == HEAD else 400, "The request's head or framing is too large"
                )

    def _detour(self, rest: bytes) -> None:
        self.rest = rest
        if self._takeover:
            self._takeover = False
            self.held = True
            request = self._finished()
            self._owner.begin(request, None if request.method == "CONNECT" else refusal(request))
        elif self._replay:
            # The client offered a protocol that isn't served here (h2c), and the parser takes the body for that
            # protocol's. Show it the framing once more, without the offer.
            self._replay = False
            length = self._request.headers.get("content-length")
            framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
            self._parser.feed_data(f"POST / HTTP/1.1\r\n{framing}\r\n\r\n".encode("ascii"))

    def abandon(self, error: Exception) -> None:
        """No more will come."""
        if self.stream is not None:
            self.stream.finish(error)
            self.stream = None

    def release(self) -> None:
        """Let go of what holds on to this object, so that it goes without the garbage collector."""
        self._parser = self._owner = None
        self._request = Request()

    @property
    def remaining(self) -> int:
        """Bytes of the streamed body yet to come; a large number if nobody knows."""
        length = self._request.headers.get("content-length")
        return int(length) - self._size if length is not None else 1 << 62

    # What the parser calls

    def on_message_begin(self) -> None:
        if self.stage == IDLE:
            self.stage = HEAD
            self._request = Request()
            self._url = b""

    def on_url(self, url: bytes) -> None:
        if self.stage == HEAD:
            self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.stage != HEAD:
            return  # a trailer
        request = self._request
        sent, key = _name(name)
        text = value.decode("latin-1").rstrip(" \t")
        request.raw_headers.append((sent, text))
        headers = request.headers
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        if self.stage != HEAD:
            return
        request = self._request
        request.method = self._parser.get_method().decode("ascii")
        self._check_version(request)
        self._check_size(request)
        self._split_target(request)
        request.peer = self._owner.peer
        request.scheme = self._owner.scheme
        request.received = self._hub.loop.time()
        self.stage = BODY
        self._size = 0
        headers = request.headers
        has_body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        if "upgrade" in headers or request.method == "CONNECT":
            self._offer(request, has_body)
            if self._takeover:
                return
        if not self._parser.should_keep_alive():
            self.last = True
        self._plan(request, has_body)

    def _offer(self, request: Request, has_body: bool) -> None:
        if request.method == "CONNECT":
            self._takeover = self.last = True
        elif request.wants_websocket:
            if not self._parser.should_upgrade():
                raise refused(400, "Bad request: Connection must name the upgrade")
            self._takeover = True
        else:
            self._replay = has_body and self._parser.should_upgrade()
        if self._takeover and has_body:
            raise refused(400, "Bad request: an upgrade with a body")

    def _check_version(self, request: Request) -> None:
        request.http_version = version = self._parser.get_http_version()
        if version == "1.1":
            host = request.headers.get("host")
            if host is None or "," in host:
                raise refused(400, "Bad request: exactly one Host header is required")
        elif version == "1.0":
            if "transfer-encoding" in request.headers:
                raise refused(400, "Bad request: Transfer-Encoding in HTTP/1.0")
        else:
            raise refused(505, "This server speaks HTTP/1.1")
        if request.headers.get("transfer-encoding", "chunked").lower() != "chunked":
            raise refused(501, "No transfer encoding but chunked is understood")

    def _check_size(self, request: Request) -> None:
        limits = self._hub.limits
        if len(request.raw_headers) > limits.headers:
            raise refused(431, f"More than {limits.headers} headers")
        if self._used > limits.head_bytes:
            size = len(self._url) + sum(len(name) + len(value) + 4 for name, value in request.raw_headers)
            if size > limits.head_bytes:
                raise refused(431, f"The request's head is larger than {limits.head_bytes} bytes")
        self._used = 0

    def _split_target(self, request: Request) -> None:
        target = self._url.decode("latin-1")
        if not target.startswith("/") and "://" in target and request.method != "CONNECT":
            # The absolute form, as sent to proxies; its authority counts, whatever Host says (RFC 9112, 3.2.2).
            authority, slash, target = target.partition("://")[2].partition("/")
            request.headers["host"] = authority.partition("?")[0].rpartition("@")[2]
            target = (
                slash + target if slash else "/" + authority.partition("?")[1] + authority.partition("?")[2]
            )
        request.path, _, request.query = target.partition("?")

    def _plan(self, request: Request, has_body: bool) -> None:
        plan = self._hub.application.plan(request)
        headers = request.headers
        expects = has_body and "expect" in headers and request.http_version == "1.1"
        self.awaits_continue = expects and headers["expect"].lower() == "100-continue"
        if plan.stream:
            self.stream = request.stream = BodyStream(self._hub.loop, self._owner.body_wanted)
            self._owner.begin(request)
        elif has_body:
            self._limit = plan.limit
            declared = int(headers.get("content-length", "0"))
            if declared > plan.limit:
                self._refuse_body(plan)
                if self.awaits_continue or declared > plan.limit + DROP_BYTES:
                    raise Refused(self._too_large or Response(413))
            elif self.awaits_continue:
                self._owner.body_awaited()

    def _refuse_body(self, plan: Plan) -> None:
        answer = plan.too_large(self._request) if plan.too_large is not None else None
        self._too_large = answer or plain(413, f"The body is larger than {plan.limit} bytes")

    def on_body(self, data: bytes) -> None:
        self._used = 0
        self.awaits_continue = False
        self._size += len(data)
        if self.stream is not None:
            self.stream.feed(data)
            return
        if self._size > self._limit:
            self._overflow()
        elif not self._body:
            self._body = data
        elif self._pieces is None:
            self._pieces = [self._body, data]
        else:
            self._pieces.append(data)

    def _overflow(self) -> None:
        self._body = b""
        self._pieces = None
        if self._too_large is None:
            self._refuse_body(self._hub.application.plan(self._request))
        if self._size > self._limit + DROP_BYTES:
            raise Refused(self._too_large or Response(413))

    def on_message_complete(self) -> None:
        if self._takeover or self._replay:
            return
        if self.stream is not None:
            stream, self.stream = self.stream, None
            self._finished()
            stream.finish()
            self._owner.body_complete()
        else:
            answer, self._too_large = self._too_large, None
            self._owner.begin(self._finished(), answer)

    def _finished(self) -> Request:
        request = self._request
        request.body = self._body if self._pieces is None else b"".join(self._pieces)
        self._body = b""
        self._pieces = None
        self._used = 0
        self.stage = IDLE
        return request
