"""CreateBackup, DescribeBackup, ListBackups, DeleteBackup, RestoreTableFromBackup, RestoreTableToPointInTime.

A backup is a table's record and its items, copied. A small table is copied at once, a larger one by a task (`copying`),
batch after batch; so is a restored one, which is CREATING until all its items are there.
"""

from __future__ import annotations

import uuid
from typing import Any

from ....context import Context
from ....names import arn, random_id
from ....store.interface import Transaction
from .. import copying, storage
from ..describe import describe, moment
from ..model import (
    BACKUPS_PAGE,
    backup_in_use,
    backup_not_found,
    backups_table_not_found,
    invalid_parameters,
    invalid_restore_time,
    recovery_unavailable,
    table_already_exists,
    validation_error,
)
from ..table import Record
from ..validation.tables import check_index_throughput
from .tables import new_index, set_encryption, throughput_of

Request = dict[str, Any]

_HEX = "0123456789abcdef"


async def create_backup(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        table = await storage.find_table(tx, ctx.account, ctx.region, request["TableName"])
        if table is None:
            raise backups_table_not_found(request["TableName"])
        now = ctx.clock.now()
        id = f"{int(now * 1000):014d}-{random_id(8, _HEX)}"
        backup: Record = {
            "id": id,
            "arn": f"{table.arn}/backup/{id}",
            "name": request["BackupName"],
            "created": now,
            "status": "CREATING",
            "size": 0,
            "items": 0,
            "table": table.record,
        }
        return await copying.save(ctx, tx, table, backup)

    backup = await ctx.store.transact(body)
    return {"BackupDetails": {**_details(backup), "BackupStatus": "CREATING"}}


def _details(backup: Record) -> dict[str, Any]:
    return {
        "BackupArn": backup["arn"],
        "BackupName": backup["name"],
        "BackupSizeBytes": backup["size"],
        "BackupStatus": backup["status"],
        "BackupType": "USER",
        "BackupCreationDateTime": moment(backup["created"]),
    }


def _description(backup: Record) -> dict[str, Any]:
    table = backup["table"]
    told = describe(table, backup["items"], backup["size"])
    source = {
        member: told[member]
        for member in ("TableName", "TableId", "TableArn", "TableSizeBytes", "KeySchema", "ItemCount")
    }
    throughput = told["ProvisionedThroughput"]
    source["ProvisionedThroughput"] = {
        member: throughput[member] for member in ("ReadCapacityUnits", "WriteCapacityUnits")
    }
    source |= {"TableCreationDateTime": moment(table["created"]), "BillingMode": table["billing"]}
    features: dict[str, Any] = {}
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        if member in told:
            features[member] = [_index(index) for index in told[member]]
    if table.get("stream"):
        features["StreamDescription"] = table["stream"]
    if table.get("ttl"):
        features["TimeToLiveDescription"] = {"TimeToLiveStatus": "ENABLED", "AttributeName": table["ttl"]}
    if table.get("sse"):
        features["SSEDescription"] = table["sse"]
    return {
        "BackupDetails": _details(backup),
        "SourceTableDetails": source,
        "SourceTableFeatureDetails": features,
    }


def _index(index: dict[str, Any]) -> dict[str, Any]:
    shown = {member: index[member] for member in ("IndexName", "KeySchema", "Projection")}
    if "ProvisionedThroughput" in index:
        throughput = index["ProvisionedThroughput"]
        shown["ProvisionedThroughput"] = {
            member: throughput[member] for member in ("ReadCapacityUnits", "WriteCapacityUnits")
        }
    return shown


async def _backup(tx: Transaction, ctx: Context, name: str) -> Record:
    found = await storage.get_backup(tx, ctx.account, ctx.region, name.rpartition("/")[2])
    if found is None or found["arn"] != name:
        raise backup_not_found(name)
    return found


async def describe_backup(ctx: Context, request: Request) -> dict[str, Any]:
    backup = await ctx.store.read(lambda tx: _backup(tx, ctx, request["BackupArn"]))
    return {"BackupDescription": _description(backup)}


async def list_backups(ctx: Context, request: Request) -> dict[str, Any]:
    limit = request.get("Limit", BACKUPS_PAGE)
    start = request.get("ExclusiveStartBackupArn", "").rpartition("/")[2]
    name = request.get("TableName", "").rpartition("/")[2]
    earliest, latest = request.get("TimeRangeLowerBound", 0.0), request.get("TimeRangeUpperBound")
    if request.get("BackupType", "ALL") not in ("ALL", "USER"):
        return {"BackupSummaries": []}
    found = [
        backup
        for backup in await ctx.store.read(lambda tx: storage.backups(tx, ctx.account, ctx.region))
        if backup["id"] > start
        and name in ("", backup["table"]["name"])
        and backup["created"] >= earliest
        and (latest is None or backup["created"] < latest)
    ]
    result: dict[str, Any] = {"BackupSummaries": [_summary(backup) for backup in found[:limit]]}
    if len(found) > limit:
        result["LastEvaluatedBackupArn"] = found[limit - 1]["arn"]
    return result


def _summary(backup: Record) -> dict[str, Any]:
    table = backup["table"]
    source = {"TableName": table["name"], "TableId": table["id"], "TableArn": table["arn"]}
    return {**source, **_details(backup)}


async def delete_backup(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        backup = await _backup(tx, ctx, request["BackupArn"])
        if backup["status"] != "AVAILABLE":
            raise backup_in_use(backup["arn"])
        await storage.delete_backup(tx, ctx.account, ctx.region, backup["id"])
        await copying.forget(ctx, tx, backup)
        return backup

    backup = await ctx.store.transact(body)
    return {"BackupDescription": _description({**backup, "status": "DELETED"})}


async def restore_table_from_backup(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        backup = await _backup(tx, ctx, request["BackupArn"])
        if backup["status"] != "AVAILABLE":
            raise backup_in_use(backup["arn"])
        record = await _restored(ctx, tx, backup["table"], request, backup["created"])
        record["restored"]["SourceBackupArn"] = backup["arn"]
        return await copying.restore(
            ctx, tx, record, storage.saved_range(ctx.account, ctx.region, backup["id"])
        )

    return {"TableDescription": _begun(await ctx.store.transact(body))}


async def restore_table_to_point_in_time(ctx: Context, request: Request) -> dict[str, Any]:
    name = request.get("SourceTableName") or request.get("SourceTableArn")
    if name is None:
        raise validation_error("Must provide exactly one of: sourceTableArn, sourceTableName")
    time, latest = request.get("RestoreDateTime"), request.get("UseLatestRestorableTime", False)
    if (time is None) is not latest:
        raise validation_error(
            "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be specified, but not both"
        )

    async def body(tx: Transaction) -> Record:
        table = await storage.find_table(tx, ctx.account, ctx.region, name)
        if table is None:
            raise backups_table_not_found(name)
        recovery = table.record.get("recovery")
        if not recovery:
            raise recovery_unavailable(table.name)
        now = ctx.clock.now()
        wanted = now if time is None else time
        earliest = max(recovery["since"], now - recovery["days"] * 86400)
        if not int(earliest) <= wanted <= now:
            raise invalid_restore_time()
        record = await _restored(ctx, tx, table.record, request, wanted)
        return await copying.restore(ctx, tx, record, table.items.range(), table, time)

    return {"TableDescription": _begun(await ctx.store.transact(body))}


def _begun(record: Record) -> dict[str, Any]:
    """The description of a table whose restore has been asked for."""
    restored = {**record["restored"], "RestoreInProgress": True}
    return describe({**record, "restored": restored}, status="CREATING")


def _chosen(record: Record, asked: Request, local: bool, member: str, provisioned: bool) -> Record:
    """An index of the restored table, which is one of the source's: some may be left out, none be added."""
    if not local:
        check_index_throughput(asked, provisioned)
    index = new_index(asked, local)
    if _definition(index) not in map(_definition, record["indexes"]):
        raise invalid_parameters(
            f"{member} does not match an index of the source table: {asked['IndexName']}"
        )
    return index


def _definition(index: Record) -> tuple[Any, ...]:
    of_all = tuple(index[part] for part in ("name", "local", "keys", "projection"))
    return (*of_all, index.get("hashes", 1), set(index["attributes"]))


async def _restored(ctx: Context, tx: Transaction, source: Record, request: Request, time: float) -> Record:
    """The new table's record: the source's schema, none of its stream, tags, time to live and policies."""
    name = request["TargetTableName"]
    if await storage.find_table(tx, ctx.account, ctx.region, name) is not None:
        raise table_already_exists(name)
    now = ctx.clock.now()
    kept = ("attributes", "keys", "billing", "throughput", "class", "sse", "on_demand", "warm")
    record: Record = {
        **{member: source[member] for member in kept if member in source},
        "name": name,
        "id": str(uuid.uuid4()),
        "arn": arn("dynamodb", ctx.region, ctx.account, f"table/{name}"),
        "created": now,
        "billing_since": now,
        "status": "CREATING",
        "protected": False,
        "tags": {},
        "indexes": [{**index, "status": "ACTIVE"} for index in source["indexes"]],
        "restored": {
            "SourceTableArn": source["arn"],
            "RestoreDateTime": moment(time),
            "RestoreInProgress": True,
        },
    }
    _override(record, request, ctx)
    return record


def _override(record: Record, request: Request, ctx: Context) -> None:
    record["billing"] = request.get("BillingModeOverride", record["billing"])
    provisioned = record["billing"] == "PROVISIONED"
    if "ProvisionedThroughputOverride" in request:
        if not provisioned:
            raise invalid_parameters(
                "ProvisionedThroughputOverride can only be specified with BillingModeOverride PROVISIONED"
            )
        throughput = request["ProvisionedThroughputOverride"]
        record["throughput"] = throughput_of({"ProvisionedThroughput": throughput})
    for member, local in (("LocalSecondaryIndexOverride", True), ("GlobalSecondaryIndexOverride", False)):
        if member in request:
            others = [index for index in record["indexes"] if index["local"] is not local]
            wanted = [_chosen(record, index, local, member, provisioned) for index in request[member]]
            record["indexes"] = others + wanted
    if provisioned:
        for index in record["indexes"]:
            if not index["local"] and not index["throughput"]["read"]:
                raise invalid_parameters(
                    f"GlobalSecondaryIndexOverride must be specified for index: {index['name']} "
                    "when BillingModeOverride is PROVISIONED"
                )
    else:
        none = {"read": 0, "write": 0}
        record["throughput"] = none
        record["indexes"] = [{**index, "throughput": none} for index in record["indexes"]]
    if "OnDemandThroughputOverride" in request:
        record["on_demand"] = request["OnDemandThroughputOverride"]
    set_encryption(record, request.get("SSESpecificationOverride"), ctx)
    used = {name for index in record["indexes"] for name in index["keys"]} | set(record["keys"])
    record["attributes"] = {name: kind for name, kind in record["attributes"].items() if name in used}
