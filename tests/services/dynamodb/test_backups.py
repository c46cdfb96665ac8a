"""Backups, and tables as they were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import eventually

from .conftest import definitions, failure, index, keys, refusal

MANY = 250
OVERRIDE = "GlobalSecondaryIndexOverride"
UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}


def items(ddb: Any, table: str, **options: Any) -> dict[str, str]:
    pages = ddb.get_paginator("scan").paginate(TableName=table, **options)
    return {item["id"]["S"]: item["n"]["N"] for page in pages for item in page["Items"]}


def fill(ddb: Any, table: str, count: int, n: int = 0) -> None:
    for begin in range(0, count, 25):
        ids = range(begin, min(begin + 25, count))
        writes = [{"PutRequest": {"Item": {"id": {"S": f"i{id}"}, "n": {"N": str(n)}}}} for id in ids]
        ddb.batch_write_item(RequestItems={table: writes})


@pytest.fixture
def source(make_table: Any) -> str:
    return str(
        make_table(
            ["id"],
            {"id": "S", "n": "N"},
            GlobalSecondaryIndexes=[index("by_n", "n")],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
            Tags=[{"Key": "team", "Value": "red"}],
        )
    )


@pytest.fixture
def target(ddb: Any, unique: Any) -> Iterator[str]:
    name = unique("restored")
    yield name
    ddb.delete_table(TableName=name)


def until_active(ddb: Any, table: str) -> dict[str, Any]:
    eventually(lambda: ddb.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE")
    return dict(ddb.describe_table(TableName=table)["Table"])


@pytest.mark.parametrize("count", [3, MANY])
def test_a_backup_and_back(ddb, source, target, count):
    fill(ddb, source, count)
    made = ddb.create_backup(TableName=source, BackupName="first")["BackupDetails"]
    arn = made["BackupArn"]
    assert (made["BackupStatus"], made["BackupType"]) == ("CREATING", "USER")

    def told() -> dict[str, Any]:
        return dict(ddb.describe_backup(BackupArn=arn)["BackupDescription"])

    eventually(lambda: told()["BackupDetails"]["BackupStatus"] == "AVAILABLE")
    assert told()["SourceTableDetails"]["ItemCount"] == count
    assert told()["SourceTableFeatureDetails"]["GlobalSecondaryIndexes"][0]["IndexName"] == "by_n"
    ddb.delete_table(TableName=source)
    answer = ddb.restore_table_from_backup(TargetTableName=target, BackupArn=arn)["TableDescription"]
    assert answer["TableStatus"] == "CREATING"
    assert answer["RestoreSummary"]["SourceBackupArn"] == arn
    described = until_active(ddb, target)
    assert described["RestoreSummary"]["RestoreInProgress"] is False
    assert "LatestStreamArn" not in described
    assert len(items(ddb, target)) == len(items(ddb, target, IndexName="by_n")) == count
    gone = ddb.delete_backup(BackupArn=arn)["BackupDescription"]
    assert gone["BackupDetails"]["BackupStatus"] == "DELETED"
    assert failure(ddb.describe_backup, BackupArn=arn)[0] == "BackupNotFoundException"


def test_listed(ddb, source):
    arns = [
        ddb.create_backup(TableName=source, BackupName=f"b-{n}")["BackupDetails"]["BackupArn"]
        for n in range(3)
    ]
    listed = ddb.list_backups(TableName=source)["BackupSummaries"]
    assert {one["BackupArn"] for one in listed} == set(arns)
    assert {one["TableName"] for one in listed} == {source}
    page = ddb.list_backups(TableName=source, Limit=2)
    rest = ddb.list_backups(TableName=source, ExclusiveStartBackupArn=page["LastEvaluatedBackupArn"])
    assert (len(page["BackupSummaries"]), len(rest["BackupSummaries"])) == (2, 1)
    for arn in arns:
        ddb.delete_backup(BackupArn=arn)
    assert ddb.list_backups(TableName=source)["BackupSummaries"] == []


def test_refusals(ddb, source, users):
    assert failure(ddb.create_backup, TableName="nowhere", BackupName="abc") == (
        "TableNotFoundException", "Table not found: nowhere"
    )  # fmt: skip
    arn = ddb.create_backup(TableName=source, BackupName="abc")["BackupDetails"]["BackupArn"]
    restored = failure(ddb.restore_table_from_backup, TargetTableName=users, BackupArn=arn)
    assert restored == ("TableAlreadyExistsException", f"Table already exists: {users}")
    code, _ = failure(
        ddb.restore_table_to_point_in_time,
        SourceTableName=source,
        TargetTableName="any",
        UseLatestRestorableTime=True,
    )
    assert code == "PointInTimeRecoveryUnavailableException"


@pytest.mark.node_only
@pytest.mark.parametrize("count", [5, MANY])
def test_to_a_point_in_time(fresh_node, count):
    node = fresh_node()
    ddb = node.client("dynamodb")
    now = 1_900_000_000
    node.post("/_cloudlet/clock", {"set": now})
    ddb.create_table(
        TableName="ledger",
        KeySchema=keys("id"),
        AttributeDefinitions=definitions(id="S", n="N"),
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[index("by_n", "n")],
    )
    ddb.update_continuous_backups(
        TableName="ledger",
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 2},
    )
    fill(ddb, "ledger", count)
    before = items(ddb, "ledger")
    node.advance(1000)
    fill(ddb, "ledger", count - 2, n=1)
    ddb.put_item(TableName="ledger", Item={"id": {"S": "new"}, "n": {"N": "1"}})
    ddb.delete_item(TableName="ledger", Key={"id": {"S": "i0"}})
    after = items(ddb, "ledger")
    restore = ddb.restore_table_to_point_in_time
    restore(SourceTableName="ledger", TargetTableName="then", RestoreDateTime=now + 500)
    restore(SourceTableName="ledger", TargetTableName="latest", UseLatestRestorableTime=True)
    until_active(ddb, "then")
    until_active(ddb, "latest")
    assert items(ddb, "then") == items(ddb, "then", IndexName="by_n") == before
    assert items(ddb, "latest") == items(ddb, "latest", IndexName="by_n") == after
    code, _ = failure(restore, SourceTableName="ledger", TargetTableName="other", RestoreDateTime=now - 500)
    assert code == "InvalidRestoreTimeException"
    node.advance(3 * 86400)
    code, _ = failure(restore, SourceTableName="ledger", TargetTableName="other", RestoreDateTime=now + 500)
    assert code == "InvalidRestoreTimeException"


def chosen(key: str = "n", **more: Any) -> dict[str, Any]:
    return {**index("by_n", key), **more}


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (
            {"BillingModeOverride": "PROVISIONED"},
            "ProvisionedThroughputOverride must be specified when BillingModeOverride is PROVISIONED",
        ),
        (
            {"ProvisionedThroughputOverride": UNITS},
            "ProvisionedThroughputOverride can only be specified with BillingModeOverride PROVISIONED",
        ),
        (
            {"BillingModeOverride": "PROVISIONED", "ProvisionedThroughputOverride": UNITS},
            f"{OVERRIDE} must be specified for index: by_n when BillingModeOverride is PROVISIONED",
        ),
        (
            {
                "BillingModeOverride": "PROVISIONED",
                "ProvisionedThroughputOverride": UNITS,
                "GlobalSecondaryIndexOverride": [chosen()],
            },
            "ProvisionedThroughput is not specified for index: by_n",
        ),
        (
            {"GlobalSecondaryIndexOverride": [chosen(ProvisionedThroughput=UNITS)]},
            "ProvisionedThroughput should not be specified for index: by_n when BillingMode is PAY_PER_REQUEST",
        ),
        (
            {"GlobalSecondaryIndexOverride": [chosen("other")]},
            f"{OVERRIDE} does not match an index of the source table: by_n",
        ),
        (
            {"LocalSecondaryIndexOverride": [chosen()]},
            "LocalSecondaryIndexOverride does not match an index of the source table: by_n",
        ),
    ],
)
def test_overrides_that_do_not_fit(ddb, source, unique, overrides, told):
    arn = ddb.create_backup(TableName=source, BackupName="abc")["BackupDetails"]["BackupArn"]
    asked = {"TargetTableName": unique("restored"), "BackupArn": arn, **overrides}
    assert (
        refusal(ddb.restore_table_from_backup, **asked)
        == f"One or more parameter values were invalid: {told}"
    )
    assert failure(ddb.describe_table, TableName=asked["TargetTableName"])[0] == "ResourceNotFoundException"
    ddb.delete_backup(BackupArn=arn)


def test_a_restored_table_is_paid_otherwise(ddb, source, target):
    fill(ddb, source, 3)
    arn = ddb.create_backup(TableName=source, BackupName="abc")["BackupDetails"]["BackupArn"]
    answer = ddb.restore_table_from_backup(
        TargetTableName=target,
        BackupArn=arn,
        BillingModeOverride="PROVISIONED",
        ProvisionedThroughputOverride=UNITS,
        GlobalSecondaryIndexOverride=[chosen(ProvisionedThroughput=UNITS)],
    )
    assert answer["TableDescription"]["BillingModeSummary"] == {"BillingMode": "PROVISIONED"}
    described = until_active(ddb, target)
    assert "BillingModeSummary" not in described
    assert units(described) == units(described["GlobalSecondaryIndexes"][0]) == UNITS
    assert len(items(ddb, target, IndexName="by_n")) == 3
    back = ddb.create_backup(TableName=target, BackupName="abc")["BackupDetails"]["BackupArn"]
    ddb.delete_table(TableName=target)
    ddb.get_waiter("table_not_exists").wait(TableName=target)
    ddb.restore_table_from_backup(
        TargetTableName=target, BackupArn=back, BillingModeOverride="PAY_PER_REQUEST"
    )
    described = until_active(ddb, target)
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    none = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    assert units(described) == units(described["GlobalSecondaryIndexes"][0]) == none
    for made in (arn, back):
        ddb.delete_backup(BackupArn=made)


def units(described: dict[str, Any]) -> dict[str, int]:
    throughput = described["ProvisionedThroughput"]
    return {name: throughput[name] for name in UNITS}
