"""A full room on a WebSocket API: how long something takes until everybody has it, and who works how much for it.

The room is a process of its own (`python -m bench.canvas …`): all its sockets in one loop, and each frame parsed once
however many sockets it comes to. It acts by itself and knows when it did what.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import picows
import uvloop

from bench import load
from bench.application import deployed, median_up
from tests.harness import ROOT, Node, plain_url, websocket_api

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Room:
    p50_ms: float
    p99_ms: float
    missing: int
    disorder: int
    frames: list[str]
    shares: dict[str, float]

    @property
    def share(self) -> str:
        return "of one processor: " + ", ".join(
            f"{name} {part:.0%}" for name, part in self.shares.items() if part
        )


@dataclass
class Measured:
    """An application with a full room; `alone` and `beside` are floors in words."""

    up: float
    alone: str
    room: Room
    beside: str


def measured(module: str, path: str, people: int, rate: int, folder: Path, seconds: float) -> Measured:
    """The application at `path`, with the room that `python -m MODULE` makes."""
    took = median_up(path, "Page", folder / "up", 3 if seconds >= 1 else 1)
    began = time.perf_counter()
    node = Node(folder / "node")
    alone = f"a node alone is ready after {time.perf_counter() - began:.2f} s"
    try:
        api = deployed(node, path)["SocketUrl"].split("//")[1].split(".")[0]
        room = _room(module, node, plain_url(node, api, "production"), people, rate, max(seconds * 3, 1.0))
        floor = _raw(node, people, room.frames, seconds)
    finally:
        node.stop()
    beside = f"its frames by raw PostToConnection: all {people} have one after {floor:.0f} ms"
    return Measured(took, alone, room, beside)


# Who works how much


def _processor_seconds(pid: int) -> float:
    """A process's time on the processor, with that of its children that are gone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[at]) for at in (11, 12, 13, 14)) / TICKS


def _descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)
            yield from _descendants(int(child))


def _work_of(node: Node) -> dict[str, float]:
    """Seconds on the processor until now, by kind of process."""
    fields = Path(f"/proc/{node.pid}/stat").read_text().rpartition(")")[2].split()
    work = {"node": (int(fields[11]) + int(fields[12])) / TICKS, "functions": 0.0, "Valkey": 0.0}
    for pid in _descendants(node.pid):
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            work["Valkey" if "valkey" in name else "functions"] += _processor_seconds(pid)
        except FileNotFoundError:
            continue
    return work


# The room, from outside


@contextmanager
def _process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as made:
        try:
            yield made
        finally:
            made.terminate()


def _room(module: str, node: Node, url: str, people: int, rate: int, seconds: float) -> Room:
    with _process(module, url, str(people), str(rate), str(seconds)) as room:
        assert room.stdout is not None
        assert room.stdout.readline() == "begin\n", "the room didn't fill"
        before, began = _work_of(node), time.perf_counter()
        assert room.stdout.readline() == "end\n"
        after, took = _work_of(node), time.perf_counter() - began
        said = json.loads(room.stdout.readline())
    shares = {name: (after[name] - before[name]) / took for name in after}
    shares["this bench"] = said.pop("work") / took
    return Room(**said, shares=shares)


def _raw(node: Node, people: int, frames: list[str], seconds: float) -> float:
    """ms until everybody in a room of another API has a frame, by an HTTP client that does nothing else."""
    with (
        websocket_api(node, None, "nothing", stage="raw") as api,
        _process("bench.room", plain_url(node, api, "raw"), str(people)) as room,
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
    """One of the room: when it got what."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.arrivals: list[tuple[float, Any]] = []
        self.transport: picows.WSTransport

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.TEXT:
            self.crowd.take(self, frame.get_payload_as_bytes())

    def say(self, message: bytes) -> None:
        self.transport.send(picows.WSMsgType.TEXT, message)


class Crowd(ABC):
    """Everybody in the room. Twice it acts evenly for a while: the first time only to warm everything up."""

    wave: int
    """So many come at once."""

    def __init__(self) -> None:
        self.sockets: list[Any] = []
        self.sent: list[float] = []
        """When what was done, by its number."""
        self.first = 0
        """The number of the first that counts."""
        self.frames: dict[bytes, Any] = {}
        """What is in the frames that came."""

    @abstractmethod
    def socket(self) -> Socket: ...

    @abstractmethod
    def take(self, socket: Any, payload: bytes) -> None:
        """A frame has come."""

    @abstractmethod
    async def enter(self, sockets: list[Any]) -> None:
        """They are connected; before the next come."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether all are in the room."""

    @abstractmethod
    def act(self, number: int) -> None:
        """Do the next thing, with this number."""

    @abstractmethod
    def complete(self) -> bool:
        """Whether everybody has everything."""

    @abstractmethod
    def result(self) -> dict[str, Any]:
        """`latencies` of everything at every socket in seconds, and the rest of a `Room`."""

    async def run(self, url: str, people: int, rate: int, seconds: float) -> None:
        for start in range(0, people, self.wave):
            made = [self.socket() for _ in range(min(self.wave, people - start))]
            await asyncio.gather(*(picows.ws_connect(partial(_same, one), url) for one in made))
            self.sockets += made
            await self.enter(made)
        await until(self.ready, 60)
        await self._act_evenly(rate, 2.0)
        await until(self.complete, 30)
        self.first = len(self.sent)
        self.frames.clear()
        for socket in self.sockets:
            socket.arrivals.clear()
        print("begin", flush=True)
        work = time.process_time()
        await self._act_evenly(rate, seconds)
        work = time.process_time() - work
        print("end", flush=True)
        await until(self.complete, 30, must=False)
        said = self.result()
        times = sorted(said.pop("latencies"))
        said |= {"p50_ms": times[len(times) // 2] * 1e3, "p99_ms": times[len(times) * 99 // 100] * 1e3}
        print(json.dumps(said | {"work": work}), flush=True)

    async def _act_evenly(self, rate: int, seconds: float) -> None:
        began = time.perf_counter()
        for number in range(round(rate * seconds)):
            if (wait := began + number / rate - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            self.sent.append(time.perf_counter())
            self.act(len(self.sent) - 1)


def _same(socket: Socket) -> Socket:
    return socket


async def until(probe: Callable[[], bool], seconds: float, must: bool = True) -> None:
    limit = time.perf_counter() + seconds
    while not probe() and time.perf_counter() < limit:
        await asyncio.sleep(0.05)
    if must and not probe():
        raise TimeoutError(f"not within {seconds} s")


def main(crowd: Crowd) -> None:
    """`python -m MODULE URL PEOPLE RATE SECONDS`."""
    url, people, rate, seconds = sys.argv[1:5]
    uvloop.run(crowd.run(url, int(people), int(rate), float(seconds)))


# A room in which nobody does anything


class Listener(picows.WSListener):
    """Says something that no route takes: the gateway's answer has the connection's id."""

    def __init__(self) -> None:
        self.id = ""

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        transport.send(picows.WSMsgType.TEXT, b"who am I")

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if not self.id:
            self.id = json.loads(frame.get_payload_as_bytes())["connectionId"]


async def _listen(url: str, people: int) -> None:
    listeners: list[Any] = []
    for start in range(0, people, 50):
        wave = [picows.ws_connect(Listener, url) for _ in range(min(50, people - start))]
        listeners += await asyncio.gather(*wave)
    await until(lambda: all(listener.id for _, listener in listeners), 30)
    print(json.dumps([listener.id for _, listener in listeners]), flush=True)
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    uvloop.run(_listen(sys.argv[1], int(sys.argv[2])))
