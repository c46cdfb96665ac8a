"""Objects of S3: puts and gets of 10 KB by 32 keep-alive callers, beside the same node's echo; memory for a large one.

Each put has its own body, whose SHA-256 is signed with it, as SDKs do over plain HTTP.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

from bench import load
from bench.table import Figure
from tests.harness import Node
from tests.services.s3 import traffic

KEYS = 500
ROUNDS = 2
SIZE = 10_000
LARGE_MB = 2048
_BUCKET = "bench"


def figures(folder: Path, seconds: float) -> list[Figure]:
    node = Node(folder / "objects")
    try:
        node.client("s3").create_bucket(Bucket=_BUCKET)
        echo = _run(node, [_signed(node, "POST", "/_cloudlet/echo", os.urandom(SIZE))], seconds)
        puts = [_signed(node, "PUT", _path(n), os.urandom(SIZE)) for _ in range(ROUNDS) for n in range(KEYS)]
        gets = [_signed(node, "GET", _path(n), b"") for n in range(KEYS)]
        _run(node, puts, 1.0)
        return [
            _figure("PutObject of 10 KB, durable, 32 callers", 6_000, echo, _run(node, puts, seconds)),
            _figure("GetObject of 10 KB, 32 callers", 10_000, echo, _run(node, gets, seconds)),
            _memory(node, LARGE_MB if seconds >= 1 else LARGE_MB // 32),
        ]
    finally:
        node.stop()


def _memory(node: Node, megabytes: int) -> Figure:
    path = f"/{_BUCKET}/large"
    traffic.put(node, path, 2)
    traffic.get(node, path)
    memory = traffic.Memory(node.pid)
    began = time.perf_counter()
    traffic.put(node, path, megabytes)
    up = time.perf_counter()
    traffic.get(node, path)
    speeds = f"{megabytes / (up - began):,.0f} MB/s up, {megabytes / (time.perf_counter() - up):,.0f} down"
    return Figure(f"memory for {megabytes:,} MB up and down", memory.grown(), "MB", 50, True, speeds)


def _path(n: int) -> str:
    return f"/{_BUCKET}/folder/object{n}"


def _signed(node: Node, method: str, path: str, body: bytes) -> bytes:
    headers = {"X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest()}
    return load.signed(node.endpoint, method, path, headers, body, "s3")


def _run(node: Node, requests: Sequence[bytes], seconds: float) -> load.Result:
    return load.run(node.port, requests, connections=32, seconds=seconds)


def _figure(name: str, target: float, echo: load.Result, result: load.Result) -> Figure:
    assert result.errors == 0, f"{name}: {result.errors} errors"
    return Figure(
        name, result.per_second, "/s", target, False,
        f"echo {echo.per_second:,.0f}/s; p50 {result.p50_ms:.2f} ms, p99 {result.p99_ms:.2f} ms",
    )  # fmt: skip
