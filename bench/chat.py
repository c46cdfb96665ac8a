"""The chat with a full room: how long a message takes until everybody has it, all of them in one order.

Everybody in the room writes, in turn.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson

from bench import room
from bench.table import Figure

PEOPLE, RATE = 200, 50


def figures(folder: Path, seconds: float) -> list[Figure]:
    people, rate = (PEOPLE, RATE) if seconds >= 1 else (20, 20)
    found = room.measured("bench.chat", "apps/chat", people, rate, folder, seconds)
    assert not found.room.missing, f"{found.room.missing} messages didn't arrive"
    assert not found.room.disorder, f"{found.room.disorder} people had another order"
    name = f"Chat, {people} in the room, {rate} messages/s: a message is everywhere, in one order"
    return [
        Figure("up apps/chat to its URL, packages cached", found.up, "s", 3, True, found.alone),
        Figure(f"{name}, p50", found.room.p50_ms, "ms", 300, True, found.beside),
        Figure("the same, p99", found.room.p99_ms, "ms", 300, True, found.room.share),
    ]


class Socket(room.Socket):
    """Which messages came, by their numbers in the room."""

    def __init__(self, crowd: Talking) -> None:
        super().__init__(crowd)
        self.seen: set[int] = set()
        self.joined = False


class Talking(room.Crowd):
    wave = 10

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[int, int] = {}
        """Of each message, by its seq: which of ours it is."""

    def socket(self) -> Socket:
        return Socket(self)

    def take(self, socket: Socket, payload: bytes) -> None:
        if seqs := self.parsed(payload, socket):
            socket.seen.update(seqs)
            socket.arrivals.append((time.perf_counter(), seqs))

    def parsed(self, payload: bytes, socket: Socket) -> list[int]:
        """The messages' numbers."""
        seqs: list[int] | None = self.frames.get(payload)
        if seqs is None:
            frame = orjson.loads(payload)
            socket.joined = socket.joined or frame.get("type") == "joined"
            said = frame["messages"] if frame.get("type") == "message" else ()
            seqs = [message["seq"] for message in said]
            self.numbers |= {message["seq"]: int(message["text"].split()[-1]) for message in said}
            if seqs:
                self.frames[payload] = seqs
        return seqs

    async def enter(self, sockets: list[Socket]) -> None:
        for number, one in enumerate(sockets, len(self.sockets) - len(sockets)):
            self.say(one, action="updatedetails", room="bench", name=f"Person {number}")
        await room.until(self.ready, 30)

    def ready(self) -> bool:
        return all(socket.joined for socket in self.sockets)

    def act(self, number: int) -> None:
        socket = self.sockets[number % len(self.sockets)]
        self.say(socket, action="sendmessage", text=f"this is what I say, number {number}", ref=number)

    @staticmethod
    def say(socket: Socket, **request: object) -> None:
        socket.say(orjson.dumps(request))

    def complete(self) -> bool:
        return all(len(socket.seen) == len(self.sent) for socket in self.sockets)

    def result(self) -> dict[str, Any]:
        return {
            "latencies": [
                at - self.sent[self.numbers[seq]]
                for socket in self.sockets
                for at, seqs in socket.arrivals
                for seq in seqs
            ],
            "missing": sum(len(self.sent) - len(socket.seen) for socket in self.sockets),
            "disorder": sum(not self.in_order(socket) for socket in self.sockets),
            "frames": [payload.decode() for payload in self.frames if b'"ref"' not in payload],
        }

    def in_order(self, socket: Socket) -> bool:
        seqs = [seq for _, seqs in socket.arrivals for seq in seqs]
        return len(seqs) == len(self.sent) - self.first and seqs == sorted(seqs)


if __name__ == "__main__":
    room.main(Talking())
