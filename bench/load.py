"""A light HTTP load, in a process of its own: keep-alive connections that each send the next request when answered.

It is bounded in requests and in seconds, talks to 127.0.0.1 only, and prints one line of JSON. The requests are made
before and given as a file, so that signing them is not measured.
"""

from __future__ import annotations

import asyncio
import json
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httptools
import uvloop
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

MOST_SECONDS = 30.0
ADMINISTRATOR = Credentials("test", "test")


@dataclass(frozen=True)
class Result:
    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int


def run(port: int, requests: Sequence[bytes], *, connections: int = 32, seconds: float = 2.0) -> Result:
    """Load a server with these requests, over and over, for a while."""
    with tempfile.NamedTemporaryFile(suffix=".requests") as file:
        for request in requests:
            file.write(struct.pack(">I", len(request)) + request)
        file.flush()
        command = [sys.executable, "-m", "bench.load", str(port), str(connections), str(seconds), file.name]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=MOST_SECONDS + 30)
    return Result(**json.loads(done.stdout))


class Caller(asyncio.Protocol):
    __slots__ = ("load", "next", "parser", "sent_at", "status", "transport")

    def __init__(self, load: Load, first: int) -> None:
        self.load = load
        self.next = first

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = httptools.HttpResponseParser(self)
        self.send()

    def send(self) -> None:
        requests = self.load.requests
        self.sent_at = time.perf_counter()
        self.transport.write(requests[self.next])  # type: ignore[attr-defined]
        self.next = (self.next + self.load.connections) % len(requests)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.load.times.append(time.perf_counter() - self.sent_at)
        if self.parser.get_status_code() >= 300:
            self.load.errors += 1
        if self.sent_at < self.load.until:
            self.send()
        else:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.load.gone()


class Load:
    def __init__(self, requests: list[bytes], connections: int, seconds: float) -> None:
        self.requests = requests
        self.connections = connections
        self.seconds = min(seconds, MOST_SECONDS)
        self.times: list[float] = []
        self.errors = 0
        self.open = connections
        self.until = 0.0
        self.done: asyncio.Future[None]

    def gone(self) -> None:
        self.open -= 1
        if not self.open:
            self.done.set_result(None)

    async def run(self, port: int) -> Result:
        loop = asyncio.get_running_loop()
        self.done = loop.create_future()
        began = time.perf_counter()
        self.until = began + self.seconds
        for number in range(self.connections):
            await loop.create_connection(
                lambda number=number: Caller(self, number % len(self.requests)), "127.0.0.1", port
            )
        await self.done
        took = time.perf_counter() - began
        times = sorted(self.times)
        return Result(
            len(times) / took, times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3, self.errors
        )


def signed(
    endpoint: str,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    service: str,
    credentials: Credentials = ADMINISTRATOR,
) -> bytes:
    """A request as botocore signs it, ready to be sent."""
    request = AWSRequest(method, endpoint + path, dict(headers), body)
    SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {endpoint.split('//')[1]}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _read(path: str) -> list[bytes]:
    data, at, found = Path(path).read_bytes(), 0, []
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        found.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return found


if __name__ == "__main__":
    result = uvloop.run(Load(_read(sys.argv[4]), int(sys.argv[2]), float(sys.argv[3])).run(int(sys.argv[1])))
    print(json.dumps(result.__dict__))
