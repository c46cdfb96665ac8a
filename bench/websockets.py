"""Messages through the gateway to functions and back, posts from outside, and idle connections."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import picows
import uvloop

from bench import load, sockets
from bench.start import resident
from bench.table import Figure
from tests.harness import Node, plain_url, python_function, websocket_api

ECHO = """
def handler(event, context):
    return {"statusCode": 200, "body": event["body"]}
"""

POST_BACK = """
import boto3
def handler(event, context):
    at = event["requestContext"]
    global api
    if "api" not in globals():
        api = boto3.client("apigatewaymanagementapi", endpoint_url=f"https://{at['domainName']}/{at['stage']}")
    api.post_to_connection(ConnectionId=at["connectionId"], Data=event["body"])
    return {"statusCode": 200}
"""

POST_BARE = """
import http.client, os, urllib.parse
node = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
connection = http.client.HTTPConnection(node.hostname, node.port)
def handler(event, context):
    at = event["requestContext"]
    id = urllib.parse.quote(at["connectionId"], safe="")
    connection.request("POST", f"/_aws/execute-api/{at['apiId']}/{at['stage']}/@connections/{id}", event["body"])
    connection.getresponse().read()
    return {"statusCode": 200}
"""


def figures(folder: Path, seconds: float) -> list[Figure]:
    node = Node(folder / "node")
    try:
        floor = load.run(node.port, [echo_request()], connections=1, seconds=seconds / 2)
        floor_many = load.run(node.port, [echo_request()], connections=32, seconds=seconds / 2)
        found = _messages(node, seconds, floor.p50_ms)
        found += _posts(node, seconds, floor_many.per_second)
    finally:
        node.stop()
    node = Node(folder / "idle")
    try:
        found += _idle(node, 5000 if seconds >= 1 else 500)
    finally:
        node.stop()
    return found


def echo_request() -> bytes:
    return b"GET /_cloudlet/echo HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@contextmanager
def api_of(node: Node, arn: str | None) -> Iterator[tuple[str, str]]:
    """An API that echoes through the function, or one whose messages find no route; its URL and its id."""
    routes = ["$default"] if arn else ["nothing"]
    with websocket_api(node, arn, *routes, stage="bench", two_way=True) as api:
        yield plain_url(node, api, "bench"), api


def _messages(node: Node, seconds: float, floor: float) -> list[Figure]:
    functions = node.client("lambda")
    beside = f"HTTP echo, one caller, {floor:.3f} ms"
    found = []
    with python_function(functions, "echo", ECHO) as arn, api_of(node, arn) as (url, _):
        sockets.run(url, '{"action":"x"}', sockets=8, seconds=0.3)
        one = sockets.run(url, '{"action":"x"}', sockets=1, seconds=seconds)
        eight = sockets.run(url, '{"action":"x"}', sockets=8, seconds=seconds)
    assert not one.errors + eight.errors, "messages failed"
    found.append(
        Figure("message → function → route response, 1 socket, p50", one.p50_ms, "ms", 0.6, True, beside)
    )
    found.append(Figure("the same, 8 sockets, in all", eight.per_second, "/s", 4000, False, beside))
    for name, source, target in (
        ("message → function → its PostToConnection (boto3), p50", POST_BACK, 4.0),
        ("the same with a bare HTTP client: the node's own share, p50", POST_BARE, 1.0),
    ):
        with python_function(functions, "post", source) as arn, api_of(node, arn) as (url, _):
            sockets.run(url, '{"action":"x"}', sockets=1, seconds=0.5)
            result = sockets.run(url, '{"action":"x"}', sockets=1, seconds=seconds)
        assert not result.errors, "messages failed"
        found.append(Figure(name, result.p50_ms, "ms", target, True, beside))
    return found


def _posts(node: Node, seconds: float, floor: float) -> list[Figure]:
    async def measure(url: str, api: str) -> load.Result:
        loop = asyncio.get_running_loop()
        named: asyncio.Future[str] = loop.create_future()
        _, reader = await picows.ws_connect(lambda: Reader(named), url)
        reader.transport.send(picows.WSMsgType.TEXT, b"who am I")
        id = quote(await asyncio.wait_for(named, 10), safe="")
        request = (
            f"POST /_aws/execute-api/{api}/bench/@connections/{id} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            "Content-Length: 5\r\n\r\nhello"
        ).encode()
        result = await asyncio.to_thread(load.run, node.port, [request], connections=32, seconds=seconds)
        reader.transport.disconnect()
        return result

    with api_of(node, None) as (url, api):
        result = uvloop.run(measure(url, api))
    assert not result.errors, f"{result.errors} posts failed"
    beside = f"HTTP echo, 32 callers, {floor:,.0f}/s"
    return [Figure("PostToConnection, 32 callers, raw HTTP", result.per_second, "/s", 10000, False, beside)]


class Reader(picows.WSListener):
    """Reads what comes; the first frame is the gateway's error, which names the connection."""

    def __init__(self, named: asyncio.Future[str]) -> None:
        self.named = named
        self.transport: picows.WSTransport

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if not self.named.done():
            self.named.set_result(json.loads(frame.get_payload_as_bytes())["connectionId"])


def _idle(node: Node, count: int) -> list[Figure]:
    async def measure(url: str) -> float:
        opened: list[Any] = []
        await _open(url, 50, opened)
        before = resident(node.pid)
        await _open(url, count, opened)
        each = (resident(node.pid) - before) * 1024 / count
        for transport in opened:
            transport.disconnect()
        return each

    async def _open(url: str, many: int, opened: list[Any]) -> None:
        for start in range(0, many, 50):
            batch = [picows.ws_connect(picows.WSListener, url) for _ in range(min(50, many - start))]
            opened.extend(transport for transport, _ in await asyncio.gather(*batch))

    with api_of(node, None) as (url, _):
        each = uvloop.run(measure(url))
    return [
        Figure(
            f"{count:,} idle WebSocket connections, each",
            each,
            "KB",
            15,
            True,
            "a socket pair in the kernel, not counted here",
        )
    ]
