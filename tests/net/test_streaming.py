"""Bodies in pieces, both ways: bounded in the middle, and honest about an end that isn't one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cloudlet.errors import PeerGone
from cloudlet.net.messages import Limits, Plan, Request, Response

from .kit import settle, until

STREAM = Plan(stream=True)
POST = "POST / HTTP/1.1\nHost: x\nContent-Length: {}\n\n"
MEGABYTE = 1024 * 1024


async def count(request: Request) -> Response:
    assert request.stream is not None
    size = 0
    async for piece in request.stream:
        size += len(piece)
    return Response(body=b"%d" % size)


class TestRequestStream:
    async def test_a_body_is_read_as_it_comes(self, serve: Any, connect: Any) -> None:
        pieces: asyncio.Queue[bytes] = asyncio.Queue()

        async def handle(request: Request) -> Response:
            async for piece in request.stream or ():  # type: ignore[union-attr]
                pieces.put_nowait(piece)
            return Response()

        client = await connect(await serve(handle, plan=STREAM))
        client.send(POST.format(6), "abc")
        assert await asyncio.wait_for(pieces.get(), 5) == b"abc"
        client.send("def")
        assert await asyncio.wait_for(pieces.get(), 5) == b"def"
        assert (await client.answer())[0] == 200

    async def test_bodies_follow_one_another(self, serve: Any, connect: Any) -> None:
        client = await connect(await serve(count, plan=STREAM))
        client.send(POST.format(5), "abcde", "GET / HTTP/1.1\nHost: x\n\n")
        client.send(
            "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n2\nab\n1\nc\n0\n\n", POST.format(1), "x"
        )
        assert [await client.text() for _ in range(4)] == ["5", "0", "3", "1"]

    async def test_no_more_is_taken_than_the_handler_reads(self, serve: Any, connect: Any) -> None:
        release = asyncio.Event()
        streams: list[Any] = []

        async def handle(request: Request) -> Response:
            streams.append(request.stream)
            await release.wait()
            return await count(request)

        client = await connect(await serve(handle, plan=STREAM))
        size = 64 * MEGABYTE
        client.send(POST.format(size))
        client.writer.write(bytes(size))
        await until(lambda: streams and streams[0].full)
        await settle()
        assert streams[0].buffered < MEGABYTE
        release.set()
        assert await client.text() == str(size)

    async def test_continue_is_said_when_the_handler_wants_the_body(self, serve: Any, connect: Any) -> None:
        async def handle(request: Request) -> Response:
            return Response(403) if request.path == "/no" else await count(request)

        here = await serve(handle, plan=STREAM)
        client = await connect(here)
        client.send("POST / HTTP/1.1\nHost: x\nContent-Length: 3\nExpect: 100-continue\n\n")
        assert (await client.head())[0] == 100
        client.send("abc")
        assert await client.text() == "3"
        client.send("POST /no HTTP/1.1\nHost: x\nContent-Length: 3\nExpect: 100-continue\n\n")
        status, headers, _ = await client.answer()
        assert (status, headers["connection"]) == (403, "close")

    async def test_a_client_that_leaves_is_reported(self, serve: Any, connect: Any) -> None:
        failures = []

        async def handle(request: Request) -> Response:
            try:
                return await count(request)
            except PeerGone as error:
                failures.append(error)
                raise

        here = await serve(handle, plan=STREAM)
        client = await connect(here)
        client.send(POST.format(10), "abc")
        await settle()
        client.reset()
        await until(lambda: failures)
        await until(lambda: not here.connected)

    async def test_broken_chunks_reach_the_handler_and_the_client(self, serve: Any, connect: Any) -> None:
        client = await connect(await serve(count, plan=STREAM))
        client.send("POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n3\nabc\n", "oops\n")
        assert (await client.answer())[0] == 400
        assert await client.rest() == b""

    async def test_silence_is_408(self, serve: Any, connect: Any) -> None:
        here = await serve(count, plan=STREAM, limits=Limits(body_idle_seconds=60))
        client = await connect(here)
        client.send(POST.format(10), "abc")
        await settle()
        here.wait(61)
        assert (await client.answer())[0] == 408

    async def test_a_body_nobody_read_is_passed_over_if_it_is_short(self, serve: Any, connect: Any) -> None:
        async def refuse(request: Request) -> Response:
            return Response(403)

        here = await serve(refuse, plan=STREAM)
        client = await connect(here)
        client.send(POST.format(5), "ab")
        assert (await client.answer())[0] == 403
        client.send("cde", POST.format(0))
        assert (await client.answer())[0] == 403
        client.send(POST.format(10 * MEGABYTE))
        client.writer.write(bytes(10 * MEGABYTE))
        status, headers, _ = await client.answer()
        assert (status, headers["connection"]) == (403, "close")


class TestResponseStream:
    async def test_pieces_are_chunks(self, serve: Any, connect: Any) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for piece in (b"a", b"", b"bc"):
                await asyncio.sleep(0)
                yield piece

        async def handle(request: Request) -> Response:
            return Response(200, body=pieces())

        client = await connect(await serve(handle))
        client.send("GET / HTTP/1.1\nHost: x\n\n" * 2)
        for _ in range(2):
            _, headers, body = await client.answer()
            assert (headers["transfer-encoding"], body) == ("chunked", b"abc")
        client.send("HEAD / HTTP/1.1\nHost: x\n\n")
        await client.answer(silent=True)
        client.send("GET / HTTP/1.0\n\n")
        _, headers, body = await client.answer()
        assert ("transfer-encoding" in headers, body) == (False, b"abc")

    @pytest.mark.parametrize("declared", [3, 2, 4])
    async def test_a_declared_length_must_be_kept(
        self, serve: Any, connect: Any, declared: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"ab"
            yield b"c"

        async def handle(request: Request) -> Response:
            return Response(200, [("Content-Length", str(declared)), ("X-Test", "bugs")], pieces())

        client = await connect(await serve(handle))
        client.send("GET / HTTP/1.1\nHost: x\n\n")
        if declared == 3:
            assert await client.text() == "abc"
            client.send("GET / HTTP/1.1\nHost: x\n\n")
            assert await client.text() == "abc"
        else:
            await client.head()
            assert await client.rest() == b"abc"[: 3 if declared == 4 else 2]
            assert "Content-Length says" in caplog.text
            caplog.clear()

    async def test_a_failure_in_the_middle_breaks_the_connection(
        self, serve: Any, connect: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"ab"
            raise KeyError("bugs")

        async def handle(request: Request) -> Response:
            return Response(200, body=pieces())

        client = await connect(await serve(handle))
        client.send("GET / HTTP/1.1\nHost: x\n\n")
        await client.head()
        assert await client.rest() == b"2\r\nab\r\n"
        assert "bugs" in caplog.text

    async def test_pieces_wait_for_a_client_that_does_not_read(self, serve: Any, connect: Any) -> None:
        made, closed = 0, asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            nonlocal made
            try:
                for _ in range(1000):
                    made += 1
                    yield bytes(MEGABYTE)
            finally:
                closed.set()

        async def handle(request: Request) -> Response:
            return Response(200, body=pieces())

        here = await serve(handle, limits=Limits(body_idle_seconds=60))
        client = await connect(here)
        client.writer.transport.pause_reading()
        client.send("GET / HTTP/1.1\nHost: x\n\n")
        await settle()
        assert 0 < made < 50
        here.wait(61)  # nothing of it was taken
        await asyncio.wait_for(closed.wait(), 5)
        await until(lambda: not here.connected)


async def test_a_whole_answer_that_is_not_taken_is_given_up(serve: Any, connect: Any) -> None:
    async def handle(request: Request) -> Response:
        return Response(body=bytes(64 * MEGABYTE))

    here = await serve(handle, limits=Limits(body_idle_seconds=60))
    client = await connect(here)
    client.writer.transport.pause_reading()
    client.send("GET / HTTP/1.1\nHost: x\n\n" * 3)
    await settle()
    here.wait(59)
    assert here.connected
    here.wait(2)
    await until(lambda: not here.connected)
