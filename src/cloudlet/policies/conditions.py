"""Condition operators: every one of "IAM JSON policy elements: Condition operators" in the IAM User Guide.

A condition is compiled once into a function of the request's facts. What the guide says of keys that are absent, of
values that are many, of `IfExists`, `ForAllValues` and `ForAnyValue` lives here.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

Facts = Callable[[str], Sequence[str] | None]
"""A condition key in lower case to its values; None where the request has no such key."""
Test = Callable[[str, str], bool]
"""Whether the request's value fits the policy's."""
Condition = Callable[[Facts], bool]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERALS = {"*": "*", "?": "?", "$": "$"}
_WILD_OPENING, _SINGLE_OPENING = "\ue000", "\ue001"
"""Stand for a literal `*` and `?`, as `${*}` and `${?}` give them, until a pattern is made."""


class BadCondition(ValueError):
    """Not a condition; the text says why."""


# --- patterns and variables


@lru_cache(maxsize=8192)
def pattern(text: str, ignore_case: bool = False) -> re.Pattern[str]:
    """`*` is any run of characters, `?` any one."""
    special = {"*": ".*", "?": ".", _WILD_OPENING: r"\*", _SINGLE_OPENING: r"\?"}
    source = "".join(special.get(char) or re.escape(char) for char in text)
    return re.compile(source, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


@lru_cache(maxsize=8192)
def fits_arn(text: str, arn: str) -> bool:
    """Each of the six parts of an ARN is compared by itself, so that a `*` doesn't reach over a colon.

    IAM completes an ARN that is too short with wild cards.
    """
    if not text.startswith("arn:") or not arn.startswith("arn:"):
        return pattern(text).fullmatch(arn) is not None
    wanted, given = text.split(":", 5), arn.split(":", 5)
    wanted += ["*"] * (6 - len(wanted))
    return all(pattern(one).fullmatch(other) is not None for one, other in zip(wanted, given, strict=False))


def has_variables(text: str) -> bool:
    return "${" in text


def substitute(text: str, facts: Facts) -> str | None:
    """The text with policy variables filled in; None when one has no value, which then matches nothing.

    See "IAM policy elements: Variables and tags": `${*}`, `${?}` and `${$}` are the characters themselves, and
    `${key, 'default'}` has a value for when there is none.
    """
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        inner = match.group(1).strip()
        if inner in _LITERALS:
            return {"*": _WILD_OPENING, "?": _SINGLE_OPENING}.get(inner, inner)
        key, comma, default = inner.partition(",")
        found = facts(key.strip().lower())
        if found is not None and len(found) == 1:
            return found[0]
        if comma:
            return default.strip().strip("'")
        missing = True
        return ""

    done = _VARIABLE.sub(value, text)
    return None if missing else done


def _plain(text: str) -> str:
    return text.replace(_WILD_OPENING, "*").replace(_SINGLE_OPENING, "?")


# --- single comparisons; the request's value first


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _moment(text: str) -> float | None:
    number = _number(text)
    if number is not None:
        return number
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _ordered(read: Callable[[str], float | None], holds: Callable[[float, float], bool]) -> Test:
    def test(given: str, wanted: str) -> bool:
        left, right = read(given), read(wanted)
        return left is not None and right is not None and holds(left, right)

    return test


@lru_cache(maxsize=4096)
def _inside(given: str, wanted: str) -> bool:
    try:
        return ipaddress.ip_address(given) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _same_bytes(given: str, wanted: str) -> bool:
    try:
        return base64.b64decode(given, validate=True) == base64.b64decode(wanted, validate=True)
    except (binascii.Error, ValueError):
        return False


def _ordering(prefix: str, read: Callable[[str], float | None]) -> dict[str, tuple[Test, bool]]:
    equal = _ordered(read, lambda a, b: a == b)
    return {
        f"{prefix}Equals": (equal, False),
        f"{prefix}NotEquals": (equal, True),
        f"{prefix}LessThan": (_ordered(read, lambda a, b: a < b), False),
        f"{prefix}LessThanEquals": (_ordered(read, lambda a, b: a <= b), False),
        f"{prefix}GreaterThan": (_ordered(read, lambda a, b: a > b), False),
        f"{prefix}GreaterThanEquals": (_ordered(read, lambda a, b: a >= b), False),
    }


def _equal(given: str, wanted: str) -> bool:
    return given == _plain(wanted)


def _equal_ignoring_case(given: str, wanted: str) -> bool:
    return given.lower() == _plain(wanted).lower()


def _like(given: str, wanted: str) -> bool:
    return pattern(wanted).fullmatch(given) is not None


def _arn(given: str, wanted: str) -> bool:
    return fits_arn(wanted, given)


OPERATORS: Mapping[str, tuple[Test, bool]] = {
    "StringEquals": (_equal, False),
    "StringNotEquals": (_equal, True),
    "StringEqualsIgnoreCase": (_equal_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (_equal_ignoring_case, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    **_ordering("Numeric", _number),
    **_ordering("Date", _moment),
    "Bool": (_equal_ignoring_case, False),
    "BinaryEquals": (_same_bytes, False),
    "IpAddress": (_inside, False),
    "NotIpAddress": (_inside, True),
    "ArnEquals": (_arn, False),
    "ArnLike": (_arn, False),
    "ArnNotEquals": (_arn, True),
    "ArnNotLike": (_arn, True),
}
"""By name: how one value is compared with another, and whether the operator is the negated form."""
_NAMES = {name.lower(): name for name in (*OPERATORS, "Null")}


# --- conditions


def compiled(operator: str, key: str, values: Any) -> Condition:
    """One operator, one key, its values. Raises `BadCondition`."""
    wanted = [_text(value) for value in (values if isinstance(values, list) else [values])]
    quantifier, colon, rest = operator.partition(":")
    if not colon:
        quantifier, rest = "", operator
    elif quantifier.lower() not in ("forallvalues", "foranyvalue"):
        raise BadCondition(f"Invalid Condition type : {operator}.")
    lenient = rest.lower().endswith("ifexists")
    name = _NAMES.get(rest[: -len("IfExists")].lower() if lenient else rest.lower())
    if name is None:
        raise BadCondition(f"Invalid Condition type : {operator}.")
    key = key.lower()
    if name == "Null":
        absent = any(value.lower() == "true" for value in wanted)
        return lambda facts: (facts(key) is None) == absent
    return _comparison(key, wanted, *OPERATORS[name], quantifier.lower(), lenient)


def _comparison(
    key: str, wanted: list[str], test: Test, negated: bool, quantifier: str, lenient: bool
) -> Condition:
    dynamic = any(map(has_variables, wanted))

    def holds(facts: Facts) -> bool:
        given = facts(key)
        if not given:
            return lenient or negated or quantifier == "forallvalues"
        values = wanted
        if dynamic:
            values = [text for text in (substitute(value, facts) for value in wanted) if text is not None]
        matched = (any(test(one, value) for value in values) != negated for one in given)
        return all(matched) if quantifier == "forallvalues" or (negated and not quantifier) else any(matched)

    def holds_for_any(facts: Facts) -> bool:
        return bool(facts(key)) and holds(facts) if not lenient else holds(facts)

    return holds_for_any if quantifier == "foranyvalue" else holds


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise BadCondition("Condition values must be strings, numbers or booleans.")
