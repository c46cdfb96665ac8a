"""Scribble with a full room: how long a point takes until everybody has it, and who works how much for it.

The room is a process of its own (`python -m bench.canvas …`): all its sockets in one loop, and each frame parsed once
however many sockets it comes to. It draws points of its own, one a message, and knows when each was sent.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import picows
import uvloop

from bench import load
from bench.table import Figure
from tests.harness import ROOT, Node, plain_url, websocket_api

DRAWERS = 100
DRAWN_PER_SECOND = 200
WAVE = 50
"""Sockets that are opened at once."""

TICKS = os.sysconf("SC_CLK_TCK")


def figures(folder: Path, seconds: float) -> list[Figure]:
    full = seconds >= 1
    people, rate = (1000, DRAWN_PER_SECOND) if full else (50, 20)
    took = median_up(folder / "up", 3 if full else 1)
    began = time.perf_counter()
    node = Node(folder / "node")
    alone = f"a node alone is ready after {time.perf_counter() - began:.2f} s"
    try:
        url = deployed(node)
        room = run_room(node, url, people, rate, max(seconds * 3, 1.0))
        floor = raw(node, people, room.frames, seconds)
    finally:
        node.stop()
    assert not room.missing, f"{room.missing} points didn't arrive"
    beside = f"its frames by raw PostToConnection: all {people} have one after {floor:.0f} ms"
    share = ", ".join(f"{name} {part:.0%}" for name, part in room.shares.items())
    name = f"Scribble, {people:,} in the room, {rate} points/s: a point is everywhere"
    return [
        Figure("up apps/scribble to its URL, layer and packages cached", took, "s", 4, True, alone),
        Figure(f"{name}, p50", room.p50_ms, "ms", 250, True, beside),
        Figure("the same, p99", room.p99_ms, "ms", 500, True, f"of one processor: {share}"),
    ]


# The application


def deployed(node: Node) -> str:
    """Deploys it; the URL of its socket."""
    command = [sys.executable, "-m", "cloudlet", "deploy", "apps/scribble", "--endpoint", node.endpoint]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    stack = node.client("cloudformation").describe_stacks(StackName="scribble")["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return plain_url(node, outputs["SocketUrl"].split("//")[1].split(".")[0], "production")


def median_up(data: Path, rounds: int) -> float:
    return sorted(_up(data.with_name(f"{data.name}{n}")) for n in range(rounds))[rounds // 2]


def _up(data: Path) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "cloudlet", "up", "apps/scribble", "--port=0", f"--data={data}"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "PageUrl" in line:
            break
    took = time.perf_counter() - began
    process.terminate()
    process.stdout.read()
    process.stdout.close()
    process.wait(timeout=20)
    assert "PageUrl" in said[-1], "".join(said)
    return took


# Who works how much


def processor_seconds(pid: int) -> float:
    """A process's time on the processor, with that of its children that are gone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[at]) for at in (11, 12, 13, 14)) / TICKS


def descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)
            yield from descendants(int(child))


def work_of(node: Node) -> dict[str, float]:
    """Seconds on the processor until now, by kind of process."""
    fields = Path(f"/proc/{node.pid}/stat").read_text().rpartition(")")[2].split()
    work = {"node": (int(fields[11]) + int(fields[12])) / TICKS, "functions": 0.0, "Valkey": 0.0}
    for pid in descendants(node.pid):
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            work["Valkey" if "valkey" in name else "functions"] += processor_seconds(pid)
        except FileNotFoundError:
            continue
    return work


# The room, from outside


@dataclass
class Room:
    p50_ms: float
    p99_ms: float
    missing: int
    frames: list[str]
    shares: dict[str, float]


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bench.canvas", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as made:
        try:
            yield made
        finally:
            made.terminate()


def run_room(node: Node, url: str, people: int, rate: int, seconds: float) -> Room:
    with process("draw", url, str(people), str(rate), str(seconds)) as room:
        assert room.stdout is not None
        assert room.stdout.readline() == "begin\n", "the room didn't fill"
        before, began = work_of(node), time.perf_counter()
        assert room.stdout.readline() == "end\n"
        after, took = work_of(node), time.perf_counter() - began
        said = json.loads(room.stdout.readline())
    shares = {name: (after[name] - before[name]) / took for name in after}
    shares["this bench"] = said.pop("work") / took
    return Room(**said, shares=shares)


def raw(node: Node, people: int, frames: list[str], seconds: float) -> float:
    """ms until everybody in a room of another API has a frame, by an HTTP client that does nothing else."""
    with (
        websocket_api(node, None, "nothing", stage="raw") as api,
        process("listen", plain_url(node, api, "raw"), str(people)) as room,
    ):
        assert room.stdout is not None
        ids = json.loads(room.stdout.readline())
        requests = [
            f"POST /_aws/execute-api/{api}/raw/@connections/{quote(id, safe='')} HTTP/1.1\r\n"
            f"Host: 127.0.0.1\r\nContent-Length: {len(frame)}\r\n\r\n{frame}".encode()
            for frame in frames[-5:]
            for id in ids
        ]
        result = load.run(node.port, requests, connections=32, seconds=seconds)
    assert not result.errors
    return people / result.per_second * 1000


# The room, from inside


class Socket(picows.WSListener):
    """One of the room: notes which points came, and when which frame did."""

    def __init__(self, room: Drawing) -> None:
        self.room = room
        self.mask = 0
        self.arrivals: list[tuple[float, int]] = []
        self.ready = False
        self.transport: picows.WSTransport

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type != picows.WSMsgType.TEXT:
            return
        mask = self.room.parsed(frame.get_payload_as_bytes())
        if mask < 0:
            self.ready = True
        elif mask:
            new = mask & ~self.mask
            if new:
                self.mask |= new
                self.arrivals.append((time.perf_counter(), new))


class Drawing:
    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.frames: dict[bytes, int] = {}
        self.sent: list[float] = []

    @staticmethod
    def same(socket: Socket) -> Socket:
        return socket

    def parsed(self, payload: bytes) -> int:
        """A bit for each of our points in the frame; negative for `ready`."""
        mask = self.frames.get(payload)
        if mask is None:
            frame = orjson.loads(payload)
            mask = -1 if frame.get("type") == "ready" else 0
            for batch in frame.get("batches", ()):
                mask |= 1 << batch["ref"]
            if len(payload) < 200_000:
                self.frames[payload] = mask
        return mask

    async def run(self, url: str, people: int, rate: int, seconds: float) -> None:
        for start in range(0, people, WAVE):
            made = [Socket(self) for _ in range(min(WAVE, people - start))]
            await asyncio.gather(*(picows.ws_connect(partial(self.same, one), url) for one in made))
            self.sockets += made
        await until(lambda: all(socket.ready for socket in self.sockets), 60)
        await self.draw(rate, 2.0)
        await until(self.complete, 30)
        first, self.frames = len(self.sent), {}
        for socket in self.sockets:
            socket.arrivals.clear()
        print("begin", flush=True)
        work = time.process_time()
        await self.draw(rate, seconds)
        work = time.process_time() - work
        print("end", flush=True)
        await until(self.complete, 30, must=False)
        times = self.latencies(first)
        whole = (1 << len(self.sent)) - 1
        print(
            json.dumps(
                {
                    "p50_ms": times[len(times) // 2] * 1e3,
                    "p99_ms": times[len(times) * 99 // 100] * 1e3,
                    "missing": sum((whole & ~socket.mask).bit_count() for socket in self.sockets),
                    "frames": [payload.decode() for payload, mask in self.frames.items() if mask > 0],
                    "work": work,
                }
            ),
            flush=True,
        )

    async def draw(self, rate: int, seconds: float) -> None:
        """One point a message, from one drawer after the other, evenly."""
        began, number = time.perf_counter(), 0
        drawers = self.sockets[:: max(1, len(self.sockets) // DRAWERS)]
        while number < rate * seconds:
            due = began + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            ref = len(self.sent)
            message = {"action": "sendMessage", "points": [[ref % 1000, ref // 1000, 5]], "ref": ref}
            self.sent.append(time.perf_counter())
            drawers[number % len(drawers)].transport.send(picows.WSMsgType.TEXT, orjson.dumps(message))
            number += 1

    def complete(self) -> bool:
        whole = (1 << len(self.sent)) - 1
        return all(socket.mask == whole for socket in self.sockets)

    def latencies(self, first: int) -> list[float]:
        """Of every point at every socket, sorted."""
        refs: dict[int, list[int]] = {}
        found = []
        for socket in self.sockets:
            for at, mask in socket.arrivals:
                if mask not in refs:
                    refs[mask] = [ref for ref in range(first, mask.bit_length()) if mask >> ref & 1]
                found += [at - self.sent[ref] for ref in refs[mask]]
        return sorted(found)


class Listener(picows.WSListener):
    """Says something that no route takes: the gateway's answer has the connection's id."""

    def __init__(self) -> None:
        self.id = ""

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        transport.send(picows.WSMsgType.TEXT, b"who am I")

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if not self.id:
            self.id = json.loads(frame.get_payload_as_bytes())["connectionId"]


async def listen(url: str, people: int) -> None:
    listeners: list[Any] = []
    for start in range(0, people, WAVE):
        wave = [picows.ws_connect(Listener, url) for _ in range(min(WAVE, people - start))]
        listeners += await asyncio.gather(*wave)
    await until(lambda: all(listener.id for _, listener in listeners), 30)
    print(json.dumps([listener.id for _, listener in listeners]), flush=True)
    await asyncio.get_running_loop().create_future()


async def until(probe: Callable[[], bool], seconds: float, must: bool = True) -> None:
    limit = time.perf_counter() + seconds
    while not probe() and time.perf_counter() < limit:
        await asyncio.sleep(0.05)
    if must and not probe():
        raise TimeoutError(f"not within {seconds} s")


if __name__ == "__main__":
    what, url, people = sys.argv[1:4]
    if what == "draw":
        uvloop.run(Drawing().run(url, int(people), int(sys.argv[4]), float(sys.argv[5])))
    else:
        uvloop.run(listen(url, int(people)))
