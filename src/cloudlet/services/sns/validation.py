"""Stateless checks of SNS's requests, in the service's words; what the model constrains was told before."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

import orjson

from ...errors import AwsError
from . import attributes, model, storage

Request = dict[str, Any]
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,256}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_PHONE = re.compile(r"\+[1-9]\d{1,14}")
_FUNCTION = re.compile(r"arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_:$-]+")
_QUEUE = re.compile(r"arn:[a-z-]+:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]+")
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_GROUP = re.compile(r"[!-~]{1,128}")
_SUBJECT = re.compile("[\x00-\x1f\x7f-\x9f]")


def create_topic(request: Request) -> Request:
    given = request.get("Attributes") or {}
    if given.get("FifoTopic", "false").lower() == "true" or request["Name"].endswith(".fifo"):
        raise model.no_fifo()
    if not _TOPIC.fullmatch(request["Name"]):
        raise model.invalid("Topic Name")
    for name, value in given.items():
        if (name, value.lower()) not in (("FifoTopic", "false"), ("ContentBasedDeduplication", "false")):
            attributes.check_topic(name, value)
    if "DataProtectionPolicy" in request:
        raise AwsError("UnsupportedOperation", "Cloudlet does not support data protection policies")
    _check_tags(request.get("Tags") or [])
    return request


def _check_tags(tags: list[dict[str, str]]) -> None:
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) < len(keys):
        raise model.invalid("Duplicated keys are not allowed.")
    if len(keys) > model.MAX_TAGS:
        raise model.too_many_tags()


def tag_resource(request: Request) -> Request:
    _check_tags(request["Tags"])
    return request


def set_topic_attributes(request: Request) -> Request:
    storage.name_of(request["TopicArn"])
    attributes.check_topic(request["AttributeName"], request.get("AttributeValue") or "")
    return request


def subscribe(request: Request) -> Request:
    storage.name_of(request["TopicArn"])
    protocol, endpoint = request["Protocol"], request.get("Endpoint") or ""
    if protocol in model.ELSEWHERE:
        raise model.not_here(protocol)
    if protocol not in model.PROTOCOLS:
        raise model.invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    _check_endpoint(protocol, endpoint)
    return request


def _check_endpoint(protocol: str, endpoint: str) -> None:
    if protocol in ("http", "https") and not endpoint.startswith(f"{protocol}://"):
        raise model.invalid("Endpoint must match the specified protocol")
    if protocol in ("email", "email-json") and not _EMAIL.fullmatch(endpoint):
        raise model.invalid("Email address")
    if protocol == "sms" and not _PHONE.fullmatch(endpoint):
        raise AwsError("InvalidParameter", f"Invalid SMS endpoint: {endpoint}")
    if protocol == "sqs" and not _QUEUE.fullmatch(endpoint):
        raise model.invalid("SQS endpoint ARN")
    if protocol == "sqs" and endpoint.endswith(".fifo"):
        raise model.invalid(
            "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
        )
    if protocol == "lambda" and not _FUNCTION.fullmatch(endpoint):
        raise model.invalid("Lambda endpoint ARN")


def add_permission(request: Request) -> Request:
    storage.name_of(request["TopicArn"])
    if not request["ActionName"] or not request["AWSAccountId"]:
        raise model.invalid("Policy statement needs actions and accounts")
    if any(action not in model.ACTIONS for action in request["ActionName"]):
        raise model.invalid("Policy statement action out of service scope!")
    if any(not re.fullmatch(r"\d{12}", account) for account in request["AWSAccountId"]):
        raise model.invalid("Policy statement principal is not an account")
    return request


# --- publishing ------------------------------------------------------------


def publish(request: Request) -> Request:
    target = request.get("TopicArn") or request.get("TargetArn")
    phone = request.get("PhoneNumber")
    if phone is not None and not _PHONE.fullmatch(phone):
        raise model.invalid(f"PhoneNumber Reason: {phone} is not valid to publish to")
    if phone is None and not target and "TopicArn" not in request:
        raise model.invalid("TopicArn or TargetArn Reason: no value for required parameter")
    check_entry(request)
    if phone is None:
        if ":endpoint/" in str(target):
            raise model.invalid("TargetArn Reason: No endpoint found for the target arn specified")
        storage.name_of(target or "")
    return request


def check_entry(entry: Request) -> None:
    """What Publish and an entry of PublishBatch have in common. Raises for what can't be published."""
    message = entry.get("Message")
    if not message:
        raise model.invalid("Empty message")
    if "Subject" in entry:
        _check_subject(entry["Subject"])
    if "MessageAttributes" in entry:
        attributes.check_message(entry["MessageAttributes"])
    if size_of(entry) > model.MAX_MESSAGE:
        raise model.invalid("Message too long")
    if not _GROUP.fullmatch(entry.get("MessageGroupId", "-")):
        raise model.invalid(
            "MessageGroupId Reason: MessageGroupId can only include alphanumeric and punctuation characters. "
            "1 to 128 in length"
        )
    if "MessageDeduplicationId" in entry:
        raise model.invalid(
            "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid "
            "for this topic type"
        )
    texts_of(entry)


def _check_subject(subject: str) -> None:
    """Up to 100 characters of text without line breaks, which doesn't begin with a space."""
    if not 1 <= len(subject) <= model.MAX_SUBJECT or _SUBJECT.search(subject) or subject[0].isspace():
        raise model.invalid("Subject")


def size_of(entry: Request) -> int:
    """What counts for the limit: the message, and names, types and values of attributes."""
    size = len((entry.get("Message") or "").encode())
    for name, attribute in (entry.get("MessageAttributes") or {}).items():
        value = attribute.get("BinaryValue")
        text = len(value) if value is not None else len((attribute.get("StringValue") or "").encode())
        size += len(name) + len(attribute.get("DataType") or "") + text
    return size


def base64(value: bytes) -> str:
    return b64encode(value).decode()


def texts_of(entry: Request) -> dict[str, str]:
    """The texts of a message by protocol; "" is for those that have none of their own."""
    if entry.get("MessageStructure") != "json":
        return {"": entry["Message"]}
    try:
        found = orjson.loads(entry["Message"])
    except orjson.JSONDecodeError as error:
        raise model.invalid("Message Structure - JSON message body failed to parse") from error
    if not isinstance(found, dict) or not isinstance(found.get("default"), str):
        raise model.invalid("Message Structure - No default entry in JSON message body")
    texts = {name: text for name, text in found.items() if isinstance(text, str)}
    texts[""] = texts.pop("default")
    return texts


def publish_batch(request: Request) -> Request:
    storage.name_of(request["TopicArn"])
    entries = request.get("PublishBatchRequestEntries") or []
    if not entries:
        raise AwsError("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(entries) > model.MAX_BATCH:
        raise AwsError(
            "TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible."
        )
    ids = [entry["Id"] for entry in entries]
    if any(not _ENTRY_ID.fullmatch(id) for id in ids):
        raise AwsError(
            "InvalidBatchEntryId",
            "The Id of a batch entry in a batch request doesn't abide by the specification.",
        )
    if len(set(ids)) < len(ids):
        raise AwsError(
            "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id."
        )
    if sum(map(size_of, entries)) > model.MAX_MESSAGE:
        raise AwsError(
            "BatchRequestTooLong", "The length of all the messages put together is more than the limit."
        )
    return request
