"""Queues of SQS: 32 keep-alive callers, beside the same node's echo; and whole lives of messages, from send to delete.

As a program (`python -m bench.queues PORT QUEUE CALLERS SECONDS`) it is the load of the latter, in its own process.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httptools
import orjson
import uvloop

from bench import load
from bench.table import Figure
from tests.harness import ACCOUNT, Node

BODIES = 500
SMALL, LARGE = 1_000, 50_000
"""Messages that lie in the two queues whose speed is compared."""


def figures(folder: Path, seconds: float) -> list[Figure]:
    node = Node(folder / "queues")
    try:
        client = node.client("sqs")
        for name in ("echo", "send", "batch", "cycle", "small", "large"):
            client.create_queue(QueueName=name)
        echo = _load(node, seconds, "/_cloudlet/echo", "SendMessage", _message)
        floor = f"echo {echo.per_second:,.0f}/s"
        sent = _load(node, seconds, "/", "SendMessage", _message)
        batch = _load(node, seconds, "/", "SendMessageBatch", _batch)
        cycles = _cycles(node, "cycle", seconds)
        _fill(node, "small", SMALL)
        _fill(node, "large", LARGE)
        small, large = _cycles(node, "small", seconds), _cycles(node, "large", seconds)
        note = f"p50 {sent.p50_ms:.2f} ms, p99 {sent.p99_ms:.2f} ms"
        return [
            Figure(
                "SendMessage, durable, 32 callers", sent.per_second, "/s", 10_000, False, f"{floor}; {note}"
            ),
            Figure(
                "messages by SendMessageBatch of 10", batch.per_second * 10, "/s", 20_000, False, floor
            ),
            Figure("send, receive, delete: cycles of 32 callers", cycles, "/s", 3_000, False, floor),
            Figure(
                f"time of a cycle, {LARGE:,} messages beside {SMALL:,}", small / large, "", 1.3, True
            ),
        ]  # fmt: skip
    finally:
        node.stop()


def _load(node: Node, seconds: float, path: str, operation: str, body: object) -> load.Result:
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{operation}"}
    requests = [
        load.signed(node.endpoint, "POST", path, headers, json.dumps(body(n)).encode(), "sqs")  # type: ignore[operator]
        for n in range(BODIES)
    ]
    result = load.run(node.port, requests, connections=32, seconds=seconds)
    assert result.errors == 0, result
    return result


def _url(queue: str) -> str:
    return f"http://localhost/{ACCOUNT}/{queue}"


def _text(number: int) -> str:
    return f"The message with number {number} says little, in about a hundred bytes, as most messages of services do."


def _message(number: int) -> dict[str, object]:
    return {"QueueUrl": _url("send"), "MessageBody": _text(number)}


def _batch(number: int, queue: str = "batch") -> dict[str, object]:
    entries = [{"Id": str(n), "MessageBody": _text(number + n)} for n in range(10)]
    return {"QueueUrl": _url(queue), "Entries": entries}


def _fill(node: Node, queue: str, count: int) -> None:
    client = node.client("sqs")
    for number in range(0, count, 10):
        client.send_message_batch(**_batch(number, queue))


def _cycles(node: Node, queue: str, seconds: float) -> float:
    command = [sys.executable, "-m", "bench.queues", str(node.port), queue, "32", str(seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=seconds + 30)
    return float(done.stdout)


class Caller(asyncio.Protocol):
    """Sends a message, receives one, deletes it, and again. Unsigned requests act as the account."""

    def __init__(self, queue: str, until: float) -> None:
        self._queue = _url(queue)
        self._until = until
        self._steps = self._script()
        self._body = b""
        self.cycles = 0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)
        self._ask()

    def _script(self) -> Iterator[tuple[str, dict[str, object]]]:
        while time.perf_counter() < self._until:
            yield "SendMessage", {"QueueUrl": self._queue, "MessageBody": _text(self.cycles)}
            yield "ReceiveMessage", {"QueueUrl": self._queue}
            for message in orjson.loads(self._body).get("Messages", ()):
                handle = message["ReceiptHandle"]
                yield "DeleteMessage", {"QueueUrl": self._queue, "ReceiptHandle": handle}
                self.cycles += 1

    def _ask(self) -> None:
        step = next(self._steps, None)
        if step is None:
            self._transport.close()
            self.done.set_result(None)
            return
        body = orjson.dumps(step[1])
        self._body = b""
        self._transport.write(  # type: ignore[attr-defined]
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
            b"X-Amz-Target: AmazonSQS.%b\r\nContent-Length: %d\r\n\r\n%b"
            % (step[0].encode(), len(body), body)
        )

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        assert self._parser.get_status_code() == 200, self._body
        self._ask()


async def _drive(port: int, queue: str, callers: int, seconds: float) -> float:
    began = time.perf_counter()
    made = [Caller(queue, began + seconds) for _ in range(callers)]
    loop = asyncio.get_running_loop()
    for caller in made:
        await loop.create_connection(lambda caller=caller: caller, "127.0.0.1", port)
    await asyncio.gather(*(caller.done for caller in made))
    return sum(caller.cycles for caller in made) / (time.perf_counter() - began)


if __name__ == "__main__":
    print(uvloop.run(_drive(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))))
