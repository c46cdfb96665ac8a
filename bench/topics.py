"""Topics of SNS: acknowledged publishes by 32 keep-alive callers, and how fast messages reach a hundred queues."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import urlencode

from bench import load
from bench.table import Figure
from tests.harness import ACCOUNT, REGION, Node

BODIES = 500
QUEUES = 100
LET_IN = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def figures(folder: Path, seconds: float) -> list[Figure]:
    node = Node(folder / "topics")
    try:
        _subscribe(node, "quiet", 0)
        _subscribe(node, "one", 1)
        _subscribe(node, "many", QUEUES)
        _warm(node)
        echo = _load(node, seconds, "/_cloudlet/echo", "quiet")
        quiet = _load(node, seconds, "/", "quiet")
        one = _load(node, seconds, "/", "one")
        drained = _drain(node, ["one-0"])
        floor = f"echo {echo.per_second:,.0f}/s"
        note = f"p50 {quiet.p50_ms:.2f} ms, p99 {quiet.p99_ms:.2f} ms"
        both = f"{floor}; p99 {one.p99_ms:.2f} ms; its queue was filled {drained:.1f} s after the last"
        return [
            Figure("Publish, 32 callers, nobody subscribed", quiet.per_second, "/s", 4_000, False, f"{floor}; {note}"),
            Figure("Publish, durable, 32 callers, to one queue", one.per_second, "/s", 4_000, False, both),
            _fan_out(node, seconds, floor),
        ]  # fmt: skip
    finally:
        node.stop()


def _arn(topic: str) -> str:
    return f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}"


def _subscribe(node: Node, topic: str, queues: int) -> None:
    sns, sqs = node.client("sns"), node.client("sqs")
    sns.create_topic(Name=topic)
    for number in range(queues):
        queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{topic}-{number}"
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**LET_IN, "Resource": queue}]})
        sqs.create_queue(QueueName=f"{topic}-{number}", Attributes={"Policy": policy})
        sns.subscribe(TopicArn=_arn(topic), Protocol="sqs", Endpoint=queue)


def _warm(node: Node) -> None:
    """The first message makes the key with which all are signed."""
    node.client("sns").publish(TopicArn=_arn("one"), Message="first")
    _drain(node, ["one-0"], 1)


def _form(topic: str, number: int) -> bytes:
    text = f"The message with number {number} says little, in about a hundred bytes, as most messages of services do."
    parameters = {
        "Action": "Publish",
        "Version": "2010-03-31",
        "TopicArn": _arn(topic),
        "Message": text,
    }
    return urlencode(parameters).encode()


def _load(node: Node, seconds: float, path: str, topic: str) -> load.Result:
    requests = [
        load.signed(node.endpoint, "POST", path, FORM, _form(topic, number), "sns")
        for number in range(BODIES)
    ]
    result = load.run(node.port, requests, connections=32, seconds=seconds)
    assert result.errors == 0, result
    return result


def _count(node: Node, queue: str) -> int:
    sqs = node.client("sqs")
    names = ["ApproximateNumberOfMessages"]
    found = sqs.get_queue_attributes(QueueUrl=f"http://localhost/{ACCOUNT}/{queue}", AttributeNames=names)
    return int(found["Attributes"][names[0]])


def _drain(node: Node, queues: list[str], wanted: int = 0) -> float:
    """Seconds until no more comes into the queues (or until the first has `wanted`)."""
    began = time.perf_counter()
    last, since = -1, began
    while True:
        count = sum(_count(node, queue) for queue in queues)
        now = time.perf_counter()
        if wanted and count >= wanted:
            return now - began
        if count != last:
            last, since = count, now
        elif not wanted and now - since > 0.3:
            return since - began
        assert now - began < 120, f"{count} messages in {queues}"
        time.sleep(0.02)


def _fan_out(node: Node, seconds: float, floor: str) -> Figure:
    """A burst of publishes; deliveries per second from the first of them to the last delivery."""
    messages = max(10, round(seconds * 200))
    sns = node.client("sns")
    began = time.perf_counter()
    for number in range(0, messages, 10):
        entries = [
            {"Id": str(n), "Message": f"message {number + n} " + "x" * 80}
            for n in range(min(10, messages - number))
        ]
        sns.publish_batch(TopicArn=_arn("many"), PublishBatchRequestEntries=entries)
    acknowledged = time.perf_counter() - began
    last = f"many-{QUEUES - 1}"
    while _count(node, last) < messages or _count(node, "many-0") < messages:
        assert time.perf_counter() - began < 120
        time.sleep(0.01)
    took = time.perf_counter() - began
    missing = [n for n in range(QUEUES) if _count(node, f"many-{n}") != messages]
    assert not missing, missing
    note = f"{messages} messages acknowledged in {acknowledged:.2f} s, delivered in {took:.2f} s"
    return Figure(
        f"deliveries into {QUEUES} queues", messages * QUEUES / took, "/s", 20_000, False, floor, note
    )
