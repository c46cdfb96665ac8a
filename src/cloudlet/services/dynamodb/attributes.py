"""Attribute values: checked, measured, compared, written to and read from their stored form.

A value is a dict with one member, as in the API: {"S": "x"}, {"N": "1"}, {"B": b"…"}. In memory binary is bytes; in the
stored form, the form of the API's JSON, it is base64. Numbers are normalised when they come in, and sets sorted, so
that equal values are equal dicts, and sets leave in the service's order.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypedDict

import msgspec

from ...errors import AwsError
from . import numbers
from .model import INVALID, MAX_NESTING, ValueRefused, invalid_parameters, validation_error

Value = dict[str, Any]
Item = dict[str, Value]

KINDS = ("S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL")
SETS = ("SS", "NS", "BS")
TOO_DEEP = (
    "Nesting Levels have exceeded supported limits: "
    "Attributes in the item have nested levels beyond supported limit"
)


class AttributeValue(TypedDict, total=False):
    S: str
    N: str
    B: bytes
    SS: list[str]
    NS: list[str]
    BS: list[bytes]
    M: dict[str, AttributeValue]
    L: list[AttributeValue]
    NULL: bool
    BOOL: bool  # fmt: skip


encode_json = msgspec.json.Encoder().encode
decode_item = msgspec.json.Decoder(dict[str, AttributeValue]).decode


def text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def check_item(item: Mapping[str, Value]) -> int:
    """Refuse what is no item, normalise its numbers in place, and return its size."""
    check_named(item)
    size = 0
    for name, value in item.items():
        size += (len(name) if name.isascii() else text_size(name)) + check(value)
    return size


def check(value: Value, level: int = 1) -> int:
    """Refuse what is no value, normalise its numbers in place, and return its size."""
    try:
        ((kind, content),) = value.items()
    except ValueError:
        return _not_one(value, level)
    if kind == "S":
        return len(content) if content.isascii() else text_size(content)
    if kind == "N":
        number = numbers.normalise(content)
        if number is not content:
            value["N"] = number
        return numbers.size(number)
    if kind == "B":
        return len(content)
    if kind == "M":
        return _check_map(content, level)
    if kind == "L":
        return _check_list(content, level)
    if kind == "BOOL":
        return 1
    if kind == "NULL":
        if content is not True:
            raise invalid_parameters("Null attribute value types must have the value of true")
        return 1
    if kind not in SETS:
        return _not_one({}, level)
    return _check_set(kind, value)


def _not_one(value: Value, level: int) -> int:
    known = {kind: content for kind, content in value.items() if kind in KINDS and content is not None}
    if not known:
        raise validation_error(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
        )
    for kind, content in known.items():
        check({kind: content}, level)
    raise validation_error(
        "Supplied AttributeValue has more than one datatypes set, "
        "must contain exactly one of the supported datatypes"
    )


def _check_map(content: dict[str, Value], level: int) -> int:
    if level >= MAX_NESTING and content:
        raise validation_error(TOO_DEEP)
    size = 3 + len(content)
    for name, value in content.items():
        size += text_size(name) + check(value, level + 1)
    return size


def check_named(attributes: Mapping[str, Value]) -> None:
    """Attributes have names; members of maps may have an empty one."""
    if "" in attributes:
        raise validation_error("Empty attribute name")


def _check_list(content: list[Value], level: int) -> int:
    if level >= MAX_NESTING and content:
        raise validation_error(TOO_DEEP)
    size = 3 + len(content)
    for value in content:
        size += check(value, level + 1)
    return size


def _check_set(kind: str, value: Value) -> int:
    content = value[kind]
    if not content:
        if kind == "BS":
            raise invalid_parameters("Binary sets should not be empty")
        raise invalid_parameters(f"An {'string' if kind == 'SS' else 'number'} set  may not be empty")
    if kind == "NS":
        content = [numbers.normalise(number) for number in content]
        if len(set(content)) != len(content):
            told = "Input collection contains duplicates"
            raise ValueRefused(f"{INVALID}{told}.", told)
        value["NS"] = in_order("NS", content)
        return sum(map(numbers.size, content))
    if len(set(content)) != len(content):
        raise _duplicates(kind, content)
    value[kind] = in_order(kind, content)
    return sum(map(text_size, content)) if kind == "SS" else sum(map(len, content))


def _duplicates(kind: str, members: list[Any]) -> AwsError:
    """The newer words have the members in order up to the first that was there before."""
    firsts = {member: place for place, member in reversed(list(enumerate(members)))}
    again = next(place for place, member in enumerate(members) if firsts[member] != place)
    newer, older = (
        [base64.b64encode(member).decode() if kind == "BS" else member for member in shown]
        for shown in ([*in_order(kind, members[:again]), *members[again:]], members)
    )
    end = "of type BS contains duplicates." if kind == "BS" else " contains duplicates."
    quoted = ("," if kind == "BS" else ", ").join(f'"{member}"' for member in newer)
    told = f"{INVALID}Input collection "
    return ValueRefused(f"{told}[{quoted}]{end}", f"{told}[{', '.join(older)}]{end}")


def in_order(kind: str, members: Iterable[Any]) -> list[Any]:
    """A set's members as the service gives them out: by their bytes, numbers by their value."""
    return sorted(members, key=numbers.encode if kind == "NS" else None)


def item_size(item: Mapping[str, Value]) -> int:
    """The size of an item whose values are known to be good."""
    return sum(text_size(name) + value_size(value) for name, value in item.items())


def value_size(value: Value) -> int:
    kind, content = next(iter(value.items()))
    if kind == "S":
        return text_size(content)
    if kind == "N":
        return numbers.size(content)
    if kind == "B":
        return len(content)
    if kind == "M":
        return 3 + len(content) + item_size(content)
    if kind == "L":
        return 3 + len(content) + sum(map(value_size, content))
    if kind == "SS":
        return sum(map(text_size, content))
    if kind == "NS":
        return sum(map(numbers.size, content))
    if kind == "BS":
        return sum(map(len, content))
    return 1


def kind_of(value: Value) -> str:
    return next(iter(value))


def equal(left: Value, right: Value) -> bool:
    if left == right:
        return True
    kind = kind_of(left)
    if kind != kind_of(right):
        return False
    if kind in SETS:
        return set(left[kind]) == set(right[kind])
    if kind == "L":
        return len(left["L"]) == len(right["L"]) and all(map(equal, left["L"], right["L"]))
    if kind == "M":
        a, b = left["M"], right["M"]
        return len(a) == len(b) and all(name in b and equal(value, b[name]) for name, value in a.items())
    return False


def compare(left: Value, right: Value) -> int | None:
    """-1, 0 or 1; None if the two have no order between them."""
    kind = kind_of(left)
    if kind not in ("S", "N", "B") or kind != kind_of(right):
        return None
    a, b = left[kind], right[kind]
    if a == b:
        return 0
    if kind == "N":
        return -1 if Decimal(a) < Decimal(b) else 1
    return -1 if a < b else 1


def shown(value: Value) -> str:
    """A value as the service's messages write it: {S:x}."""
    kind, content = next(iter(value.items()))
    if kind == "B":
        content = base64.b64encode(content).decode()
    elif kind == "BOOL":
        content = "true" if content else "false"
    elif kind in SETS or kind == "L":
        content = "[" + ", ".join(shown(member) if kind == "L" else str(member) for member in content) + "]"
    return "{" + f"{kind}:{content}" + "}"
