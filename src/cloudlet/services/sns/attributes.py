"""Attributes of topics, subscriptions and messages: checked one by one, in the service's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from ...errors import AwsError
from ...policies.documents import BadPolicy, parsed
from . import filters, model, retries
from .storage import Record

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_QUEUE = re.compile(r"arn:[a-z-]+:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+(\.fifo)?")
ARRAY = "String.Array"
RESERVED = ("AWS.SNS.", "AWS.MM.")
"""Names with a meaning of their own: the sender of a text message, and the like."""


# --- topics ------------------------------------------------------------


def check_topic(name: str, value: str) -> None:
    """An attribute of a topic that somebody sets."""
    if name in ("FifoTopic", "ContentBasedDeduplication", "FifoThroughputScope", "ArchivePolicy"):
        raise model.no_fifo()
    if name not in model.TOPIC_ATTRIBUTES:
        raise model.invalid("AttributeName")
    if name == "DisplayName" and (len(value) > 100 or _CONTROL.search(value)):
        raise model.invalid("DisplayName")
    if name == "SignatureVersion" and value not in ("1", "2"):
        raise model.invalid("SignatureVersion")
    if name == "TracingConfig" and value not in ("PassThrough", "Active"):
        raise model.invalid("TracingConfig")
    if name == "Policy" and value:
        check_policy(value)
    if name == "DeliveryPolicy" and value:
        retries.check_topic(value)
    if name.endswith("SampleRate") and not (value.isdigit() and int(value) <= 100):
        raise model.invalid(name)


def check_policy(text: str) -> None:
    try:
        statements = parsed(text).statements
    except BadPolicy as error:
        raise model.invalid(f"Policy Error: {error}") from error
    for statement in statements:
        if statement.principals is None:
            raise model.invalid("Policy Error: a statement needs Principal")
        actions = statement.source.get("Action", statement.source.get("NotAction"))
        for action in actions if isinstance(actions, list) else [actions]:
            if action != "*" and not str(action).lower().startswith("sns:"):
                raise model.invalid("Policy statement action out of service scope!")


# --- subscriptions ------------------------------------------------------------


def check_subscription(name: str, value: str, record: Record, *, subscribing: bool) -> str:
    """An attribute of a subscription that somebody sets; as it is kept. "" takes it away."""
    prefix = "Attributes Reason: " if subscribing else ""
    if name not in model.SUBSCRIPTION_ATTRIBUTES:
        raise model.invalid(f"{prefix}AttributeName")
    if name == "RawMessageDelivery":
        return _raw(value, record, prefix)
    if name == "FilterPolicyScope":
        return _scope(value, record, prefix)
    if name == "FilterPolicy":
        if value and orjson_or_none(value) == {}:
            return ""
        if value:
            filters.check(value, record["Attributes"].get("FilterPolicyScope", filters.ATTRIBUTES), prefix)
    if name == "RedrivePolicy" and value:
        _check_redrive(value, prefix)
    if name == "DeliveryPolicy" and value:
        if not record["Protocol"].startswith("http"):
            raise model.invalid(f"{prefix}DeliveryPolicy: not supported by protocol {record['Protocol']}")
        retries.check_subscription(value)
    return value


def _raw(value: str, record: Record, prefix: str) -> str:
    value = value.lower()
    if value not in ("true", "false"):
        raise model.invalid(f"{prefix}RawMessageDelivery: Invalid value [{value}]. Must be true or false.")
    if value == "true" and record["Protocol"] not in model.RAW:
        raise model.invalid(
            f"{prefix}Delivery protocol [{record['Protocol']}] does not support raw message delivery."
        )
    return value


def _scope(value: str, record: Record, prefix: str) -> str:
    if value not in (filters.ATTRIBUTES, filters.BODY):
        raise model.invalid(
            f"{prefix}FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or MessageAttributes"
        )
    policy = record["Attributes"].get("FilterPolicy")
    if policy:
        filters.check(policy, value, prefix)
    return value


def _check_redrive(value: str, prefix: str) -> None:
    policy = orjson_or_none(value)
    if not isinstance(policy, dict):
        raise model.invalid(f"{prefix}RedrivePolicy: failed to parse JSON.")
    if not _QUEUE.fullmatch(str(policy.get("deadLetterTargetArn", ""))):
        raise model.invalid(f"{prefix}RedrivePolicy: deadLetterTargetArn is an invalid arn")


def orjson_or_none(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


# --- messages ------------------------------------------------------------


def check_message(attributes: Mapping[str, Record]) -> None:
    """The attributes of a message that is published."""
    for name, attribute in attributes.items():
        _check_name(name)
        kind = attribute.get("DataType") or ""
        if kind.partition(".")[0] not in ("String", "Number", "Binary"):
            raise model.bad_value(
                f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
                "prefixes is Binary, Number, and String."
            )
        _check_value(name, kind, attribute)


def _check_name(name: str) -> None:
    if not name:
        raise model.bad_value("The message attribute name can not be empty.")
    if len(name) > 256:
        raise model.bad_value("Length of message attribute name must be less than 256 bytes.")
    found = next((character for character in name if not _NAME.fullmatch(character)), None)
    if found is not None:
        raise model.bad_value(
            f"Invalid non-alphanumeric character '#x{ord(found):X}' was found in the message attribute name. "
            "Can only include alphanumeric characters, hyphens, underscores, or dots."
        )
    if name.startswith("."):
        raise model.bad_value("Invalid message attribute name starting with character '.' was found.")
    if name.endswith("."):
        raise model.bad_value("Invalid message attribute name ending with character '.' was found.")
    if ".." in name:
        raise model.bad_value("Invalid message attribute name with successive '.' was found.")
    if name.lower().startswith(("aws.", "amazon.")) and not name.startswith(RESERVED):
        raise model.bad_value(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved "
            "for internal use."
        )


def _check_value(name: str, kind: str, attribute: Record) -> None:
    field, other = (
        ("BinaryValue", "StringValue") if kind.startswith("Binary") else ("StringValue", "BinaryValue")
    )
    value = attribute.get(field)
    if not value:
        if attribute.get(other):
            raise model.bad_value(
                f"The message attribute '{name}' with type '{kind}' must use field '{field.removesuffix('Value')}'."
            )
        raise _empty(name, kind)
    if kind.startswith("Number") and not _NUMBER.fullmatch(value):
        raise model.bad_value(f"Could not cast message attribute '{name}' value to number.")
    if kind == ARRAY:
        elements = orjson_or_none(value)
        if not isinstance(elements, list) or any(isinstance(one, list | dict) for one in elements):
            raise model.bad_value(
                f"Message attribute '{name}' must be a JSON array of strings, numbers, true, false and null."
            )


def _empty(name: str, kind: str) -> AwsError:
    return model.bad_value(
        f"The message attribute '{name}' must contain non-empty message attribute value for message attribute type "
        f"'{kind}'."
    )
