"""Whatever comes in whatever pieces: the same answers, and never a bug. Runs on a connection without a network."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import Any

import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudlet.net.head import Dates
from cloudlet.net.http import HttpConnection
from cloudlet.net.hub import Hub
from cloudlet.net.messages import Limits, Plan, Request, Response, Upgrade
from cloudlet.net.websocket import WebSocket

from .kit import frame

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
PARTS = [
    b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n",
    b"POST /d HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi",
    b"POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
    b"POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    b"HEAD /e HTTP/1.1\r\nHost: x\r\n\r\n",
]
FRAMES = [
    frame(0x81, b"text"), frame(0x82, b"\xff" * 200), frame(0x01, "ü".encode()[:1]), frame(0x80, "ü".encode()[1:]),
    frame(0x89, b"ping"), frame(0x8A), frame(0x81, b"\xff"), frame(0x88, b"\x03\xe8bye"), frame(0x82, b"x" * 70_000),
]  # fmt: skip
BROKEN = [
    b"\0",
    b"\r\n",
    b"GET",
    b"Content-Length: 1\r\n",
    b"\x81\xff",
    b"\x88\x80",
    b"HTTP/1.1",
    b": ",
    b"0\r\n\r\n",
]


class Wire:
    """A transport into a list."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.protocol: Any = None
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.out += data

    def writelines(self, pieces: Any) -> None:
        for piece in pieces:
            self.write(piece)

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def close(self) -> None:
        self.closed = True

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 1)

    abort = close
    is_closing = lambda self: self.closed  # noqa: E731
    can_write_eof = lambda self: False  # noqa: E731
    get_write_buffer_size = lambda self: 0  # noqa: E731
    set_write_buffer_limits = pause_reading = resume_reading = lambda self, **_: None


class Echo:
    def on_open(self, socket: Any) -> None:
        self.socket = socket

    def on_message(self, payload: bytes, text: bool) -> None:
        self.socket.send_binary(payload)

    def on_ping(self, payload: bytes) -> None: ...
    def on_drain(self) -> None: ...
    def on_close(self, code: int, reason: str, clean: bool) -> None: ...


class App:
    def plan(self, request: Request) -> Plan:
        return Plan(limit=1000, stream=request.path == "/stream")

    async def handle(self, request: Request) -> Any:
        if request.wants_websocket:
            return Upgrade(Echo())
        body = request.body
        if request.stream is not None:
            body = b"".join([piece async for piece in request.stream])
        return Response(200, [], request.path.encode() + body)


class Failures(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(record.getMessage()) from (record.exc_info[1] if record.exc_info else None)


def log() -> logging.Logger:
    logger = logging.Logger("fuzz")
    logger.addHandler(Failures(logging.ERROR))
    return logger


def converse(pieces: list[bytes]) -> bytes:
    """What the server says to these reads."""

    async def run() -> bytes:
        hub = Hub(App(), Limits(head_bytes=4000), None, log(), lambda: 0.0, lambda *_: None)
        hub.dates = Dates(lambda: 0.0)
        wire = Wire()
        wire.protocol = HttpConnection(hub, wire, "http")  # type: ignore[arg-type]
        for piece in pieces:
            if wire.closed:
                break
            wire.protocol.data_received(piece)
            await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)
        if isinstance(wire.protocol, HttpConnection | WebSocket):
            wire.closed = True
            wire.protocol.connection_lost(None)
        await asyncio.sleep(0)
        assert not hub.timed
        assert not hub.sockets
        return bytes(wire.out)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


def cut(data: bytes, places: list[int]) -> list[bytes]:
    marks = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in itertools.pairwise(marks)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(PARTS), max_size=8),
    st.one_of(st.none(), st.lists(st.sampled_from(FRAMES), max_size=6)),
    st.lists(st.integers(0, 1 << 30), max_size=12),
)
def test_where_reads_end_makes_no_difference(parts: list[bytes], frames: Any, places: list[int]) -> None:
    data = b"".join(parts)
    if frames is not None:
        data += HANDSHAKE + b"".join(frames)
    whole = converse([data])
    assert converse(cut(data, places)) == whole
    assert whole.count(b"HTTP/1.1 200") == len(parts)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(st.sampled_from([*PARTS, HANDSHAKE, *FRAMES, *BROKEN]), st.binary(max_size=20)), max_size=12
    ),
    st.lists(st.integers(0, 1 << 30), max_size=8),
)
def test_nothing_that_comes_is_a_bug(parts: list[bytes], places: list[int]) -> None:
    converse(cut(b"".join(parts), places))
