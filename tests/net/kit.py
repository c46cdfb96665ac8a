"""A server on a free port with a handler of the test's own and a clock that stands still; a client that sends bytes."""

from __future__ import annotations

import asyncio
import base64
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from cloudlet.net.authority import Authority
from cloudlet.net.messages import Limits, Plan, Request, Response, Socket, Tunnel, Upgrade
from cloudlet.net.server import Server

Answer = Response | Upgrade | Tunnel
Handle = Callable[[Request], Awaitable[Answer]]
SECONDS = 10.0
KEY = base64.b64encode(b"0123456789abcdef").decode()


async def echo(request: Request) -> Answer:
    """The request, as the handler saw it."""
    text = f"{request.method} {request.path}?{request.query} {request.scheme} {len(request.body)}"
    return Response(200, [("Content-Type", "text/plain")], text.encode())


class Here:
    """A running server. `wait` moves its clock."""

    def __init__(self, handle: Handle, plan: Plan, limits: Limits, tls: Authority | None) -> None:
        self._handle = handle
        self._plan = plan
        self.time = 1000.0
        self.server = Server(self, limits, tls=tls, now=lambda: self.time)

    def plan(self, request: Request) -> Plan:
        return self._plan

    async def handle(self, request: Request) -> Answer:
        return await self._handle(request)

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def connected(self) -> int:
        hub = self.server._hub
        return len(hub.timed) + len(hub.sockets) if hub else 0

    def wait(self, seconds: float) -> None:
        self.time += seconds
        self.server.tick()


class Client:
    """A connection that sends what it is told to and reads answers one by one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, *data: bytes | str) -> None:
        for piece in data:
            self.writer.write(piece if isinstance(piece, bytes) else piece.replace("\n", "\r\n").encode())

    def reset(self) -> None:
        """Break off, as a machine does that is switched off and on again."""
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.writer.transport.abort()

    async def head(self) -> tuple[int, dict[str, str]]:
        async with asyncio.timeout(SECONDS):
            raw = await self.reader.readuntil(b"\r\n\r\n")
        line, *lines = raw.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines if line)
        return int(line.split(" ")[1]), {k.lower(): v for k, v in headers.items()}

    async def answer(self, silent: bool = False) -> tuple[int, dict[str, str], bytes]:
        """One response; `silent` if it has no body whatever its headers say."""
        status, headers = await self.head()
        body = b""
        async with asyncio.timeout(SECONDS):
            if silent or status in (204, 304) or status < 200:
                pass
            elif headers.get("transfer-encoding") == "chunked":
                while size := int(await self.reader.readuntil(b"\r\n"), 16):
                    body += await self.reader.readexactly(size)
                    await self.reader.readexactly(2)
                await self.reader.readexactly(2)
            elif "content-length" in headers:
                body = await self.reader.readexactly(int(headers["content-length"]))
            else:
                body = await self.reader.read()
        return status, headers, body

    async def text(self) -> str:
        return (await self.answer())[2].decode()

    async def rest(self) -> bytes:
        """Everything up to the end, which must come."""
        async with asyncio.timeout(SECONDS):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    async def handshake(self, path: str = "/", **headers: str) -> tuple[int, dict[str, str], bytes]:
        fields = {
            "Host": "x", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": KEY,
        }  # fmt: skip
        fields.update({k.replace("_", "-"): v for k, v in headers.items()})
        self.send(f"GET {path} HTTP/1.1\n" + "".join(f"{k}: {v}\n" for k, v in fields.items() if v) + "\n")
        return await self.answer()

    async def frame(self) -> tuple[int, bytes]:
        """First byte and payload of the next frame."""
        async with asyncio.timeout(SECONDS):
            first, size = await self.reader.readexactly(2)
            if size >= 126:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
            return first, await self.reader.readexactly(size)

    async def closing(self) -> int:
        """The code of the next frame, which must be a close frame, after which the connection must end."""
        first, payload = await self.frame()
        assert first == 0x88
        self.writer.close()
        return int.from_bytes(payload[:2], "big")


def frame(
    first: int, payload: bytes = b"", mask: bytes = b"\x01\x02\x03\x04", size: int | None = None
) -> bytes:
    """A client's frame. `size` to lie about the length."""
    size = len(payload) if size is None else size
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65536:
        head = bytes((first, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


class Listener:
    """Writes down what it hears; echoes messages unless told otherwise."""

    def __init__(self, echo: bool = True) -> None:
        self.echo = echo
        self.socket: Any = None
        self.messages: list[bytes | str] = []
        self.pings: list[bytes] = []
        self.drains = 0
        self.closed: asyncio.Future[tuple[int, str, bool]] = asyncio.get_running_loop().create_future()

    def on_open(self, socket: Socket) -> None:
        self.socket = socket

    def on_message(self, payload: bytes, text: bool) -> None:
        self.messages.append(payload.decode() if text else payload)
        if self.echo:
            (self.socket.send_text if text else self.socket.send_binary)(payload)

    def on_ping(self, payload: bytes) -> None:
        self.pings.append(payload)

    def on_drain(self) -> None:
        self.drains += 1

    def on_close(self, code: int, reason: str, clean: bool) -> None:
        self.closed.set_result((code, reason, clean))

    async def end(self) -> tuple[int, str, bool]:
        async with asyncio.timeout(SECONDS):
            return await self.closed


async def settle(turns: int = 500) -> None:
    """Let what is on its way arrive: client and server share the loop, so that turns of it are enough, not time."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def until(condition: Callable[[], Any]) -> None:
    """Let the loop run until it holds."""
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.001)
