"""UpdateTable: billing, throughput, indexes, stream, deletion protection."""

from __future__ import annotations

from typing import Any

import orjson

from ....context import Context
from ....store.interface import Transaction
from .. import storage, streams
from ..cleanup import BACKFILL, BATCH, DELETE_ENTRIES
from ..describe import describe
from ..model import (
    MAX_GLOBAL_INDEXES,
    invalid_parameters,
    limit_exceeded,
    resource_not_found,
    table_in_use,
    validation_error,
)
from ..table import Record, Table
from ..validation.tables import check_settings
from ..writes import backfill
from .tables import new_index, require, set_encryption, set_warm, throughput_of

Request = dict[str, Any]


async def update_table(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> tuple[Record, list[Record]]:
        table = await require(tx, ctx, request["TableName"])
        if table.record["status"] != "ACTIVE":
            raise table_in_use(
                f"Attempt to change a resource which is still in use: Table is being updated: {table.name}"
            )
        record: Record = {**table.record, "throughput": {**table.record["throughput"]}}
        _set_billing(record, request, ctx.clock.now())
        check_settings(request, record["billing"])
        _set_rest(record, request, ctx)
        await _set_stream(ctx, tx, record, request.get("StreamSpecification"))
        for update in request.get("GlobalSecondaryIndexUpdates", ()):
            await _update_index(tx, ctx, table, record, request, update)
        await storage.put_table(tx, ctx.account, ctx.region, record)
        return record, table.record["indexes"]

    record, before = await ctx.store.transact(body)
    return {"TableDescription": describe(_going_on(record, before), status="UPDATING")}


def _going_on(record: Record, before: list[Record]) -> Record:
    """The record with indexes being made, changed and deleted, as the answer shows them."""
    held = {index["id"]: index for index in before}
    kept = {index["id"] for index in record["indexes"]}
    shown = []
    for index in record["indexes"]:
        if index["id"] not in held:
            index = {**index, "status": "CREATING", "backfilling": False}
        elif index["throughput"] != held[index["id"]]["throughput"]:
            index = {**index, "status": "UPDATING"}
        shown.append(index)
    shown += [{**index, "status": "DELETING"} for index in before if index["id"] not in kept]
    return {**record, "indexes": shown}


def _set_billing(record: Record, request: Request, now: float) -> None:
    billing = request.get("BillingMode", record["billing"])
    asked = request.get("ProvisionedThroughput")
    if billing == "PAY_PER_REQUEST":
        if asked is not None:
            raise invalid_parameters(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified "
                "when BillingMode is PAY_PER_REQUEST"
            )
        if record["billing"] != billing:
            record.update(billing=billing, billing_since=now, throughput={"read": 0, "write": 0})
            record["indexes"] = [
                {**index, "throughput": {"read": 0, "write": 0}} for index in record["indexes"]
            ]
        return
    if record["billing"] != billing:
        given = {
            update["Update"]["IndexName"]
            for update in request.get("GlobalSecondaryIndexUpdates", ())
            if "ProvisionedThroughput" in update.get("Update", {})
        }
        missing = [
            index["name"] for index in record["indexes"] if not index["local"] and index["name"] not in given
        ]
        if missing:
            raise invalid_parameters(
                f"ProvisionedThroughput must be specified for index: {','.join(missing)}"
            )
        record.update(billing=billing, billing_since=now, on_demand_since=record["billing_since"])
    if asked is not None:
        record["throughput"] = _changed(record["throughput"], throughput_of(request), now, "table")


def _changed(old: dict[str, Any], new: dict[str, Any], now: float, what: str) -> dict[str, Any]:
    """The new throughput, with the times of change; the same again is refused."""
    if (old["read"], old["write"]) == (new["read"], new["write"]):
        raise validation_error(
            f"The provisioned throughput for the {what} will not change. "
            "The requested value equals the current value. "
            f"Current ReadCapacityUnits provisioned for the {what}: {old['read']}. "
            f"Requested ReadCapacityUnits: {new['read']}. "
            f"Current WriteCapacityUnits provisioned for the {what}: {old['write']}. "
            f"Requested WriteCapacityUnits: {new['write']}. "
            "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
        )
    changed = {**old, **new}
    if new["read"] > old["read"] or new["write"] > old["write"]:
        changed["increased"] = now
    if new["read"] < old["read"] or new["write"] < old["write"]:
        changed["decreased"] = now
    return changed


def _set_rest(record: Record, request: Request, ctx: Context) -> None:
    if "DeletionProtectionEnabled" in request:
        record["protected"] = request["DeletionProtectionEnabled"]
    if "TableClass" in request:
        record["class"] = {"TableClass": request["TableClass"], "LastUpdateDateTime": ctx.clock.now()}
    if "WarmThroughput" in request:
        set_warm(record, request["WarmThroughput"], "table")
    if "OnDemandThroughput" in request:
        record["on_demand"] = request["OnDemandThroughput"]
    set_encryption(record, request.get("SSESpecification"), ctx)


async def _set_stream(ctx: Context, tx: Transaction, record: Record, wanted: Request | None) -> None:
    if wanted is None:
        return
    if wanted["StreamEnabled"]:
        if record.get("stream"):
            raise validation_error(f"Table already has an enabled stream: TableName: {record['name']}")
        await streams.begin(ctx, tx, record, wanted["StreamViewType"])
    else:
        if not record.get("stream"):
            raise validation_error(f"Table has no stream to disable: TableName: {record['name']}")
        await streams.end(ctx, tx, record)


async def _update_index(
    tx: Transaction, ctx: Context, table: Table, record: Record, request: Request, update: Request
) -> None:
    if "Create" in update:
        await _create_index(tx, ctx, table, record, request, update["Create"])
        return
    change = update.get("Delete") or update["Update"]
    name = change["IndexName"]
    found = next((index for index in record["indexes"] if index["name"] == name), None)
    if found is None:
        raise resource_not_found("Requested resource not found")
    if found["local"]:
        verb = "delete" if "Delete" in update else "update"
        raise validation_error(f"Cannot {verb} an index that is not a GlobalSecondaryIndex: {name}")
    others = [index for index in record["indexes"] if index is not found]
    if "Delete" in update:
        record["indexes"] = others
        used = {*record["keys"], *(key for index in others for key in index["keys"])}
        record["attributes"] = {key: kind for key, kind in record["attributes"].items() if key in used}
        await ctx.node.tasks.enqueue(tx, DELETE_ENTRIES, orjson.dumps([*table.scope, found["id"]]))
        return
    changed = dict(found)
    if "ProvisionedThroughput" in change:
        if record["billing"] == "PAY_PER_REQUEST":
            raise invalid_parameters(
                f"Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: {name} "
                "when BillingMode is PAY_PER_REQUEST"
            )
        new = throughput_of(change)
        changed["throughput"] = _changed(found["throughput"], new, ctx.clock.now(), f"index {name}")
    if "WarmThroughput" in change:
        set_warm(changed, change["WarmThroughput"], f"index {name}", record)
    if "OnDemandThroughput" in change:
        changed["on_demand"] = change["OnDemandThroughput"]
    record["indexes"] = [changed if index is found else index for index in record["indexes"]]


async def _create_index(
    tx: Transaction, ctx: Context, table: Table, record: Record, request: Request, create: Request
) -> None:
    """A small table's index is filled at once; a larger one's by a task, while the table goes on."""
    name = create["IndexName"]
    if any(index["name"] == name for index in record["indexes"]):
        raise validation_error("Attempting to create an index which already exists")
    if sum(not index["local"] for index in record["indexes"]) >= MAX_GLOBAL_INDEXES:
        raise limit_exceeded(
            "Subscriber limit exceeded: Number of GlobalSecondaryIndexes exceeds per-table limit of 20"
        )
    if record["billing"] == "PAY_PER_REQUEST" and "ProvisionedThroughput" in create:
        raise invalid_parameters(
            f"Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: {name} "
            "when BillingMode is PAY_PER_REQUEST"
        )
    if record["billing"] == "PROVISIONED" and "ProvisionedThroughput" not in create:
        raise invalid_parameters(
            "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: " + name
        )
    described = new_index(create, False)
    _define_attributes(record, request, described)
    record["indexes"] = [*record["indexes"], described]
    rows = await tx.range(*table.items.range(), limit=BATCH)
    if len(rows) < BATCH:
        filled = storage.compiled(record)
        await backfill(tx, filled, filled.index[name], rows)
        return
    described["status"] = "CREATING"
    record["status"] = "UPDATING"
    task = [ctx.account, ctx.region, table.name, described["id"]]
    await ctx.node.tasks.enqueue(tx, BACKFILL, orjson.dumps(task))


def _define_attributes(record: Record, request: Request, described: Record) -> None:
    """A new index may need attributes that the table didn't define before."""
    keys: list[str] = described["keys"]
    given = {
        definition["AttributeName"]: definition["AttributeType"]
        for definition in request.get("AttributeDefinitions", ())
    }
    defined = dict(record["attributes"])
    for key in keys:
        if key not in given:
            raise invalid_parameters(
                "Some index key attributes are not defined in AttributeDefinitions. "
                f"Keys: [{', '.join(keys)}], AttributeDefinitions: [{', '.join(given)}]"
            )
        if defined.get(key, given[key]) != given[key]:
            schemas = [record, *record["indexes"]]
            existing = next(one for one in schemas if key in one["keys"])
            raise invalid_parameters(
                "Attributes cannot be redefined. Please check that your attribute has the same type as previously "
                f"defined. Existing schema: {_schema(existing, defined)} New schema: {_schema(described, given)}"
            )
        defined[key] = given[key]
    record["attributes"] = defined


def _schema(described: Record, types: Record) -> str:
    elements = [
        f"SchemaElement: key{{{key}:{types[key]}:{'HASH' if place < described.get('hashes', 1) else 'RANGE'}}}"
        for place, key in enumerate(described["keys"])
    ]
    return f"Schema:[{', '.join(elements)}]"
