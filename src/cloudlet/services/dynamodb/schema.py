"""What a table's schema says about keys and items, in the service's words."""

from __future__ import annotations

from typing import Any

from ...errors import AwsError
from .attributes import Item, Value, kind_of, text_size
from .model import (
    MAX_HASH_KEY_SIZE,
    MAX_RANGE_KEY_SIZE,
    NOT_VALID,
    invalid_parameters,
    key_mismatch,
    validation_error,
)
from .table import Index, Table


def check_key(table: Table, key: Item) -> None:
    """A Key parameter: exactly the key attributes, of the right types."""
    if len(key) != len(table.keys):
        raise key_mismatch()
    check_key_part(key, table.hash_name, table.hash_type, MAX_HASH_KEY_SIZE)
    if table.range_name is not None:
        check_key_part(key, table.range_name, table.range_type, MAX_RANGE_KEY_SIZE)


def check_key_part(key: Item, name: str, kind: str, limit: int) -> None:
    value = key.get(name)
    if value is None or kind not in value:
        raise key_mismatch()
    if kind != "N":
        content = value[kind]
        if not content or len(content) * 4 > limit:
            _check_key_size(name, kind, content, limit)


def check_empty_key(name: str, kind: str, content: Any) -> None:
    if not content:
        word = "string" if kind == "S" else "binary"
        raise validation_error(
            f"{NOT_VALID}The AttributeValue for a key attribute cannot contain an empty {word} value. Key: {name}"
        )


def _check_key_size(name: str, kind: str, content: Any, limit: int) -> None:
    check_empty_key(name, kind, content)
    size = text_size(content) if kind == "S" else len(content)
    if size > limit:
        if limit == MAX_HASH_KEY_SIZE:
            raise invalid_parameters("Size of hashkey has exceeded the maximum size limit of2048 bytes")
        raise invalid_parameters(
            "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
        )


def check_item(table: Table, item: Item) -> None:
    """An item to be put: it has the table's key, and no index key of a wrong type."""
    _check_item_key(item, table.hash_name, table.hash_type, MAX_HASH_KEY_SIZE)
    if table.range_name is not None:
        _check_item_key(item, table.range_name, table.range_type, MAX_RANGE_KEY_SIZE)
    if table.indexes:
        check_index_keys(table, item)


def _check_item_key(item: Item, name: str, kind: str, limit: int) -> None:
    value = item.get(name)
    if value is None:
        raise invalid_parameters(f"Missing the key {name} in the item")
    if kind not in value:
        raise invalid_parameters(f"Type mismatch for key {name} expected: {kind} actual: {kind_of(value)}")
    if kind != "N":
        content = value[kind]
        if not content or len(content) * 4 > limit:
            _check_key_size(name, kind, content, limit)


def index_keys(table: Table) -> list[tuple[Index, str, str, int]]:
    """Each index key attribute with its type and size limit, in the order in which the service looks at them."""
    return [
        (index, name, kind, limit)
        for index in table.indexes_by_name
        for name, kind, limit in index.schema[index.local :]
    ]


def check_index_keys(table: Table, item: Item) -> None:
    for index, name, kind, limit in index_keys(table):
        value = item.get(name)
        if value is None:
            continue
        if kind not in value:
            raise index_type_mismatch(index, name, kind, kind_of(value))
        check_index_value(index, name, kind, value, limit)


def check_index_value(index: Index, name: str, kind: str, value: Value, limit: int) -> None:
    content = value[kind]
    if kind == "N":
        return
    if not content:
        word = "string" if kind == "S" else "binary"
        raise validation_error(
            f"{NOT_VALID}A value specified for a secondary index key is not supported. "
            f"The AttributeValue for a key attribute cannot contain an empty {word} value. "
            f"IndexName: {index.name}, IndexKey: {name}"
        )
    if len(content) * 4 > limit:
        _check_key_size(name, kind, content, limit)


def index_type_mismatch(index: Index, name: str, kind: str, actual: str) -> AwsError:
    return invalid_parameters(
        f"Type mismatch for Index Key {name} Expected: {kind} Actual: {actual} IndexName: {index.name}"
    )


def check_nested(table: Table, nested: frozenset[str]) -> None:
    """No path of an expression may lead into a key."""
    if not nested:
        return
    for name in table.keys:
        if name in nested:
            raise _not_scalar("Key", name)
    for _, name, _, _ in index_keys(table):
        if name in nested:
            raise _not_scalar("IndexKey", name)


def _not_scalar(word: str, name: str) -> AwsError:
    return validation_error(
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
        f"{word}: {name}"
    )
