"""Queue attributes: what may be set to what, and in which form it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...policies.documents import BadPolicy, parsed
from . import model
from .storage import Name, name_of

REDRIVE = ("deadLetterTargetArn", "maxReceiveCount")
PERMISSIONS = ("allowAll", "denyAll", "byQueue")
MAX_RECEIVES = 1000
MAX_SOURCES = 10


def checked(given: Mapping[str, str], name: Name) -> dict[str, str]:
    """The attributes in the form in which they are kept; "" for one that is to be unset."""
    kept = {}
    for attribute, value in given.items():
        if attribute not in model.SETTABLE:
            raise model.unknown_attribute(attribute)
        kept[attribute] = _checked(attribute, value, name)
    if kept.get("KmsMasterKeyId") and kept.get("SqsManagedSseEnabled") == "true":
        raise model.two_encryptions()
    return kept


def _checked(attribute: str, value: str, name: Name) -> str:
    if attribute in model.RANGES:
        return _number(attribute, value)
    if attribute == "SqsManagedSseEnabled":
        if value.lower() not in ("true", "false"):
            raise model.bad_attribute(attribute)
        return value.lower()
    if value == "" or attribute == "KmsMasterKeyId":
        return value
    if attribute == "Policy":
        return _policy(value)
    return _redrive(value, name) if attribute == "RedrivePolicy" else _redrive_allow(value)


def _number(attribute: str, value: str) -> str:
    low, high = model.RANGES[attribute]
    text = value.strip()
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise model.bad_attribute(attribute)
    return str(int(text))


def _policy(value: str) -> str:
    """A document whose statements say who may do what of SQS's."""
    try:
        statements = parsed(value).statements
    except BadPolicy as error:
        raise model.bad_attribute("Policy") from error
    for statement in statements:
        actions = statement.source.get("Action", statement.source.get("NotAction"))
        listed = actions if isinstance(actions, list) else [actions]
        if statement.principals is None or not all(_is_action(action) for action in listed):
            raise model.bad_attribute("Policy")
    return value


def _is_action(action: Any) -> bool:
    return isinstance(action, str) and (action == "*" or action.lower().startswith("sqs:"))


def _map(attribute: str, value: str) -> dict[str, Any]:
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise model.invalid_value(value, attribute, "Redrive policy is not a valid JSON map.")
    return found


def _redrive(value: str, name: Name) -> str:
    """Where dead letters go. Whether that queue is there, and agrees, is for the transaction to see."""

    def refuse(reason: str) -> Exception:
        return model.invalid_value(value, "RedrivePolicy", reason)

    policy = _map("RedrivePolicy", value)
    for member in REDRIVE:
        if member not in policy:
            raise refuse(f"Redrive policy does not contain mandatory attribute: {member}.")
    if len(policy) > len(REDRIVE):
        raise refuse(f"Only following attributes are supported: [{', '.join(REDRIVE)}].")
    text = str(policy["maxReceiveCount"])
    most = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    if not 1 <= most <= MAX_RECEIVES:
        raise refuse(
            f"Invalid value for maxReceiveCount: {policy['maxReceiveCount']}, valid values are from 1 to "
            f"{MAX_RECEIVES} both inclusive."
        )
    target = name_of(str(policy["deadLetterTargetArn"]))
    if target is None:
        raise refuse("Invalid value for deadLetterTargetArn.")
    if target.account != name.account:
        raise refuse("Dead letter target owner should be same as the source.")
    if target.region != name.region:
        raise refuse("Dead letter target should be in the region of the source.")
    return orjson.dumps({"deadLetterTargetArn": target.arn, "maxReceiveCount": most}).decode()


def _redrive_allow(value: str) -> str:
    def refuse(reason: str) -> Exception:
        return model.invalid_value(value, "RedriveAllowPolicy", reason)

    policy = _map("RedriveAllowPolicy", value)
    permission, sources = policy.get("redrivePermission"), policy.get("sourceQueueArns")
    if permission not in PERMISSIONS:
        raise refuse(f"redrivePermission must be one of [{', '.join(PERMISSIONS)}].")
    if permission != "byQueue":
        if sources is not None:
            raise refuse(f"sourceQueueArns is not allowed with redrivePermission {permission}.")
    elif not isinstance(sources, list) or not 1 <= len(sources) <= MAX_SOURCES:
        raise refuse(f"sourceQueueArns must have 1 to {MAX_SOURCES} queues with redrivePermission byQueue.")
    elif any(name_of(str(source)) is None for source in sources):
        raise refuse("sourceQueueArns has an element that is not the ARN of a queue.")
    return value


def allows(policy: str, source: Name) -> bool:
    """Whether a queue with this RedriveAllowPolicy takes the dead letters of `source`."""
    if not policy:
        return True
    found = orjson.loads(policy)
    permission = found["redrivePermission"]
    return permission == "allowAll" or (permission == "byQueue" and source.arn in found["sourceQueueArns"])
