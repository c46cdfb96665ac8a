"""Objects of S3: signed puts and gets of 10 KB by 32 keep-alive callers, beside the same node's echo."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from bench import load
from bench.table import Figure
from tests.harness import Node

KEYS = 500
SIZE = 10_000
_BUCKET = "bench"


def figures(folder: Path, seconds: float) -> list[Figure]:
    node = Node(folder / "objects")
    try:
        node.client("s3").create_bucket(Bucket=_BUCKET)
        body = os.urandom(SIZE)
        echo = _run(node, [_signed(node, "POST", "/_cloudlet/echo", body)], seconds)
        puts = [_signed(node, "PUT", _path(n), body) for n in range(KEYS)]
        gets = [_signed(node, "GET", _path(n), b"") for n in range(KEYS)]
        _run(node, puts, 1.0)
        return [
            _figure("PutObject of 10 KB, durable, 32 callers", 6_000, echo, _run(node, puts, seconds)),
            _figure("GetObject of 10 KB, 32 callers", 10_000, echo, _run(node, gets, seconds)),
        ]
    finally:
        node.stop()


def _path(n: int) -> str:
    return f"/{_BUCKET}/folder/object{n}"


def _signed(node: Node, method: str, path: str, body: bytes) -> bytes:
    return load.signed(node.endpoint, method, path, {}, body, "s3")


def _run(node: Node, requests: Sequence[bytes], seconds: float) -> load.Result:
    return load.run(node.port, requests, connections=32, seconds=seconds)


def _figure(name: str, target: float, echo: load.Result, result: load.Result) -> Figure:
    assert result.errors == 0, f"{name}: {result.errors} errors"
    return Figure(
        name, result.per_second, "/s", target, False,
        f"echo {echo.per_second:,.0f}/s; p50 {result.p50_ms:.2f} ms, p99 {result.p99_ms:.2f} ms",
    )  # fmt: skip
