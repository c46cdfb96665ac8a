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


def wake():
    """To updateDBV3: there is something to tell."""
    _send("POINTS_QUEUE", {})


def catch_up(connection, since):
    """To catchUpClientV3: this connection has what is up to `since` (None: nothing)."""
    _send("CATCH_UP_QUEUE", {"connectionId": connection, "since": since})


def _send(queue, message):
    body = json.dumps(message, separators=(",", ":"))
    request = json.dumps({"QueueUrl": os.environ[queue], "MessageBody": body}).encode()
    for _ in range(2):
        answer = _sqs.ask("/", request)
        if not answer.again:
            break
    if answer.status != 200:
        raise RuntimeError(f"SendMessage to {queue}: {answer.status} {answer.body[:300]!r}")
