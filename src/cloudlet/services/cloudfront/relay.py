"""A WebSocket between a viewer and an origin in the outside world.

Sockets to the APIs of this node need none of this: their `Upgrade` is handed on. Here each side has a connection of its
own; messages go across whole, and neither side is read faster than the other one takes what it sends.
"""

from __future__ import annotations

import asyncio
import os

from ...net.frames import BINARY, BROKEN, CLOSE, CONTINUATION, NO_CODE, PING, PONG, TEXT, unmask
from ...net.messages import Socket

MAX_MESSAGE = 16 * 1024 * 1024
HIGH_WATER = 1024 * 1024


def masked(opcode: int, payload: bytes) -> bytes:
    """A whole frame, as a client sends it."""
    size, key = len(payload), os.urandom(4)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + key + unmask(payload, key)


class Relay:
    """The viewer's listener. It reads from the origin in a task, from `on_open` to the end of either side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._socket: Socket | None = None
        self._task: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._draining: asyncio.Task[None] | None = None

    # What the viewer does

    def on_open(self, socket: Socket) -> None:
        self._socket = socket
        self._task = asyncio.get_running_loop().create_task(self._read())

    def on_message(self, payload: bytes, text: bool) -> None:
        self._send(TEXT if text else BINARY, payload)
        if self._draining is None and self._writer.transport.get_write_buffer_size() > HIGH_WATER:
            assert self._socket is not None
            self._socket.pause_reading()
            self._draining = asyncio.get_running_loop().create_task(self._drain())

    def on_ping(self, payload: bytes) -> None:
        """The server has answered it."""

    def on_drain(self) -> None:
        self._room.set()

    def on_close(self, code: int, reason: str, clean: bool) -> None:
        self._room.set()
        told = b"" if code in (NO_CODE, BROKEN) else code.to_bytes(2, "big") + reason.encode()[:123]
        self._send(CLOSE, told)
        self._writer.close()

    def _send(self, opcode: int, payload: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(masked(opcode, payload))

    async def _drain(self) -> None:
        try:
            await self._writer.drain()
        except OSError:
            return  # the reading side says so, too
        finally:
            self._draining = None
        if self._socket is not None:
            self._socket.resume_reading()

    # What the origin does

    async def _read(self) -> None:
        assert self._socket is not None
        code, reason = 1011, "the origin broke the connection"
        pieces: list[bytes] = []
        kind, size = TEXT, 0
        try:
            while True:
                final, opcode, payload = await self._frame()
                if opcode == CLOSE:
                    code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else NO_CODE
                    reason = payload[2:].decode(errors="replace")
                    break
                if opcode == PING:
                    self._send(PONG, payload)
                if opcode in (PING, PONG):
                    continue
                if opcode != CONTINUATION:
                    kind, pieces, size = opcode, [], 0
                pieces.append(payload)
                size += len(payload)
                if size > MAX_MESSAGE:
                    code, reason = 1009, "the origin's message is too large"
                    break
                if final:
                    await self._give(kind, b"".join(pieces))
        except (OSError, EOFError):
            pass  # said by the code that it leaves
        finally:
            self._writer.close()
            self._socket.close(1000 if code == NO_CODE else code, reason)

    async def _frame(self) -> tuple[bool, int, bytes]:
        first, second = await self._reader.readexactly(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
        if size > MAX_MESSAGE:
            raise EOFError
        return bool(first & 0x80), first & 0x0F, await self._reader.readexactly(size)

    async def _give(self, kind: int, message: bytes) -> None:
        assert self._socket is not None
        if kind == TEXT:
            self._socket.send_text(message)
        else:
            self._socket.send_binary(message)
        if self._socket.buffered > HIGH_WATER:
            self._room.clear()
            await self._room.wait()
