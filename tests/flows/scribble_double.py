"""Scribble's back end in memory, for tests of its page: it speaks the protocol, and can refuse, cut and lie."""

from __future__ import annotations

import base64
import io
import json
import re
import time
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from PIL import Image
from websockets.asyncio.server import ServerConnection, broadcast
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError

from tests.flows.double import Server
from tests.harness import ROOT

COLOURS = "ffffff1b1b1f868e96d0d4d98d5a3be03131f76707fcc41994d82d2f9e4422b8cf1c7ed63b3fb69c36b5f783acffd8a8"
PALETTE = [f"#{COLOURS[at : at + 6]}" for at in range(0, len(COLOURS), 6)]
WHITE, BLACK, GREY, LIGHT_GREY, BROWN, RED, ORANGE, YELLOW = range(8)
LIME, GREEN, CYAN, BLUE, INDIGO, PURPLE, PINK, PEACH = range(8, 16)
SIDE = 200


class Double(Server):
    web = ROOT / "apps" / "scribble" / "web"
    index = "scribble.html"

    def __init__(self, width: int = SIDE, height: int = SIDE) -> None:
        self.size = {"width": width, "height": height, "bits": 4}
        self.bitmap = bytearray(width * height)
        self.stream: list[dict[str, Any]] = []
        self.sockets: set[ServerConnection] = set()
        self.messages: list[tuple[float, dict[str, Any]]] = []
        self.sinces: list[str | None] = []
        self.history: dict[int, bytes] = {}
        self.rate = {"points": 100_000, "seconds": 1, "least": 25}
        self.palette = PALETTE
        self.deaf = False
        self.mute = False
        self.hesitant = False
        self.answer: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda message: None
        self.image: tuple[int, bytes] | None = None
        self._last = 0
        super().__init__()

    def connected(self) -> set[ServerConnection]:
        return self.sockets

    def next_id(self) -> int:
        self._last = max(self._last + 1, int(time.time() * 1000) * 4096)
        return self._last

    def file(self, path: str, headers: Headers) -> bytes | None:
        if path == "/image.png" and self.image:
            headers["x-amz-meta-id"] = str(self.image[0])
            return self.image[1]
        if path == "/history/index.json" and self.history:
            pictures = [{"at": at, "url": f"history/{at}.png"} for at in self.history]
            return json.dumps({"pictures": pictures}).encode()
        if found := re.fullmatch(r"/history/(\d+)\.png", path):
            return self.history.get(int(found[1]))
        return None

    async def _session(self, socket: ServerConnection) -> None:
        assert socket.request
        query = parse_qs(urlsplit(socket.request.path).query)
        since = query.get("since", [None])[0]
        self.sinces.append(since)
        you = f"c{len(self.sinces)}"
        name = query.get("name", [""])[0]
        self.sockets.add(socket)
        frame = {"type": "welcome", "you": you, "here": len(self.sockets), "palette": self.palette}
        await self._say(socket, frame | {"rate": self.rate} | self.size)
        if since is None:
            for part in self.picture():
                await self._say(socket, part)
        missed = [batch for batch in self.stream if since is None or batch["id"] > int(since)]
        await self._say(socket, {"type": "points", "here": len(self.sockets), "batches": missed})
        if self.hesitant:
            await self._stopped.wait()
        await self._say(socket, {"type": "ready", "id": self.next_id()})
        self._broadcast({"type": "here", "here": len(self.sockets)})
        try:
            async for text in socket:
                message = json.loads(text)
                if cursor := message.get("cursor"):
                    self._broadcast({"type": "cursors", "cursors": [[you, name, *cursor]]})
                else:
                    await self._message(socket, you, message)
        except ConnectionClosedError:
            pass
        finally:
            self.sockets.remove(socket)
            self._broadcast({"type": "here", "here": len(self.sockets)})

    async def _message(self, socket: ServerConnection, you: str, message: dict[str, Any]) -> None:
        self.messages.append((time.monotonic(), message))
        if self.deaf:
            return
        if "ping" in message:
            await self._say(socket, {"type": "pong", "ping": message["ping"], "here": len(self.sockets)})
            return
        if answer := self.answer(message):
            await self._say(socket, answer)
            return
        self.draw([tuple(point) for point in message["points"]], by=you, ref=message["ref"])

    def _broadcast(self, frame: Any) -> None:
        text = frame if isinstance(frame, str) else json.dumps(frame)
        broadcast(list(self.sockets), text)

    # What tests use, from their own thread.

    def send(self, frame: Any) -> None:
        """To everybody."""
        self._loop.call_soon_threadsafe(self._broadcast, frame)

    def draw(self, points: list[Any], by: str = "other", ref: int = 0) -> None:
        for x, y, colour in points:
            self.bitmap[y * self.size["width"] + x] = colour
        flat = [number for point in points for number in point]
        batch = {"id": self.next_id(), "by": by, "ref": ref, "points": flat}
        self.stream.append(batch)
        if self.mute:
            return
        frame = {"type": "points", "here": len(self.sockets), "batches": [batch]}
        self._loop.call_soon_threadsafe(self._broadcast, frame)

    def picture(self, parts: int = 3) -> list[dict[str, Any]]:
        pixels = zip(self.bitmap[::2], self.bitmap[1::2], strict=True)
        packed = zlib.compress(bytes(a << 4 | b for a, b in pixels))
        cut = -(-len(packed) // parts)
        head = {"type": "picture", "id": self.next_id(), "parts": parts} | self.size
        slices = [packed[at * cut : (at + 1) * cut] for at in range(parts)]
        return [
            head | {"part": at, "data": base64.b64encode(part).decode()} for at, part in enumerate(slices)
        ]

    def bake(self) -> None:
        """What the schedule does each minute."""
        image = Image.frombytes("P", (self.size["width"], self.size["height"]), bytes(self.bitmap))
        image.putpalette(bytes.fromhex(COLOURS))
        file = io.BytesIO()
        image.save(file, "PNG")
        self.image = (self.next_id(), file.getvalue())
        self.history[max(self.image[0] // 4096, *(at + 1 for at in (0, *self.history)))] = self.image[1]

    def colour(self, x: int, y: int) -> int:
        return self.bitmap[y * self.size["width"] + x]

    @property
    def drawn(self) -> int:
        return sum(colour != WHITE for colour in self.bitmap)
