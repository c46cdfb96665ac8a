"""GetItem, PutItem, UpdateItem and DeleteItem. Each is one transaction; answers are spliced from stored bytes."""

from __future__ import annotations

from typing import Any

from ....context import Context, Encoded
from ....store.interface import Transaction
from .. import capacity, changes, storage
from ..attributes import Item, encode_json
from ..changes import Change
from ..ongoing import held_by
from ..schema import check_key, check_nested
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
        members = _with_capacity(members, capacity.report(wanted, request["TableName"], table, units, {}))
    return Encoded(b"{%b}" % members) if members else _EMPTY


async def put_item(ctx: Context, request: Request) -> Encoded:
    plain = len(request) == 3

    async def body(tx: Transaction) -> tuple[Change, dict[str, float]]:
        table = await storage.table_of(tx, ctx.account, ctx.region, request["TableName"])
        change = await changes.put(tx, table, request, held_by(ctx), not plain)
        return change, await write(ctx, tx, change)

    change, spent = await ctx.store.transact(body)
    if plain:
        return _EMPTY
    return _answer(request, change, request["Item"], _replaced(request, change), spent)


async def delete_item(ctx: Context, request: Request) -> Encoded:
    async def body(tx: Transaction) -> tuple[Change, dict[str, float]]:
        table = await storage.table_of(tx, ctx.account, ctx.region, request["TableName"])
        change = await changes.delete(tx, table, request, held_by(ctx))
        return change, await write(ctx, tx, change)

    change, spent = await ctx.store.transact(body)
    return _answer(request, change, request["Key"], _replaced(request, change), spent)


async def update_item(ctx: Context, request: Request) -> Encoded:
    async def body(tx: Transaction) -> tuple[Change, dict[str, float]]:
        table = await storage.table_of(tx, ctx.account, ctx.region, request["TableName"])
        change = await changes.update(tx, table, request, held_by(ctx))
        return change, await write(ctx, tx, change)

    change, spent = await ctx.store.transact(body)
    attributes = _returned(request.get("ReturnValues", "NONE"), request.get("_update"), change)
    return _answer(request, change, request["Key"], attributes, spent)


def _replaced(request: Request, change: Change) -> bytes:
    """The Attributes of what was put over or deleted."""
    if change.stored is None or request.get("ReturnValues") != "ALL_OLD":
        return b""
    return storage.body_of(change.stored)


def _returned(wanted: str, update: Any, change: Change) -> bytes:
    """The Attributes of an UpdateItem's answer."""
    source = change.old if wanted.endswith("OLD") else change.new
    if wanted == "NONE" or source is None:
        return b""
    if wanted.startswith("ALL"):
        return encode_json(source)
    touched = update.touched.apply(source) if update is not None else {}
    return encode_json(touched) if touched else b""


def _answer(
    request: Request, change: Change, item: Item, attributes: bytes, spent: dict[str, float]
) -> Encoded:
    """The response of a write: Attributes, ConsumedCapacity, ItemCollectionMetrics, as far as they are wanted."""
    table = change.table
    members = b'"Attributes":' + attributes if attributes else b""
    wanted = capacity.wants(request)
    if wanted:
        units = capacity.write_units(change.old_size, change.size)
        members = _with_capacity(members, capacity.report(wanted, request["TableName"], table, units, spent))
    if table.local_indexes and request.get("ReturnItemCollectionMetrics") == "SIZE":
        metrics = encode_json(capacity.collection_metrics(table, item))
        members = members + (b"," if members else b"") + b'"ItemCollectionMetrics":' + metrics
    return Encoded(b"{%b}" % members) if members else _EMPTY


def _with_capacity(members: bytes, report: dict[str, Any]) -> bytes:
    return members + (b"," if members else b"") + b'"ConsumedCapacity":' + encode_json(report)
