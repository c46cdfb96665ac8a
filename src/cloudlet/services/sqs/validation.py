"""Stateless checks of SQS's requests, in the service's words. The model's own constraints say nothing here: what is
missing is told as SQS tells it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ...errors import AwsError
from . import messages, model

Request = dict[str, Any]
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


def _needs(*members: str) -> Callable[[Request], Request]:
    def check(request: Request) -> Request:
        for member in members:
            if not request.get(member):
                raise model.missing(member)
        return request

    return check


cancel_message_move_task = _needs("TaskHandle")
create_queue = _needs("QueueName")
delete_message = _needs("QueueUrl", "ReceiptHandle")
get_queue_url = _needs("QueueName")
list_message_move_tasks = _needs("SourceArn")
remove_permission = _needs("QueueUrl", "Label")
set_queue_attributes = _needs("QueueUrl", "Attributes")
tag_queue = _needs("QueueUrl", "Tags")
untag_queue = _needs("QueueUrl", "TagKeys")


def add_permission(request: Request) -> Request:
    _needs("QueueUrl", "Label")(request)
    for member, element in (("AWSAccountIds", "AWSAccountId"), ("Actions", "ActionName")):
        if not request.get(member):
            raise model.missing(element)
    if not _ENTRY_ID.fullmatch(request["Label"]):
        raise model.invalid_value(
            request["Label"],
            "Label",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        )
    return request


def send_message(request: Request) -> Request:
    if not request.get("QueueUrl"):
        raise model.missing("QueueUrl")
    messages.checked_body(request.get("MessageBody"))
    check_extras(request)
    return request


def check_extras(request: Request) -> None:
    """What a message has beside its body."""
    messages.check_delay(request.get("DelaySeconds"))
    messages.check_group(request.get("MessageGroupId"))
    if "MessageAttributes" in request:
        messages.check_attributes(request["MessageAttributes"])
    if "MessageSystemAttributes" in request:
        messages.check_system_attributes(request["MessageSystemAttributes"])
    _only_of_fifo(request, "MessageDeduplicationId")


def _only_of_fifo(request: Request, member: str) -> None:
    if member in request:
        raise model.invalid_value(
            request[member], member, "The request include parameter that is not valid for this queue type."
        )


def receive_message(request: Request) -> Request:
    _needs("QueueUrl")(request)
    _only_of_fifo(request, "ReceiveRequestAttemptId")
    for member, low, high, words in (
        ("MaxNumberOfMessages", 1, model.MAX_BATCH, f"between 1 and {model.MAX_BATCH}"),
        ("WaitTimeSeconds", 0, model.MAX_WAIT, f">= 0 and <= {model.MAX_WAIT}"),
        ("VisibilityTimeout", 0, model.MAX_VISIBILITY, f">= 0 and <= {model.MAX_VISIBILITY}"),
    ):
        value = request.get(member)
        if value is not None and not low <= value <= high:
            raise model.invalid_value(value, member, f"Must be {words}, if provided.")
    for name in (*request.get("AttributeNames", ()), *request.get("MessageSystemAttributeNames", ())):
        if name not in model.SYSTEM_ATTRIBUTES:
            raise model.unknown_attribute(name)
    return request


def check_visibility(seconds: int | None) -> int:
    if seconds is None:
        raise model.missing("VisibilityTimeout")
    if not 0 <= seconds <= model.MAX_VISIBILITY:
        raise model.invalid_value(
            seconds,
            "VisibilityTimeout",
            f"VisibilityTimeout must be an integer between 0 and {model.MAX_VISIBILITY}.",
        )
    return seconds


def change_message_visibility(request: Request) -> Request:
    _needs("QueueUrl", "ReceiptHandle")(request)
    check_visibility(request.get("VisibilityTimeout"))
    return request


def _batch(element: str) -> Callable[[Request], Request]:
    def check(request: Request) -> Request:
        _needs("QueueUrl")(request)
        entries = request.get("Entries") or []
        if not entries:
            raise AwsError("EmptyBatchRequest", f"There should be at least one {element} in the request.")
        if len(entries) > model.MAX_BATCH:
            raise AwsError(
                "TooManyEntriesInBatchRequest",
                f"Maximum number of entries per request are {model.MAX_BATCH}. You have sent {len(entries)}.",
            )
        seen: set[str] = set()
        for entry in entries:
            id = entry.get("Id")
            if id is None:
                raise model.missing(f"{element}.Id")
            if not _ENTRY_ID.fullmatch(id):
                raise AwsError(
                    "InvalidBatchEntryId",
                    "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                    "It can be at most 80 letters long.",
                )
            if id in seen:
                raise AwsError("BatchEntryIdsNotDistinct", f"Id {id} repeated.")
            seen.add(id)
        return request

    return check


change_message_visibility_batch = _batch("ChangeMessageVisibilityBatchRequestEntry")
delete_message_batch = _batch("DeleteMessageBatchRequestEntry")
_send_message_batch = _batch("SendMessageBatchRequestEntry")


def send_message_batch(request: Request) -> Request:
    _send_message_batch(request)
    size = sum(
        messages.size_of((entry.get("MessageBody") or "").encode(), entry.get("MessageAttributes", {}))
        for entry in request["Entries"]
    )
    if size > model.MAX_MESSAGE:
        raise AwsError(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {model.MAX_MESSAGE} bytes. You have sent {size} bytes.",
        )
    return request


def start_message_move_task(request: Request) -> Request:
    _needs("SourceArn")(request)
    rate = request.get("MaxNumberOfMessagesPerSecond")
    if rate is not None and not 1 <= rate <= model.MOVES_PER_SECOND:
        raise model.invalid_value(
            rate,
            "MaxNumberOfMessagesPerSecond",
            f"Must be between 1 and {model.MOVES_PER_SECOND}, if provided.",
        )
    return request
