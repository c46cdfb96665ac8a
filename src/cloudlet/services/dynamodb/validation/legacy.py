"""The parameters from before expressions: Expected, QueryFilter, ScanFilter, KeyConditions, AttributeUpdates.

They are checked here and turned into what expressions compile to, so that operations know only one kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .. import numbers
from ..attributes import SETS, Item, Value, check, check_named, compare, equal, in_order, kind_of
from ..expressions import Projection, project_attributes
from ..expressions.conditions import begins_with, contains
from ..model import invalid_parameters, validation_error

_SCALARS = ("S", "N", "B")
_TYPES = {
    "EQ": None, "NE": None, "LE": _SCALARS, "LT": _SCALARS, "GE": _SCALARS, "GT": _SCALARS,
    "CONTAINS": _SCALARS, "NOT_CONTAINS": _SCALARS, "BEGINS_WITH": ("S", "B"), "IN": _SCALARS, "BETWEEN": _SCALARS,
}  # fmt: skip
_COUNTS = {"NULL": (0, 0), "NOT_NULL": (0, 0), "IN": (1, 10**6), "BETWEEN": (2, 2)}

_Test = Callable[[Value | None], bool]


class Conditions:
    """Tests on top-level attributes, joined by AND or OR: what a compiled condition is, for old parameters."""

    __slots__ = ("_join", "_tests", "heads", "nested")

    def __init__(self, tests: Mapping[str, _Test], operator: str) -> None:
        self._tests = tuple(tests.items())
        self._join: Any = any if operator == "OR" else all
        self.heads = frozenset(tests)
        self.nested: frozenset[str] = frozenset()

    def matches(self, item: Item, values: Mapping[str, Value]) -> bool:
        return bool(self._join(test(item.get(name)) for name, test in self._tests))


class AttributeUpdates:
    """What a compiled update is, for AttributeUpdates."""

    __slots__ = ("_updates", "heads", "nested", "touched")

    def __init__(self, updates: Mapping[str, dict[str, Any]]) -> None:
        self._updates = updates
        self.touched: Projection = project_attributes(tuple(updates))
        self.heads = frozenset(updates)
        self.nested: frozenset[str] = frozenset()

    def kind_set(self, name: str, values: Mapping[str, Value]) -> str | None:
        update = self._updates.get(name, {})
        return kind_of(update["Value"]) if "Value" in update else None

    def apply(self, item: Item, values: Mapping[str, Value]) -> Item:
        new = dict(item)
        for name, update in self._updates.items():
            action, operand = update.get("Action", "PUT"), update.get("Value")
            if action == "PUT":
                assert operand is not None
                new[name] = operand
            elif operand is None:
                new.pop(name, None)
            else:
                result = _merge(action, new.get(name), operand)
                if result is None:
                    new.pop(name, None)
                else:
                    new[name] = result
        return new


def _merge(action: str, current: Value | None, operand: Value) -> Value | None:
    kind = kind_of(operand)
    if current is not None and kind not in current:
        raise validation_error("Type mismatch for attribute to update")
    if action == "DELETE":
        if current is None:
            return None
        rest = [member for member in current[kind] if member not in operand[kind]]
        return {kind: rest} if rest else None
    if current is None:
        return operand
    if kind == "N":
        return {"N": numbers.add(current["N"], operand["N"])}
    if kind == "L":
        return {"L": current["L"] + operand["L"]}
    return {kind: in_order(kind, {*current[kind], *operand[kind]})}


def attribute_updates(updates: dict[str, dict[str, Any]]) -> AttributeUpdates:
    check_named(updates)
    for update in updates.values():
        value, action = update.get("Value"), update.get("Action", "PUT")
        if value is None:
            if action != "DELETE":
                raise invalid_parameters("Only DELETE action is allowed when no attribute value is specified")
            continue
        check(value)
        kind = kind_of(value)
        if action == "DELETE" and kind not in SETS:
            raise invalid_parameters(f"DELETE action with value is not supported for the type {kind}")
        if action == "ADD" and kind not in ("L", "N", *SETS):
            raise invalid_parameters(f"ADD action is not supported for the type {kind}")
    return AttributeUpdates(updates)


def expected(conditions: dict[str, dict[str, Any]], operator: str) -> Conditions:
    return Conditions({name: _expected(name, condition) for name, condition in conditions.items()}, operator)


def _expected(name: str, condition: dict[str, Any]) -> _Test:
    operands = condition.get("AttributeValueList")
    value = condition.get("Value")
    for operand in (*(operands or ()), *(() if value is None else (value,))):
        check(operand)
    if operands is not None and value is not None:
        raise invalid_parameters(
            f"Value and AttributeValueList cannot be used together for Attribute: {name}"
        )
    operator = condition.get("ComparisonOperator")
    if operator is not None:
        if "Exists" in condition:
            raise invalid_parameters(
                f"Exists and ComparisonOperator cannot be used together for Attribute: {name}"
            )
        given = operands if operands is not None else [] if value is None else [value]
        if operator not in ("NULL", "NOT_NULL") and operands is None and value is None:
            raise invalid_parameters(
                f"Value or AttributeValueList must be used with ComparisonOperator: {operator} for Attribute: {name}"
            )
        check_condition(operator, given)
        return _test(operator, given)
    if operands is not None:
        raise invalid_parameters(
            f"AttributeValueList can only be used with a ComparisonOperator for Attribute: {name}"
        )
    exists = condition.get("Exists")
    if exists is False:
        if value is not None:
            raise invalid_parameters(f"Value cannot be used when Exists is false for Attribute: {name}")
        return _test("NULL", [])
    if value is None:
        told = "null" if exists is None else "true"
        raise invalid_parameters(f"Value must be provided when Exists is {told} for Attribute: {name}")
    return _test("EQ", [value])


def check_conditions(conditions: Mapping[str, Mapping[str, Any]]) -> None:
    """A QueryFilter, ScanFilter or KeyConditions: the right number of operands of the right types."""
    for condition in conditions.values():
        operands = condition.get("AttributeValueList", [])
        for operand in operands:
            check(operand)
        check_condition(condition["ComparisonOperator"], operands)


def check_condition(operator: str, operands: list[Value]) -> None:
    low, high = _COUNTS.get(operator, (1, 1))
    if not low <= len(operands) <= high:
        raise invalid_parameters(f"Invalid number of argument(s) for the {operator} ComparisonOperator")
    kinds = [kind_of(operand) for operand in operands]
    if len(set(kinds)) > 1:
        raise invalid_parameters("AttributeValues inside AttributeValueList must be of same type")
    allowed = _TYPES.get(operator)
    if allowed is not None:
        for kind in kinds:
            if kind not in allowed:
                raise invalid_parameters(
                    f"ComparisonOperator {operator} is not valid for {kind} AttributeValue type"
                )
    if operator == "BETWEEN" and compare(operands[0], operands[1]) == 1:
        raise validation_error(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
        )


def filter_of(conditions: Mapping[str, Mapping[str, Any]], operator: str) -> Conditions:
    return Conditions(
        {
            name: _test(condition["ComparisonOperator"], condition.get("AttributeValueList", []))
            for name, condition in conditions.items()
        },
        operator,
    )


def _test(operator: str, operands: list[Value]) -> _Test:
    """The test of one operator on an attribute's value, or on its absence."""
    if operator == "NULL":
        return lambda value: value is None
    if operator == "NOT_NULL":
        return lambda value: value is not None
    first, last = operands[0], operands[-1]
    if operator == "NE":
        return lambda value: value is None or not equal(value, first)
    if operator == "NOT_CONTAINS":
        return lambda value: value is not None and not contains(value, first)
    tests: dict[str, Callable[[Value], bool]] = {
        "EQ": lambda value: equal(value, first),
        "LT": lambda value: compare(value, first) == -1,
        "LE": lambda value: compare(value, first) in (-1, 0),
        "GT": lambda value: compare(value, first) == 1,
        "GE": lambda value: compare(value, first) in (0, 1),
        "BETWEEN": lambda value: compare(value, first) in (0, 1) and compare(value, last) in (-1, 0),
        "BEGINS_WITH": lambda value: begins_with(value, first),
        "CONTAINS": lambda value: contains(value, first),
        "IN": lambda value: any(equal(value, operand) for operand in operands),
    }
    test = tests[operator]
    return lambda value: value is not None and test(value)
