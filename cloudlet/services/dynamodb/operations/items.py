"""GetItem, PutItem, UpdateItem and DeleteItem. Each is one transaction; answers are spliced from stored bytes."""

from __future__ import annotations

from typing import Any

from ....context import Context, Encoded
from ....store.interface import Transaction
from .. import capacity, storage
from ..attributes import Item, check, check_item, encode_json, kind_of, text_size, value_size
from ..model import MAX_ITEM_SIZE, condition_failed, invalid_parameters, validation_error
from ..schema import (
    check_index_keys,
    check_key,
    check_nested,
    index_keys,
    index_type_mismatch,
)
from ..schema import (
    check_item as check_schema,
)
from ..table import Table
from ..writes import write

Request = dict[str, Any]
_EMPTY = Encoded(b"{}")


async def get_item(ctx: Context, request: Request) -> Encoded:
    key: Item = request["Key"]
    projection = request.get("_projection")

    async def body(tx: Transaction) -> tuple[Table, bytes | None]:
        table = await storage.table_of(tx, ctx.account, ctx.region, request["TableName"])
        check_key(table, key)
        if projection is not None:
            check_nested(table, projection.nested)
        return table, await tx.get(storage.item_key(table, key))

    table, value = await ctx.store.read(body)
    wanted = capacity.wants(request)
    if value is None:
        members = b""
    elif projection is None:
        members = b'"Item":' + value[6:]
    else:
        members = b'"Item":' + encode_json(projection.apply(storage.item_of(value)))
    if wanted:
        size = 0 if value is None else storage.size_of(value)
        units = capacity.read_units(size, request.get("ConsistentRead"))
        members = _with_capacity(members, capacity.report(wanted, table, units, {}))
    return Encoded(b"{%b}" % members) if members else _EMPTY


async def put_item(ctx: Context, request: Request) -> Encoded:
    item: Item = request["Item"]
    size: int = request["_size"]
    condition = request.get("_condition")

    async def body(tx: Transaction) -> tuple[Table, bytes | None, dict[str, float]]:
        table = await storage.table_of(tx, ctx.account, ctx.region, request["TableName"])
        check_schema(table, item)
        key = storage.item_key(table, item)
        stored, old = None, None
        if condition is not None or table.indexes or len(request) > 3:
            stored = await tx.get(key)
            if stored is not None and (condition is not None or table.indexes):
                old = storage.item_of(stored)
        if condition is not None:
            _check_condition(request, table, old)
        return table, stored, await write(tx, table, key, old, item, size)

    table, stored, spent = await ctx.store.transact(body)
    if len(request) == 3:
        return _EMPTY
    attributes = storage.body_of(stored) if stored and request.get("ReturnValues") == "ALL_OLD" else b""
    return _answer(request, table, item, attributes, storage.size_of(stored) if stored else 0, size, spent)


async def delete_item(ctx: Context, request: Request) -> Encoded:
    key_item: Item = request["Key"]
    condition = request.get("_condition")

    async def body(tx: Transaction) -> tuple[Table, bytes | None, dict[str, float]]:
        table = await storage.table_of(tx, ctx.account, ctx.region, request["TableName"])
        check_key(table, key_item)
        key = storage.item_key(table, key_item)
        stored = await tx.get(key)
        old = None
        if stored is not None and (condition is not None or table.indexes):
            old = storage.item_of(stored)
        if condition is not None:
            _check_condition(request, table, old)
        spent = await write(tx, table, key, old, None) if stored is not None else {}
        return table, stored, spent

    table, stored, spent = await ctx.store.transact(body)
    attributes = storage.body_of(stored) if stored and request.get("ReturnValues") == "ALL_OLD" else b""
    size = storage.size_of(stored) if stored else 0
    return _answer(request, table, key_item, attributes, size, 0, spent)


async def update_item(ctx: Context, request: Request) -> Encoded:
    key_item: Item = request["Key"]
    update = request.get("_update")

    async def body(tx: Transaction) -> tuple[Table, Item | None, Item, int, int, dict[str, float]]:
        table = await storage.table_of(tx, ctx.account, ctx.region, request["TableName"])
        check_key(table, key_item)
        if update is not None:
            _check_update(table, request)
        key = storage.item_key(table, key_item)
        stored = await tx.get(key)
        old = storage.item_of(stored) if stored is not None else None
        if "_condition" in request:
            _check_condition(request, table, old)
        new = dict(old if old is not None else key_item)
        if update is not None:
            new = update.apply(new, request["_values"])
            _check_updated(table, update, new)
        size = _new_size(update, old, storage.size_of(stored) if stored else None, new)
        if size > MAX_ITEM_SIZE:
            raise validation_error("Item size to update has exceeded the maximum allowed size")
        spent = await write(tx, table, key, old, new, size)
        return table, old, new, storage.size_of(stored) if stored else 0, size, spent

    table, old, new, old_size, new_size, spent = await ctx.store.transact(body)
    attributes = _returned(request.get("ReturnValues", "NONE"), update, old, new)
    return _answer(request, table, key_item, attributes, old_size, new_size, spent)


def _new_size(update: Any, old: Item | None, old_size: int | None, new: Item) -> int:
    """The size of an updated item, from that of the old one and of the attributes that changed."""
    if old is None or old_size is None:
        return check_item(new)
    size = old_size
    names = update.heads if update is not None else ()
    for name in names:
        if name in old:
            size -= text_size(name) + value_size(old[name])
        if name in new:
            size += text_size(name) + check(new[name])
    return size


def _returned(wanted: str, update: Any, old: Item | None, new: Item) -> bytes:
    """The Attributes of an UpdateItem's answer."""
    if wanted == "NONE":
        return b""
    source = old if wanted.endswith("OLD") else new
    if source is None:
        return b""
    if wanted.startswith("ALL"):
        return encode_json(source)
    touched = update.touched.apply(source) if update is not None else {}
    return encode_json(touched) if touched else b""


def _check_condition(request: Request, table: Table, old: Item | None) -> None:
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
        if name in update.heads and name in new and kind_of(new[name]) != kind:
            raise validation_error(
                "The update expression attempted to update the secondary index key to unsupported type"
            )
    check_index_keys(table, new)


def _answer(
    request: Request,
    table: Table,
    item: Item,
    attributes: bytes,
    old_size: int,
    new_size: int,
    spent: dict[str, float],
) -> Encoded:
    """The response of a write: Attributes, ConsumedCapacity, ItemCollectionMetrics, as far as they are wanted."""
    members = b'"Attributes":' + attributes if attributes else b""
    wanted = capacity.wants(request)
    if wanted:
        units = capacity.write_units(old_size, new_size)
        members = _with_capacity(members, capacity.report(wanted, table, units, spent))
    if table.local_indexes and request.get("ReturnItemCollectionMetrics") == "SIZE":
        metrics = encode_json(collection_metrics(table, item))
        members = members + (b"," if members else b"") + b'"ItemCollectionMetrics":' + metrics
    return Encoded(b"{%b}" % members) if members else _EMPTY


def collection_metrics(table: Table, item: Item) -> dict[str, Any]:
    """Tables with local indexes have item collections, whose size the service estimates in whole gigabytes."""
    return {
        "ItemCollectionKey": {table.hash_name: item[table.hash_name]},
        "SizeEstimateRangeGB": [0.0, 1.0],
    }


def _with_capacity(members: bytes, report: dict[str, Any]) -> bytes:
    return members + (b"," if members else b"") + b'"ConsumedCapacity":' + encode_json(report)
