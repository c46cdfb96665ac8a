"""One open WebSocket: the protocol of its transport and the application's `Socket` in one object.

Rules:
- There may be many thousands that do nothing, so an idle one is this object and its transport: no task, no timer, no
  buffer, no parser.
- A frame that arrives whole is cut out of what was read; only what is incomplete is kept.
- Limits are checked on the header of a frame, before its payload is waited for.
- What is sent within a turn of the loop goes out in one write. The transport tells what it couldn't write (its
  high-water mark is one byte), so that `buffered` and `on_drain` are exact.
"""

from __future__ import annotations

import asyncio
import codecs
from typing import Any

from . import frames
from .frames import BINARY, CLOSE, CONTINUATION, PING, PONG, PROTOCOL_ERROR, TEXT, close_frame, frame, unmask
from .hub import CLOSE_SECONDS, NEVER, Hub
from .messages import Socket, SocketListener, Upgrade
from .outgoing import Outgoing

OPEN, CLOSING, CLOSED = 0, 1, 2
PONG_BACKLOG = 64 * 1024  # a client that pings without reading gets no more pongs than this
UNSENT_MAX = 16 * 1024  # what a turn of the loop may gather for one client

__all__ = ["BINARY", "CLOSE", "PING", "PONG", "TEXT", "WebSocket", "frame"]


class ProtocolError(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Fragments:
    """A message of several frames, as far as it has come."""

    __slots__ = ("decoder", "pieces", "size", "text")

    def __init__(self, text: bool) -> None:
        self.text = text
        self.pieces: list[bytes] = []
        self.size = 0
        self.decoder: Any = codecs.getincrementaldecoder("utf-8")() if text else None


class _Nobody:
    """The listener of a socket that is closed."""

    def on_open(self, socket: Socket) -> None: ...
    def on_message(self, payload: bytes, text: bool) -> None: ...
    def on_ping(self, payload: bytes) -> None: ...
    def on_drain(self) -> None: ...
    def on_close(self, code: int, reason: str, clean: bool) -> None: ...


_NOBODY = _Nobody()


class WebSocket(Outgoing):
    __slots__ = (
        "_buffer", "_fragments", "_listener", "_max_frame", "_max_message", "_need", "_paused", "_state", "_told",
        "_waits", "deadline",
    )  # fmt: skip

    def __init__(self, hub: Hub, transport: asyncio.Transport, upgrade: Upgrade) -> None:
        super().__init__(hub, transport)
        self._listener: SocketListener = upgrade.listener
        self._max_message = upgrade.max_message
        self._max_frame = upgrade.max_frame
        self._state = OPEN
        self._told = False  # the listener has heard of the end
        self._waits = False  # a write had to wait
        self._paused = False
        self._buffer: bytearray | None = None
        self._need = 0  # bytes without which looking at the buffer again is useless
        self._fragments: _Fragments | None = None
        self.deadline = NEVER

    def open(self, rest: bytes) -> None:
        """The handshake is done; `rest` came behind it."""
        transport = self._transport
        lost = transport.is_closing()
        if not lost:
            transport.set_write_buffer_limits(high=1, low=0)
            self._hub.sockets.add(self)
        self._call(self._listener.on_open, self)
        if lost:
            self._lost()
        elif rest:
            self.data_received(rest)
        if self._hub.draining:
            self.close(frames.GOING_AWAY)

    # What the application calls

    @property
    def buffered(self) -> int:
        return self._transport.get_write_buffer_size() + len(self._gathered)

    @property
    def closed(self) -> bool:
        return self._state != OPEN

    def send_text(self, data: bytes) -> None:
        self.send_frame(frame(TEXT, data))

    def send_binary(self, data: bytes) -> None:
        self.send_frame(frame(BINARY, data))

    def ping(self, data: bytes = b"") -> None:
        self.send_frame(frame(PING, data))

    def send_frame(self, frame: bytes) -> None:
        if self._state == OPEN:
            self._write(frame)

    def close(self, code: int = 1000, reason: str = "") -> None:
        if self._state == OPEN:
            self._state = CLOSING
            self._write(close_frame(code, reason))
            self._give_up_in(CLOSE_SECONDS)
            self.resume_reading()

    def abort(self) -> None:
        if self._state != CLOSED:
            self._state = CLOSED
            self._transport.abort()

    def pause_reading(self) -> None:
        if not self._paused and self._state == OPEN:
            self._paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._paused:
            self._paused = False
            self._hub.loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        """What had come before the pause is handled first: were more let in, each pause would leave a larger heap."""
        if self._buffer is not None:
            self.data_received(b"")
        if not self._paused and not self._transport.is_closing():
            self._transport.resume_reading()

    # What the transport calls

    def data_received(self, data: bytes) -> None:
        if self._told:
            return
        if self._buffer is not None:
            self._buffer += data
            if len(self._buffer) < self._need or self._paused:
                return
            data = bytes(self._buffer)
            self._buffer = None
        try:
            done = self._read(data)
            if done < len(data) and not self._told:
                self._buffer = bytearray(memoryview(data)[done:])
        except ProtocolError as error:
            self._fail(error.code, error.reason)
        finally:
            self._finish_if_over()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._waits = True

    def resume_writing(self) -> None:
        if self._waits:
            self._waits = False
            if not self._told:
                self._call(self._listener.on_drain)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()

    # Frames

    def _read(self, data: bytes) -> int:
        """Handle the whole frames in `data`; returns where the first incomplete one begins."""
        position, end = 0, len(data)
        while end - position >= 2 and not self._told and not self._paused:
            first, second = data[position], data[position + 1]
            self._check_header(first, second)
            size = second & 0x7F
            start = position + 6
            if size > 125:
                width = 2 if size == 126 else 8
                if end - position < 2 + width:
                    self._need = 2 + width
                    return position
                size = int.from_bytes(data[position + 2 : position + 2 + width], "big")
                start += width
            if size > self._max_frame:
                raise ProtocolError(frames.TOO_BIG, "A frame is too large")
            if first < 3 or first & 0x7F < 3:
                self._check_message_size(size)
            if end - start < size:
                self._need = start + size - position
                return position
            position = start + size
            self._frame(first, unmask(data[start:position], data[start - 4 : start]))
        self._need = 2
        return position

    def _check_header(self, first: int, second: int) -> None:
        if first & 0x70:
            raise ProtocolError(PROTOCOL_ERROR, "Reserved bits are set")
        if not second & 0x80:
            raise ProtocolError(PROTOCOL_ERROR, "A client's frames must be masked")
        opcode = first & 0x0F
        if opcode >= CLOSE:
            if opcode > PONG:
                raise ProtocolError(PROTOCOL_ERROR, "Unknown opcode")
            if not first & 0x80 or second & 0x7F > frames.MAX_CONTROL:
                raise ProtocolError(PROTOCOL_ERROR, "A control frame is fragmented or too long")
        elif opcode > BINARY:
            raise ProtocolError(PROTOCOL_ERROR, "Unknown opcode")
        elif (opcode == CONTINUATION) != (self._fragments is not None):
            raise ProtocolError(PROTOCOL_ERROR, "A frame is out of its message's order")

    def _check_message_size(self, size: int) -> None:
        if self._fragments is not None:
            size += self._fragments.size
        if size > self._max_message:
            raise ProtocolError(frames.TOO_BIG, "A message is too large")

    def _frame(self, first: int, payload: bytes) -> None:
        if first == 0x80 | TEXT:
            if not payload.isascii():
                _check_text(payload)
            self._message(payload, True)
        elif first == 0x80 | BINARY:
            self._message(payload, False)
        elif first == 0x80 | PING:
            if self.buffered < PONG_BACKLOG:
                self.send_frame(frame(PONG, payload))
            self._call(self._listener.on_ping, payload)
        elif first == 0x80 | CLOSE:
            self._closed_by_peer(payload)
        elif first != 0x80 | PONG:
            self._fragment(first & 0x0F, bool(first & 0x80), payload)

    def _fragment(self, opcode: int, last: bool, payload: bytes) -> None:
        fragments = self._fragments
        if fragments is None:
            fragments = self._fragments = _Fragments(opcode == TEXT)
        fragments.pieces.append(payload)
        fragments.size += len(payload)
        if fragments.decoder is not None:
            try:
                fragments.decoder.decode(payload, last)
            except UnicodeDecodeError:
                raise ProtocolError(frames.INVALID_TEXT, "Text is not UTF-8") from None
        if last:
            self._fragments = None
            self._message(b"".join(fragments.pieces), fragments.text)

    def _message(self, payload: bytes, text: bool) -> None:
        if self._state == OPEN:
            self._call(self._listener.on_message, payload, text)

    # The end

    def _closed_by_peer(self, payload: bytes) -> None:
        code, reason = frames.NO_CODE, ""
        if len(payload) == 1:
            raise ProtocolError(PROTOCOL_ERROR, "A close frame has half a code")
        if payload:
            code = int.from_bytes(payload[:2], "big")
            if not frames.may_be_sent(code):
                raise ProtocolError(PROTOCOL_ERROR, "A close frame has a code that may not be sent")
            _check_text(payload[2:])
            reason = payload[2:].decode()
        if self._state == OPEN:
            self._write(close_frame(code, ""))
        self._state = CLOSED
        self._tell(code, reason, True)

    def _fail(self, code: int, reason: str) -> None:
        """The peer broke the rules: say so and close."""
        if self._state == OPEN:
            self._write(close_frame(code, reason))
        self._state = CLOSED
        self._tell(code, reason, False)

    def _finish_if_over(self) -> None:
        """If both sides have said their last: close, and give up if the peer doesn't take it."""
        if not self._told:
            return
        transport = self._transport
        self._buffer = None
        self._fragments = None
        self.push()
        if transport.is_closing():
            return
        self._give_up_in(CLOSE_SECONDS)
        if self._paused:
            self._paused = False
            transport.resume_reading()
        if transport.can_write_eof():
            transport.write_eof()
        else:
            transport.close()

    def _lost(self) -> None:
        self._state = CLOSED
        self._hub.timed.discard(self)
        self._hub.forget_socket(self)
        self._tell(frames.BROKEN, "", False)

    def _tell(self, code: int, reason: str, clean: bool) -> None:
        if not self._told:
            self._told = True
            self._call(self._listener.on_close, code, reason, clean)
            self._listener = _NOBODY  # it holds on to this object, most likely

    def _give_up_in(self, seconds: float) -> None:
        self.deadline = self._hub.now() + seconds
        self._hub.timed.add(self)

    def expire(self) -> None:
        self._state = CLOSED
        self._transport.abort()

    def drain(self) -> None:
        """It is closing already."""

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._gather(data, UNSENT_MAX)

    def _call(self, callback: Any, *args: Any) -> None:
        try:
            callback(*args)
        except Exception:
            self._hub.log.exception("a WebSocket's listener failed")
            self.close(frames.INTERNAL_ERROR)


def _check_text(payload: bytes) -> None:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolError(frames.INVALID_TEXT, "Text is not UTF-8") from None
