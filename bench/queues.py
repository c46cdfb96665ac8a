"""Queues of SQS: 32 keep-alive callers, beside the same node's echo; whole lives of messages, from send to delete, in a
small queue and in a large one; and how soon a function starts for a message.

As a program (`python -m bench.queues PORT QUEUE CALLERS SECONDS`) it is the load of the lives, in its own process.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import httptools
import orjson
import uvloop

from bench import load
from bench.table import Figure
from cloudlet.names import request_id
from cloudlet.services.sqs import messages, storage
from cloudlet.store.interface import Transaction
from cloudlet.store.sqlite import SqliteStore
from tests.harness import ACCOUNT, REGION, Node, python_function

BODIES = 500
SMALL, LARGE = 1_000, 1_000_000
"""Messages that lie in the two queues whose speed is compared; in a short run the large one has a twentieth."""
FILL_STEP = 1_000
ROUNDS = 3
"""The two queues are measured in turns, so that both see the same machine."""
OPERATIONS = ("SendMessage", "ReceiveMessage", "DeleteMessage")


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
        cycles, _ = _cycles(node, "cycle", seconds)
        note = f"p50 {sent.p50_ms:.2f} ms, p99 {sent.p99_ms:.2f} ms"
        return [
            Figure(
                "SendMessage, durable, 32 callers", sent.per_second, "/s", 10_000, False, f"{floor}; {note}"
            ),
            Figure(
                "messages by SendMessageBatch of 10", batch.per_second * 10, "/s", 20_000, False, floor
            ),
            Figure("send, receive, delete: cycles of 32 callers", cycles, "/s", 3_000, False, floor),
            *_starts(node, seconds),
            *_sizes(node, seconds),
        ]  # fmt: skip
    finally:
        node.stop()


# --- a small queue and a large one -----------------------------------------------------------


def _sizes(node: Node, seconds: float) -> list[Figure]:
    large = LARGE if seconds >= 1 else LARGE // 20
    node.stop()
    uvloop.run(_fill(node.data, {"small": SMALL, "large": large}))
    node.start()
    times: dict[str, dict[str, list[float]]] = {"small": defaultdict(list), "large": defaultdict(list)}
    for _ in range(ROUNDS):
        for queue, found in times.items():
            for operation, took in _cycles(node, queue, seconds)[1].items():
                found[operation].append(took)
    mean = {
        queue: {operation: statistics.median(each) for operation, each in found.items()}
        for queue, found in times.items()
    }
    ratio = sum(mean["large"].values()) / sum(mean["small"].values())
    parts = ", ".join(
        f"{operation.removesuffix('Message').lower()} {mean['large'][operation] / mean['small'][operation]:.2f}"
        for operation in OPERATIONS
    )
    title = f"time of a message, {large:,} in the queue beside {SMALL:,}"
    return [Figure(title, ratio, "", 1.3, True, parts)]


async def _fill(data: Path, counts: dict[str, int]) -> None:
    """Put messages into the queues of a node that is stopped, faster than any client could."""
    store = await SqliteStore.open(data, durability="relaxed")
    for name, count in counts.items():
        sent = int(time.time() * 1000) - count

        async def step(tx: Transaction, name: str = name, count: int = count, sent: int = sent) -> int:
            queue = await storage.queue(tx, storage.Name(ACCOUNT, REGION, name))
            there = await storage.total(tx, queue)
            for number in range(there, min(count, there + FILL_STEP)):
                await storage.add(tx, _NoTimers(), queue, [_record(number)], sent + number, [0])
            return there

        while await store.transact(step) < count:
            await asyncio.sleep(0)
    await store.close()


class _NoTimers:
    """A queue of a bench doesn't live until its messages are too old."""

    def on(self, *_: object) -> None: ...

    async def set(self, *_: object) -> None: ...

    async def cancel(self, *_: object) -> None: ...


def _record(number: int) -> dict[str, object]:
    body = _text(number)
    digest = messages.body_digest(body.encode())
    return {"MessageId": request_id(), "Body": body, "MD5OfBody": digest, "SenderId": ACCOUNT}


# --- functions ---------------------------------------------------------------------------------

STARTS = 300
SOURCE = """
import os, time
file = open(os.environ["STARTS"], "a")

def handler(event, context):
    now = time.time()
    for record in event["Records"]:
        print(now - float(record['body']), file=file)
    file.flush()
"""


def _starts(node: Node, seconds: float) -> list[Figure]:
    """From just before the request to the first line of the handler, one message after the other."""
    file = node.data.parent / "starts"
    file.touch()
    node.client("sqs").create_queue(QueueName="starts")
    functions = node.client("lambda")
    variables = {"Variables": {"STARTS": str(file)}}
    count = STARTS if seconds >= 1 else STARTS // 10
    with python_function(functions, "starts", SOURCE, Environment=variables):
        mapping = functions.create_event_source_mapping(
            FunctionName="starts", EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:starts"
        )
        sends = [_sent(node, file, number) for number in range(-5, count)][5:]
        functions.delete_event_source_mapping(UUID=mapping["UUID"])
    times = sorted(float(line) * 1000 for line in file.read_text().split()[-count:])
    floor = f"SendMessage alone {statistics.median(sends) * 1000:.2f} ms"
    return [
        Figure("send to function start, p50", statistics.median(times), "ms", 5, True, floor),
        Figure("send to function start, p99", times[int(len(times) * 0.99)], "ms", 25, True, floor),
    ]


def _sent(node: Node, file: Path, number: int) -> float:
    """Send a message and wait until the function has it; the time of the sending alone."""
    before = file.stat().st_size
    connection = http.client.HTTPConnection("127.0.0.1", node.port)
    connection.connect()
    head = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage"}
    began = time.time()
    connection.request("POST", "/", json.dumps({"QueueUrl": _url("starts"), "MessageBody": str(began)}), head)
    answer = connection.getresponse()
    took = time.time() - began
    assert answer.status == 200, answer.read()
    connection.close()
    deadline = began + 10
    while file.stat().st_size == before and time.time() < deadline:
        time.sleep(0.002)
    return took


# --- loads ---------------------------------------------------------------------------------------


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


def _cycles(node: Node, queue: str, seconds: float) -> tuple[float, dict[str, float]]:
    """Lives of messages a second, and the mean time of each operation."""
    command = [sys.executable, "-m", "bench.queues", str(node.port), queue, "32", str(seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=seconds + 30)
    found = json.loads(done.stdout)
    return found["cycles"], found["means"]


class Caller(asyncio.Protocol):
    """Sends a message, receives one, deletes it, and again. Unsigned requests act as the account."""

    def __init__(self, queue: str, until: float) -> None:
        self._queue = _url(queue)
        self._until = until
        self._steps = self._script()
        self._body = b""
        self._began = 0.0
        self._operation = ""
        self.cycles = 0
        self.times: dict[str, list[float]] = defaultdict(list)
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
        self._operation = step[0]
        body = orjson.dumps(step[1])
        self._body = b""
        self._began = time.perf_counter()
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
        self.times[self._operation].append(time.perf_counter() - self._began)
        self._ask()


async def _drive(port: int, queue: str, callers: int, seconds: float) -> dict[str, object]:
    began = time.perf_counter()
    made = [Caller(queue, began + seconds) for _ in range(callers)]
    loop = asyncio.get_running_loop()
    for caller in made:
        await loop.create_connection(lambda caller=caller: caller, "127.0.0.1", port)
    await asyncio.gather(*(caller.done for caller in made))
    took = time.perf_counter() - began
    means = {
        operation: statistics.fmean(each for caller in made for each in caller.times[operation])
        for operation in OPERATIONS
    }
    return {"cycles": sum(caller.cycles for caller in made) / took, "means": means}


if __name__ == "__main__":
    found = uvloop.run(_drive(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
    print(json.dumps(found))
