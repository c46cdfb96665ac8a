"""What a write of one item comes to: the schema and the condition are checked, and the new item is made. Nothing is
written here, so that an operation on one item, a batch and a transaction can each do with it as they must."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ...errors import AwsError
from ...store.interface import Transaction
from . import storage
from .attributes import TOO_DEEP, Item, Value, check, check_item, kind_of, text_size, value_size
from .model import MAX_ITEM_SIZE, NOT_VALID, condition_failed, invalid_parameters, validation_error
from .ongoing import check_free
from .schema import check_index_keys, check_key, check_nested, index_keys, index_type_mismatch
from .schema import check_item as check_schema
from .table import Table

Request = dict[str, Any]


@dataclass(slots=True)
class Change:
    table: Table
    key: bytes
    stored: bytes | None
    """The old item as it lies there; None if there is none, or nobody needs to know."""
    old: Item | None
    """The old item, if anybody needs it decoded."""
    new: Item | None
    """None deletes."""
    size: int
    """Of the new item."""

    @property
    def old_size(self) -> int:
        return 0 if self.stored is None else storage.size_of(self.stored)


async def put(
    tx: Transaction, table: Table, request: Request, held: Collection[bytes], look: bool = True
) -> Change:
    """A put into a table without indexes and stream needn't know what it replaces, unless its answer tells (`look`)."""
    item: Item = request["Item"]
    condition = request.get("_condition")
    if request["_size"] > MAX_ITEM_SIZE:
        raise validation_error("Item size has exceeded the maximum allowed size")
    check_schema(table, item)
    key = storage.item_key(table, item)
    if held:
        check_free(key, held)
    stored, old = None, None
    if look or condition is not None or table.looks:
        stored, old = await _old(tx, table, key, condition is not None)
    if condition is not None:
        check_condition(request, table, old)
    return Change(table, key, stored, old, item, request["_size"])


async def delete(tx: Transaction, table: Table, request: Request, held: Collection[bytes]) -> Change:
    check_key(table, request["Key"])
    condition = request.get("_condition")
    key = storage.item_key(table, request["Key"])
    if held:
        check_free(key, held)
    stored, old = await _old(tx, table, key, condition is not None)
    if condition is not None:
        check_condition(request, table, old)
    return Change(table, key, stored, old, None, 0)


async def update(tx: Transaction, table: Table, request: Request, held: Collection[bytes]) -> Change:
    change = request.get("_update")
    check_key(table, request["Key"])
    if change is not None:
        _check_update(table, request)
    key = storage.item_key(table, request["Key"])
    if held:
        check_free(key, held)
    stored, old = await _old(tx, table, key, True)
    if "_condition" in request:
        check_condition(request, table, old)
    new = dict(old if old is not None else request["Key"])
    if change is not None:
        new = change.apply(new, request["_values"])
        _check_updated(table, change, new)
    size = _new_size(change, old, storage.size_of(stored) if stored else 0, new)
    if size > MAX_ITEM_SIZE:
        raise validation_error("Item size to update has exceeded the maximum allowed size")
    return Change(table, key, stored, old, new, size)


async def look_at(tx: Transaction, table: Table, request: Request, held: Collection[bytes]) -> Change:
    """A condition alone: nothing changes."""
    check_key(table, request["Key"])
    key = storage.item_key(table, request["Key"])
    if held:
        check_free(key, held)
    stored, old = await _old(tx, table, key, True)
    check_condition(request, table, old)
    return Change(table, key, stored, old, old, 0)


async def _old(tx: Transaction, table: Table, key: bytes, decoded: bool) -> tuple[bytes | None, Item | None]:
    stored = await tx.get(key)
    if stored is None or not (decoded or table.looks):
        return stored, None
    return stored, storage.item_of(stored)


def check_condition(request: Request, table: Table, old: Item | None) -> None:
    condition = request["_condition"]
    check_nested(table, condition.nested)
    if not condition.matches(old or {}, request["_values"]):
        failed = old if request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else None
        raise condition_failed(failed)


def _check_update(table: Table, request: Request) -> None:
    """An update may not touch the key, nor give an index key a type that it can't have."""
    update, values = request["_update"], request["_values"]
    for name in table.keys:
        if name in update.heads:
            raise invalid_parameters(f"Cannot update attribute {name}. This attribute is part of the key")
    for index, name, kind, _ in index_keys(table):
        actual = update.kind_set(name, values)
        if actual is not None and actual != kind:
            raise index_type_mismatch(index, name, kind, actual)
    check_nested(table, update.nested)


def _check_updated(table: Table, update: Any, new: Item) -> None:
    if not table.indexes:
        return
    for _, name, kind, _ in index_keys(table):
        if name not in update.heads or name not in new:
            continue
        if kind_of(new[name]) != kind:
            raise validation_error(
                "The update expression attempted to update the secondary index key to unsupported type"
            )
        if not new[name][kind]:
            word = "string" if kind == "S" else "binary"
            raise validation_error(
                f"{NOT_VALID}The update expression attempted to update a secondary index key to a value that is not "
                f"supported. The AttributeValue for a key attribute cannot contain an empty {word} value."
            )
    check_index_keys(table, new)


def _new_size(update: Any, old: Item | None, old_size: int, new: Item) -> int:
    """The size of an updated item, from that of the old one and of the attributes that changed."""
    if old is None:
        return check_item(new)
    size = old_size
    names = update.heads if update is not None else ()
    for name in names:
        if name in old:
            size -= text_size(name) + value_size(old[name])
        if name in new:
            size += text_size(name) + _check_updated_value(new[name])
    return size


def _check_updated_value(value: Value) -> int:
    try:
        return check(value)
    except AwsError as error:
        if error.message == TOO_DEEP:
            raise validation_error("Nesting Levels have exceeded supported limits") from error
        raise
