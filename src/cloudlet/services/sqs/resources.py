"""SQS's CloudFormation types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...resources import Call, Params, Resource, View

PLAIN = (
    "DelaySeconds", "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MaximumMessageSize",
    "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy", "RedrivePolicy",
    "SqsManagedSseEnabled", "VisibilityTimeout",
)  # fmt: skip
FIFO = ("ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "FifoThroughputLimit")
DEFAULTS = {
    "DelaySeconds": 0,
    "KmsDataKeyReusePeriodSeconds": 300,
    "KmsMasterKeyId": "",
    "MaximumMessageSize": 1_048_576,
    "MessageRetentionPeriod": 345_600,
    "ReceiveMessageWaitTimeSeconds": 0,
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": True,
    "VisibilityTimeout": 30,
}
"""What a property that leaves the template goes back to."""
_GONE = frozenset({"QueueDoesNotExist"})


def _tags(tags: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or ()}


def _create_queue(view: View) -> Params:
    given = {name: view.new[name] for name in PLAIN if name in view.new}
    given |= {name: view.new[name] for name in FIFO if str(view.new.get(name, "false")).lower() != "false"}
    return {"QueueName": view.new["QueueName"], "Attributes": given, "tags": _tags(view.new.get("Tags"))}


def _refuse_fifo(view: View) -> Sequence[Params]:
    """A queue that is to become one of FIFO is refused as its creation would be; `false` and absence are the same."""
    wanted = _create_queue(view)
    return [wanted] if any(name in wanted["Attributes"] for name in FIFO) else []


def _update_queue(view: View) -> Sequence[Params]:
    changed = {name: view.new.get(name, DEFAULTS[name]) for name in PLAIN if view.changed(name)}
    if changed.get("KmsMasterKeyId") and "SqsManagedSseEnabled" not in view.new:
        changed.pop("SqsManagedSseEnabled", None)
    return [{"QueueUrl": view.id, "Attributes": changed}] if changed else []


def _tag_queue(view: View) -> Sequence[Params]:
    tags = _tags(view.new.get("Tags"))
    return [{"QueueUrl": view.id, "Tags": tags}] if tags else []


def _untag_queue(view: View) -> Sequence[Params]:
    gone = sorted(_tags(view.old.get("Tags")).keys() - _tags(view.new.get("Tags")).keys())
    return [{"QueueUrl": view.id, "TagKeys": gone}] if gone else []


def _queues(properties: Params) -> list[str]:
    """Of a QueuePolicy, or the one of a QueueInlinePolicy."""
    found: list[str] = properties["Queues"] if "Queues" in properties else [properties["Queue"]]
    return found


def _put_policy(view: View) -> Sequence[Params]:
    document = view.new["PolicyDocument"]
    return [{"QueueUrl": url, "Attributes": {"Policy": document}} for url in _queues(view.new)]


def _leave_policy(view: View) -> Sequence[Params]:
    left = [url for url in view.old["Queues"] if url not in view.new["Queues"]]
    return [{"QueueUrl": url, "Attributes": {"Policy": ""}} for url in left]


def _delete_policy(view: View) -> Sequence[Params]:
    return [{"QueueUrl": url, "Attributes": {"Policy": ""}} for url in _queues(view.new)]


RESOURCES: dict[str, Resource] = {
    "AWS::SQS::Queue": Resource(
        name="QueueName",
        name_max=80,
        create=[Call("sqs", "CreateQueue", _create_queue)],
        update=[
            Call("sqs", "CreateQueue", _refuse_fifo, when=set(FIFO)),
            Call("sqs", "SetQueueAttributes", _update_queue, when=set(PLAIN)),
            Call("sqs", "UntagQueue", _untag_queue, when={"Tags"}),
            Call("sqs", "TagQueue", _tag_queue, when={"Tags"}),
        ],
        delete=[Call("sqs", "DeleteQueue", lambda view: {"QueueUrl": view.id}, gone=_GONE)],
        id="{QueueUrl}",
        attributes={
            "Arn": "arn:{partition}:sqs:{region}:{account}:{QueueName}",
            "QueueName": "{QueueName}",
            "QueueUrl": "{QueueUrl}",
        },
        replace={"QueueName"},
    ),
    "AWS::SQS::QueuePolicy": Resource(
        required={"PolicyDocument", "Queues"},
        create=[Call("sqs", "SetQueueAttributes", _put_policy)],
        update=[
            Call("sqs", "SetQueueAttributes", _leave_policy, when={"Queues"}, gone=_GONE),
            Call("sqs", "SetQueueAttributes", _put_policy),
        ],
        delete=[Call("sqs", "SetQueueAttributes", _delete_policy, gone=_GONE)],
        id="{stack_name}-{logical_id}",
    ),
    "AWS::SQS::QueueInlinePolicy": Resource(
        required={"PolicyDocument", "Queue"},
        create=[Call("sqs", "SetQueueAttributes", _put_policy)],
        update=[Call("sqs", "SetQueueAttributes", _put_policy)],
        delete=[Call("sqs", "SetQueueAttributes", _delete_policy, gone=_GONE)],
        id="{Queue}",
        replace={"Queue"},
    ),
}
