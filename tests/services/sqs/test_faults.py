"""The node is killed, or stopped while somebody waits: what was acknowledged holds."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any

import pytest

from tests.harness import Node, eventually

from .conftest import Queue

pytestmark = pytest.mark.node_only
WORKERS = 3
ENOUGH = 60


def send_until_it_dies(node: Node, url: str, name: str, sent: set[str], enough: threading.Event) -> None:
    client = node.client("sqs")
    for number in range(100_000):
        body = f"{name}-{number}"
        try:
            client.send_message(QueueUrl=url, MessageBody=body)
        except Exception:
            return
        sent.add(body)
        if len(sent) >= ENOUGH:
            enough.set()


def delete_until_it_dies(node: Node, url: str, touched: set[str], deleted: set[str]) -> None:
    """`touched` is what a delete was tried of: the node may have died after it did it, before it could say so."""
    client = node.client("sqs")
    while True:
        try:
            for message in client.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []):
                touched.add(message["Body"])
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                deleted.add(message["Body"])
        except Exception:
            return


@pytest.mark.slow
def test_kill_loses_nothing_acknowledged(fresh_node):
    node = fresh_node()
    url = Queue(node.client("sqs"), "kept").url
    sent: set[str] = set()
    touched: set[str] = set()
    deleted: set[str] = set()
    for round in range(3):
        enough = threading.Event()
        threads = [
            threading.Thread(target=send_until_it_dies, args=(node, url, f"{round}-{n}", sent, enough))
            for n in range(WORKERS)
        ]
        threads.append(threading.Thread(target=delete_until_it_dies, args=(node, url, touched, deleted)))
        already = len(sent)
        for thread in threads:
            thread.start()
        eventually(lambda already=already: len(sent) > already + ENOUGH)
        node.kill()
        for thread in threads:
            thread.join()
        node.restart()
    client = node.client("sqs")
    node.advance(31)
    left: set[str] = set()
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        bodies = {message["Body"] for message in messages}
        assert not bodies & left
        left |= bodies
    assert not left & deleted
    assert sent - touched <= left
    counts = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessagesNotVisible"] == str(len(left))


def test_handles_and_hidden_messages_outlive_a_restart(fresh_node):
    node = fresh_node()
    queue = Queue(node.client("sqs"), "kept", VisibilityTimeout=100)
    queue.send("hidden")
    queue.send("late", DelaySeconds=100)
    [got] = queue.receive()
    node.kill()
    node.restart()
    assert queue.counts() == (0, 1, 1)
    queue.delete(got)
    assert queue.counts() == (0, 0, 1)
    node.advance(101)
    assert queue.bodies() == ["late"]


def test_a_move_goes_on_after_a_kill(fresh_node):
    node = fresh_node()
    client = node.client("sqs")
    dead, made = Queue(client, "dead"), Queue(client, "made", VisibilityTimeout=0)
    made.set(RedrivePolicy=f'{{"deadLetterTargetArn":"{dead.arn}","maxReceiveCount":1}}')
    for n in range(6):
        made.send(str(n))
    made.receive(), made.receive()
    client.start_message_move_task(SourceArn=dead.arn, MaxNumberOfMessagesPerSecond=1)
    node.kill()
    node.restart()

    def done() -> dict[str, Any] | None:
        node.advance(1)
        [task] = client.list_message_move_tasks(SourceArn=dead.arn)["Results"]
        return task if task["Status"] == "COMPLETED" else None

    assert eventually(done)["ApproximateNumberOfMessagesMoved"] == 6
    assert sorted(made.bodies()) == ["0", "1", "2", "3", "4", "5"]


def test_a_stop_answers_who_waits(fresh_node):
    node = fresh_node()
    queue = Queue(node.client("sqs"), "waited-for")
    waiting = http.client.HTTPConnection("127.0.0.1", node.port)
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.ReceiveMessage"}
    waiting.request("POST", "/", json.dumps({"QueueUrl": queue.url, "WaitTimeSeconds": 20}), headers)
    queue.send("to another", DelaySeconds=60)  # by now the node has read what was sent before
    began = time.monotonic()
    assert node.stop() == 0
    answer = waiting.getresponse()
    assert (answer.status, answer.read()) == (200, b"{}")
    waiting.close()
    assert time.monotonic() - began < 4
