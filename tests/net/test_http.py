"""HTTP/1.1 as clients use it: connections that stay, bodies in both framings, what the handler sees and says."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cloudlet.net.messages import Plan, Request, Response

from .kit import settle, until

GET = "GET {} HTTP/1.1\nHost: localhost\n\n"


class TestRequest:
    async def test_the_handler_sees_the_target_as_it_was_sent(self, serve: Any, connect: Any) -> None:
        client = await connect(await serve())
        client.send(GET.format("/a%20b/@connections/x%3D?q=1&r=%2F?"))
        assert await client.text() == "GET /a%20b/@connections/x%3D?q=1&r=%2F? http 0"

    async def test_headers_are_lower_case_joined_and_also_as_sent(self, serve: Any, connect: Any) -> None:
        seen = []

        async def handle(request: Request) -> Response:
            seen.append(request)
            return Response()

        client = await connect(await serve(handle))
        client.send("GET / HTTP/1.1\nHOST: h:1\nX-A: 1\nx-a:  2 \n\n")
        await client.answer()
        assert seen[0].headers == {"host": "h:1", "x-a": "1, 2"}
        assert seen[0].raw_headers == [("HOST", "h:1"), ("X-A", "1"), ("x-a", "2")]
        assert seen[0].peer == client.writer.get_extra_info("sockname")

    async def test_a_proxys_absolute_target_names_the_host(self, serve: Any, connect: Any) -> None:
        async def handle(request: Request) -> Response:
            return Response(body=f"{request.host} {request.path} {request.query}".encode())

        client = await connect(await serve(handle))
        client.send("GET http://real.example:80/p?q HTTP/1.1\nHost: other\n\n")
        assert await client.text() == "real.example:80 /p q"
        client.send("GET http://real.example HTTP/1.1\nHost: other\n\n")
        assert await client.text() == "real.example / "

    async def test_a_request_may_come_byte_by_byte(self, serve: Any, connect: Any) -> None:
        client = await connect(await serve())
        for byte in b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody":
            client.send(bytes((byte,)))
            await asyncio.sleep(0)
        assert await client.text() == "POST /slow? http 4"


class TestKeepAlive:
    async def test_one_connection_carries_many_requests(self, serve: Any) -> None:
        here = await serve()

        def run() -> list[bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", here.port)
            bodies = []
            for n in range(3):
                connection.request("PUT", f"/{n}", body=b"x" * n)
                sock = connection.sock
                bodies.append(connection.getresponse().read())
                assert connection.sock is sock
            connection.close()
            return bodies

        assert await asyncio.to_thread(run) == [b"PUT /0? http 0", b"PUT /1? http 1", b"PUT /2? http 2"]

    async def test_close_is_honoured(self, serve: Any, connect: Any) -> None:
        client = await connect(await serve())
        client.send("GET / HTTP/1.1\nHost: x\nConnection: close\n\n")
        status, headers, _ = await client.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await client.rest() == b""

    @pytest.mark.parametrize(("header", "stays"), [("", False), ("Connection: keep-alive\n", True)])
    async def test_http_1_0_closes_unless_asked(
        self, serve: Any, connect: Any, header: str, stays: bool
    ) -> None:
        client = await connect(await serve())
        client.send(f"GET / HTTP/1.0\n{header}\n")
        _, headers, _ = await client.answer()
        assert headers["connection"] == ("keep-alive" if stays else "close")
        if stays:
            client.send("GET /2 HTTP/1.0\n\n")
            assert await client.text() == "GET /2? http 0"
        assert await client.rest() == b""

    async def test_a_client_that_has_said_all_still_gets_its_answers(self, serve: Any, connect: Any) -> None:
        async def handle(request: Request) -> Response:
            await asyncio.sleep(0)
            return Response(body=request.path.encode())

        client = await connect(await serve(handle))
        client.send(GET.format("/1"), GET.format("/2"))
        client.writer.write_eof()
        assert await client.text() == "/1"
        assert await client.text() == "/2"
        assert await client.rest() == b""


class TestPipelining:
    async def test_answers_come_in_the_order_of_the_requests(self, serve: Any, connect: Any) -> None:
        async def handle(request: Request) -> Response:
            for _ in range(int(request.query)):
                await asyncio.sleep(0)
            return Response(body=request.path.encode())

        client = await connect(await serve(handle))
        client.send(*(GET.format(f"/{n}?{(7 * n) % 5}") for n in range(20)))
        assert [await client.text() for _ in range(20)] == [f"/{n}" for n in range(20)]

    async def test_none_overtakes_another_of_its_turn(self, serve: Any, connect: Any) -> None:
        """Short answers wait for the end of the turn, large and streamed ones don't."""

        async def pieces() -> AsyncIterator[bytes]:
            yield b"streamed"

        async def handle(request: Request) -> Response:
            if request.path == "/streamed":
                return Response(body=pieces())
            return Response(body=b"x" * 100_000 if request.path == "/large" else b"short")

        client = await connect(await serve(handle))
        paths = ["/short", "/large", "/short", "/streamed", "/short"]
        client.send("".join(GET.format(path) for path in paths))
        bodies = [await client.text() for _ in paths]
        assert bodies == ["short", "x" * 100_000, "short", "streamed", "short"]

    @pytest.mark.parametrize("body", [0, 300_000])
    async def test_no_more_wait_than_allowed(self, serve: Any, connect: Any, body: int) -> None:
        """Reading stops: the client's own writes come to a halt instead of piling up here."""
        release = asyncio.Event()
        handled = 0

        async def handle(request: Request) -> Response:
            nonlocal handled
            handled += 1
            await release.wait()
            return Response()

        client = await connect(await serve(handle))
        head = b"POST / HTTP/1.1\r\nHost: x\r\nX-Pad: %b\r\nContent-Length: %d\r\n\r\n" % (b"p" * 8000, body)
        sent = 0
        while client.writer.transport.get_write_buffer_size() < 100_000 and sent < 10_000:
            client.send(head, bytes(body))
            sent += 1
            await asyncio.sleep(0.001)
        assert sent < 10_000
        if body:
            assert sent * body < 30_000_000
        assert handled == 1
        release.set()
        for _ in range(sent):
            assert (await client.answer())[0] == 200


class TestBodies:
    async def test_chunked_bodies_arrive_whole_without_their_trailers(self, serve: Any, connect: Any) -> None:
        seen: list[Request] = []

        async def handle(request: Request) -> Response:
            seen.append(request)
            return Response(body=request.body)

        client = await connect(await serve(handle))
        client.send(
            "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n3;ext=1\nabc\n2\nde\n0\nX-Trailer: 1\n\n"
        )
        assert await client.text() == "abcde"
        assert "x-trailer" not in seen[0].headers
        client.send(GET.format("/"))
        assert (await client.answer())[0] == 200

    async def test_head_has_the_length_and_no_body(self, serve: Any, connect: Any) -> None:
        client = await connect(await serve())
        client.send("HEAD /h HTTP/1.1\nHost: x\n\n", GET.format("/g"))
        _, headers, _ = await client.answer(silent=True)
        assert headers["content-length"] == str(len("HEAD /h? http 0"))
        assert await client.text() == "GET /g? http 0"

    async def test_a_handler_may_say_what_get_would_be_long(self, serve: Any, connect: Any) -> None:
        async def handle(request: Request) -> Response:
            return Response(200, [("Content-Length", "12345")])

        client = await connect(await serve(handle))
        client.send("HEAD / HTTP/1.1\nHost: x\n\n", GET.format("/"))
        assert (await client.answer(silent=True))[1]["content-length"] == "12345"
        assert (await client.answer())[1]["content-length"] == "0"

    @pytest.mark.parametrize("status", [204, 304])
    async def test_an_answer_that_has_no_body_gets_none(self, serve: Any, connect: Any, status: int) -> None:
        async def handle(request: Request) -> Response:
            return Response(status, body=b"nobody sees this")

        client = await connect(await serve(handle))
        client.send(GET.format("/"), GET.format("/"))
        _, headers, _ = await client.answer()
        assert "content-length" not in headers
        assert (await client.answer())[0] == status

    async def test_large_bodies_go_both_ways(self, serve: Any, connect: Any) -> None:
        async def handle(request: Request) -> Response:
            return Response(body=request.body)

        client = await connect(await serve(handle))
        body = bytes(range(256)) * 20_000
        client.send(f"POST / HTTP/1.1\nHost: x\nContent-Length: {len(body)}\n\n", body)
        assert (await client.answer())[2] == body


class TestExpect:
    async def test_continue_is_said_before_the_body(self, serve: Any, connect: Any) -> None:
        client = await connect(await serve())
        client.send("POST / HTTP/1.1\nHost: x\nContent-Length: 3\nExpect: 100-Continue\n\n")
        assert (await client.head())[0] == 100
        client.send("abc")
        assert await client.text() == "POST /? http 3"

    async def test_continue_waits_for_the_answers_before_it(self, serve: Any, connect: Any) -> None:
        release = asyncio.Event()

        async def handle(request: Request) -> Response:
            if request.path == "/first":
                await release.wait()
            return Response(body=request.path.encode())

        client = await connect(await serve(handle))
        client.send(
            GET.format("/first"), "POST /2 HTTP/1.1\nHost: x\nContent-Length: 1\nExpect: 100-continue\n\n"
        )
        await settle()
        release.set()
        assert await client.text() == "/first"
        assert (await client.head())[0] == 100
        client.send("x")
        assert await client.text() == "/2"

    async def test_a_body_that_is_too_large_is_refused_unsent(self, serve: Any, connect: Any) -> None:
        client = await connect(await serve(plan=Plan(limit=10)))
        client.send("POST / HTTP/1.1\nHost: x\nContent-Length: 11\nExpect: 100-continue\n\n")
        status, headers, _ = await client.answer()
        assert (status, headers["connection"]) == (413, "close")


class TestOffersOfOtherProtocols:
    async def test_an_offer_of_http_2_is_passed_over(self, serve: Any, connect: Any) -> None:
        """As Java's client makes it with every request; its body is no part of the other protocol."""
        client = await connect(await serve())
        offer = "Host: x\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABk\n"
        client.send(f"POST /a HTTP/1.1\n{offer}Content-Length: 3\n\nabc")
        assert await client.text() == "POST /a? http 3"
        client.send(f"POST /b HTTP/1.1\n{offer}Transfer-Encoding: chunked\n\n2\nab\n0\n\n", GET.format("/c"))
        assert await client.text() == "POST /b? http 2"
        assert await client.text() == "GET /c? http 0"
        client.send(*(f"GET /{n} HTTP/1.1\n{offer}\n" for n in range(2000)))
        for n in range(2000):
            assert await client.text() == f"GET /{n}? http 0"


class TestAnswers:
    async def test_a_finished_head_is_passed_on(self, serve: Any, connect: Any) -> None:
        async def handle(request: Request) -> Response:
            return Response(202, [("X-B", "2")], b"{}", head=b"X-A: 1\r\n")

        client = await connect(await serve(handle))
        client.send(GET.format("/"))
        status, headers, body = await client.answer()
        assert (status, headers["x-a"], headers["x-b"], body) == (202, "1", "2", b"{}")
        assert headers["date"].endswith(" GMT")

    async def test_framing_is_the_servers_own(self, serve: Any, connect: Any) -> None:
        async def handle(request: Request) -> Response:
            return Response(
                200,
                [("Content-Length", "99"), ("Transfer-Encoding", "chunked"), ("Connection", "close")],
                b"abc",
            )

        client = await connect(await serve(handle))
        client.send(GET.format("/"), GET.format("/"))
        for _ in range(2):
            _, headers, body = await client.answer()
            assert (headers["content-length"], body) == ("3", b"abc")
            assert "transfer-encoding" not in headers

    async def test_a_status_nobody_knows_is_sent(self, serve: Any, connect: Any) -> None:
        async def handle(request: Request) -> Response:
            return Response(299)

        client = await connect(await serve(handle))
        client.send(GET.format("/"))
        assert (await client.answer())[0] == 299


class TestHandlers:
    async def test_a_handler_that_does_not_wait_has_no_task(self, serve: Any, connect: Any) -> None:
        tasks = []

        async def handle(request: Request) -> Response:
            tasks.append(asyncio.current_task())
            if request.path == "/wait":
                await asyncio.wait_for(asyncio.sleep(0, "slept"), 5)
                tasks.append(asyncio.current_task())
            return Response()

        client = await connect(await serve(handle))
        client.send(GET.format("/"))
        await client.answer()
        assert tasks == [None]
        client.send(GET.format("/wait"))
        await client.answer()
        assert tasks[1] is None
        assert tasks[2] is not None

    @pytest.mark.parametrize("waits", [False, True])
    async def test_a_bug_is_a_500_and_the_connection_stays(
        self, serve: Any, connect: Any, waits: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def handle(request: Request) -> Response:
            if waits:
                await asyncio.sleep(0)
            if request.path == "/bug":
                raise KeyError("bugs")
            return Response()

        client = await connect(await serve(handle))
        client.send(GET.format("/bug"), GET.format("/"))
        status, headers, body = await client.answer()
        assert (status, headers["content-type"]) == (500, "text/plain; charset=utf-8")
        assert b"KeyError" not in body
        assert (await client.answer())[0] == 200
        assert "KeyError" in caplog.text

    @pytest.mark.parametrize("bad", ["a\r\nSet-Cookie: x", "a\nb", "a\0b"])
    async def test_no_header_can_end_its_line(
        self, serve: Any, connect: Any, bad: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def handle(request: Request) -> Response:
            return Response(200, [("X-From-User", bad), ("X-Bugs", "bugs")])

        client = await connect(await serve(handle))
        client.send(GET.format("/"))
        status, headers, _ = await client.answer()
        assert status == 500
        assert "set-cookie" not in headers
        assert "bugs" in caplog.text

    async def test_it_finishes_although_the_client_left(self, serve: Any, connect: Any) -> None:
        release, done = asyncio.Event(), asyncio.Event()
        begun = asyncio.Event()

        async def handle(request: Request) -> Response:
            begun.set()
            await release.wait()
            done.set()
            return Response()

        here = await serve(handle)
        client = await connect(here)
        client.send(GET.format("/"))
        await begun.wait()
        client.reset()
        await until(lambda: not here.connected)
        release.set()
        await asyncio.wait_for(done.wait(), 5)
