"""The frames of WebSocket, case by case as the usual conformance suite groups them, over a raw connection."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.net.frames import close_frame, unmask

from .kit import frame

FIN_TEXT, FIN_BINARY, TEXT, BINARY, CONTINUED, LAST = 0x81, 0x82, 0x01, 0x02, 0x00, 0x80
CLOSE, PING, PONG = 0x88, 0x89, 0x8A


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_unmasking_is_a_repeated_xor(payload: bytes, key: bytes) -> None:
    assert unmask(payload, key) == bytes(b ^ key[i % 4] for i, b in enumerate(payload))


@given(st.text(max_size=200))
def test_a_close_reason_is_cut_between_characters(reason: str) -> None:
    payload = close_frame(1000, reason)[2:]
    assert len(payload) <= 125
    assert reason.startswith(payload[2:].decode())


class TestMessages:
    @pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 65535, 65536, 131072])
    @pytest.mark.parametrize("first", [FIN_TEXT, FIN_BINARY])
    async def test_every_form_of_length_comes_back(self, socket: Any, size: int, first: int) -> None:
        client, _, _ = await socket()
        client.send(frame(first, b"*" * size))
        assert await client.frame() == (first, b"*" * size)

    async def test_bytes_may_come_one_by_one(self, socket: Any) -> None:
        client, _, _ = await socket()
        for byte in frame(FIN_TEXT, b"one") + frame(FIN_BINARY, b"x" * 200) + frame(PING, b"p"):
            client.send(bytes((byte,)))
            await asyncio.sleep(0)
        assert await client.frame() == (FIN_TEXT, b"one")
        assert await client.frame() == (FIN_BINARY, b"x" * 200)
        assert await client.frame() == (PONG, b"p")

    async def test_many_may_come_at_once(self, socket: Any) -> None:
        client, listener, _ = await socket()
        client.send(b"".join(frame(FIN_TEXT, b"%d" % n) for n in range(5000)))
        for n in range(5000):
            assert await client.frame() == (FIN_TEXT, b"%d" % n)
        assert len(listener.messages) == 5000


class TestFragments:
    async def test_they_are_put_together_around_control_frames(self, socket: Any) -> None:
        client, listener, _ = await socket()
        client.send(
            frame(TEXT, b"frag"), frame(PING, b"1"), frame(CONTINUED, b"m"), frame(CONTINUED), frame(LAST, b"ent"),
            frame(BINARY, b"a"), frame(LAST, b"b"),
        )  # fmt: skip
        assert await client.frame() == (PONG, b"1")
        assert await client.frame() == (FIN_TEXT, b"fragment")
        assert await client.frame() == (FIN_BINARY, b"ab")
        assert listener.messages == ["fragment", b"ab"]

    async def test_a_character_may_be_split(self, socket: Any) -> None:
        client, _, _ = await socket()
        text = "κόσμε".encode()
        client.send(
            *(frame(TEXT if n == 0 else CONTINUED, text[n : n + 1]) for n in range(len(text))), frame(LAST)
        )
        assert await client.frame() == (FIN_TEXT, text)

    @pytest.mark.parametrize(
        "frames",
        [
            [frame(LAST, b"x")],
            [frame(CONTINUED, b"x")],
            [frame(TEXT, b"a"), frame(FIN_TEXT, b"b")],
            [frame(TEXT, b"a"), frame(BINARY, b"b")],
            [frame(FIN_TEXT, b"a"), frame(LAST, b"b")],
        ],
    )
    async def test_out_of_order_is_1002(self, socket: Any, frames: list[bytes]) -> None:
        client, _, _ = await socket(echo=False)
        client.send(*frames)
        assert await client.closing() == 1002


class TestViolations:
    @pytest.mark.parametrize(
        "raw",
        [
            *(frame(FIN_TEXT | bits, b"x") for bits in (0x40, 0x20, 0x10, 0x70)),
            *(frame(0x80 | opcode, b"x") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
            frame(0x09, b"x"),
            frame(0x08, b"x"),
            frame(PING, b"x" * 126),
            frame(CLOSE, b"x" * 126),
            b"\x81\x01x",
            b"\x89\x00",
        ],
    )
    async def test_a_frame_that_may_not_be_is_1002(self, socket: Any, raw: bytes) -> None:
        client, listener, _ = await socket()
        client.send(frame(FIN_TEXT, b"before"), raw, frame(FIN_TEXT, b"after"))
        assert await client.frame() == (FIN_TEXT, b"before")
        assert await client.closing() == 1002
        assert (await listener.end())[0] == 1002
        assert listener.messages == ["before"]

    @pytest.mark.parametrize(
        "text",
        [
            b"\xce\xba\xe1\xbd",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xc0\xaf",
            b"\xff",
            b"ok\xf8\x88\x80\x80\x80",
        ],
    )
    async def test_text_that_is_no_utf_8_is_1007(self, socket: Any, text: bytes) -> None:
        client, listener, _ = await socket()
        client.send(frame(FIN_TEXT, text))
        assert await client.closing() == 1007
        assert (await listener.end())[0::2] == (1007, False)
        assert listener.messages == []

    async def test_bad_text_is_noticed_before_its_last_fragment(self, socket: Any) -> None:
        client, _, _ = await socket()
        client.send(frame(TEXT, "κ".encode()), frame(CONTINUED, b"\xf4\x90"))
        assert await client.closing() == 1007

    async def test_binary_may_be_anything(self, socket: Any) -> None:
        client, _, _ = await socket()
        client.send(frame(FIN_BINARY, b"\xff\xfe"))
        assert await client.frame() == (FIN_BINARY, b"\xff\xfe")


class TestLimits:
    @pytest.mark.parametrize(
        "frames",
        [
            [frame(FIN_BINARY, b"x" * 101)],
            [frame(FIN_BINARY, size=2**62)],
            [frame(FIN_BINARY, size=101)],
            [frame(BINARY, b"x" * 100), frame(CONTINUED, b"x" * 100), frame(LAST, b"x")],
        ],
        ids=["frame", "absurd", "announced", "message"],
    )
    async def test_too_large_is_1009(self, socket: Any, frames: list[bytes]) -> None:
        client, listener, _ = await socket(max_frame=100, max_message=200)
        client.send(*frames)
        assert await client.closing() == 1009
        assert (await listener.end())[0] == 1009
        assert listener.messages == []

    async def test_just_as_large_as_allowed_is_fine(self, socket: Any) -> None:
        client, _, _ = await socket(max_frame=100, max_message=200)
        client.send(frame(BINARY, b"x" * 100), frame(PING), frame(LAST, b"x" * 100))
        assert await client.frame() == (PONG, b"")
        assert await client.frame() == (FIN_BINARY, b"x" * 200)


class TestControl:
    async def test_pings_are_answered_and_pongs_are_not(self, socket: Any) -> None:
        client, listener, _ = await socket()
        client.send(frame(PONG, b"unasked"), frame(PING, b"x" * 125), frame(PING))
        assert await client.frame() == (PONG, b"x" * 125)
        assert await client.frame() == (PONG, b"")
        assert listener.pings == [b"x" * 125, b""]

    async def test_a_client_that_only_pings_is_not_answered_without_end(self, socket: Any) -> None:
        client, listener, _ = await socket()
        client.writer.transport.pause_reading()
        ping = frame(PING, b"x" * 125) * 1000
        for _ in range(400):
            client.send(ping)
            await asyncio.sleep(0)
            if listener.socket.buffered > 60_000:
                break
        for _ in range(20):
            client.send(ping)
            await asyncio.sleep(0)
        assert listener.socket.buffered < 500_000

    @pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 3000, 3999, 4000, 4999])
    async def test_a_close_is_returned_with_its_code(self, socket: Any, code: int) -> None:
        client, listener, _ = await socket()
        client.send(frame(CLOSE, code.to_bytes(2, "big") + "bye ü".encode()))
        assert await client.closing() == code
        assert await listener.end() == (code, "bye ü", True)

    async def test_a_close_without_a_code_is_1005(self, socket: Any) -> None:
        client, listener, _ = await socket()
        client.send(frame(CLOSE), frame(FIN_TEXT, b"too late"))
        assert await client.frame() == (CLOSE, b"")
        assert await client.rest() == b""
        assert await listener.end() == (1005, "", True)
        assert listener.messages == []

    @pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535])
    async def test_a_code_that_may_not_be_sent_is_1002(self, socket: Any, code: int) -> None:
        client, _, _ = await socket()
        client.send(frame(CLOSE, code.to_bytes(2, "big")))
        assert await client.closing() == 1002

    @pytest.mark.parametrize(("payload", "code"), [(b"\x03", 1002), (b"\x03\xe8\xff", 1007)])
    async def test_a_close_with_a_broken_payload(self, socket: Any, payload: bytes, code: int) -> None:
        client, _, _ = await socket()
        client.send(frame(CLOSE, payload))
        assert await client.closing() == code
