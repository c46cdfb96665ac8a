"""WebSockets from the handshake to the end, mostly with the `websockets` client."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import connect as dial

from cloudlet.net import frames
from cloudlet.net.messages import Request, Response, Upgrade

from .kit import Listener, frame, settle, until


def url(here: Any) -> str:
    return f"ws://127.0.0.1:{here.port}/path?q=1"


class TestHandshake:
    async def test_headers_and_subprotocol_are_the_applications(self, serve: Any) -> None:
        async def handle(request: Request) -> Upgrade:
            assert request.wants_websocket
            await asyncio.sleep(0)
            return Upgrade(Listener(), [("X-Session", "7")], subprotocol="v2")

        here = await serve(handle)
        async with dial(url(here), subprotocols=["v1", "v2"]) as client:
            assert client.subprotocol == "v2"
            assert client.response.headers["X-Session"] == "7"
            await client.send("hello ü")
            assert await client.recv() == "hello ü"

    @pytest.mark.parametrize("waits", [False, True])
    async def test_a_refusal_is_a_response_and_the_connection_stays(
        self, serve: Any, connect: Any, waits: bool
    ) -> None:
        async def handle(request: Request) -> Response | Upgrade:
            if waits:
                await asyncio.sleep(0)
            return Response(403, body=b"no") if request.path == "/no" else Upgrade(Listener())

        client = await connect(await serve(handle))
        assert (await client.handshake("/no"))[0::2] == (403, b"no")
        assert (await client.handshake("/no"))[0] == 403
        assert (await client.handshake("/yes"))[0] == 101

    async def test_many_refusals_at_once(self, serve: Any, connect: Any) -> None:
        async def handle(request: Request) -> Response:
            return Response(403)

        client = await connect(await serve(handle))
        for _ in range(2000):
            client.send(
                "GET / HTTP/1.1\nHost: x\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\n"
                "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\n\n"
            )
        for _ in range(2000):
            assert (await client.answer())[0] == 403

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"Sec_WebSocket_Key": ""}, 400),
            ({"Sec_WebSocket_Key": "c2hvcnQ="}, 400),
            ({"Sec_WebSocket_Key": "not base64 at all!!!!!!!"}, 400),
            ({"Connection": "keep-alive"}, 400),
            ({"Sec_WebSocket_Version": "8"}, 426),
            ({"Sec_WebSocket_Version": ""}, 426),
        ],
    )
    async def test_one_that_cannot_succeed_does_not_reach_the_application(
        self, serve: Any, connect: Any, change: dict[str, str], status: int
    ) -> None:
        async def handle(request: Request) -> Upgrade:
            raise AssertionError("reached")

        client = await connect(await serve(handle))
        answered, headers, _ = await client.handshake(**change)
        assert answered == status
        assert headers.get("sec-websocket-version") == ("13" if status == 426 else None)

    async def test_posting_one_is_refused(self, serve: Any, connect: Any) -> None:
        client = await connect(await serve())
        client.send("POST / HTTP/1.1\nHost: x\nUpgrade: websocket\nConnection: Upgrade\n\n")
        assert (await client.answer())[0] == 400

    async def test_frames_may_come_before_the_answer(self, serve: Any, connect: Any) -> None:
        release = asyncio.Event()

        async def handle(request: Request) -> Upgrade:
            await release.wait()
            return Upgrade(Listener())

        client = await connect(await serve(handle))
        shake = asyncio.ensure_future(client.handshake())
        await asyncio.sleep(0)
        client.send(frame(0x81, b"early"))
        await settle()
        client.send(frame(0x81, b"still early"))
        await settle()
        release.set()
        assert (await shake)[0] == 101
        assert await client.frame() == (0x81, b"early")
        assert await client.frame() == (0x81, b"still early")

    async def test_a_client_that_leaves_meanwhile_is_opened_and_closed(
        self, serve: Any, connect: Any
    ) -> None:
        """So that whoever accepted it learns that it is gone."""
        release = asyncio.Event()
        listener = Listener()

        async def handle(request: Request) -> Upgrade:
            await release.wait()
            return Upgrade(listener)

        here = await serve(handle)
        client = await connect(here)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.handshake(), 0.02)
        client.reset()
        release.set()
        assert await listener.end() == (1006, "", False)
        assert listener.socket.closed


class TestClose:
    async def test_the_server_closes_with_code_and_reason(self, serve: Any) -> None:
        listener = Listener()

        async def handle(request: Request) -> Upgrade:
            return Upgrade(listener)

        here = await serve(handle)
        async with dial(url(here)) as client:
            listener.socket.close(4001, "too late")
            assert listener.socket.closed
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
            assert (client.close_code, client.close_reason) == (4001, "too late")
        assert await listener.end() == (4001, "too late", True)
        await until(lambda: not here.connected)

    async def test_a_client_that_does_not_answer_is_dropped(self, socket: Any) -> None:
        client, listener, here = await socket()
        listener.socket.close()
        assert (await client.frame())[0] == 0x88
        here.wait(4)
        assert not listener.closed.done()
        here.wait(2)
        assert await listener.end() == (1006, "", False)

    async def test_what_comes_while_closing_is_not_a_message(self, socket: Any) -> None:
        client, listener, _ = await socket()
        listener.socket.close()
        client.send(frame(0x81, b"late"), frame(0x88, b"\x03\xe8"))
        assert await listener.end() == (1000, "", True)
        assert listener.messages == []

    async def test_a_connection_that_breaks_is_1006(self, socket: Any) -> None:
        client, listener, here = await socket()
        client.reset()
        assert await listener.end() == (1006, "", False)
        assert not here.connected
        listener.socket.send_text(b"nobody hears this")
        listener.socket.close()

    async def test_one_that_ends_without_a_close_frame_is_1006(self, socket: Any) -> None:
        client, listener, _ = await socket()
        client.writer.close()
        assert await listener.end() == (1006, "", False)

    async def test_abort_drops_it(self, socket: Any) -> None:
        client, listener, _ = await socket()
        listener.socket.abort()
        assert await client.rest() == b""
        assert await listener.end() == (1006, "", False)

    async def test_a_bug_in_a_listener_is_1011(self, socket: Any, caplog: pytest.LogCaptureFixture) -> None:
        client, listener, _ = await socket()

        def fail(payload: bytes, text: bool) -> None:
            raise KeyError("bugs")

        listener.on_message = fail
        client.send(frame(0x81, b"x"))
        assert await client.closing() == 1011
        assert "bugs" in caplog.text


class TestFlow:
    async def test_buffered_grows_while_nobody_reads_and_drains(self, socket: Any) -> None:
        client, listener, _ = await socket(echo=False)
        ready = frames.frame(frames.BINARY, bytes(100_000))
        listener.socket.send_frame(ready)
        client.writer.transport.pause_reading()
        await until(lambda: not listener.socket.buffered)
        while listener.socket.buffered < 1_000_000:
            listener.socket.send_frame(ready)
        assert listener.drains == 0
        client.writer.transport.resume_reading()
        reading = asyncio.ensure_future(client.rest())
        await until(lambda: listener.drains)
        reading.cancel()
        assert listener.socket.buffered == 0

    async def test_what_is_sent_while_reading_counts_at_once(self, socket: Any) -> None:
        client, listener, _ = await socket(echo=False)
        seen = []

        def on_message(payload: bytes, text: bool) -> None:
            listener.socket.send_text(b"12345")
            seen.append(listener.socket.buffered)

        listener.on_message = on_message
        client.send(frame(0x81, b"x"))
        assert await client.frame() == (0x81, b"12345")
        assert seen == [7]
        assert listener.socket.buffered == 0

    async def test_reading_can_be_paused_between_two_messages(self, socket: Any) -> None:
        client, listener, _ = await socket(echo=False)
        listener.on_message = lambda payload, text: (
            listener.messages.append(payload),
            listener.socket.pause_reading(),
        )
        client.send(frame(0x81, b"1") + frame(0x81, b"2"), frame(0x81, b"3"))
        for n in range(1, 4):
            await until(lambda n=n: len(listener.messages) == n)
            await settle()
            assert len(listener.messages) == n
            listener.socket.resume_reading()
        assert listener.messages == [b"1", b"2", b"3"]

    async def test_a_flood_waits_with_its_sender(self, socket: Any) -> None:
        client, listener, _ = await socket(echo=False)
        listener.on_message = lambda payload, text: (
            listener.messages.append(payload),
            listener.socket.pause_reading(),
        )
        client.send(frame(0x81, bytes(1000)) * 20_000)
        for n in range(1, 101):
            await until(lambda n=n: len(listener.messages) == n)
            await settle()
            listener.socket.resume_reading()
        assert client.writer.transport.get_write_buffer_size() > 10_000_000

    async def test_a_paused_socket_can_be_closed(self, socket: Any) -> None:
        client, listener, _ = await socket()
        listener.socket.pause_reading()
        client.send(frame(0x81, b"never seen"), frame(0x88, b"\x03\xe8"))
        await settle()
        listener.socket.close(1000)
        assert (await listener.end())[2]

    async def test_the_server_pings(self, serve: Any) -> None:
        listener = Listener()

        async def handle(request: Request) -> Upgrade:
            return Upgrade(listener)

        here = await serve(handle)
        async with dial(url(here)) as client:
            listener.socket.ping(b"1")
            listener.socket.send_binary(b"after")
            assert await client.recv() == b"after"
