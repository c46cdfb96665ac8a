"""Clients that leave before they have their answer, and such as only seem to."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import pytest

from cloudlet.net.messages import Request, Response

from .kit import until

GET = "GET {} HTTP/1.1\nHost: x\n\n"


class Waiting:
    """A handler that waits until it is let go; `cancelled` if it was not."""

    def __init__(self, *, patient: bool = True) -> None:
        self.patient = patient
        self.release = asyncio.Event()
        self.begun = self.cancelled = self.done = False

    async def __call__(self, request: Request) -> Response:
        request.patient = self.patient
        self.begun = True
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        self.done = True
        return Response(body=b"here")


async def begin(serve: Any, connect: Any, handler: Waiting, **options: Any) -> tuple[Any, Any]:
    here = await serve(handler, **options)
    client = await connect(here)
    client.send(GET.format("/"))
    await until(lambda: handler.begun)
    return here, client


@pytest.mark.parametrize("leave", ["close", "reset"])
async def test_who_only_waits_is_cancelled(serve: Any, connect: Any, leave: str) -> None:
    handler = Waiting()
    here, client = await begin(serve, connect, handler)
    if leave == "reset":
        client.reset()
    else:
        client.writer.close()
    await until(lambda: handler.cancelled)
    await until(lambda: here.connected == 0)


async def test_who_does_something_finishes_it(serve: Any, connect: Any) -> None:
    handler = Waiting(patient=False)
    here, client = await begin(serve, connect, handler)
    client.reset()
    await until(lambda: here.connected == 0)
    handler.release.set()
    await until(lambda: handler.done)


async def test_a_client_that_has_said_all_still_gets_its_answer(serve: Any, connect: Any) -> None:
    handler = Waiting()
    here, client = await begin(serve, connect, handler)
    client.writer.write_eof()
    assert (await client.answer())[0] == 100  # which every client of HTTP/1.1 steps over
    here.wait(5)
    assert not handler.cancelled
    handler.release.set()
    assert await client.text() == "here"
    assert await client.rest() == b""


async def test_a_client_that_has_said_all_and_leaves_then(serve: Any, connect: Any) -> None:
    handler = Waiting()
    here, client = await begin(serve, connect, handler)
    client.writer.write_eof()
    assert (await client.answer())[0] == 100
    client.reset()

    def gone() -> bool:
        here.wait(1)
        return handler.cancelled

    await until(gone)


async def test_the_answer_before_is_not_disturbed(serve: Any, connect: Any) -> None:
    """A client that leaves while it has more than one request under way: the first is the one that is looked at."""
    handler = Waiting()
    here, client = await begin(serve, connect, handler)
    client.send(GET.format("/2"))
    client.writer.close()
    await until(lambda: handler.cancelled)
    await until(lambda: here.connected == 0)


async def test_behind_tls(serve: Any, authority: Any) -> None:
    handler = Waiting()
    here = await serve(handler, tls=authority)
    context = ssl.create_default_context(cafile=str(authority.ca_bundle()))
    _, writer = await asyncio.open_connection(
        "127.0.0.1", here.port, ssl=context, server_hostname="localhost"
    )
    writer.write(GET.format("/").replace("\n", "\r\n").encode())
    await until(lambda: handler.begun)
    writer.close()
    await until(lambda: handler.cancelled)


async def test_a_streamed_answer_ends_with_its_client(serve: Any, connect: Any) -> None:
    closed = asyncio.Event()

    async def pieces() -> Any:
        try:
            yield b"one"
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def handle(request: Request) -> Response:
        return Response(body=pieces())

    client = await connect(await serve(handle))
    client.send(GET.format("/"))
    await client.head()
    client.reset()
    await asyncio.wait_for(closed.wait(), 10)
