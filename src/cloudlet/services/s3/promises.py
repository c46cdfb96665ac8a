"""Policies of forms: what their maker promised a browser that it may upload, checked against the fields that came.

See "POST policy" in the API Reference. A field that no condition names is one too many.
"""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import orjson

from . import model

UNNAMED = frozenset(("awsaccesskeyid", "signature", "x-amz-signature", "policy", "file"))
"""Fields that need no condition; so do those that begin with `x-ignore-`."""
MOST = model.MAX_PUT


def _invalid(text: str) -> Exception:
    return model.error("InvalidPolicyDocument", f"Invalid Policy: {text}")


def _denied(text: str) -> Exception:
    return model.error("AccessDenied", f"Invalid according to Policy: {text}")


def check(text: str, fields: dict[str, str], now: float) -> tuple[int, int]:
    """Raises if the fields are not as the policy (in base64) has them; the sizes that the file may have."""
    document = _read(text)
    if _moment(document["expiration"]) < now:
        raise _denied("Policy expired.")
    least, most = 0, MOST
    named = set()
    for condition in document["conditions"]:
        operator, name, value = _condition(condition)
        if operator == "content-length-range":
            least, most = name, value
            continue
        named.add(name)
        given = fields.get(name, "")
        fits = given.startswith(value) if operator == "starts-with" else given == value
        if operator == "starts-with" and name == "content-type":
            fits = all(one.strip().startswith(value) for one in given.split(","))
        if not fits:
            raise _denied(f"Policy Condition failed: {orjson.dumps([operator, f'${name}', value]).decode()}")
    extra = [
        name
        for name in fields
        if name not in named | UNNAMED and not name.startswith(("x-ignore-", "bucket"))
    ]
    if extra:
        raise _denied(f"Extra input fields: {', '.join(extra)}")
    return least, most


def _read(text: str) -> dict[str, Any]:
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        raise _invalid("invalid Base64 encoding.") from None
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise _invalid("Invalid JSON.") from None
    if not isinstance(document, dict):
        raise _invalid("Invalid JSON.")
    if "expiration" not in document:
        raise _invalid("Policy missing expiration.")
    if "conditions" not in document:
        raise _invalid("Policy missing conditions.")
    if not isinstance(document["conditions"], list):
        raise _invalid("Invalid 'conditions' value: must be a List.")
    return document


def _moment(text: Any) -> float:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise _invalid(f"Invalid 'expiration' value: '{text}'") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _condition(condition: Any) -> tuple[str, Any, Any]:
    """Operator, name of the field, value; of a range its ends."""
    if isinstance(condition, dict):
        if len(condition) != 1:
            raise _invalid(
                "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."
            )
        [(name, value)] = condition.items()
        if not isinstance(value, str):
            raise _invalid("Invalid Simple-Condition: value must be a string.")
        return "eq", name.lower(), value
    if not isinstance(condition, list):
        raise _invalid("Invalid condition test: must be a List or Object.")
    if not condition:
        raise _invalid("Invalid Condition: missing operation identifier.")
    operator = str(condition[0]).lower()
    if operator not in ("eq", "starts-with", "content-length-range"):
        raise _invalid(f"Invalid Condition: unknown operation '{condition[0]}'.")
    if len(condition) != 3:
        raise _invalid(f"Invalid {operator}: wrong number of arguments.")
    if operator == "content-length-range":
        try:
            return operator, int(condition[1]), int(condition[2])
        except (TypeError, ValueError):
            raise _invalid(f"Invalid {operator}: wrong number of arguments.") from None
    return operator, str(condition[1]).removeprefix("$").lower(), str(condition[2])
