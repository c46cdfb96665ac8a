"""Clients that leave in the middle of a long poll: a message that comes then is for those who are still there."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from bench.load import signed

POLLS = 5


def poll(node: Any, url: str) -> socket.socket:
    """A connection on which a long poll has been asked for."""
    headers = {"X-Amz-Target": "AmazonSQS.ReceiveMessage", "Content-Type": "application/x-amz-json-1.0"}
    body = json.dumps({"QueueUrl": url, "WaitTimeSeconds": 20}).encode()
    connection = socket.create_connection(("127.0.0.1", node.port), timeout=20)
    connection.sendall(signed(node.endpoint, "POST", "/", headers, body, "sqs"))
    return connection


@pytest.mark.node_only
def test_a_poll_that_was_left_takes_nothing(node: Any, queue: Any) -> None:
    made = queue()
    for connection in [poll(node, made.url) for _ in range(POLLS)]:
        made.attribute("QueueArn")
        connection.close()
    made.attribute("QueueArn")
    made.send("for somebody else")
    [got] = made.receive()
    assert got["Body"] == "for somebody else"
    assert got["Attributes"]["ApproximateReceiveCount"] == "1"


@pytest.mark.node_only
def test_who_has_only_stopped_sending_still_gets_the_message(node: Any, queue: Any) -> None:
    made = queue()
    with poll(node, made.url) as connection:
        connection.shutdown(socket.SHUT_WR)
        made.attribute("QueueArn")
        made.send("for the one who waits")
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert b"HTTP/1.1 200 OK" in answer
    assert b"for the one who waits" in answer
    assert made.receive() == []
