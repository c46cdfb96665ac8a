"""Scribble with a full room: how long a point takes until everybody has it, drawn one a message."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson

from bench import room
from bench.table import Figure

DRAWERS = 100
DRAWN_PER_SECOND = 200


def figures(folder: Path, seconds: float) -> list[Figure]:
    people, rate = (1000, DRAWN_PER_SECOND) if seconds >= 1 else (50, 20)
    found = room.measured("bench.canvas", "apps/scribble", people, rate, folder, seconds)
    assert not found.room.missing, f"{found.room.missing} points didn't arrive"
    name = f"Scribble, {people:,} in the room, {rate} points/s: a point is everywhere"
    up = "up apps/scribble to its URL, layer and packages cached"
    return [
        Figure(up, found.up, "s", 4, True, found.alone),
        Figure(f"{name}, p50", found.room.p50_ms, "ms", 250, True, found.beside),
        Figure("the same, p99", found.room.p99_ms, "ms", 500, True, found.room.share),
    ]


class Socket(room.Socket):
    """Which points came, as bits: of each frame the new ones."""

    def __init__(self, crowd: Drawing) -> None:
        super().__init__(crowd)
        self.mask = 0
        self.ready = False


class Drawing(room.Crowd):
    wave = 50

    def socket(self) -> Socket:
        return Socket(self)

    def take(self, socket: Socket, payload: bytes) -> None:
        mask = self.parsed(payload)
        if mask < 0:
            socket.ready = True
        elif new := mask & ~socket.mask:
            socket.mask |= new
            socket.arrivals.append((time.perf_counter(), new))

    def parsed(self, payload: bytes) -> int:
        """A bit for each of our points in the frame; negative for `ready`."""
        mask: int | None = self.frames.get(payload)
        if mask is None:
            frame = orjson.loads(payload)
            mask = -1 if frame.get("type") == "ready" else 0
            for batch in frame.get("batches", ()):
                mask |= 1 << batch["ref"]
            if len(payload) < 200_000:
                self.frames[payload] = mask
        return mask

    async def enter(self, sockets: list[Socket]) -> None:
        """They come as fast as they can."""

    def ready(self) -> bool:
        return all(socket.ready for socket in self.sockets)

    def act(self, number: int) -> None:
        """One point a message, from one drawer after the other."""
        drawers = self.sockets[:: max(1, len(self.sockets) // DRAWERS)]
        message = {"action": "sendMessage", "points": [[number % 1000, number // 1000, 5]], "ref": number}
        drawers[number % len(drawers)].say(orjson.dumps(message))

    def complete(self) -> bool:
        return all(socket.mask == self.whole for socket in self.sockets)

    @property
    def whole(self) -> int:
        return (1 << len(self.sent)) - 1

    def result(self) -> dict[str, Any]:
        return {
            "latencies": self.latencies(),
            "missing": sum((self.whole & ~socket.mask).bit_count() for socket in self.sockets),
            "disorder": 0,
            "frames": [payload.decode() for payload, mask in self.frames.items() if mask > 0],
        }

    def latencies(self) -> list[float]:
        refs: dict[int, list[int]] = {}
        found = []
        for socket in self.sockets:
            for at, mask in socket.arrivals:
                if mask not in refs:
                    refs[mask] = [ref for ref in range(self.first, mask.bit_length()) if mask >> ref & 1]
                found += [at - self.sent[ref] for ref in refs[mask]]
        return found


if __name__ == "__main__":
    room.main(Drawing())
