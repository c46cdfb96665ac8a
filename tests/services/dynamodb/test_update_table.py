"""UpdateTable, and what a table remembers: tags, time to live, backups."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import eventually

from .conftest import definitions, failure, index, refusal

INVALID = "One or more parameter values were invalid: "
UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}


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
        assert refusal(ddb.update_table, TableName="abc") == (
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, "
            "SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, "
            "MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass "
            "is required"
        )

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
            (
                {"Create": index("abc", "b"), "Delete": {"IndexName": "abd"}},
                "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object",
            ),
            ({"Create": index("abc", "b")}, "AttributeDefinitions is not specified for index: abc"),
        ],
    )
    def test_index_updates(self, ddb, update, message):
        told = refusal(ddb.update_table, TableName="abc", GlobalSecondaryIndexUpdates=[update])
        assert told == INVALID + message

    def test_one_index_at_a_time(self, ddb):
        both = [{"Delete": {"IndexName": "abc"}}, {"Delete": {"IndexName": "abd"}}]
        assert failure(ddb.update_table, TableName="abc", GlobalSecondaryIndexUpdates=both) == (
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        )

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"SSESpecification": {"Enabled": True}, "DeletionProtectionEnabled": True},
                "Server-Side Encryption modification must be the only operation in the request",
            ),
            (
                {"TableClass": "STANDARD", "BillingMode": "PAY_PER_REQUEST"},
                "TableClass modification must be the only operation in the request",
            ),
            (
                {"DeletionProtectionEnabled": True, "BillingMode": "PAY_PER_REQUEST"},
                "DeletionProtection modification must be the only operation in the request",
            ),
            (
                {"ProvisionedThroughput": UNITS, "StreamSpecification": {"StreamEnabled": False}},
                "You cannot modify stream status while updating table IOPS",
            ),
            (
                {
                    "ProvisionedThroughput": UNITS,
                    "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "abc"}}],
                },
                "You cannot create or delete index while updating table IOPS",
            ),
            (
                {
                    "StreamSpecification": {"StreamEnabled": False},
                    "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "abc"}}],
                },
                "You cannot create or delete index while changing stream status",
            ),
            (
                {
                    "OnDemandThroughput": {"MaxReadRequestUnits": 5},
                    "StreamSpecification": {"StreamEnabled": False},
                },
                "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request",
            ),
            (
                {"BillingMode": "PROVISIONED"},
                "ProvisionedThroughput must be specified when BillingMode is PROVISIONED",
            ),
            (
                {"StreamSpecification": {"StreamEnabled": True}},
                "If stream is being enabled then UpdateViewType is required",
            ),
            (
                {"StreamSpecification": {"StreamEnabled": False, "StreamViewType": "NEW_IMAGE"}},
                "If stream is being disabled, then UpdateViewType must not be specified",
            ),
            (
                {"SSESpecification": {"Enabled": False, "KMSMasterKeyId": "x"}},
                "KMSMasterKeyId can not be specified if Enabled is false",
            ),
            (
                {"OnDemandThroughput": {"MaxWriteRequestUnits": 0}},
                "Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid range",
            ),
        ],
    )
    def test_what_does_not_go_together(self, ddb, changes, message):
        assert refusal(ddb.update_table, TableName="abc", **changes) == INVALID + message

    def test_table_class(self, ddb):
        assert refusal(ddb.update_table, TableName="abc", TableClass="CHEAP") == (
            "Invalid table-class parameter provided. Please try again with a valid table-class value: "
            "[STANDARD, STANDARD_INFREQUENT_ACCESS]."
        )

    def test_unknown_table(self, ddb):
        assert failure(ddb.update_table, TableName="no-such-table", BillingMode="PAY_PER_REQUEST") == (
            "ResourceNotFoundException",
            "Requested resource not found: Table: no-such-table not found",
        )

    @pytest.mark.parametrize(
        ("arn", "message"),
        [
            ("abc", INVALID + "ARNs must start with 'arn:': abc"),
            (
                "arn:aws:sqs:us-east-1:000000000000:x",
                INVALID + "Provided Arn is not a DynamoDB resource arn: arn:aws:sqs:us-east-1:000000000000:x",
            ),
            (
                "arn:aws:dynamodb:us-east-1:000000000000:table/abc/index/abd",
                INVALID
                + "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: "
                "arn:aws:dynamodb:us-east-1:000000000000:table/abc/index/abd",
            ),
            (
                "arn:aws:dynamodb:xx-west-9:000000000000:table/abc",
                (
                    "Invalid TableArn: Invalid ResourceArn provided as input "
                    "arn:aws:dynamodb:xx-west-9:000000000000:table/abc"
                ),
            ),
        ],
    )
    def test_arn(self, ddb, arn, message):
        assert refusal(ddb.list_tags_of_resource, ResourceArn=arn) == message

    @pytest.mark.parametrize(
        ("tags", "message"),
        [
            (
                [{"Key": "a", "Value": "1"}] * 2,
                "Duplicate Tag Keys provided as input: Duplicate Tag Key found a",
            ),
            ([{"Key": "aws:a", "Value": "1"}], "Tag Key cannot be prefixed with aws:, Key: aws:a"),
            (
                [{"Key": str(n), "Value": "1"} for n in range(51)],
                "Number of Tags exceed the current limit for the provided ResourceArn",
            ),
        ],
    )
    def test_tags(self, ddb, users, tags, message):
        arn = ddb.describe_table(TableName=users)["Table"]["TableArn"]
        assert refusal(ddb.tag_resource, ResourceArn=arn, Tags=tags) == message


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
        summary = active(ddb, table)["BillingModeSummary"]
        assert summary["BillingMode"] == "PAY_PER_REQUEST"
        ddb.update_table(TableName=table, BillingMode="PROVISIONED", ProvisionedThroughput=more)
        assert active(ddb, table)["BillingModeSummary"] == {**summary, "BillingMode": "PROVISIONED"}

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
        (shown,) = made["TableDescription"]["GlobalSecondaryIndexes"]
        assert (shown["IndexStatus"], shown["Backfilling"]) == ("CREATING", False)
        ddb.put_item(TableName=table, Item={"a": {"S": "meanwhile"}, "b": {"N": "0"}})
        described = active(ddb, table)
        assert described["AttributeDefinitions"] == definitions(a="S", b="N")
        found = 0
        for page in ddb.get_paginator("scan").paginate(TableName=table, IndexName="by_b"):
            found += page["Count"]
        assert found == count  # one has the wrong type, one came meanwhile
        gone = ddb.update_table(
            TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by_b"}}]
        )
        (shown,) = gone["TableDescription"]["GlobalSecondaryIndexes"]
        assert shown["IndexStatus"] == "DELETING"
        described = active(ddb, table)
        assert "GlobalSecondaryIndexes" not in described
        assert described["AttributeDefinitions"] == definitions(a="S")
        assert "does not have the specified index" in refusal(ddb.scan, TableName=table, IndexName="by_b")

    def test_an_index_that_changes(self, ddb, make_table):
        table = make_table(
            ["a"],
            {"b": "S", "a": "S"},
            BillingMode="PROVISIONED",
            ProvisionedThroughput=UNITS,
            GlobalSecondaryIndexes=[{**index("by_b", "b"), "ProvisionedThroughput": UNITS}],
        )
        more = {"IndexName": "by_b", "ProvisionedThroughput": {**UNITS, "ReadCapacityUnits": 9}}
        answer = ddb.update_table(TableName=table, GlobalSecondaryIndexUpdates=[{"Update": more}])
        assert answer["TableDescription"]["GlobalSecondaryIndexes"][0]["IndexStatus"] == "UPDATING"
        described = active(ddb, table)
        assert described["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"
        assert described["AttributeDefinitions"] == definitions(a="S", b="S")

    def test_unknown_index(self, ddb, make_table):
        table = make_table(["a"], {"a": "S"})
        update = [{"Delete": {"IndexName": "nope"}}]
        code, _ = failure(ddb.update_table, TableName=table, GlobalSecondaryIndexUpdates=update)
        assert code == "ResourceNotFoundException"

    def test_a_new_index_leaves_out_what_is_no_key(self, ddb, make_table):
        table = make_table(["a"], {"a": "S"})
        for name, text in {"good": "x", "empty": "", "long": "x" * 2049, "sort": "x" * 1025}.items():
            ddb.put_item(TableName=table, Item={"a": {"S": name}, "b": {"S": text}})
        for create, held in ((index("by_b", "b"), {"good", "sort"}), (index("by_a_b", "a", "b"), {"good"})):
            ddb.update_table(
                TableName=table,
                AttributeDefinitions=definitions(a="S", b="S"),
                GlobalSecondaryIndexUpdates=[{"Create": create}],
            )
            active(ddb, table)
            found = ddb.scan(TableName=table, IndexName=create["IndexName"])["Items"]
            assert {item["a"]["S"] for item in found} == held
        ddb.delete_item(TableName=table, Key={"a": {"S": "empty"}})

    def test_what_an_index_can_not_be(self, ddb, make_table):
        table = make_table(
            ["a", "b"],
            {"a": "S", "b": "S", "c": "S"},
            LocalSecondaryIndexes=[index("local", "a", "c")],
            GlobalSecondaryIndexes=[index("by_c", "c")],
        )

        def told(*updates: dict[str, Any], **types: str) -> str:
            return refusal(
                ddb.update_table,
                TableName=table,
                AttributeDefinitions=definitions(**types),
                GlobalSecondaryIndexUpdates=list(updates),
            )

        assert (
            told({"Create": index("by_c", "c")}, c="S")
            == "Attempting to create an index which already exists"
        )
        assert told({"Create": index("more", "c")}, c="N") == (
            INVALID + "Attributes cannot be redefined. Please check that your attribute has the same type as "
            "previously defined. Existing schema: Schema:[SchemaElement: key{a:S:HASH}, SchemaElement: key{c:S:RANGE}] "
            "New schema: Schema:[SchemaElement: key{c:N:HASH}]"
        )
        assert told({"Create": index("more", "c")}, b="S").startswith(
            INVALID + "Some index key attributes are not defined in AttributeDefinitions. Keys: [c]"
        )
        assert told({"Delete": {"IndexName": "local"}}, a="S") == (
            "Cannot delete an index that is not a GlobalSecondaryIndex: local"
        )
        assert refusal(
            ddb.update_table, TableName=table, BillingMode="PROVISIONED", ProvisionedThroughput=UNITS
        ) == (INVALID + "ProvisionedThroughput must be specified for index: by_c")
        given = {"Update": {"IndexName": "by_c", "ProvisionedThroughput": UNITS}}
        assert told(given, c="S") == (
            INVALID + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: by_c "
            "when BillingMode is PAY_PER_REQUEST"
        )
        ddb.update_table(
            TableName=table,
            BillingMode="PROVISIONED",
            ProvisionedThroughput=UNITS,
            GlobalSecondaryIndexUpdates=[given],
        )
        (shown,) = active(ddb, table)["GlobalSecondaryIndexes"]
        assert shown["ProvisionedThroughput"]["ReadCapacityUnits"] == 5

    def test_tags_of_a_table(self, ddb, make_table):
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
