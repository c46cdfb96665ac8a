"""CONNECT to somewhere else: a pipe that keeps order, ends and pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from cloudlet.net.messages import Request, Response, Tunnel

from .kit import Client, settle, until

CONNECT = "CONNECT far:80 HTTP/1.1\nHost: far:80\n\n"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def far(serve: Serve) -> AsyncIterator[tuple[str, int]]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()


def to(address: tuple[str, int]) -> Any:
    async def handle(request: Request) -> Tunnel:
        assert (request.method, request.path) == ("CONNECT", "far:80")
        return Tunnel(address)

    return handle


class TestPipe:
    async def test_bytes_and_ends_go_both_ways(self, serve: Any, connect: Any) -> None:
        async def reverse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            everything = await reader.read()
            writer.write(everything[::-1])
            writer.close()

        async with far(reverse) as address:
            here = await serve(to(address))
            client = await connect(here)
            client.send(CONNECT, b"early,")
            assert (await client.head())[0] == 200
            client.send(b"late")
            client.writer.write_eof()
            assert await client.rest() == b"etal,ylrae"
            await until(lambda: not here.connected)

    async def test_it_goes_at_the_pace_of_the_slower_side(self, serve: Any, connect: Any) -> None:
        size = 32 * 1024 * 1024
        written = 0

        async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal written
            for _ in range(size // 65536):
                writer.write(bytes(65536))
                await writer.drain()
                written += 65536
            writer.close()

        async with far(pour) as address:
            client: Client = await connect(await serve(to(address)))
            client.send(CONNECT)
            await client.head()
            await settle()
            assert written < size
            assert len(await client.rest()) == size

    async def test_when_the_far_side_breaks_the_near_one_ends(self, serve: Any, connect: Any) -> None:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.abort()

        async with far(hang_up) as address:
            client = await connect(await serve(to(address)))
            client.send(CONNECT)
            await client.rest()


async def test_nobody_there_is_502(serve: Any, connect: Any) -> None:
    async with far(lambda reader, writer: asyncio.sleep(0)) as address:
        pass
    here = await serve(to(address))
    client = await connect(here)
    client.send(CONNECT)
    assert (await client.answer())[0] == 502
    assert await client.rest() == b""
    await until(lambda: not here.connected)


async def test_a_refused_tunnel_is_an_answer(serve: Any, connect: Any) -> None:
    async def handle(request: Request) -> Response:
        return Response(403)

    client = await connect(await serve(handle))
    client.send(CONNECT)
    status, headers, _ = await client.answer()
    assert (status, headers["connection"]) == (403, "close")
    assert await client.rest() == b""
