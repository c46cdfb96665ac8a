"""Filter policies: checked in the service's words, compiled by the common pattern language, asked of messages."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson

from ...errors import AwsError
from ...patterns import BadPattern, Pattern, compiled
from . import model

ATTRIBUTES, BODY = "MessageAttributes", "MessageBody"
_COMPARISONS = ("<", "<=", "=", ">", ">=")


class Facts:
    """What filter policies may ask of a message; each part is read when it is asked for."""

    __slots__ = ("_attributes", "_body", "_given", "_text")

    def __init__(self, attributes: dict[str, Any], text: str) -> None:
        self._given = attributes
        self._text = text
        self._attributes: dict[str, Any] | None = None
        self._body: Any = None

    def fit(self, pattern: Pattern, scope: str) -> bool:
        if scope == ATTRIBUTES:
            if self._attributes is None:
                self._attributes = dict(_plain(self._given))
            return pattern.matches(self._attributes)
        if self._body is None:
            self._body = _json(self._text, False)
        return isinstance(self._body, dict) and pattern.matches(self._body)


def _plain(attributes: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Attributes as values of JSON; binary ones can't be asked for."""
    for name, attribute in attributes.items():
        text = attribute.get("StringValue")
        kind = attribute["DataType"]
        if kind == "String.Array":
            yield name, _json(text, text)
        elif kind.startswith("Number"):
            yield name, float(text)
        elif kind.startswith("String"):
            yield name, text


def _json(text: str, otherwise: Any) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return otherwise


@lru_cache(maxsize=1024)
def pattern(policy: str) -> Pattern:
    return compiled(policy)


def check(policy: str, scope: str, prefix: str = "") -> None:
    """Raises InvalidParameter for what is no filter policy. `prefix` says where it was given."""
    try:
        found = orjson.loads(policy)
    except orjson.JSONDecodeError as error:
        raise model.invalid(f"{prefix}FilterPolicy: failed to parse JSON.") from error
    checker = _Checker(f"{prefix}FilterPolicy: ", scope)
    if not isinstance(found, dict):
        raise checker.error("Filter is not an object")
    if len(found) > model.MAX_FILTER_KEYS:
        raise checker.error(f"Filter policy can not have more than {model.MAX_FILTER_KEYS} keys")
    if checker.combinations(found, 1) > model.MAX_FILTER_COMBINATIONS:
        raise checker.error("Filter policy is too complex")
    try:
        compiled(policy)
    except BadPattern as error:
        raise checker.error(str(error)) from error


class _Checker:
    def __init__(self, prefix: str, scope: str) -> None:
        self._prefix = prefix
        self._scope = scope

    def error(self, text: str) -> AwsError:
        return model.invalid(f"{self._prefix}{text}")

    def combinations(self, policy: dict[str, Any], depth: int) -> int:
        """How many ways there are to fit, as AWS counts them: values times their depth, multiplied."""
        found = 1
        for key, value in policy.items():
            if isinstance(value, dict):
                if self._scope == ATTRIBUTES:
                    raise model.invalid(
                        self._prefix.removesuffix("FilterPolicy: ")
                        + "Filter policy scope MessageAttributes does not support nested filter policy"
                    )
                if not value:
                    raise self.error("Empty objects are not allowed")
                found *= self.combinations(value, depth + 1)
            elif not isinstance(value, list):
                raise self.error(f'"{key}" must be an object or an array')
            elif not value:
                raise self.error("Empty arrays are not allowed")
            elif key == "$or" and len(value) > 1 and all(isinstance(one, dict) for one in value):
                found *= sum(self.combinations(one, depth) for one in value)
            else:
                for one in value:
                    self._condition(one)
                found *= len(value) * depth
        return found

    def _condition(self, wanted: Any) -> None:
        if isinstance(wanted, list):
            raise self.error("Match value must be String, number, true, false, or null")
        if not isinstance(wanted, dict):
            return
        if len(wanted) != 1:
            raise self.error("Only one key allowed in match expression")
        ((name, operand),) = wanted.items()
        if name in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            self._text(name, operand)
        elif name == "anything-but":
            self._anything_but(operand)
        elif name == "exists":
            if not isinstance(operand, bool):
                raise self.error("exists match pattern must be either true or false.")
        elif name == "numeric":
            self._numeric(operand)
        elif name == "cidr":
            self._cidr(operand)
        else:
            raise self.error(f"Unrecognized match type {name}")

    def _text(self, name: str, operand: Any) -> None:
        if not isinstance(operand, str):
            raise self.error(f"{name} match pattern must be a string")

    def _anything_but(self, operand: Any) -> None:
        if isinstance(operand, dict):
            for name, inner in operand.items():
                if name not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
                    raise self.error(f"Unsupported anything-but pattern: {name}")
                for one in inner if isinstance(inner, list) else [inner]:
                    self._text(name, one)
        elif isinstance(operand, list) and (
            not operand or any(isinstance(one, list | dict) for one in operand)
        ):
            raise self.error("Inside anything but list, start|null|boolean is not supported.")

    def _numeric(self, operand: Any) -> None:
        """One comparison, or a lower end and then an upper one."""
        terms = list(operand) if isinstance(operand, list) else []
        if not terms:
            raise self.error("Invalid member in numeric match: ]")
        first = terms.pop(0)
        if not isinstance(first, str):
            raise self.error(f"Invalid member in numeric match: {first}")
        if first not in _COMPARISONS:
            raise self.error(f"Unrecognized numeric range operator: {first}")
        bottom = self._number(first, terms)
        if not terms:
            return
        if first not in (">", ">="):
            raise self.error("Too many elements in numeric expression")
        second = terms.pop(0)
        if not isinstance(second, str):
            raise self.error(f"Bad value in numeric range: {second}")
        if second not in ("<", "<="):
            raise self.error(f"Bad numeric range operator: {second}")
        if self._number(second, terms) <= bottom:
            raise self.error("Bottom must be less than top")
        if terms:
            raise self.error("Too many terms in numeric range expression")

    def _number(self, name: str, terms: list[Any]) -> float:
        value = terms.pop(0) if terms else None
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.error(f"Value of {'equals' if name == '=' else name} must be numeric")
        return float(value)

    def _cidr(self, operand: Any) -> None:
        self._text("prefix", operand)
        address, slash, bits = operand.partition("/")
        if not slash or "/" in bits:
            raise self.error("Malformed CIDR, one '/' required")
        if not bits.isdigit():
            raise self.error("Malformed CIDR, mask bits must be an integer")
        try:
            ipaddress.ip_network(operand, strict=False)
        except ValueError as error:
            raise self.error(f"Nonstandard IP address: {address}") from error
