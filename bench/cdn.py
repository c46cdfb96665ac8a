"""CloudFront's edge: hits of a page of 4 KB from the cache by 32 keep-alive viewers, beside the same node's echo.

Both are driven by the light client of `bench.http`: a hit costs less than reading its answer with a parser would.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import uvloop

from bench.http import CONNECTIONS, connect
from bench.table import Figure
from tests.harness import Node

SIZE = 4096
_BUCKET = "bench-origin"
_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"


def figures(folder: Path, seconds: float) -> list[Figure]:
    node = Node(folder / "cdn")
    try:
        host = _distribution(node)
        body = b"." * SIZE
        echo = _request("POST", "/_cloudlet/echo", "localhost", body)
        page = _request("GET", "/index.html", host)
        packed = _request("GET", "/index.html", host, b"", "Accept-Encoding: gzip, deflate, br\r\n")
        floor, floor_cpu = uvloop.run(_rate(node, echo, seconds))
        beside = (
            f"echo of {SIZE:,} bytes {floor:,.0f}/s, {floor_cpu:,.0f} a second of the node's processor time"
        )
        found = []
        for name, request in (("of 4 KB", page), ("in brotli", packed)):
            hits, cpu = uvloop.run(_rate(node, request, seconds))
            note = f"{cpu:,.0f} a second of the node's processor time"
            found.append(
                Figure(f"CloudFront hit {name}, 32 viewers", hits, "/s", 20_000, False, beside, note)
            )
        return found
    finally:
        node.stop()


def _distribution(node: Node) -> str:
    """Its host name, with its one object in the cache."""
    s3 = node.client("s3")
    s3.create_bucket(Bucket=_BUCKET, ObjectOwnership="BucketOwnerPreferred")
    s3.delete_public_access_block(Bucket=_BUCKET)
    s3.put_object(
        Bucket=_BUCKET, Key="index.html", Body=b"." * SIZE, ContentType="text/html", ACL="public-read"
    )
    origin = {
        "Id": "s3",
        "DomainName": f"{_BUCKET}.s3.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    behavior = {
        "TargetOriginId": "s3",
        "ViewerProtocolPolicy": "allow-all",
        "CachePolicyId": _OPTIMIZED,
        "Compress": True,
    }
    made = node.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": "bench",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": behavior,
        }
    )
    return f"{made['Distribution']['Id'].lower()}.cloudfront.localhost"


def _request(method: str, path: str, host: str, body: bytes = b"", more: str = "") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}{length}\r\n".encode() + body


def _used(node: Node) -> float:
    """Processor seconds of the node so far."""
    fields = Path(f"/proc/{node.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _rate(node: Node, message: bytes, seconds: float) -> tuple[float, float]:
    """Answers a second, and answers a second of the node's own time. The first requests are sent alone, so that they
    fill the cache."""
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    for _ in range(2):
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await reader.readexactly(int(length.partition(b":")[2]))
    writer.close()
    callers = await connect(node.port, CONNECTIONS, message, b"")
    for caller in callers:
        caller.write(message)
    await asyncio.sleep(min(0.3, seconds))
    start, used, counted = time.perf_counter(), _used(node), sum(caller.answers for caller in callers)
    await asyncio.sleep(seconds)
    done = sum(caller.answers for caller in callers) - counted
    took, worked = time.perf_counter() - start, _used(node) - used
    for caller in callers:
        caller.transport.abort()  # type: ignore[attr-defined]
    return done / took, done / max(worked, 0.01)
