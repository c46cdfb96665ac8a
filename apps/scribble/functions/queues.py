"""Messages to the two queues."""

import json
import os

from aws import REGION, Service

_sqs = Service(
    "sqs",
    f"sqs.{REGION}.{os.environ.get('URL_SUFFIX', 'amazonaws.com')}",
    {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessage"},
)


def points(id, points):
    """To updateDBV3: keep these points, and tell everybody."""
    _send("POINTS_QUEUE", {"id": id, "points": points})


def wake(seconds):
    """To updateDBV3: look in so many seconds whether there is something to tell; -1: don't."""
    if seconds >= 0:
        _send("POINTS_QUEUE", {"wake": seconds}, seconds)


def catch_up(connection, since):
    """To catchUpClientV3: this connection has what is up to `since` (None: nothing)."""
    _send("CATCH_UP_QUEUE", {"connectionId": connection, "since": since})


def _send(queue, message, delay=0):
    body = json.dumps(message, separators=(",", ":"))
    request = {"QueueUrl": os.environ[queue], "MessageBody": body, "DelaySeconds": delay}
    for _ in range(2):
        answer = _sqs.ask("/", json.dumps(request).encode())
        if not answer.again:
            break
    if answer.status != 200:
        raise RuntimeError(f"SendMessage to {queue}: {answer.status} {answer.body[:300]!r}")
