"""Invocations: through everything, through the workers alone, and the first of a function."""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import uvloop

from bench import load
from bench.table import Figure
from cloudlet.names import request_id
from cloudlet.services.lambda_.spec import FunctionSpec
from cloudlet.services.lambda_.workers import Workers
from tests.harness import Node, python_function
from tests.services.lambda_workers.conftest import FakeNode, Functions

SOURCE = "def handler(event, context):\n    return {'statusCode': 200}\n"
EVENT = b'{"message": "hello"}'
COLD_STARTS = 20


def figures(folder: Path, seconds: float) -> list[Figure]:
    echo = f"echo over a socket to a forked process {socket_echo(seconds / 10) * 1e3:.3f} ms"
    python = f"start of a bare interpreter {bare_start() * 1e3:.0f} ms"
    own_p50, own_rate, own_cold = uvloop.run(workers_alone(folder / "alone", seconds))
    node = Node(folder / "node")
    try:
        one, many = warm(node, seconds)
        first = cold(node, COLD_STARTS if seconds >= 1 else 3)
    finally:
        node.stop()
    return [
        Figure("invoke a warm Python function, one caller, p50", one.p50_ms, "ms", 1.0, True, echo),
        Figure("the same, 16 callers", many.per_second, "/s", 3000, False, echo),
        Figure("first invocation of a Python function, p50", first * 1e3, "ms", 30, True, python),
        Figure("of these the workers alone: warm p50", own_p50 * 1e3, "ms", 0.15, True, echo),
        Figure("workers alone, 16 callers", own_rate, "/s", 4000, False, echo),
        Figure("workers alone, first invocation, p50", own_cold * 1e3, "ms", 30, True, python),
    ]


def warm(node: Node, seconds: float) -> tuple[load.Result, load.Result]:
    with python_function(node.client("lambda"), "bench", SOURCE):
        request = invocation(node, "bench")
        load.run(node.port, [request], connections=16, seconds=0.3)
        one = load.run(node.port, [request], connections=1, seconds=seconds)
        many = load.run(node.port, [request], connections=16, seconds=seconds)
    assert not one.errors and not many.errors, f"{one.errors + many.errors} invocations failed"
    return one, many


def cold(node: Node, count: int) -> float:
    """The median of the first invocations of functions that never ran."""
    functions = node.client("lambda")
    names = [f"cold{number}" for number in range(count)]
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(python_function(functions, name, SOURCE))
        connection = http.client.HTTPConnection("127.0.0.1", node.port)
        path, times = "/2015-03-31/functions/{}/invocations", []
        for name in names:
            head = dict(line.split(": ", 1) for line in invocation(node, name).decode().split("\r\n")[1:-2])
            began = time.perf_counter()
            connection.request("POST", path.format(name), EVENT, head)
            answer = connection.getresponse()
            answer.read()
            times.append(time.perf_counter() - began)
            assert answer.status == 200
        connection.close()
    return statistics.median(times)


def invocation(node: Node, name: str) -> bytes:
    return load.signed(
        node.endpoint, "POST", f"/2015-03-31/functions/{name}/invocations", {}, EVENT, "lambda"
    )


async def workers_alone(folder: Path, seconds: float) -> tuple[float, float, float]:
    """Warm p50, invocations a second of 16 callers, p50 of first ones: without wire, store and permissions."""
    folder.mkdir(parents=True)
    node = FakeNode(folder)
    workers = Workers(node)  # type: ignore[arg-type]
    functions = Functions(node, workers)
    await workers.prepare("python3.11")

    async def invoke(spec: FunctionSpec) -> None:
        assert (await workers.invoke(spec, EVENT, request_id=request_id())).error is None

    colds = []
    for number in range(COLD_STARTS if seconds >= 1 else 3):
        spec = functions.make(SOURCE, f"cold{number}")
        colds.append(await timed(partial(invoke, spec)))
    spec = functions.make(SOURCE)
    await invoke(spec)
    until = time.perf_counter() + seconds / 2
    times = []
    while time.perf_counter() < until:
        times.append(await timed(partial(invoke, spec)))
    done = 0

    async def caller(until: float) -> None:
        nonlocal done
        while time.perf_counter() < until:
            await invoke(spec)
            done += 1

    await asyncio.gather(*(invoke(spec) for _ in range(16)))
    await asyncio.gather(*(caller(time.perf_counter() + seconds / 2) for _ in range(16)))
    await workers.stop()
    return statistics.median(times), done / (seconds / 2), statistics.median(colds)


async def timed(work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


def socket_echo(seconds: float) -> float:
    """The floor of a warm invocation: the same kind of socket to a process that does nothing."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        while data := theirs.recv(65536):
            theirs.sendall(data)
        os._exit(0)
    theirs.close()
    times = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        ours.sendall(bytes(300))
        ours.recv(65536)
        times.append(time.perf_counter() - began)
    ours.close()
    os.waitpid(pid, 0)
    return statistics.median(times)


def bare_start() -> float:
    """The floor of starting a process for it: an interpreter that loads nothing."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)
