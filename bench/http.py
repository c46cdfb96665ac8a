"""The floor of everything else: what the server does with a handler that returns a constant, `python -m bench http`.

Server and client are two processes, on a core each where there are two. The floor is a protocol on the same loop that
writes the same bytes without looking at what comes. The note says what one second of the server's processor time would
have answered, which other load on the machine changes little.
"""

from __future__ import annotations

import asyncio
import base64
import multiprocessing
import os
import resource
import time
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop

from bench.table import Figure
from cloudlet.net.frames import TEXT, frame
from cloudlet.net.messages import Limits, Plan, Request, Response, Socket, Tunnel, Upgrade
from cloudlet.net.server import Server

CONNECTIONS = 32
IDLE_SOCKETS = 5000
BODY = b'{"Item":{"id":{"S":"1"},"name":{"S":"a name"}}}'
HTTP_REQUEST = (
    b"POST / HTTP/1.1\r\nHost: localhost:4566\r\nContent-Type: application/x-amz-json-1.0\r\n"
    b"X-Amz-Target: DynamoDB_20120810.GetItem\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: %b\r\n\r\n" % base64.b64encode(bytes(16))
)
MASKED = bytes((0x81, 0x80 | len(BODY))) + bytes(4) + BODY


class Echo:
    def __init__(self) -> None:
        self.socket: Socket | None = None

    def on_open(self, socket: Socket) -> None:
        self.socket = socket

    def on_message(self, payload: bytes, text: bool) -> None:
        assert self.socket is not None
        self.socket.send_frame(frame(TEXT, payload))

    def on_ping(self, payload: bytes) -> None: ...
    def on_drain(self) -> None: ...

    def on_close(self, code: int, reason: str, clean: bool) -> None:
        self.socket = None


class App:
    def plan(self, request: Request) -> Plan:
        return PLAN

    async def handle(self, request: Request) -> Response | Upgrade | Tunnel:
        if request.wants_websocket:
            return Upgrade(Echo())
        return Response(200, (("Content-Type", "application/x-amz-json-1.0"),), BODY)


class Bare(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.write = transport.write  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.write(BARE_ANSWER)


PLAN = Plan()
BARE_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n%b"
    % (
        len(BODY),
        BODY,
    )
)


def usage() -> tuple[float, int]:
    """Processor seconds so far, and resident bytes now."""
    with open("/proc/self/statm") as file:
        resident = int(file.read().split()[1]) * resource.getpagesize()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, resident


def serve(pipe: Connection) -> None:
    pin(0)

    async def run() -> None:
        server = Server(App(), Limits())
        await server.start("127.0.0.1", 0)
        loop = asyncio.get_running_loop()
        bare = await loop.create_server(Bare, "127.0.0.1", 0)
        pipe.send((server.port, bare.sockets[0].getsockname()[1]))
        stopped = asyncio.Event()

        def asked() -> None:
            if pipe.recv():
                pipe.send(usage())
            else:
                stopped.set()

        loop.add_reader(pipe.fileno(), asked)
        await stopped.wait()
        bare.close()
        await server.stop(0.1)

    uvloop.run(run())


def pin(core: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[core % len(cores)]})


class Caller(asyncio.Protocol):
    """Sends a request, waits for the answer, sends the next. Answers all have the length of the first."""

    def __init__(self, message: bytes, opening: bytes = b"") -> None:
        self.message = message
        self.opening = opening
        self.opened = asyncio.get_running_loop().create_future()
        self.answers = 0
        self.size = 0
        self.got = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.write = transport.write  # type: ignore[attr-defined]
        if self.opening:
            self.write(self.opening)
        else:
            self.opened.set_result(None)

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            self.opened.set_result(None)
            return
        self.size = self.size or len(data)
        self.got += len(data)
        if self.got >= self.size:
            self.got = 0
            self.answers += 1
            self.write(self.message)


async def connect(port: int, count: int, message: bytes, opening: bytes) -> list[Caller]:
    callers = []
    for _ in range(count):
        _, caller = await asyncio.get_running_loop().create_connection(
            lambda: Caller(message, opening), "127.0.0.1", port
        )
        callers.append(caller)
        await caller.opened
    return callers


async def rate(
    port: int, pipe: Connection, seconds: float, message: bytes, opening: bytes = b""
) -> tuple[float, float]:
    callers = await connect(port, CONNECTIONS, message, opening)
    for caller in callers:
        caller.write(message)
    await asyncio.sleep(0.3)
    pipe.send(True)
    before, _ = pipe.recv()
    start, counted = time.perf_counter(), sum(c.answers for c in callers)
    await asyncio.sleep(seconds)
    done = sum(c.answers for c in callers) - counted
    took = time.perf_counter() - start
    pipe.send(True)
    after, _ = pipe.recv()
    for caller in callers:
        caller.transport.abort()  # type: ignore[attr-defined]
    return done / took, done / (after - before)


async def idle(port: int, pipe: Connection, count: int) -> float:
    pipe.send(True)
    _, before = pipe.recv()
    callers = await connect(port, count, b"", HANDSHAKE)
    pipe.send(True)
    _, after = pipe.recv()
    for caller in callers:
        caller.transport.abort()  # type: ignore[attr-defined]
    return float(after - before) / count


async def measure(port: int, bare: int, pipe: Connection, seconds: float) -> list[Figure]:
    floor, _ = await rate(bare, pipe, seconds / 2, HTTP_REQUEST)
    http, http_cpu = await rate(port, pipe, seconds, HTTP_REQUEST)
    echo, echo_cpu = await rate(port, pipe, seconds, MASKED, HANDSHAKE)
    await asyncio.sleep(0.3)
    size = await idle(port, pipe, IDLE_SOCKETS if seconds >= 1 else IDLE_SOCKETS // 10)
    bottom = f"bare protocol {floor:,.0f}/s"
    return [
        Figure(
            "HTTP, constant answer, 32 connections", http, "/s", 40_000, False, bottom,
            f"{http_cpu:,.0f} a second of the server's processor time",
        ),
        Figure(
            "WebSocket echo in the server, 32 connections", echo, "/s", 60_000, False, bottom,
            f"{echo_cpu:,.0f} a second of the server's processor time",
        ),
        Figure("an idle WebSocket, the server's share", size / 1024, "KB", 4, True),
    ]  # fmt: skip


def figures(folder: Path, seconds: float) -> list[Figure]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    server.start()
    try:
        port, bare = ours.recv()
        pin(1)
        return uvloop.run(measure(port, bare, ours, seconds))
    finally:
        ours.send(False)
        server.join(5)
        if cores is not None:
            os.sched_setaffinity(0, cores)
