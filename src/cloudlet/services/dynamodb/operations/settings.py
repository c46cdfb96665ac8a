"""What a table only remembers: tags, time to live, continuous backups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from ....context import Context
from ....store.interface import Transaction
from .. import journal, storage
from ..cleanup import SET_TIMERS
from ..describe import moment
from ..model import (
    MAX_TAGS,
    access_denied,
    backups_table_not_found,
    other_ttl_attribute,
    resource_not_found,
    too_many_tags,
    validation_error,
)
from ..table import Record
from .tables import require

Request = dict[str, Any]


async def tag_resource(ctx: Context, request: Request) -> None:
    def change(record: Record) -> None:
        record["tags"] = {**record["tags"], **{tag["Key"]: tag["Value"] for tag in request["Tags"]}}
        if len(record["tags"]) > MAX_TAGS:
            raise too_many_tags()

    await _change_tagged(ctx, request["ResourceArn"], change)


async def untag_resource(ctx: Context, request: Request) -> None:
    gone = set(request["TagKeys"])

    def change(record: Record) -> None:
        record["tags"] = {key: value for key, value in record["tags"].items() if key not in gone}

    await _change_tagged(ctx, request["ResourceArn"], change)


async def list_tags_of_resource(ctx: Context, request: Request) -> dict[str, Any]:
    record = await _change_tagged(ctx, request["ResourceArn"], None)
    return {"Tags": [{"Key": key, "Value": value} for key, value in record["tags"].items()]}


async def _change_tagged(ctx: Context, arn: str, change: Callable[[Record], None] | None) -> Record:
    """The record of the table with this ARN, after a change if there is one."""
    _, _, _, region, account, _ = arn.split(":", 5)
    if region != ctx.region:
        raise validation_error(f"Invalid TableArn: Invalid ResourceArn provided as input {arn}")
    if account != ctx.account:
        raise access_denied(
            f"User: {ctx.principal.arn} is not authorized to perform this operation on resource: {arn}"
        )

    async def body(tx: Transaction) -> Record:
        table = await storage.find_table(tx, ctx.account, ctx.region, arn)
        if table is None:
            raise resource_not_found(f"Requested resource not found: ResourcArn: {arn} not found")
        record = dict(table.record)
        if change is not None:
            change(record)
            await storage.put_table(tx, ctx.account, ctx.region, record)
        return record

    return await ctx.store.transact(body)


async def update_time_to_live(ctx: Context, request: Request) -> dict[str, Any]:
    wanted = request["TimeToLiveSpecification"]

    async def body(tx: Transaction) -> None:
        table = await require(tx, ctx, request["TableName"])
        current = table.record.get("ttl")
        if wanted["Enabled"]:
            if current == wanted["AttributeName"]:
                raise validation_error("TimeToLive is already enabled")
            if current is not None:
                raise other_ttl_attribute(current)
        elif current is None:
            raise validation_error("TimeToLive is already disabled")
        elif current != wanted["AttributeName"]:
            raise other_ttl_attribute(current)
        record = {**table.record, "ttl": wanted["AttributeName"] if wanted["Enabled"] else None}
        await storage.put_table(tx, ctx.account, ctx.region, record)
        if wanted["Enabled"]:
            task = [ctx.account, ctx.region, table.name, wanted["AttributeName"]]
            await ctx.node.tasks.enqueue(tx, SET_TIMERS, orjson.dumps(task))

    await ctx.store.transact(body)
    return {"TimeToLiveSpecification": wanted}


async def describe_time_to_live(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> str | None:
        attribute: str | None = (await require(tx, ctx, request["TableName"])).record.get("ttl")
        return attribute

    attribute = await ctx.store.read(body)
    if attribute is None:
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
    return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": attribute}}


async def update_continuous_backups(ctx: Context, request: Request) -> dict[str, Any]:
    specification = request["PointInTimeRecoverySpecification"]
    if "RecoveryPeriodInDays" in specification and not specification["PointInTimeRecoveryEnabled"]:
        raise validation_error(
            "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery."
        )

    async def body(tx: Transaction) -> Record:
        table = await storage.find_table(tx, ctx.account, ctx.region, request["TableName"])
        if table is None:
            raise backups_table_not_found(request["TableName"])
        recovery = None
        if specification["PointInTimeRecoveryEnabled"]:
            held = table.record.get("recovery") or {"since": ctx.clock.now()}
            recovery = {**held, "days": specification.get("RecoveryPeriodInDays", held.get("days", 35))}
            if not table.record.get("recovery"):
                await journal.begin(ctx, tx, table.record)
        record = {**table.record, "recovery": recovery}
        await storage.put_table(tx, ctx.account, ctx.region, record)
        return record

    return {"ContinuousBackupsDescription": _backups(await ctx.store.transact(body), ctx.clock.now())}


async def describe_continuous_backups(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        table = await storage.find_table(tx, ctx.account, ctx.region, request["TableName"])
        if table is None:
            raise backups_table_not_found(request["TableName"])
        return table.record

    return {"ContinuousBackupsDescription": _backups(await ctx.store.read(body), ctx.clock.now())}


def _backups(record: Record, now: float) -> dict[str, Any]:
    recovery = record.get("recovery")
    described: dict[str, Any] = {"PointInTimeRecoveryStatus": "ENABLED" if recovery else "DISABLED"}
    if recovery:
        described["RecoveryPeriodInDays"] = recovery["days"]
        earliest = max(recovery["since"], now - recovery["days"] * 86400)
        described["EarliestRestorableDateTime"] = moment(earliest)
        described["LatestRestorableDateTime"] = moment(now)
    return {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": described}
