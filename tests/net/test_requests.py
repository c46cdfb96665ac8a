"""Malformed requests: answered, and the connection closed where its bytes can't be trusted any more, else kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cloudlet.net.messages import Limits, Plan, Request, Response

from .kit import settle

MALFORMED = {
    "no request line": "nonsense\n\n",
    "unknown method": "FOO / HTTP/1.1\nHost: x\n\n",
    "space in target": "GET /a b HTTP/1.1\nHost: x\n\n",
    "control character in target": "GET /\x01 HTTP/1.1\nHost: x\n\n",
    "bytes beyond ASCII in target": "GET /\u00e9 HTTP/1.1\nHost: x\n\n",
    "no Host": "GET / HTTP/1.1\n\n",
    "two Hosts": "GET / HTTP/1.1\nHost: a\nHost: b\n\n",
    "two Hosts in one": "GET / HTTP/1.1\nHost: a, b\n\n",
    "space before colon": "GET / HTTP/1.1\nHost: x\nX : 1\n\n",
    "header without colon": "GET / HTTP/1.1\nHost: x\nX\n\n",
    "folded header": "GET / HTTP/1.1\nHost: x\nX: a\n b\n\n",
    "NUL in header": "GET / HTTP/1.1\nHost: x\nX: \0\n\n",
    "both framings": "POST / HTTP/1.1\nHost: x\nContent-Length: 3\nTransfer-Encoding: chunked\n\n0\n\n",
    "both framings, the other way": "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nContent-Length: 3\n\n0\n\n",
    "two lengths": "POST / HTTP/1.1\nHost: x\nContent-Length: 3\nContent-Length: 3\n\nabc",
    "two lengths in one": "POST / HTTP/1.1\nHost: x\nContent-Length: 3, 3\n\nabc",
    "signed length": "POST / HTTP/1.1\nHost: x\nContent-Length: +3\n\nabc",
    "negative length": "POST / HTTP/1.1\nHost: x\nContent-Length: -3\n\nabc",
    "endless length": "POST / HTTP/1.1\nHost: x\nContent-Length: 99999999999999999999\n\nabc",
    "chunked twice": "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked, chunked\n\n0\n\n",
    "chunked not last": "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked, gzip\n\n0\n\n",
    "chunked in 1.0": "POST / HTTP/1.0\nHost: x\nTransfer-Encoding: chunked\n\n0\n\n",
    "chunk without a size": "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\nxyz\n\n",
    "chunk longer than said": "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n1\nabc\n0\n\n",
    "upgrade with a body": "GET / HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: websocket\nContent-Length: 1\n\nx",
    "upgrade without Connection": "GET / HTTP/1.1\nHost: x\nUpgrade: websocket\n\n",
    "TLS's first bytes": "\x15\x03\x01\x02\n\n",
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_is_answered_400_and_closed(serve: Any, connect: Any, raw: str) -> None:
    reached = []

    async def handle(request: Request) -> Response:
        reached.append(request)
        return Response()

    client = await connect(await serve(handle))
    client.send(raw)
    status, headers, body = await client.answer()
    assert (status, headers["connection"]) == (400, "close")
    assert body
    assert await client.rest() == b""
    assert reached == []


async def test_bare_line_feeds_are_no_line_ends(serve: Any, connect: Any) -> None:
    client = await connect(await serve())
    client.send(b"GET / HTTP/1.1\nHost: x\n\n")
    assert (await client.answer())[0] == 400


@pytest.mark.parametrize("coding", ["gzip, chunked", "xchunked", "identity"])
async def test_transfer_codings_that_nobody_undoes_are_501(serve: Any, connect: Any, coding: str) -> None:
    client = await connect(await serve())
    client.send(f"POST / HTTP/1.1\nHost: x\nTransfer-Encoding: {coding}\n\n0\n\n")
    assert (await client.answer())[0] == 501


async def test_a_bug_in_the_plan_is_a_500(serve: Any, connect: Any, caplog: pytest.LogCaptureFixture) -> None:
    here = await serve()

    def plan(request: Request) -> Plan:
        raise KeyError("bugs")

    here.plan = plan
    client = await connect(here)
    client.send("GET / HTTP/1.1\nHost: x\n\n")
    assert (await client.answer())[0] == 500
    assert "bugs" in caplog.text


@pytest.mark.parametrize("version", ["2.0", "0.9"])
async def test_other_versions_are_named(serve: Any, connect: Any, version: str) -> None:
    client = await connect(await serve())
    client.send(f"GET / HTTP/{version}\nHost: x\n\n")
    assert (await client.answer())[0] == 505


async def test_what_came_before_is_answered_first(serve: Any, connect: Any) -> None:
    async def handle(request: Request) -> Response:
        await asyncio.sleep(0)
        return Response(body=request.path.encode())

    client = await connect(await serve(handle))
    client.send("GET /1 HTTP/1.1\nHost: x\n\nGET /2 HTTP/1.1\nHost: x\n\nnonsense\n\n")
    assert await client.text() == "/1"
    assert await client.text() == "/2"
    assert (await client.answer())[0] == 400
    assert await client.rest() == b""


class TestHeadLimits:
    @pytest.mark.parametrize(
        "head",
        [
            "GET /" + "a" * 2000 + " HTTP/1.1\nHost: x\n\n",
            "GET / HTTP/1.1\nHost: x\nX: " + "a" * 2000 + "\n\n",
            "GET / HTTP/1.1\nHost: x\nX: " + "a" * 2000,
            "GET / HTTP/1.1\nHost: x\n" + "".join(f"X{n}: 1\n" for n in range(11)) + "\n",
        ],
        ids=["target", "header", "header without end", "count"],
    )
    async def test_too_much_is_431(self, serve: Any, connect: Any, head: str) -> None:
        client = await connect(await serve(limits=Limits(head_bytes=1000, headers=10)))
        client.send(head)
        assert (await client.answer())[0] == 431
        assert await client.rest() == b""

    async def test_many_small_requests_at_once_are_not_one_large_one(self, serve: Any, connect: Any) -> None:
        client = await connect(await serve(limits=Limits(head_bytes=1000)))
        client.send("GET / HTTP/1.1\nHost: x\n\n" * 500)
        for _ in range(500):
            assert (await client.answer())[0] == 200

    async def test_a_body_does_not_count(self, serve: Any, connect: Any) -> None:
        client = await connect(await serve(limits=Limits(head_bytes=1000)))
        client.send("POST / HTTP/1.1\nHost: x\nContent-Length: 5000\n\n", b"x" * 5000)
        assert await client.text() == "POST /? http 5000"

    @pytest.mark.parametrize("endless", ["0\nX: ", "1;"])
    async def test_neither_trailers_nor_extensions_go_on_for_ever(
        self, serve: Any, connect: Any, endless: str
    ) -> None:
        client = await connect(await serve(limits=Limits(head_bytes=1000)))
        client.send("POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n" + endless)
        for _ in range(3):
            await settle()
            client.send("a" * 500)
        assert (await client.answer())[0] == 400


class TestBodyLimit:
    @pytest.mark.parametrize("chunked", [False, True])
    async def test_a_large_body_is_refused_and_the_connection_stays(
        self, serve: Any, connect: Any, chunked: bool
    ) -> None:
        reached = []

        async def handle(request: Request) -> Response:
            reached.append(request.path)
            return Response()

        plan = Plan(limit=10, too_large=lambda request: Response(400, body=request.path.encode()))
        client = await connect(await serve(handle, plan=plan))
        if chunked:
            client.send(
                "POST /big HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\nb\n01234567890\nb\n01234567890\n0\n\n"
            )
        else:
            client.send("POST /big HTTP/1.1\nHost: x\nContent-Length: 11\n\n01234567890")
        status, headers, body = await client.answer()
        assert (status, body) == (400, b"/big")
        assert "connection" not in headers
        client.send("POST /fits HTTP/1.1\nHost: x\nContent-Length: 10\n\n0123456789")
        assert (await client.answer())[0] == 200
        assert reached == ["/fits"]

    async def test_an_absurd_body_is_not_waited_for(self, serve: Any, connect: Any) -> None:
        client = await connect(await serve(plan=Plan(limit=10)))
        client.send(f"POST / HTTP/1.1\nHost: x\nContent-Length: {10**12}\n\n")
        status, headers, _ = await client.answer()
        assert (status, headers["connection"]) == (413, "close")
        assert await client.rest() == b""


class TestTime:
    async def test_half_a_head_then_silence_is_408(self, serve: Any, connect: Any) -> None:
        here = await serve(limits=Limits(head_seconds=30))
        client = await connect(here)
        client.send("GET / HTTP/1.1\nHo")
        await settle()
        here.wait(29)
        client.send("st: x\n")  # what trickles in doesn't prolong it
        await settle()
        here.wait(2)
        assert (await client.answer())[0] == 408
        assert await client.rest() == b""

    async def test_half_a_body_then_silence_is_408(self, serve: Any, connect: Any) -> None:
        here = await serve(limits=Limits(body_idle_seconds=60))
        client = await connect(here)
        client.send("POST / HTTP/1.1\nHost: x\nContent-Length: 10\n\n")
        for _ in range(3):
            client.send("x")
            await settle()
            here.wait(59)
        here.wait(2)
        assert (await client.answer())[0] == 408
        assert await client.rest() == b""

    async def test_an_idle_connection_is_closed_without_a_word(self, serve: Any, connect: Any) -> None:
        here = await serve(limits=Limits(keep_alive_seconds=300))
        used, fresh = await connect(here), await connect(here)
        used.send("GET / HTTP/1.1\nHost: x\n\n")
        await used.answer()
        here.wait(301)
        assert await used.rest() == b""
        assert await fresh.rest() == b""

    async def test_a_handler_may_take_its_time(self, serve: Any, connect: Any) -> None:
        release = asyncio.Event()

        async def handle(request: Request) -> Response:
            await release.wait()
            return Response()

        here = await serve(handle)
        client = await connect(here)
        client.send("GET / HTTP/1.1\nHost: x\n\n")
        await settle()
        here.wait(10_000)
        release.set()
        assert (await client.answer())[0] == 200
