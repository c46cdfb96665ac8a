"""A light WebSocket load, in a process of its own: sockets that each send the next message when answered.

Bounded in messages and seconds; 127.0.0.1 only; prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time

import picows
import uvloop

from bench.load import MOST_SECONDS, Result


def run(url: str, message: str, *, sockets: int, seconds: float = 2.0) -> Result:
    """`sockets` connections to `url`, each with one message under way at a time; each answer is to be the message."""
    command = [sys.executable, "-m", "bench.sockets", url, message, str(sockets), str(seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=MOST_SECONDS + 30)
    return Result(**json.loads(done.stdout))


class Pinger(picows.WSListener):
    def __init__(self, load: Load) -> None:
        self.load = load
        self.sent_at = 0.0
        self.transport: picows.WSTransport

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.transport = transport

    def send(self) -> None:
        self.sent_at = time.perf_counter()
        self.transport.send(picows.WSMsgType.TEXT, self.load.message)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type != picows.WSMsgType.TEXT:
            return
        self.load.times.append(time.perf_counter() - self.sent_at)
        if frame.get_payload_as_bytes() != self.load.message:
            self.load.errors += 1
        if self.sent_at < self.load.until:
            self.send()
        else:
            self.transport.disconnect()

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        self.load.gone()


class Load:
    def __init__(self, message: bytes, sockets: int, seconds: float) -> None:
        self.message = message
        self.open = sockets
        self.seconds = min(seconds, MOST_SECONDS)
        self.times: list[float] = []
        self.errors = 0
        self.until = 0.0
        self.done: asyncio.Future[None]

    def gone(self) -> None:
        self.open -= 1
        if not self.open:
            self.done.set_result(None)

    async def run(self, url: str) -> Result:
        self.done = asyncio.get_running_loop().create_future()
        pingers = []
        for _ in range(self.open):
            _, pinger = await picows.ws_connect(lambda: Pinger(self), url)
            pingers.append(pinger)
        began = time.perf_counter()
        self.until = began + self.seconds
        for pinger in pingers:
            pinger.send()
        await asyncio.wait_for(self.done, self.seconds + 30)
        took = time.perf_counter() - began
        times = sorted(self.times)
        return Result(
            len(times) / took, times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3, self.errors
        )


if __name__ == "__main__":
    load = Load(sys.argv[2].encode(), int(sys.argv[3]), float(sys.argv[4]))
    print(json.dumps(uvloop.run(load.run(sys.argv[1])).__dict__))
