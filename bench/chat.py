"""The chat with a full room: how long a message takes until everybody has it, in one order, and who works for it.

The room is a process of its own (`python -m bench.chat …`): all its sockets in one loop, and each frame parsed once
however many sockets it comes to. Everybody in it writes, in turn, and it is known when each message was sent.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import orjson
import picows
import uvloop

from bench.canvas import raw, until, work_of
from bench.table import Figure
from tests.harness import ROOT, Node, plain_url

PEOPLE, RATE = 200, 50
WAVE = 10
"""So many come into the room at once."""


def figures(folder: Path, seconds: float) -> list[Figure]:
    full = seconds >= 1
    people, rate = (PEOPLE, RATE) if full else (20, 20)
    took = sorted(up(folder / f"up{number}") for number in range(3 if full else 1))
    began = time.perf_counter()
    node = Node(folder / "node")
    alone = f"a node alone is ready after {time.perf_counter() - began:.2f} s"
    try:
        room = run_room(node, deployed(node), people, rate, max(seconds * 3, 1.0))
        floor = raw(node, people, room.frames, seconds)
    finally:
        node.stop()
    assert not room.missing, f"{room.missing} messages didn't arrive"
    assert not room.disorder, f"{room.disorder} people had another order"
    beside = f"its frames by raw PostToConnection: all {people} have one after {floor:.0f} ms"
    share = ", ".join(f"{name} {part:.0%}" for name, part in room.shares.items() if part)
    name = f"Chat, {people} in the room, {rate} messages/s: a message is everywhere, in one order"
    return [
        Figure("up apps/chat to its URL, packages cached", took[len(took) // 2], "s", 3, True, alone),
        Figure(f"{name}, p50", room.p50_ms, "ms", 300, True, beside),
        Figure("the same, p99", room.p99_ms, "ms", 300, True, f"of one processor: {share}"),
    ]


def up(data: Path) -> float:
    """Seconds from the command to the page's address."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "cloudlet", "up", "apps/chat", "--port=0", f"--data={data}"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.strip().startswith("Page"):
            break
    took = time.perf_counter() - began
    process.terminate()
    process.stdout.read()
    process.stdout.close()
    process.wait(timeout=20)
    assert "s3-website" in said[-1], "".join(said)
    return took


def deployed(node: Node) -> str:
    """Deploys it; the URL of its socket."""
    command = [sys.executable, "-m", "cloudlet", "deploy", "apps/chat", "--endpoint", node.endpoint]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    stack = node.client("cloudformation").describe_stacks(StackName="chat")["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return plain_url(node, outputs["ApiId"], "production")


# The room, from outside


@dataclass
class Room:
    p50_ms: float
    p99_ms: float
    missing: int
    disorder: int
    frames: list[str]
    shares: dict[str, float]


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bench.chat", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as made:
        try:
            yield made
        finally:
            made.terminate()


def run_room(node: Node, url: str, people: int, rate: int, seconds: float) -> Room:
    with process(url, str(people), str(rate), str(seconds)) as room:
        assert room.stdout is not None
        assert room.stdout.readline() == "begin\n", "the room didn't fill"
        before, began = work_of(node), time.perf_counter()
        assert room.stdout.readline() == "end\n"
        after, took = work_of(node), time.perf_counter() - began
        said = json.loads(room.stdout.readline())
    shares = {name: (after[name] - before[name]) / took for name in after}
    shares["this bench"] = said.pop("work") / took
    return Room(**said, shares=shares)


# The room, from inside


class Socket(picows.WSListener):
    """One of the room: notes the numbers of the messages that came, and when."""

    def __init__(self, room: Talking) -> None:
        self.room = room
        self.arrivals: list[tuple[float, list[int]]] = []
        self.seen: set[int] = set()
        self.joined = False
        self.transport: picows.WSTransport

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type != picows.WSMsgType.TEXT:
            return
        seqs = self.room.parsed(frame.get_payload_as_bytes(), self)
        if seqs:
            self.seen.update(seqs)
            self.arrivals.append((time.perf_counter(), seqs))

    def say(self, **request: object) -> None:
        self.transport.send(picows.WSMsgType.TEXT, orjson.dumps(request))


class Talking:
    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.frames: dict[bytes, list[int]] = {}
        self.numbers: dict[int, int] = {}
        """Of each message, by its seq: which of ours it is."""
        self.sent: list[float] = []

    @staticmethod
    def same(socket: Socket) -> Socket:
        return socket

    def parsed(self, payload: bytes, socket: Socket) -> list[int]:
        """The messages' numbers."""
        seqs = self.frames.get(payload)
        if seqs is None:
            frame = orjson.loads(payload)
            socket.joined = socket.joined or frame.get("type") == "joined"
            said = frame["messages"] if frame.get("type") == "message" else ()
            seqs = [message["seq"] for message in said]
            self.numbers |= {message["seq"]: int(message["text"].split()[-1]) for message in said}
            if seqs:
                self.frames[payload] = seqs
        return seqs

    async def run(self, url: str, people: int, rate: int, seconds: float) -> None:
        for start in range(0, people, WAVE):
            made = [Socket(self) for _ in range(min(WAVE, people - start))]
            await asyncio.gather(*(picows.ws_connect(partial(self.same, one), url) for one in made))
            for number, one in enumerate(made, start):
                one.say(action="updatedetails", room="bench", name=f"Person {number}")
            await until(lambda made=made: all(one.joined for one in made), 30)
            self.sockets += made
        await self.talk(rate, 2.0)
        await until(self.complete, 30)
        first, self.frames = len(self.sent), {}
        for socket in self.sockets:
            socket.arrivals.clear()
        print("begin", flush=True)
        work = time.process_time()
        await self.talk(rate, seconds)
        work = time.process_time() - work
        print("end", flush=True)
        await until(self.complete, 30, must=False)
        times = self.latencies()
        print(
            json.dumps(
                {
                    "p50_ms": times[len(times) // 2] * 1e3,
                    "p99_ms": times[len(times) * 99 // 100] * 1e3,
                    "missing": sum(len(self.sent) - len(socket.seen) for socket in self.sockets),
                    "disorder": sum(
                        not self.in_order(socket, len(self.sent) - first) for socket in self.sockets
                    ),
                    "frames": [payload.decode() for payload in self.frames if b'"ref"' not in payload],
                    "work": work,
                }
            ),
            flush=True,
        )

    async def talk(self, rate: int, seconds: float) -> None:
        """One message after the other, evenly, from everybody in turn."""
        began, number = time.perf_counter(), 0
        while number < rate * seconds:
            due = began + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            ref = len(self.sent)
            self.sent.append(time.perf_counter())
            socket = self.sockets[ref % len(self.sockets)]
            socket.say(action="sendmessage", text=f"this is what I say, number {ref}", ref=ref)
            number += 1

    def complete(self) -> bool:
        return all(len(socket.seen) == len(self.sent) for socket in self.sockets)

    @staticmethod
    def in_order(socket: Socket, many: int) -> bool:
        seqs = [seq for _, seqs in socket.arrivals for seq in seqs]
        return len(seqs) == many and seqs == sorted(seqs)

    def latencies(self) -> list[float]:
        """Of every message at every socket, sorted."""
        return sorted(
            at - self.sent[self.numbers[seq]]
            for socket in self.sockets
            for at, seqs in socket.arrivals
            for seq in seqs
        )


if __name__ == "__main__":
    url, people, rate, seconds = sys.argv[1:5]
    uvloop.run(Talking().run(url, int(people), int(rate), float(seconds)))
