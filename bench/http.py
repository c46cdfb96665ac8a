"""The floor of everything else: what the server does with a handler that returns a constant.

    python -m bench.http [seconds]

Server and client are two processes, on a core each where there are two. Beside the rate stands what one second of the
server's processor time would have answered, which other load on the machine doesn't change.
"""

from __future__ import annotations

import asyncio
import base64
import multiprocessing
import os
import resource
import sys
import time
from multiprocessing.connection import Connection

import uvloop

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


PLAN = Plan()


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
        pipe.send(server.port)
        loop = asyncio.get_running_loop()
        stopped = asyncio.Event()

        def asked() -> None:
            if pipe.recv():
                pipe.send(usage())
            else:
                stopped.set()

        loop.add_reader(pipe.fileno(), asked)
        await stopped.wait()
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


async def measure(port: int, pipe: Connection, seconds: float) -> None:
    http, http_cpu = await rate(port, pipe, seconds, HTTP_REQUEST)
    print(
        f"HTTP, constant answer, {CONNECTIONS} connections {http:>10,.0f}/s {http_cpu:>10,.0f} per cpu second"
    )
    echo, echo_cpu = await rate(port, pipe, seconds, MASKED, HANDSHAKE)
    print(
        f"WebSocket echo, {CONNECTIONS} connections        {echo:>10,.0f}/s {echo_cpu:>10,.0f} per cpu second"
    )
    await asyncio.sleep(0.3)
    size = await idle(port, pipe, IDLE_SOCKETS)
    print(f"idle WebSocket, of {IDLE_SOCKETS:,}                 {size / 1024:>10.1f} KiB each")


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    port = ours.recv()
    pin(1)
    uvloop.run(measure(port, ours, seconds))
    ours.send(False)
    server.join(5)


if __name__ == "__main__":
    main()
