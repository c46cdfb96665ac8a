"""A table's record as the API describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from .model import ON_DEMAND_READ, ON_DEMAND_WRITE
from .table import Record

Counts = Mapping[str, Sequence[int]]
"""Items and size of indexes, by their ids."""


def describe(
    record: Record, items: int = 0, size: int = 0, status: str = "", indexes: Counts = MappingProxyType({})
) -> dict[str, Any]:
    """A TableDescription. `status` overrides the record's, for operations that answer with what is going on."""
    described: dict[str, Any] = {
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in sorted(record["attributes"].items())
        ],
        "TableName": record["name"],
        "KeySchema": _key_schema(record["keys"]),
        "TableStatus": status or record["status"],
        "CreationDateTime": moment(record["created"]),
        "ProvisionedThroughput": _throughput(record["throughput"]),
        "TableSizeBytes": size,
        "ItemCount": items,
        "TableArn": record["arn"],
        "TableId": record["id"],
        "DeletionProtectionEnabled": record["protected"],
        "WarmThroughput": {**warm(record), "Status": "ACTIVE"},
    }
    _describe_billing(described, record, status == "CREATING")
    _describe_indexes(described, record, status == "CREATING", indexes)
    _describe_rest(described, record)
    return described


def _describe_billing(described: dict[str, Any], record: Record, creating: bool) -> None:
    """Tables that were never on demand don't tell of it, unless they are being restored."""
    on_demand = record["billing"] == "PAY_PER_REQUEST"
    since = record["billing_since"] if on_demand else record.get("on_demand_since")
    summary = {"BillingMode": record["billing"]}
    if since is not None and not creating:
        summary["LastUpdateToPayPerRequestDateTime"] = moment(since)
    if since is not None or (creating and "restored" in record):
        described["BillingModeSummary"] = summary


def moment(seconds: float) -> float:
    """A time as the service tells it, in milliseconds."""
    return round(seconds, 3)


def warm(described: Record, table: Record | None = None) -> dict[str, int]:
    """What a table, or an index of `table`, serves at once. What was asked for is kept, as it can only grow."""
    asked = described.get("warm") or {"ReadUnitsPerSecond": 0, "WriteUnitsPerSecond": 0}
    if (table or described)["billing"] == "PAY_PER_REQUEST":
        read, write = ON_DEMAND_READ, ON_DEMAND_WRITE
    else:
        read, write = described["throughput"]["read"], described["throughput"]["write"]
    return {
        "ReadUnitsPerSecond": max(read, asked["ReadUnitsPerSecond"]),
        "WriteUnitsPerSecond": max(write, asked["WriteUnitsPerSecond"]),
    }


def _key_schema(keys: list[str], hashes: int = 1) -> list[dict[str, str]]:
    return [
        {"AttributeName": name, "KeyType": "HASH" if place < hashes else "RANGE"}
        for place, name in enumerate(keys)
    ]


def _throughput(throughput: dict[str, Any]) -> dict[str, Any]:
    described = {
        "NumberOfDecreasesToday": 0,
        "ReadCapacityUnits": throughput["read"],
        "WriteCapacityUnits": throughput["write"],
    }
    if "increased" in throughput:
        described["LastIncreaseDateTime"] = moment(throughput["increased"])
    if "decreased" in throughput:
        described["LastDecreaseDateTime"] = moment(throughput["decreased"])
    return described


def _describe_indexes(described: dict[str, Any], record: Record, creating: bool, counts: Counts) -> None:
    for local, member in ((True, "LocalSecondaryIndexes"), (False, "GlobalSecondaryIndexes")):
        indexes = [index for index in record["indexes"] if index["local"] is local]
        if indexes:
            described[member] = [_describe_index(record, index, creating, counts) for index in indexes]


def _describe_index(record: Record, index: Record, creating: bool, counts: Counts) -> dict[str, Any]:
    items, size = counts.get(index["id"], (0, 0))
    projection: dict[str, Any] = {"ProjectionType": index["projection"]}
    if index.get("attributes"):
        projection["NonKeyAttributes"] = index["attributes"]
    described: dict[str, Any] = {
        "IndexName": index["name"],
        "KeySchema": _key_schema(index["keys"], index.get("hashes", 1)),
        "Projection": projection,
        "IndexSizeBytes": size,
        "ItemCount": items,
        "IndexArn": f"{record['arn']}/index/{index['name']}",
    }
    if not index["local"]:
        described["IndexStatus"] = "CREATING" if creating else index["status"]
        if index["status"] == "CREATING":
            described["Backfilling"] = index.get("backfilling", True)
        described["ProvisionedThroughput"] = _throughput(index["throughput"])
        described["WarmThroughput"] = {**warm(index, record), "Status": described["IndexStatus"]}
        if "on_demand" in index:
            described["OnDemandThroughput"] = index["on_demand"]
    return described


def _describe_rest(described: dict[str, Any], record: Record) -> None:
    if record.get("stream"):
        described["StreamSpecification"] = record["stream"]
    if record.get("stream_label"):
        described["LatestStreamLabel"] = record["stream_label"]
        described["LatestStreamArn"] = f"{record['arn']}/stream/{record['stream_label']}"
    if record.get("restored"):
        described["RestoreSummary"] = record["restored"]
    if record.get("sse"):
        described["SSEDescription"] = record["sse"]
    if record.get("class"):
        described["TableClassSummary"] = record["class"]
    if record.get("on_demand"):
        described["OnDemandThroughput"] = record["on_demand"]
