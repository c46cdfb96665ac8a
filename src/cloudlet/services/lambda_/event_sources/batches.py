"""Messages of a queue as a function sees them, and what its answer says of each."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import orjson

from ....patterns import Pattern
from .. import model

_ATTRIBUTES = ("ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp")


class Message:
    """A received message: its handle, and its record as it goes to the function."""

    __slots__ = ("encoded", "handle", "id")

    def __init__(self, id: str, handle: str, record: dict[str, Any]) -> None:
        self.id = id
        self.handle = handle
        self.encoded = orjson.dumps(record)


class Hand:
    """What was taken and not handed over, in order. A message that is taken again meanwhile, because the queue has
    shown it again, is there once, with its last handle."""

    def __init__(self, number: int) -> None:
        """A batch has at most `number` messages."""
        self._messages: dict[str, Message] = {}
        self._number = number
        self._bytes = len(payload(()))

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def is_full(self) -> bool:
        """Whether there is a whole batch."""
        return len(self._messages) >= self._number or self._bytes >= model.BATCH_BYTES

    def add(self, message: Message) -> None:
        before = self._messages.get(message.id)
        self._messages[message.id] = message
        self._bytes += len(message.encoded) + 1
        if before is not None:
            self._bytes -= len(before.encoded) + 1

    def batch(self) -> list[Message]:
        """Take out as much as one invocation may have."""
        size, number = len(payload(())), 0
        for message in islice(self._messages.values(), self._number):
            size += len(message.encoded) + 1
            if number and size > model.BATCH_BYTES:
                break
            number += 1
        return self._take(number)

    def rest(self) -> list[Message]:
        return self._take(len(self._messages))

    def _take(self, number: int) -> list[Message]:
        taken = list(islice(self._messages.values(), number))
        for message in taken:
            del self._messages[message.id]
        self._bytes -= sum(len(message.encoded) + 1 for message in taken)
        return taken


def record_of(message: dict[str, Any], source: str, region: str) -> dict[str, Any]:
    """The record, from what ReceiveMessage gives."""
    system = message["Attributes"]
    first = {name: system[name] for name in _ATTRIBUTES if name in system}
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": first | system,
        "messageAttributes": {
            name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": source,
        "awsRegion": region,
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if "StringValue" in value:
        shown["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        shown["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return {**shown, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def payload(messages: Iterable[Message]) -> bytes:
    return b'{"Records":[' + b",".join([message.encoded for message in messages]) + b"]}"


def is_wanted(record: dict[str, Any], patterns: Sequence[Pattern]) -> bool:
    """Whether one of the patterns matches. A pattern for a JSON body never matches a plain one, nor the other way
    round; a body counts as JSON if it is an object or an array."""
    body: Any = None
    if any(pattern.bodies for pattern in patterns):
        body = _parsed(record["body"])
    as_json = record if body is None else {**record, "body": body}
    for pattern in patterns:
        if pattern.bodies and (body is not None) not in pattern.bodies:
            continue
        if pattern.matches(as_json if pattern.bodies else record):
            return True
    return False


def _parsed(body: str) -> Any:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict | list) else None


def failed_items(answer: bytes, known: frozenset[str]) -> frozenset[str]:
    """The messages that the function says have failed; all of them if its answer can't be understood. An answer that
    is empty in any way, or has no list or an empty one, says that none has."""
    try:
        response = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return known
    if not response:
        return frozenset()
    if not isinstance(response, dict):
        return known
    items = response.get("batchItemFailures")
    if items is None:
        return frozenset()
    if not isinstance(items, list):
        return known
    failed = set()
    for item in items:
        id = item.get("itemIdentifier") if isinstance(item, dict) else None
        if not isinstance(id, str) or id not in known:
            return known
        failed.add(id)
    return frozenset(failed)
