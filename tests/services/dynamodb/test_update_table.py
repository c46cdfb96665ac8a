"""UpdateTable, and what a table remembers: tags, time to live, backups."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import eventually

from .conftest import definitions, failure, index, refusal


def active(ddb: Any, table: str) -> dict[str, Any]:
    """The table's description, once it and its indexes are active."""

    def probe() -> dict[str, Any] | None:
        described: dict[str, Any] = ddb.describe_table(TableName=table)["Table"]
        indexes = described.get("GlobalSecondaryIndexes", [])
        busy = described["TableStatus"] != "ACTIVE" or any(i["IndexStatus"] != "ACTIVE" for i in indexes)
        return None if busy else described

    found = eventually(probe)
    assert found is not None
    return found


class TestWire:
    def test_wrong_types_are_a_serialization_exception(self, post):
        answer = post("UpdateTable", {"TableName": "abc", "GlobalSecondaryIndexUpdates": {}})
        assert answer.status == 400
        assert answer.body["__type"].endswith("#SerializationException")


class TestValidation:
    def test_nothing_to_do(self, ddb):
        assert refusal(ddb.update_table, TableName="abc").startswith("At least one of ProvisionedThroughput,")

    @pytest.mark.parametrize(
        ("update", "message"),
        [
            (
                {},
                (
                    "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
                    "GlobalSecondaryIndexUpdate.Delete must not be null"
                ),
            ),
        ],
    )
    def test_index_updates(self, ddb, update, message):
        told = refusal(ddb.update_table, TableName="abc", GlobalSecondaryIndexUpdates=[update])
        assert told == "One or more parameter values were invalid: " + message

    def test_unknown_table(self, ddb):
        assert failure(ddb.update_table, TableName="no-such-table", BillingMode="PAY_PER_REQUEST") == (
            "ResourceNotFoundException",
            "Requested resource not found: Table: no-such-table not found",
        )

    @pytest.mark.parametrize("arn", ["abc", "arn:aws:dynamodb:us-east-1:000000000000:stream/x"])
    def test_arn(self, ddb, arn):
        told = refusal(ddb.list_tags_of_resource, ResourceArn=arn)
        assert told == f"Invalid TableArn: Invalid ResourceArn provided as input {arn}"


class TestBehaviour:
    def test_throughput(self, ddb, make_table):
        table = make_table(
            ["a"],
            {"a": "S"},
            BillingMode="PROVISIONED",
            ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 5},
        )
        more = {"ReadCapacityUnits": 2, "WriteCapacityUnits": 5}
        ddb.update_table(TableName=table, ProvisionedThroughput=more)
        described = active(ddb, table)["ProvisionedThroughput"]
        assert described["ReadCapacityUnits"] == 2
        assert "LastIncreaseDateTime" in described
        told = refusal(ddb.update_table, TableName=table, ProvisionedThroughput=more)
        assert told.startswith("The provisioned throughput for the table will not change.")
        ddb.update_table(TableName=table, BillingMode="PAY_PER_REQUEST")
        assert active(ddb, table)["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"

    @pytest.mark.parametrize("count", [5, pytest.param(1200, marks=pytest.mark.slow)])
    def test_a_new_index_is_filled(self, ddb, make_table, count):
        table = make_table(["a"], {"a": "S"})
        writes = [
            {
                "PutRequest": {
                    "Item": {"a": {"S": str(n)}, "b": {"N": str(n % 3)} if n else {"S": "wrong type"}}
                }
            }
            for n in range(count)
        ]
        for at in range(0, count, 25):
            ddb.batch_write_item(RequestItems={table: writes[at : at + 25]})
        create = {"Create": index("by_b", "b", ProjectionType="KEYS_ONLY")}
        made = ddb.update_table(
            TableName=table,
            AttributeDefinitions=definitions(a="S", b="N"),
            GlobalSecondaryIndexUpdates=[create],
        )
        assert made["TableDescription"]["TableStatus"] == "UPDATING"
        ddb.put_item(TableName=table, Item={"a": {"S": "meanwhile"}, "b": {"N": "0"}})
        described = active(ddb, table)
        assert described["AttributeDefinitions"] == definitions(a="S", b="N")
        found = 0
        for page in ddb.get_paginator("scan").paginate(TableName=table, IndexName="by_b"):
            found += page["Count"]
        assert found == count  # one has the wrong type, one came meanwhile
        ddb.update_table(TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by_b"}}])
        assert "GlobalSecondaryIndexes" not in active(ddb, table)
        assert "does not have the specified index" in refusal(ddb.scan, TableName=table, IndexName="by_b")

    def test_unknown_index(self, ddb, make_table):
        table = make_table(["a"], {"a": "S"})
        update = [{"Delete": {"IndexName": "nope"}}]
        code, _ = failure(ddb.update_table, TableName=table, GlobalSecondaryIndexUpdates=update)
        assert code == "ResourceNotFoundException"

    def test_tags(self, ddb, make_table):
        table = make_table(["a"], {"a": "S"}, Tags=[{"Key": "x", "Value": "1"}])
        arn = active(ddb, table)["TableArn"]
        ddb.tag_resource(ResourceArn=arn, Tags=[{"Key": "x", "Value": "2"}, {"Key": "y", "Value": ""}])
        found = ddb.list_tags_of_resource(ResourceArn=arn)["Tags"]
        assert sorted((tag["Key"], tag["Value"]) for tag in found) == [("x", "2"), ("y", "")]
        ddb.untag_resource(ResourceArn=arn, TagKeys=["x", "nope"])
        assert ddb.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "y", "Value": ""}]

    def test_time_to_live(self, ddb, make_table):
        table = make_table(["a"], {"a": "S"})
        found = ddb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        assert found == {"TimeToLiveStatus": "DISABLED"}
        on = {"Enabled": True, "AttributeName": "expires"}
        assert (
            ddb.update_time_to_live(TableName=table, TimeToLiveSpecification=on)["TimeToLiveSpecification"]
            == on
        )
        found = ddb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        assert found["AttributeName"] == "expires"
        assert refusal(ddb.update_time_to_live, TableName=table, TimeToLiveSpecification=on) == (
            "TimeToLive is already enabled"
        )

    def test_stream_specification(self, ddb, make_table):
        table = make_table(["a"], {"a": "S"})
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
        ddb.update_table(TableName=table, StreamSpecification=stream)
        described = active(ddb, table)
        assert described["StreamSpecification"] == stream
        assert described["LatestStreamArn"].startswith(described["TableArn"] + "/stream/")
        told = refusal(ddb.update_table, TableName=table, StreamSpecification=stream)
        assert told.startswith("Table already has an enabled stream")

    def test_continuous_backups(self, ddb, make_table):
        table = make_table(["a"], {"a": "S"})
        asked = {"PointInTimeRecoveryEnabled": True}
        ddb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=asked)
        found = ddb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        assert found["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"

    @pytest.mark.node_only
    def test_what_is_not_built_says_so(self, ddb):
        code, message = failure(ddb.list_exports)
        assert code == "NotImplemented"
        assert "ListExports" in message


@pytest.mark.node_only
def test_every_operation_is_built_or_refused() -> None:
    import botocore.session

    from cloudlet.names import snake
    from cloudlet.services.dynamodb import model, operations

    names = botocore.session.get_session().get_service_model("dynamodb").operation_names
    missing = [n for n in names if not hasattr(operations, snake(n)) and n not in model.UNSUPPORTED]
    both = [n for n in names if hasattr(operations, snake(n)) and n in model.UNSUPPORTED]
    assert (missing, both) == ([], [])


def test_warm_throughput_only_grows(ddb, make_table):
    table = make_table(["id"], {"id": "S"})
    warm = ddb.describe_table(TableName=table)["Table"]["WarmThroughput"]
    assert warm == {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"}
    ddb.update_table(
        TableName=table, WarmThroughput={"ReadUnitsPerSecond": 15000, "WriteUnitsPerSecond": 4000}
    )
    warm = ddb.describe_table(TableName=table)["Table"]["WarmThroughput"]
    assert warm["ReadUnitsPerSecond"] == 15000
    told = refusal(
        ddb.update_table,
        TableName=table,
        WarmThroughput={"ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 4000},
    )
    assert "decreasing WarmThroughput is not supported" in told
