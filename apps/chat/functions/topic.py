"""The topic by which messages go to translation."""

import json
import os
from urllib.parse import urlencode

from aws import REGION, Service

TOPIC = os.environ.get("translationTopic", "")  # noqa: SIM112 - the workshop's name
MOST = 10
"""Entries of one PublishBatch."""

_service = Service(
    "sns",
    f"sns.{REGION}.{os.environ.get('URL_SUFFIX', 'amazonaws.com')}",
    {"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
)


def publish(messages, languages):
    """Have the messages translated, if there are languages into which; who is told of them after this knows that they
    will be."""
    bodies = [_body(message, languages) for message in messages if languages and not message["deleted"]]
    for start in range(0, len(bodies), MOST):
        _publish(bodies[start : start + MOST])


def _body(message, languages):
    names = ("room", "seq", "userHandle", "timestamp", "version", "text", "language")
    body = {name: message[name] for name in names if name in message}
    return json.dumps({**body, "languages": languages}, ensure_ascii=False)


def _publish(bodies):
    form = {"Action": "PublishBatch", "Version": "2010-03-31", "TopicArn": TOPIC}
    for number, body in enumerate(bodies, 1):
        entry = f"PublishBatchRequestEntries.member.{number}"
        form |= {f"{entry}.Id": str(number), f"{entry}.Message": body}
    for _ in range(3):
        answer = _service.ask("/", urlencode(form).encode())
        if not answer.again:
            break
    if (
        answer.status != 200
        or b"<BatchResultErrorEntry>" in answer.body
        or b"<Failed><member>" in answer.body
    ):
        raise RuntimeError(f"PublishBatch: {answer.status} {answer.body[:500]!r}")
