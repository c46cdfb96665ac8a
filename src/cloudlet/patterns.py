"""The pattern language of filter criteria: which records a function wants to see.

A pattern is JSON shaped like the record. Its leaves are lists of conditions, of which one must hold; all leaves must.
A condition is a literal or one of EventBridge's operators: prefix, suffix, equals-ignore-case, wildcard, anything-but,
numeric, cidr, exists. `$or` holds if one of its alternatives does. Where the record has an array, one element that fits
is enough. A condition is one of a leaf: where the record has an object, or an empty array, it has none.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import orjson

Test = Callable[[Any], bool]
"""Of one value of a record that is there."""
Rule = Callable[[dict[str, Any]], bool]
"""Of an object of a record."""

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_PAIRS = {("<", ">"), ("<", ">="), ("<=", ">"), ("<=", ">=")}


class BadPattern(ValueError):
    """The text is no pattern."""


class Pattern:
    """A compiled pattern. `bodies`: whether it expects an object (True) or a plain value (False) as a record's `body`;
    empty if it says nothing of it."""

    __slots__ = ("bodies", "matches")

    def __init__(self, pattern: dict[str, Any]) -> None:
        self.matches: Rule = _object(pattern)
        self.bodies = frozenset(_bodies(pattern))


def _bodies(pattern: dict[str, Any]) -> Iterator[bool]:
    if "body" in pattern:
        yield isinstance(pattern["body"], dict)
    for alternative in pattern.get("$or", ()):
        yield from _bodies(alternative)


@lru_cache(maxsize=256)
def compiled(text: str) -> Pattern:
    """Raises `BadPattern`."""
    try:
        pattern = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadPattern(str(error)) from error
    if not isinstance(pattern, dict):
        raise BadPattern("a pattern is an object")
    return Pattern(pattern)


def _object(pattern: dict[str, Any]) -> Rule:
    rules = [_alternatives(value) if key == "$or" else _member(key, value) for key, value in pattern.items()]

    def rule(record: dict[str, Any]) -> bool:
        return all(rule(record) for rule in rules)

    return rule


def _alternatives(patterns: Any) -> Rule:
    if not isinstance(patterns, list) or not patterns or not all(isinstance(p, dict) and p for p in patterns):
        raise BadPattern("$or takes a list of patterns")
    rules = [_object(pattern) for pattern in patterns]
    return lambda record: any(rule(record) for rule in rules)


def _member(key: str, wanted: Any) -> Rule:
    if isinstance(wanted, dict):
        return _nested(key, wanted)
    if not isinstance(wanted, list) or not wanted:
        raise BadPattern(f"{key} must be an object or a list of conditions")
    may_lack = any(isinstance(one, dict) and one.get("exists") is False for one in wanted)
    tests = [_condition(one) for one in wanted]

    def rule(record: dict[str, Any]) -> bool:
        if key not in record:
            return may_lack
        value = record[key]
        leaves = [
            one for one in (value if isinstance(value, list) else (value,)) if not isinstance(one, dict)
        ]
        return any(test(one) for one in leaves for test in tests) if leaves else may_lack

    return rule


def _nested(key: str, pattern: dict[str, Any]) -> Rule:
    if not pattern:
        raise BadPattern(f"{key} is empty")
    inner = _object(pattern)

    def rule(record: dict[str, Any]) -> bool:
        value = record.get(key)
        values = value if isinstance(value, list) else (value,)
        return any(inner(one if isinstance(one, dict) else {}) for one in values or ({},))

    return rule


def _condition(wanted: Any) -> Test:
    if isinstance(wanted, list):
        raise BadPattern("a condition is no list")
    if not isinstance(wanted, dict):
        return _equal(wanted)
    if len(wanted) != 1:
        raise BadPattern("a condition has one operator")
    ((name, operand),) = wanted.items()
    if name == "exists":
        if not isinstance(operand, bool):
            raise BadPattern("exists takes true or false")
        return lambda value: operand
    if name == "anything-but":
        return _anything_but(operand)
    if name == "numeric":
        return _numeric(operand)
    if name == "cidr":
        return _cidr(operand)
    return _text(name, operand)


def _equal(wanted: Any) -> Test:
    kind = _kind(wanted)
    return lambda value: _kind(value) is kind and value == wanted


def _kind(value: Any) -> type:
    """Numbers are one kind, and true is none."""
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _text(name: str, operand: Any) -> Test:
    if isinstance(operand, dict) and name in ("prefix", "suffix") and set(operand) == {"equals-ignore-case"}:
        folded = _string(operand["equals-ignore-case"]).lower()
        inner = _text(name, folded)
        return lambda value: isinstance(value, str) and inner(value.lower())
    text = _string(operand)
    if name == "prefix":
        return lambda value: isinstance(value, str) and value.startswith(text)
    if name == "suffix":
        return lambda value: isinstance(value, str) and value.endswith(text)
    if name == "equals-ignore-case":
        folded = text.lower()
        return lambda value: isinstance(value, str) and value.lower() == folded
    if name == "wildcard":
        wild = _wildcard(text)
        return lambda value: isinstance(value, str) and wild.fullmatch(value) is not None
    raise BadPattern(f"{name} is no operator")


def _string(operand: Any) -> str:
    if not isinstance(operand, str):
        raise BadPattern("the operator takes a string")
    return operand


def _wildcard(text: str) -> re.Pattern[str]:
    """`*` is any number of characters; a backslash takes the meaning of what follows it."""
    if "**" in text:
        raise BadPattern("two wildcards can't follow one another")
    pieces = re.findall(r"\\[\\*]|\*|[^\\*]+|\\", text)
    if "\\" in pieces:
        raise BadPattern("a backslash stands before * or another backslash")
    return re.compile(
        "".join(".*" if p == "*" else re.escape(p.removeprefix("\\")) for p in pieces), re.DOTALL
    )


def _anything_but(operand: Any) -> Test:
    if isinstance(operand, dict):
        if len(operand) != 1:
            raise BadPattern("a condition has one operator")
        ((name, inner),) = operand.items()
        excluded = [_text(name, one) for one in (inner if isinstance(inner, list) else [inner])]
    else:
        literals = operand if isinstance(operand, list) else [operand]
        if any(isinstance(one, list | dict) for one in literals):
            raise BadPattern("anything-but takes literals")
        excluded = [_equal(one) for one in literals]
    if not excluded:
        raise BadPattern("anything-but needs something")
    return lambda value: not any(test(value) for test in excluded)


def _numeric(operand: Any) -> Test:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise BadPattern("numeric takes one comparison or two")
    comparisons = []
    for name, bound in zip(operand[::2], operand[1::2], strict=True):
        if name not in _COMPARE or _kind(bound) is not float:
            raise BadPattern("a comparison is an operator and a number")
        comparisons.append((_COMPARE[name], bound))
    if len(comparisons) == 2 and (operand[2], operand[0]) not in _PAIRS:
        raise BadPattern("a range has a lower end, then an upper end")

    def test(value: Any) -> bool:
        return _kind(value) is float and all(compare(value, bound) for compare, bound in comparisons)

    return test


def _cidr(operand: Any) -> Test:
    try:
        network = ipaddress.ip_network(_string(operand), strict=False)
    except ValueError as error:
        raise BadPattern(str(error)) from error

    def test(value: Any) -> bool:
        try:
            return isinstance(value, str) and ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return test
