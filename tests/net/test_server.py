"""The listeners: where they listen, what they survive, how they stop."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import resource
import socket
from typing import Any

import pytest

from cloudlet.net.http import HttpConnection
from cloudlet.net.messages import Plan, Request, Response, Upgrade
from cloudlet.net.requests import RequestReader
from cloudlet.net.server import Server
from cloudlet.net.websocket import WebSocket

from .kit import Client, Listener, frame, settle, until

GET = "GET / HTTP/1.1\nHost: x\n\n"


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


class TestListening:
    @pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
    async def test_loopback_is_both_families(self, serve: Any) -> None:
        here = await serve()
        reader, writer = await asyncio.open_connection("::1", here.port)
        client = Client(reader, writer)
        client.send(GET)
        assert (await client.answer())[0] == 200
        writer.close()

    async def test_a_taken_port_is_an_error(self, serve: Any) -> None:
        here = await serve()
        with pytest.raises(OSError) as failure:
            await Server(here).start("127.0.0.1", here.port)
        assert failure.value.errno == errno.EADDRINUSE

    async def test_it_outlives_a_lack_of_descriptors(self, serve: Any, connect: Any) -> None:
        here = await serve()
        before = await connect(here)
        sock = socket.socket()
        sock.setblocking(False)
        lowest = os.dup(0)
        os.close(lowest)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, ("127.0.0.1", here.port))
            await loop.sock_sendall(sock, GET.replace("\n", "\r\n").encode())
            before.send(GET)
            assert (await before.answer())[0] == 200
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        answer = await asyncio.wait_for(loop.sock_recv(sock, 1000), 5)
        assert answer.startswith(b"HTTP/1.1 200")
        sock.close()

    async def test_connections_that_say_nothing_or_leave_do_no_harm(self, serve: Any, connect: Any) -> None:
        here = await serve()
        for _ in range(20):
            client = await connect(here)
            client.reset()
        client = await connect(here)
        client.writer.write_eof()
        assert await client.rest() == b""
        await until(lambda: not here.connected)


class TestMemory:
    async def test_connections_leave_no_cycles_behind(self, serve: Any, connect: Any) -> None:
        """Thousands come and go; what they leave must not wait for the garbage collector."""

        async def handle(request: Request) -> Any:
            if request.path == "/wait":
                await asyncio.sleep(0)
            if request.path == "/stream":
                assert request.stream is not None
                return Response(body=b"".join([piece async for piece in request.stream]))
            return Upgrade(Listener()) if request.wants_websocket else Response()

        here = await serve(handle, plan=Plan(stream=True))
        gc.collect()
        gc.disable()
        try:
            for path in ("/", "/wait", "/stream", "/ws"):
                client = await connect(here)
                if path == "/ws":
                    await client.handshake("/wait")
                    client.send(frame(0x88, b"\x03\xe8"))
                else:
                    client.send(f"POST {path} HTTP/1.1\nHost: x\nContent-Length: 1\n\nx")
                    await client.answer()
                client.writer.close()
            await until(lambda: not here.connected)
            await settle()
            alive = [o for o in gc.get_objects() if isinstance(o, HttpConnection | RequestReader | WebSocket)]
            assert alive == []
        finally:
            gc.enable()


class TestStop:
    async def test_requests_in_flight_are_finished_and_idle_ones_closed(
        self, serve: Any, connect: Any
    ) -> None:
        begun, release = asyncio.Event(), asyncio.Event()

        async def handle(request: Request) -> Response:
            if request.path == "/slow":
                begun.set()
                await release.wait()
            return Response(body=b"done")

        here = await serve(handle)
        busy, idle, fresh = [await connect(here) for _ in range(3)]
        idle.send(GET)
        await idle.answer()
        busy.send("GET /slow HTTP/1.1\nHost: x\n\n", GET)
        await begun.wait()
        stopping = asyncio.ensure_future(here.server.stop(grace=5))
        assert await idle.rest() == b""
        assert await fresh.rest() == b""
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", here.port)
        release.set()
        assert (await busy.answer())[2] == b"done"
        status, headers, _ = await busy.answer()
        assert (status, headers["connection"]) == (200, "close")
        await asyncio.wait_for(stopping, 5)

    async def test_what_does_not_finish_is_dropped(self, serve: Any, connect: Any) -> None:
        begun = asyncio.Event()
        cancelled = []

        async def handle(request: Request) -> Response:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(request.path)
                raise
            return Response()

        here = await serve(handle)
        client = await connect(here)
        client.send(GET)
        await begun.wait()
        await here.server.stop(grace=0.01)
        assert await client.rest() == b""
        assert cancelled == ["/"]

    async def test_sockets_are_told_that_the_server_goes_away(self, serve: Any, connect: Any) -> None:
        listener = Listener()

        async def handle(request: Request) -> Upgrade:
            return Upgrade(listener)

        here = await serve(handle)
        client = await connect(here)
        await client.handshake()
        stopping = asyncio.ensure_future(here.server.stop(grace=5))
        assert await client.closing() == 1001
        await asyncio.wait_for(stopping, 5)
        assert listener.closed.done()
