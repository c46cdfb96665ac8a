"""SQS's facts: quotas, attributes with their ranges and defaults, errors, CloudFormation types.

Quotas are those of "Amazon SQS quotas" in the Developer Guide (messages of 1 MiB since August 2025); texts are the
service's own.
"""

from __future__ import annotations

from typing import Any

from ...errors import AwsError
from .resources import RESOURCES as RESOURCES

UNSUPPORTED: dict[str, str] = {}

MAX_MESSAGE = 1_048_576
MAX_BATCH = 10
MAX_IN_FLIGHT = 120_000
MAX_ATTRIBUTES = 10
MAX_TAGS = 50
MAX_VISIBILITY = 43_200
MAX_WAIT = 20
MAX_DELAY = 900
MAX_LABEL_ACTIONS = 7
LIST_PAGE = 1000
MOVES_SHOWN = 10
MOVES_PER_SECOND = 500
"""The rate of StartMessageMoveTask, at most."""
NAME_SECONDS = 60
"""How long the name of a deleted queue stays taken."""
PURGE_SECONDS = 60

RANGES: dict[str, tuple[int, int]] = {
    "DelaySeconds": (0, MAX_DELAY),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1_024, MAX_MESSAGE),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, MAX_WAIT),
    "VisibilityTimeout": (0, MAX_VISIBILITY),
}
DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": str(MAX_MESSAGE),
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
DOCUMENTS = ("Policy", "RedrivePolicy", "RedriveAllowPolicy")
FIFO = ("FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")
COUNTS = {
    "ApproximateNumberOfMessages": "visible",
    "ApproximateNumberOfMessagesDelayed": "delayed",
    "ApproximateNumberOfMessagesNotVisible": "in_flight",
}
READ_ONLY = (*COUNTS, "CreatedTimestamp", "LastModifiedTimestamp", "QueueArn")
SETTABLE = frozenset((*RANGES, *DOCUMENTS, "KmsMasterKeyId", "SqsManagedSseEnabled"))
ATTRIBUTES = SETTABLE | frozenset(READ_ONLY) | frozenset(FIFO)

SYSTEM_ATTRIBUTES = frozenset((
    "All", "SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp",
    "SequenceNumber", "MessageDeduplicationId", "MessageGroupId", "AWSTraceHeader", "DeadLetterQueueSourceArn",
))  # fmt: skip

ACTIONS = frozenset((
    "*", "SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes",
    "GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue",
))  # fmt: skip
"""What AddPermission can grant."""

BATCH_CODES = {
    "InvalidParameterValueException": "InvalidParameterValue",
    "MissingRequiredParameterException": "MissingParameter",
    "MessageNotInflight": "AWS.SimpleQueueService.MessageNotInflight",
}
"""An entry of a batch that failed has the error's name in the query protocol."""


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


def invalid_value(value: Any, parameter: str, reason: str) -> AwsError:
    return invalid(f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def missing(parameter: str) -> AwsError:
    return AwsError(
        "MissingRequiredParameterException", f"The request must contain the parameter {parameter}."
    )


def no_queue() -> AwsError:
    return AwsError("QueueDoesNotExist", "The specified queue does not exist.")


def bad_address(url: str) -> AwsError:
    return AwsError("InvalidAddress", f"The address {url} is not valid for this endpoint.")


def queue_exists(attribute: str) -> AwsError:
    return AwsError(
        "QueueNameExists",
        f"A queue already exists with the same name and a different value for attribute {attribute}",
    )


def deleted_recently() -> AwsError:
    return AwsError(
        "QueueDeletedRecently",
        "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
    )


def purge_in_progress(name: str) -> AwsError:
    return AwsError(
        "PurgeQueueInProgress", f"Only one PurgeQueue operation on {name} is allowed every 60 seconds."
    )


def unknown_attribute(name: str) -> AwsError:
    return AwsError("InvalidAttributeName", f"Unknown Attribute {name}.")


def bad_attribute(name: str) -> AwsError:
    return AwsError("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def two_encryptions() -> AwsError:
    return AwsError(
        "InvalidAttributeName",
        "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
    )


def no_fifo() -> AwsError:
    return AwsError(
        "UnsupportedOperation",
        "Cloudlet does not support FIFO queues yet: create a standard queue, without FifoQueue and without the "
        "suffix .fifo in its name.",
    )


def bad_handle(handle: str) -> AwsError:
    return AwsError(
        "ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.'
    )


def not_available(handle: str) -> AwsError:
    return invalid_value(
        handle,
        "ReceiptHandle",
        "Message does not exist or is not available for visibility timeout change.",
    )


def not_in_flight() -> AwsError:
    return AwsError("MessageNotInflight", "The specified message isn't in flight.")


def over_limit() -> AwsError:
    return AwsError(
        "OverLimit",
        f"The maximum number of in flight messages is reached: {MAX_IN_FLIGHT} messages of the queue were received "
        "and not yet deleted.",
    )


def bad_contents() -> AwsError:
    return AwsError(
        "InvalidMessageContents",
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD"
        " | #x10000 to #x10FFFF",
    )


def too_long(limit: int) -> AwsError:
    return invalid(f"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes.")


def not_found(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message)
