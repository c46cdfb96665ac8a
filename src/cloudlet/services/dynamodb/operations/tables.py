"""CreateTable, DescribeTable, ListTables, DeleteTable, and what the account may have."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import orjson

from ....context import Context
from ....names import arn, random_id
from ....store.interface import Transaction
from .. import storage, streams
from ..cleanup import COUNT, DELETE_ITEMS
from ..describe import describe, warm
from ..model import (
    ACCOUNT_CAPACITY,
    MAX_PAGE_SIZE,
    TABLE_CAPACITY,
    invalid_parameters,
    table_exists,
    table_in_use,
    table_not_found,
    validation_error,
)
from ..pages import read_page
from ..table import Index, Record, Table

Request = dict[str, Any]

_COUNTED_MAX = 1000
_RECOUNT_SECONDS = 6 * 3600
"""A table with more items than that is counted as the service does it: every six hours."""


async def create_table(ctx: Context, request: Request) -> dict[str, Any]:
    record = new_record(ctx, request)

    async def body(tx: Transaction) -> None:
        if await storage.find_table(tx, ctx.account, ctx.region, record["name"]) is not None:
            raise table_exists(record["name"])
        stream = request.get("StreamSpecification")
        if stream is not None and stream["StreamEnabled"]:
            await streams.begin(ctx, tx, record, stream["StreamViewType"])
        await storage.put_table(tx, ctx.account, ctx.region, record)

    await ctx.store.transact(body)
    return {"TableDescription": describe(record, status="CREATING")}


def new_record(ctx: Context, request: Request) -> Record:
    now = ctx.clock.now()
    billing = request.get("BillingMode", "PROVISIONED")
    name = request["TableName"]
    record: Record = {
        "name": name,
        "id": str(uuid.uuid4()),
        "arn": arn("dynamodb", ctx.region, ctx.account, f"table/{name}"),
        "created": now,
        "attributes": {
            definition["AttributeName"]: definition["AttributeType"]
            for definition in request["AttributeDefinitions"]
        },
        "keys": [element["AttributeName"] for element in request["KeySchema"]],
        "billing": billing,
        "billing_since": now,
        "throughput": throughput_of(request),
        "status": "ACTIVE",
        "protected": request.get("DeletionProtectionEnabled", False),
        "tags": {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())},
        "indexes": [
            *(new_index(index, True) for index in request.get("LocalSecondaryIndexes", ())),
            *(new_index(index, False) for index in request.get("GlobalSecondaryIndexes", ())),
        ],
    }
    if "WarmThroughput" in request:
        set_warm(record, request["WarmThroughput"], "table")
    if "ResourcePolicy" in request:
        record["policy"] = new_policy(request["ResourcePolicy"])
    if "OnDemandThroughput" in request:
        record["on_demand"] = request["OnDemandThroughput"]
    set_encryption(record, request.get("SSESpecification"), ctx)
    if "TableClass" in request:
        record["class"] = {"TableClass": request["TableClass"]}
    return record


def set_warm(record: Record, asked: Request, what: str, table: Record | None = None) -> None:
    current = warm(record, table)
    for member, units in asked.items():
        if units < current[member]:
            raise invalid_parameters(
                f"Requested {member} for WarmThroughput for {what} is lower than current WarmThroughput, "
                "decreasing WarmThroughput is not supported"
            )
    record["warm"] = {**current, **asked}


def new_policy(text: str) -> Record:
    """A resource policy with its revision."""
    return {"text": text, "revision": str(int(uuid.uuid4()) % 10**13).zfill(13)}


def throughput_of(request: Request) -> dict[str, Any]:
    throughput = request.get("ProvisionedThroughput", {})
    return {
        "read": throughput.get("ReadCapacityUnits", 0),
        "write": throughput.get("WriteCapacityUnits", 0),
    }


def new_index(index: Request, local: bool, status: str = "ACTIVE") -> Record:
    projection = index["Projection"]
    record: Record = {
        "name": index["IndexName"],
        "id": random_id(8),
        "local": local,
        "keys": [element["AttributeName"] for element in index["KeySchema"]],
        "hashes": sum(element["KeyType"] == "HASH" for element in index["KeySchema"]),
        "projection": projection["ProjectionType"],
        "attributes": projection.get("NonKeyAttributes", []),
        "status": status,
        "throughput": throughput_of(index),
    }
    if "WarmThroughput" in index:
        record["warm"] = {"ReadUnitsPerSecond": 0, "WriteUnitsPerSecond": 0, **index["WarmThroughput"]}
    if "OnDemandThroughput" in index:
        record["on_demand"] = index["OnDemandThroughput"]
    return record


def set_encryption(record: Record, specification: Request | None, ctx: Context) -> None:
    if specification is None:
        return
    if not specification.get("Enabled"):
        record.pop("sse", None)
        return
    key = specification.get("KMSMasterKeyId", "alias/aws/dynamodb")
    if not key.startswith("arn:"):
        key = arn("kms", ctx.region, ctx.account, key if key.startswith("alias/") else f"key/{key}")
    record["sse"] = {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}


async def require(tx: Transaction, ctx: Context, name: str) -> Table:
    """The table, for an operation on tables."""
    table = await storage.find_table(tx, ctx.account, ctx.region, name)
    if table is None:
        raise table_not_found(name)
    return table


async def describe_table(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> dict[str, Any]:
        table = await require(tx, ctx, request["TableName"])
        page = await read_page(tx, table.items.range(), _COUNTED_MAX, False, MAX_PAGE_SIZE)
        if not page.more:
            indexes = {index.id: await _counted(tx, index) for index in table.indexes}
            return describe(table.record, len(page.values), page.size, indexes=indexes)
        count = await storage.get_count(tx, table)
        now = ctx.clock.now()
        if count is None or now - count.at > _RECOUNT_SECONDS:
            count = count or storage.Count(len(page.values), page.size, now)
            await storage.put_count(tx, table, replace(count, at=now))
            task = [ctx.account, ctx.region, table.name, table.id]
            await ctx.node.tasks.enqueue(tx, COUNT, orjson.dumps(task))
        return describe(table.record, count.items, count.size, indexes=count.indexes)

    return {"Table": await ctx.store.transact(body)}


async def _counted(tx: Transaction, index: Index) -> tuple[int, int]:
    page = await read_page(tx, index.entries.range(), _COUNTED_MAX, False, MAX_PAGE_SIZE)
    return len(page.values), page.size


async def list_tables(ctx: Context, request: Request) -> dict[str, Any]:
    limit = request.get("Limit", 100)
    start = request.get("ExclusiveStartTableName", "")

    async def body(tx: Transaction) -> list[str]:
        return await storage.table_names(tx, ctx.account, ctx.region, start, limit + 1)

    names = await ctx.store.read(body)
    result: dict[str, Any] = {"TableNames": names[:limit]}
    if len(names) > limit:
        result["LastEvaluatedTableName"] = names[limit - 1]
    return result


async def delete_table(ctx: Context, request: Request) -> dict[str, Any]:
    """The name is free at once; the items, which nothing can reach any more, go in batches."""

    async def body(tx: Transaction) -> Record:
        table = await require(tx, ctx, request["TableName"])
        if table.record["status"] != "ACTIVE":
            raise table_in_use(
                f"Attempt to change a resource which is still in use: Table is being updated: {table.name}"
            )
        if table.record["protected"]:
            raise validation_error(
                "Resource cannot be deleted as it is currently protected against deletion. "
                "Disable deletion protection first."
            )
        await streams.end(ctx, tx, dict(table.record))
        await storage.delete_table(tx, ctx.account, ctx.region, table.name)
        await storage.delete_count(tx, table)
        await ctx.node.tasks.enqueue(tx, DELETE_ITEMS, orjson.dumps(table.scope))
        return table.record

    record = await ctx.store.transact(body)
    described = describe(record, status="DELETING")
    del described["AttributeDefinitions"], described["KeySchema"], described["CreationDateTime"]
    return {"TableDescription": described}


async def describe_limits(ctx: Context, request: Request) -> dict[str, Any]:
    return {
        "AccountMaxReadCapacityUnits": ACCOUNT_CAPACITY,
        "AccountMaxWriteCapacityUnits": ACCOUNT_CAPACITY,
        "TableMaxReadCapacityUnits": TABLE_CAPACITY,
        "TableMaxWriteCapacityUnits": TABLE_CAPACITY,
    }


async def describe_endpoints(ctx: Context, request: Request) -> dict[str, Any]:
    address = ctx.node.url.removeprefix("http://")
    return {"Endpoints": [{"Address": address, "CachePeriodInMinutes": 1440}]}
