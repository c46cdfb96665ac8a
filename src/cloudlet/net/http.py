"""One HTTP/1.1 connection: requests in, answers out in their order, with flow control in both directions.

Rules:
- One request is answered at a time; what the client pipelines behind it waits in a queue, and reading stops when the
  queue is full, when the client doesn't take its answers, or when a streamed body isn't read.
- A handler that needs no waiting runs inside `data_received`, without a task, and its answer is one write.
- A handler is not cancelled because its client left; what it does, it finishes. Who only waits says so (`patient`) and
  is cancelled. A client that has ended its own side may still read: whether it does is asked for (`_look`).
- After an answer that ends the connection, what the client still sends is read and dropped for a moment, so that the
  answer isn't lost in a reset.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from socket import SO_ERROR, SOL_SOCKET
from typing import Any

from ..errors import PeerGone
from .body import gone
from .drive import Done, drive
from .handshake import acceptance, refusal
from .head import (
    CHUNKED,
    CLOSE,
    CONTINUE,
    KEEP,
    header_block,
    may_have_body,
    plain,
    status_line,
    streamed,
    whole,
)
from .hub import LINGER_SECONDS, NEVER, TICK_SECONDS, Hub
from .messages import Request, Response, Tunnel, Upgrade
from .outgoing import Outgoing
from .pump import pump
from .requests import BODY, HEAD, IDLE, Refused, RequestReader, refused
from .tunnel import ESTABLISHED, join
from .websocket import WebSocket

OPEN, CLOSING, GONE = 0, 1, 2
COPY_BELOW = 32 * 1024  # a larger body is written beside its head instead of being copied behind it
UNSENT_MAX = 64 * 1024  # what a turn of the loop may gather for one client
QUEUED_BYTES = 1024 * 1024  # of bodies that wait for their turn
DISCARD_BYTES = 1024 * 1024  # an unread body up to this is read and dropped to keep the connection


class HttpConnection(Outgoing):
    __slots__ = (
        "_active", "_dropping", "_head_deadline", "_looked", "_paused", "_pumping", "_queue", "_queued", "_reader",
        "_state", "_task", "_unsent", "_waiter", "_writable", "deadline", "peer", "scheme",
    )  # fmt: skip

    def __init__(self, hub: Hub, transport: asyncio.Transport, scheme: str) -> None:
        super().__init__(hub, transport)
        host, port = (transport.get_extra_info("peername") or ("", 0))[:2]
        self.peer: tuple[str, int] = (host.removeprefix("::ffff:"), port)  # IPv4 through a listener on "::"
        self.scheme = scheme
        self.deadline = hub.now() + hub.limits.keep_alive_seconds
        self._reader = RequestReader(hub, self)
        self._queue: deque[tuple[Request, Response | None]] = deque()
        self._queued = 0  # bytes of bodies in it
        self._active: Request | None = None
        self._task: asyncio.Task[Any] | None = None  # what the answer waits for
        self._pumping = False  # it writes the answer already
        self._looked: bool | None = None  # once the client has ended its side: was it asked if it is there
        self._state = OPEN
        self._dropping = False  # what comes in is no longer read as requests
        self._paused = False
        self._writable = True
        self._unsent = 0
        self._head_deadline = 0.0
        self._waiter: asyncio.Future[None] | None = None
        hub.timed.add(self)

    # What the transport calls

    def data_received(self, data: bytes) -> None:
        if self._dropping:
            return
        self._feed(data)
        self._settle()

    def eof_received(self) -> bool:
        self.push()
        reader = self._reader
        if self._state == CLOSING:
            return False
        reader.abandon(gone())
        reader.last = True
        self._dropping = True
        self._looked = False
        if self._waits:
            self._look()
        return (self._active is not None or bool(self._queue)) and self._transport.can_write_eof()

    def pause_writing(self) -> None:
        self._writable = False
        self._unsent = self._transport.get_write_buffer_size()
        self._flow()
        self._settle()

    def resume_writing(self) -> None:
        self._writable = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self._state == OPEN:
            self._proceed()

    def connection_lost(self, exc: Exception | None) -> None:
        self._state = GONE
        self._queue.clear()
        self._reader.abandon(gone())
        self._reader.release()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(PeerGone("the client went away before it had its answer"))
        if self._task is not None and (self._pumping or self._waits):
            self._task.cancel()
        self._hub.forget(self)

    @property
    def _waits(self) -> bool:
        """Whether a handler waits for something that is of no use but to this client."""
        return self._task is not None and self._active is not None and self._active.patient

    def _look(self) -> None:
        """Is a client still there that has ended its side? If not, what is sent to it comes back as a reset."""
        if not self._looked and self._active is not None and self._active.http_version == "1.1":
            self._looked = True
            self._write(CONTINUE)
        if self._transport.get_extra_info("socket").getsockopt(SOL_SOCKET, SO_ERROR):
            self.abort()
        self.deadline = self._hub.now() + TICK_SECONDS

    # What the reader calls

    def begin(self, request: Request, answer: Response | None = None) -> None:
        if self._active is None and not self._queue and self._writable and self._state == OPEN:
            self._run(request, answer)
        else:
            self._queue.append((request, answer))
            self._queued += len(request.body)
            if self._full:
                self._flow()

    def body_wanted(self) -> None:
        reader = self._reader
        if reader.awaits_continue and self._state == OPEN:
            reader.awaits_continue = False
            self._write(CONTINUE)
        self._flow()
        self._settle()

    def body_awaited(self) -> None:
        if self._active is None and not self._queue:
            self._reader.awaits_continue = False
            self._write(CONTINUE)

    def body_complete(self) -> None:
        self._flow()

    # Requests, one after another

    def _feed(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            stream = self._reader.stream
            if stream is not None and stream.full:
                self._flow()
        except Refused as error:
            self._refuse(error)

    def _refuse(self, error: Refused) -> None:
        """The connection's input is beyond repair: answer once what came before has been answered, then close."""
        reader = self._reader
        reader.last = True
        self._dropping = True
        if reader.stream is None:
            self.begin(Request(), error.response)
        else:
            discarding = reader.stream.discarding
            reader.abandon(error)  # the handler hears of it, and its failure is answered with this
            if discarding and self._active is None:
                self._close()

    def _run(self, request: Request, answer: Response | None) -> None:
        self._active = request
        if answer is not None:
            self._answer(request, answer)
            return
        hub = self._hub
        try:
            outcome = drive(hub.application.handle(request), hub.loop)
        except Exception as error:
            self._failed(request, error)
            return
        if isinstance(outcome, Done):
            self._answer(request, outcome.value)
        else:
            hub.tasks.add(outcome)
            self._task = outcome
            outcome.add_done_callback(self._handled)
            if self._looked is not None and self._waits:
                self._look()

    def _handled(self, task: asyncio.Task[Any]) -> None:
        self._hub.tasks.discard(task)
        self._task = None
        request = self._active
        assert request is not None
        if task.cancelled():
            self.abort()
        elif (error := task.exception()) is not None:
            self._failed(request, error)
        else:
            self._answer(request, task.result())
        self._proceed()
        self._hub.changed()

    def _proceed(self) -> None:
        """An answer is done or the client reads again: go on with what waits."""
        while self._queue and self._active is None and self._writable and self._state == OPEN:
            request, answer = self._queue.popleft()
            self._queued -= len(request.body)
            self._run(request, answer)
        if self._state != OPEN:
            return
        reader = self._reader
        if reader.rest and not reader.held:
            self._feed(b"")
        if reader.awaits_continue and reader.stream is None:
            self.body_awaited()
        self._flow()
        self._settle()

    # Answers

    def _answer(self, request: Request, result: object) -> None:
        try:
            if isinstance(result, Response):
                if isinstance(result.body, bytes):
                    self._write_whole(request, result, result.body)
                    self._answered()
                else:
                    self._write_stream(request, result, result.body)
            elif isinstance(result, Upgrade):
                self._upgrade(request, result)
            elif isinstance(result, Tunnel):
                self._tunnel(request, result)
            else:
                raise TypeError(f"a handler answered with {type(result).__name__}")
        except (TypeError, ValueError) as error:
            self._failed(request, error)

    def _failed(self, request: Request, error: BaseException) -> None:
        if isinstance(error, Refused):
            answer = error.response
        else:
            if not isinstance(error, PeerGone):
                self._hub.log.error("%s %s failed", request.method, request.path, exc_info=error)
            answer = plain(500, "Internal Server Error")
        self._write_whole(request, answer, bytes(answer.body))  # type: ignore[arg-type]
        self._answered()

    def _ends(self, request: Request) -> bool:
        """Whether the connection ends with the answer to `request`."""
        reader = self._reader
        stream = reader.stream
        if stream is not None and request.stream is stream:
            if reader.awaits_continue or reader.remaining > DISCARD_BYTES:
                self._dropping = reader.last = True
            stream.discard()
        return not self._queue and (reader.last or self._hub.draining)

    def _head(self, request: Request, response: Response, ends: bool, framing: bytes) -> bytes:
        return b"".join(
            (
                status_line(response.status),
                response.head,
                header_block(response.headers) if response.headers else b"",
                self._hub.dates.line(),
                CLOSE if ends else KEEP if request.http_version == "1.0" else b"",
                framing,
                b"\r\n",
            )
        )

    def _write_whole(self, request: Request, response: Response, body: bytes) -> None:
        if self._state != OPEN:
            return
        ends = self._ends(request)
        framing, body = whole(request.method, response, body)
        head = self._head(request, response, ends, framing)
        if ends:
            self._state = CLOSING
        if len(body) >= COPY_BELOW:
            self.push()
            self._transport.writelines((head, body))
            return
        self._gather(head + body, UNSENT_MAX)

    def _write(self, data: bytes) -> None:
        """Write at once, after what was gathered."""
        self.push()
        self._transport.write(data)

    def _answered(self) -> None:
        self._active = None
        self._reader.held = False
        if self._state == CLOSING:
            self._close()

    def _write_stream(self, request: Request, response: Response, body: AsyncIterator[bytes]) -> None:
        """The head now, the pieces as they come: of the declared length, or chunked, or (HTTP/1.0) up to the end."""
        hub = self._hub
        framing, length = streamed(request.http_version, response)
        if not framing:
            self._reader.last = True
        if self._state == OPEN:
            self._write(self._head(request, response, self._ends(request), framing))
        silent = request.method == "HEAD" or not may_have_body(response.status)
        length, chunked = (0, False) if silent else (length, framing == CHUNKED)
        try:
            outcome = drive(pump(self, self._transport, body, length, chunked=chunked), hub.loop)
        except Exception as error:
            self._pump_failed(error)
            return
        if isinstance(outcome, Done):
            self._pumped()
        else:
            hub.tasks.add(outcome)
            self._task, self._pumping = outcome, True
            outcome.add_done_callback(self._pump_done)

    @property
    def is_open(self) -> bool:
        return self._state == OPEN

    async def drained(self) -> None:
        """Return when the client has taken most of what was written."""
        if self._writable:
            return
        if self._state == GONE:
            raise PeerGone("the client went away before it had its answer")
        self._waiter = self._hub.loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _pump_done(self, task: asyncio.Task[None]) -> None:
        self._hub.tasks.discard(task)
        self._task, self._pumping = None, False
        if task.cancelled():
            self.abort()
        elif (error := task.exception()) is not None:
            self._pump_failed(error)
        else:
            self._pumped()
            self._proceed()
        self._hub.changed()

    def _pumped(self) -> None:
        if self._state == OPEN and not self._queue and (self._reader.last or self._hub.draining):
            self._state = CLOSING
        self._answered()

    def _pump_failed(self, error: BaseException) -> None:
        """The head is out; a broken connection is the only way left to say that the body is not whole."""
        if not isinstance(error, PeerGone):
            self._hub.log.error("a streamed answer broke off", exc_info=error)
        self.abort()

    # The connection becomes something else

    def _leave(self) -> bytes:
        """Take the connection out of HTTP's hands; returns what has been read beyond the request."""
        self.push()
        rest = self._reader.rest or b""
        self._reader.release()
        self._state = GONE
        self._active = None
        self._hub.timed.discard(self)
        return rest

    def _upgrade(self, request: Request, upgrade: Upgrade) -> None:
        if refusal(request) is not None:
            raise TypeError("an Upgrade was given for a request that is no WebSocket handshake")
        lost = self._state == GONE
        answer = acceptance(request, upgrade)
        rest = self._leave()
        socket = WebSocket(self._hub, self._transport, upgrade)
        if not lost:
            self._transport.write(answer)
            self._transport.set_protocol(socket)
        socket.open(rest)
        if self._paused and not lost:
            self._transport.resume_reading()

    def _tunnel(self, request: Request, tunnel: Tunnel) -> None:
        if request.method != "CONNECT":
            raise TypeError("a Tunnel was given for a request that is no CONNECT")
        if self._state == GONE:
            return
        hub = self._hub
        transport = self._transport
        rest = self._leave()
        if tunnel.target is not None:
            if not self._paused:
                transport.pause_reading()
            hub.spawn(join(hub, transport, tunnel.target, rest))
            return
        transport.write(ESTABLISHED)
        hub.serve(hub, transport, rest, "http")
        if self._paused:
            transport.resume_reading()

    # Flow, time and end

    @property
    def _full(self) -> bool:
        return len(self._queue) >= self._hub.limits.pipeline or self._queued >= QUEUED_BYTES

    def _flow(self) -> None:
        reader = self._reader
        stream = reader.stream
        pause = (
            self._full or not self._writable or reader.held or (stream is not None and stream.full)
        ) and not self._dropping
        if pause != self._paused and self._state == OPEN:
            self._paused = pause
            if pause:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _settle(self) -> None:
        """Set the deadline for what the connection waits for now."""
        hub = self._hub
        stage = self._reader.stage
        if self._state != OPEN:
            return
        if self._reader.held and not self._paused:
            self._flow()
        now = hub.now()
        if not self._writable:
            self.deadline = now + hub.limits.body_idle_seconds
        elif stage == IDLE or self._paused:
            busy = self._active is not None or self._queue or self._paused
            self.deadline = NEVER if busy else now + hub.limits.keep_alive_seconds
            self._head_deadline = 0.0
            if hub.draining and not busy:
                self._close()
        elif stage == HEAD:
            if not self._head_deadline:
                self._head_deadline = now + hub.limits.head_seconds
            self.deadline = self._head_deadline
        else:
            self._head_deadline = 0.0
            self.deadline = now + hub.limits.body_idle_seconds

    def expire(self) -> None:
        hub = self._hub
        unsent = self._transport.get_write_buffer_size()
        if self._looked is not None and self._waits:
            self._look()
        elif unsent and unsent < self._unsent:
            self._unsent = unsent
            self.deadline = hub.now() + hub.limits.body_idle_seconds
        elif self._state != OPEN or not self._writable:
            self.abort()
        elif self._reader.stage in (HEAD, BODY):
            self.deadline = NEVER
            self._refuse(refused(408, "The rest of the request did not come in time"))
        else:
            self._close()

    def drain(self) -> None:
        if self._state == OPEN and self._active is None and not self._queue and self._reader.stage == IDLE:
            self._close()

    def abort(self) -> None:
        if self._state != GONE:
            self._state = CLOSING
            self._transport.abort()

    def _close(self) -> None:
        """Close once what has been written is out. If the client may still be sending, wait for its end a little."""
        self.push()
        self._state = CLOSING
        limits = self._hub.limits
        self._unsent = self._transport.get_write_buffer_size()
        lingers = self._dropping or self._reader.stage != IDLE
        self._dropping = True
        if lingers:
            self.deadline = self._hub.now() + LINGER_SECONDS
            if self._paused:
                self._transport.resume_reading()
            if self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()  # TLS reads on by itself until the client has closed, too
        else:
            self.deadline = self._hub.now() + limits.body_idle_seconds
            self._transport.close()
