"""BatchGetItem and BatchWriteItem: many items of many tables, each as if it had been asked for alone."""

from __future__ import annotations

from typing import Any

from ....context import Context, Encoded
from ....store.interface import Transaction
from .. import capacity, changes, storage
from ..attributes import Item, encode_json
from ..changes import Change
from ..model import MAX_BATCH_GET_SIZE, key_mismatch, validation_error
from ..ongoing import held_by
from ..schema import check_key, check_nested
from ..table import Table
from ..writes import write

Request = dict[str, Any]


async def batch_get_item(ctx: Context, request: Request) -> Encoded:
    async def body(tx: Transaction) -> Encoded:
        tables = [
            (name, await storage.table_of(tx, ctx.account, ctx.region, name), wanted)
            for name, wanted in request["RequestItems"].items()
        ]
        for _, table, wanted in tables:
            for key in wanted["Keys"]:
                check_key(table, key)
            if "_projection" in wanted:
                check_nested(table, wanted["_projection"].nested)
        responses, reports, unprocessed = [], [], {}
        room = MAX_BATCH_GET_SIZE
        for name, table, wanted in tables:
            found, left, report, used = await _read(tx, name, table, wanted, capacity.wants(request), room)
            room -= used
            responses.append(b"%b:[%b]" % (encode_json(name), b",".join(found)))
            reports.append(report)
            if left:
                kept = {
                    key: value for key, value in wanted.items() if not key.startswith("_") and key != "Keys"
                }
                unprocessed[name] = {"Keys": left, **kept}
        parts = b'{"Responses":{%b},"UnprocessedKeys":%b' % (b",".join(responses), encode_json(unprocessed))
        if capacity.wants(request):
            parts += b',"ConsumedCapacity":' + encode_json(reports)
        return Encoded(parts + b"}")

    return await ctx.store.read(body)


async def _read(
    tx: Transaction, called: str, table: Table, wanted: Request, report_kind: str, room: int
) -> tuple[list[bytes], list[Item], dict[str, Any], int]:
    """Items found, keys left for the next call, capacity, bytes. What doesn't fit any more is left."""
    found: list[bytes] = []
    projection = wanted.get("_projection")
    units, used = 0.0, 0
    for place, key in enumerate(wanted["Keys"]):
        if used >= room:
            return found, wanted["Keys"][place:], _report(report_kind, called, table, units), used
        value = await tx.get(storage.item_key(table, key))
        size = 0 if value is None else storage.size_of(value)
        used += size
        units += capacity.read_units(size, wanted.get("ConsistentRead"))
        if value is not None:
            whole = storage.body_of(value)
            found.append(
                whole if projection is None else encode_json(projection.apply(storage.item_of(value)))
            )
    return found, [], _report(report_kind, called, table, units), used


def _report(kind: str, called: str, table: Table, units: float) -> dict[str, Any]:
    return capacity.report(kind, called, table, units, {})


async def batch_write_item(ctx: Context, request: Request) -> dict[str, Any]:
    held = held_by(ctx)

    async def body(tx: Transaction) -> dict[str, Any]:
        writes = await _resolve(tx, ctx, request)
        unprocessed: dict[str, list[Request]] = {}
        reports: dict[str, dict[str, Any]] = {}
        metrics: dict[str, list[dict[str, Any]]] = {}
        kind = capacity.wants(request)
        for name, item, change in writes:
            if held and change.key in held:
                unprocessed.setdefault(name, []).append(
                    {"DeleteRequest": {"Key": item}} if change.new is None else {"PutRequest": {"Item": item}}
                )
                continue
            table = change.table
            spent = await write(ctx, tx, change)
            if kind:
                units = capacity.write_units(change.old_size, change.size)
                report = capacity.report(kind, name, table, units, spent)
                if name in reports:
                    capacity.add(reports[name], report)
                else:
                    reports[name] = report
            if table.local_indexes and request.get("ReturnItemCollectionMetrics") == "SIZE":
                told = capacity.collection_metrics(table, item)
                if told not in metrics.setdefault(name, []):
                    metrics[name].append(told)
        result: dict[str, Any] = {"UnprocessedItems": unprocessed}
        if kind:
            result["ConsumedCapacity"] = list(reports.values())
        if metrics:
            result["ItemCollectionMetrics"] = metrics
        return result

    return await ctx.store.transact(body)


async def _resolve(tx: Transaction, ctx: Context, request: Request) -> list[tuple[str, Item, Change]]:
    """Every write, checked, with the item (or key) that it is about."""
    writes: list[tuple[str, Item, Change]] = []
    seen: set[bytes] = set()
    look = bool(capacity.wants(request))
    for name, asked in request["RequestItems"].items():
        table = await storage.table_of(tx, ctx.account, ctx.region, name)
        for one in asked:
            if "PutRequest" in one:
                item = one["PutRequest"]["Item"]
                if any(kind not in item.get(name, ()) for name, kind in table.key_types):
                    raise key_mismatch()
                change = await changes.put(tx, table, {"Item": item, "_size": one["_size"]}, (), look)
            else:
                item = one["DeleteRequest"]["Key"]
                change = await changes.delete(tx, table, {"Key": item}, ())
            if change.key in seen:
                raise validation_error("Provided list of item keys contains duplicates")
            seen.add(change.key)
            writes.append((name, item, change))
    return writes
