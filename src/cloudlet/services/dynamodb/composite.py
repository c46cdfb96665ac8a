"""Queries of global indexes whose keys are several attributes: the whole hash key and the first attributes of the range
key are given, and perhaps one condition on the next."""

from __future__ import annotations

from typing import Any

from . import storage
from .attributes import Item, equal
from .model import invalid_parameters, validation_error
from .schema import check_empty_key, check_key_part
from .table import Index
from .validation.legacy import filter_of

Conditions = dict[str, tuple[str, list[Any]]]

_NOT_INDEXABLE = ("NULL", "NOT_NULL", "NE", "CONTAINS", "NOT_CONTAINS", "IN")


def span(index: Index, conditions: Conditions, start: Item | None) -> storage.Range:
    """What the conditions select of an index."""
    for place, (name, kind, limit) in enumerate(index.schema):
        if start is not None:
            if name not in start:
                raise validation_error("The provided starting key is invalid")
            check_key_part(start, name, kind, limit)
        if name in conditions:
            _check(name, kind, *conditions[name])
        elif place < index.hash_count:
            raise validation_error(f"Query condition missed key schema element: {name}")
        if place < index.hash_count and conditions[name][0] != "EQ":
            raise validation_error("Query key condition not supported")
    if not conditions.keys() <= set(index.keys):
        raise validation_error("Query key condition not supported")
    used = max(index.keys.index(name) for name in conditions)
    _check_prefix(index, conditions, used)
    if start is not None:
        _check_start(index, conditions, start)
    operator, operands = conditions[index.keys[used]]
    values = [conditions[name][1][0] for name in index.keys[:used]]
    if operator == "EQ":
        return storage.composite_range(index, [*values, operands[0]], "", [])
    return storage.composite_range(index, values, operator, operands)


def _check(name: str, kind: str, operator: str, operands: list[Any]) -> None:
    if operator in _NOT_INDEXABLE:
        raise validation_error("Attempted conditional constraint is not an indexable operation")
    if any(kind not in operand for operand in operands):
        raise invalid_parameters("Condition parameter type does not match schema type")
    if operator == "EQ" and kind != "N":
        check_empty_key(name, kind, operands[0][kind])


def _check_prefix(index: Index, conditions: Conditions, used: int) -> None:
    loose = [
        name
        for name in index.keys[index.hash_count : used]
        if name not in conditions or conditions[name][0] != "EQ"
    ]
    if loose:
        raise validation_error(
            f"RANGE key attributes {', '.join(loose)} must have equality conditions specified in the query "
            f"because a condition is present on key attribute {index.keys[used]}"
        )


def _check_start(index: Index, conditions: Conditions, start: Item) -> None:
    for name in index.keys[index.hash_count :]:
        if name in conditions:
            operator, operands = conditions[name]
            condition = {name: {"ComparisonOperator": operator, "AttributeValueList": operands}}
            if not filter_of(condition, "AND").matches(start, {}):
                raise validation_error("The provided starting key does not match the range key predicate")
    if not all(equal(start[name], conditions[name][1][0]) for name in index.keys[: index.hash_count]):
        raise validation_error(
            "The provided starting key is outside query boundaries based on provided conditions"
        )
