"""From nothing to ready, and from a folder to a URL."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.application import median_up
from bench.table import Figure
from tests.harness import ROOT, Node


def figures(folder: Path, seconds: float) -> list[Figure]:
    rounds = 5 if seconds >= 1 else 1
    bare = _median(rounds, lambda: _run("-c", "import asyncio, uvloop, ssl"))
    ready, memory = [], 0.0
    for number in range(rounds):
        began = time.perf_counter()
        node = Node(folder / f"start{number}")
        ready.append(time.perf_counter() - began)
        memory = settled(node.pid)
        node.stop()
    translator = _median(rounds, lambda: _run("-c", "import samtranslator.translator.translator"))
    up = median_up("apps/pubsub", "WebSocketUrl", folder / "up", rounds)
    idle = resident_of(
        "-c", "import asyncio, uvloop, ssl, orjson, msgspec, apsw, httptools, sys; sys.stdin.read()"
    )
    return [
        Figure(
            "start to ready, empty data directory", statistics.median(ready), "s", 0.5, True,
            f"python with uvloop and ssl {bare:.2f} s",
        ),
        Figure("idle memory of the node", memory, "MB", 70, True, f"python with its libraries {idle:.0f} MB"),
        Figure(
            "up apps/pubsub to the outputs", up, "s", 2, True, f"import of the SAM translator {translator:.2f} s"
        ),
    ]  # fmt: skip


def resident(pid: int) -> float:
    """Memory of a process, MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no process {pid}")


def settled(pid: int) -> float:
    """Memory of a process once it has stopped growing, MB: what a node does after it is ready counts too."""
    before = -1.0
    while (now := resident(pid)) != before:
        before = now
        time.sleep(0.5)
    return now


def resident_of(*arguments: str) -> float:
    process = subprocess.Popen([sys.executable, *arguments], stdin=subprocess.PIPE)
    try:
        return settled(process.pid)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def _median(rounds: int, measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(rounds))


def _run(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, cwd=ROOT, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began
