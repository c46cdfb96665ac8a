"""CreateTable, DescribeTable, ListTables and DeleteTable."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.harness import eventually

from .conftest import definitions, failure, index, keys, refusal

INVALID = "One or more parameter values were invalid: "
GOOD: dict[str, Any] = {
    "TableName": "never-made",
    "KeySchema": keys("a"),
    "AttributeDefinitions": definitions(a="S"),
    "BillingMode": "PAY_PER_REQUEST",
}


class TestWire:
    @pytest.mark.parametrize(
        "body", [{"TableName": {}}, {"TableName": "abc", "KeySchema": "a"}, {"AttributeDefinitions": [1]}]
    )
    def test_wrong_types_are_a_serialization_exception(self, post, body):
        answer = post("CreateTable", body)
        assert answer.status == 400
        assert answer.body["__type"].endswith("#SerializationException")


class TestValidation:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (
                {"BillingMode": "PROVISIONED"},
                INVALID + "ReadCapacityUnits and WriteCapacityUnits must both be specified "
                "when BillingMode is PROVISIONED",
            ),
            (
                {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}},
                INVALID + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified "
                "when BillingMode is PAY_PER_REQUEST",
            ),
            (
                {
                    "BillingMode": "PROVISIONED",
                    "ProvisionedThroughput": {"ReadCapacityUnits": 10**12 + 1, "WriteCapacityUnits": 1},
                },
                "Given value 1000000000001 for ReadCapacityUnits is out of bounds",
            ),
            (
                {"KeySchema": keys("a", "b")},
                "Invalid KeySchema: Some index key attribute have no definition",
            ),
            (
                {"KeySchema": keys("b")},
                INVALID + "Some index key attributes are not defined in AttributeDefinitions. "
                "Keys: [b], AttributeDefinitions: [a]",
            ),
            (
                {"KeySchema": keys("a", "a"), "AttributeDefinitions": definitions(a="S", b="S")},
                "Both the Hash Key and the Range Key element in the KeySchema have the same name",
            ),
            (
                {"KeySchema": [{"AttributeName": "a", "KeyType": "RANGE"}]},
                "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
            ),
            (
                {"AttributeDefinitions": definitions(a="S", b="S")},
                INVALID + "Number of attributes in KeySchema does not exactly match number of attributes "
                "defined in AttributeDefinitions",
            ),
            ({"AttributeDefinitions": definitions(a="S") * 2}, "Attribute Name is duplicated: a"),
            (
                {"TableClass": "CHEAP"},
                (
                    "Invalid table-class parameter provided. Please try again with a valid table-class value: "
                    "[STANDARD, STANDARD_INFREQUENT_ACCESS]."
                ),
            ),
            (
                {"StreamSpecification": {"StreamEnabled": True}},
                INVALID + "Table is being created with a stream enabled, UpdateViewType is required",
            ),
            (
                {"StreamSpecification": {"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}},
                INVALID
                + "Table is being created with a stream disabled, UpdateViewType should not be specified",
            ),
            (
                {"SSESpecification": {"Enabled": True, "KMSMasterKeyId": "x"}},
                INVALID + "SSEType KMS is required if KMSMasterKeyId is specified",
            ),
            (
                {"SSESpecification": {"Enabled": True, "SSEType": "AES256"}},
                INVALID + "SSEType AES256 is not supported",
            ),
            (
                {
                    "BillingMode": "PROVISIONED",
                    "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
                    "OnDemandThroughput": {"MaxReadRequestUnits": 1},
                },
                INVALID + "MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table "
                "BillingMode is PROVISIONED",
            ),
            (
                {
                    "GlobalSecondaryIndexes": [
                        index("abc", "a", ProjectionType="INCLUDE", NonKeyAttributes=["x", "x"])
                    ]
                },
                INVALID + "Duplicate element in NonKeyAttributes: x",
            ),
            ({"LocalSecondaryIndexes": []}, INVALID + "List of LocalSecondaryIndexes is empty"),
            (
                {"LocalSecondaryIndexes": [index("abc", "a", "a")]},
                INVALID + "Table KeySchema does not have a range key, "
                "which is required when specifying a LocalSecondaryIndex",
            ),
            ({"GlobalSecondaryIndexes": []}, INVALID + "List of GlobalSecondaryIndexes is empty"),
            (
                {"GlobalSecondaryIndexes": [index("abc", "a"), index("abc", "a")]},
                INVALID + "Duplicate index name: abc",
            ),
            (
                {"GlobalSecondaryIndexes": [index("abc", "a", NonKeyAttributes=["x"])]},
                INVALID + "Unknown ProjectionType: null",
            ),
            (
                {"GlobalSecondaryIndexes": [index("abc", "a", ProjectionType="ALL", NonKeyAttributes=["x"])]},
                INVALID + "ProjectionType is ALL, but NonKeyAttributes is specified",
            ),
            (
                {"GlobalSecondaryIndexes": [index(f"abc{n}", "a") for n in range(21)]},
                INVALID + "GlobalSecondaryIndex count exceeds the per-table limit of 20",
            ),
        ],
    )
    def test_parameters(self, ddb, change, message):
        assert refusal(ddb.create_table, **{**GOOD, **change}) == message

    def test_local_index_needs_the_same_hash_key(self, ddb):
        told = refusal(
            ddb.create_table,
            **{
                **GOOD,
                "KeySchema": keys("a", "b"),
                "AttributeDefinitions": definitions(a="S", b="S"),
                "LocalSecondaryIndexes": [index("abc", "b", "a")],
            },
        )
        assert told == (
            INVALID
            + "Index KeySchema does not have the same leading hash key as table KeySchema for index: abc. "
            "index hash key: b, table hash key: a"
        )

    @pytest.mark.parametrize(
        ("name", "rule"),
        [
            ("", "greater than or equal to 1"),
            ("ab", "greater than or equal to 3"),
            ("x" * 256, "less than or equal to 255"),
        ],
    )
    def test_length_of_the_name(self, ddb, name, rule):
        told = refusal(ddb.create_table, **{**GOOD, "TableName": name})
        assert told == (
            f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: "
            f"Member must have length {rule}"
        )

    def test_constraints(self, ddb):
        told = refusal(ddb.create_table, **{**GOOD, "BillingMode": "FREE"})
        assert told == (
            "1 validation error detected: Value 'FREE' at 'billingMode' failed to satisfy constraint: "
            "Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]"
        )
        told = refusal(ddb.create_table, **{**GOOD, "AttributeDefinitions": definitions(a="X")})
        assert told.endswith("Member must satisfy enum value set: [B, N, S]")


class TestBehaviour:
    def test_describes_what_was_made(self, ddb, make_table):
        name = make_table(
            ["a", "b"],
            {"c": "B", "a": "S", "b": "N"},
            BillingMode="PROVISIONED",
            ProvisionedThroughput={"ReadCapacityUnits": 3, "WriteCapacityUnits": 4},
            GlobalSecondaryIndexes=[
                {
                    **index("global", "c", "b", ProjectionType="INCLUDE", NonKeyAttributes=["x", "y"]),
                    "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 2},
                }
            ],
            LocalSecondaryIndexes=[index("local", "a", "c", ProjectionType="KEYS_ONLY")],
            Tags=[{"Key": "team", "Value": "red"}],
        )
        table = ddb.describe_table(TableName=name)["Table"]
        assert table["TableStatus"] == "ACTIVE"
        assert table["KeySchema"] == keys("a", "b")
        assert table["AttributeDefinitions"] == definitions(a="S", b="N", c="B")
        assert table["TableArn"].endswith(f":table/{name}")
        assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 3
        assert (table["ItemCount"], table["TableSizeBytes"]) == (0, 0)
        (global_,) = table["GlobalSecondaryIndexes"]
        assert global_["IndexStatus"] == "ACTIVE"
        assert global_["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x", "y"]}
        assert global_["ProvisionedThroughput"]["WriteCapacityUnits"] == 2
        (local,) = table["LocalSecondaryIndexes"]
        assert local["KeySchema"] == keys("a", "c")
        assert local["IndexArn"] == f"{table['TableArn']}/index/local"
        assert "BillingModeSummary" not in table

    def test_on_demand(self, ddb, unique):
        made = ddb.create_table(**{**GOOD, "TableName": unique("demand")})["TableDescription"]
        assert made["TableStatus"] == "CREATING"
        assert made["BillingModeSummary"] == {"BillingMode": "PAY_PER_REQUEST"}
        assert made["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
        ddb.get_waiter("table_exists").wait(TableName=made["TableName"])
        gone = ddb.delete_table(TableName=made["TableName"])["TableDescription"]
        assert gone["TableStatus"] == "DELETING"
        ddb.get_waiter("table_not_exists").wait(TableName=made["TableName"])

    def test_name_taken(self, ddb, users):
        assert failure(ddb.create_table, **{**GOOD, "TableName": users}) == (
            "ResourceInUseException",
            f"Table already exists: {users}",
        )

    @pytest.mark.node_only
    @pytest.mark.parametrize("count", [25, pytest.param(1100, marks=pytest.mark.slow)])
    def test_counts(self, ddb, make_table, count):
        name = make_table(
            ["a"],
            {"a": "N", "b": "S"},
            GlobalSecondaryIndexes=[index("by_b", "b", ProjectionType="KEYS_ONLY")],
        )
        for n in range(0, count, 25):
            writes = [
                {"PutRequest": {"Item": {"a": {"N": str(n + m)}, **({} if m else {"b": {"S": "x"}})}}}
                for m in range(25)
            ]
            ddb.batch_write_item(RequestItems={name: writes})

        def table() -> Any:
            return ddb.describe_table(TableName=name)["Table"]

        assert eventually(lambda: table()["ItemCount"] == count)
        assert table()["TableSizeBytes"] > count
        (held,) = table()["GlobalSecondaryIndexes"]
        assert held["ItemCount"] == count // 25
        assert 4 * (count // 25) <= held["IndexSizeBytes"] <= 8 * (count // 25)

    def test_unknown(self, ddb):
        for call in (ddb.describe_table, ddb.delete_table):
            assert failure(call, TableName="no-such-table") == (
                "ResourceNotFoundException",
                "Requested resource not found: Table: no-such-table not found",
            )

    def test_list(self, ddb, make_table):
        made = sorted(make_table(["a"], {"a": "S"}) for _ in range(3))
        found: list[str] = []
        for page in ddb.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 2}):
            assert len(page["TableNames"]) <= 2
            found += page["TableNames"]
        assert [name for name in found if name in made] == made
        assert found == sorted(found)
        after = ddb.list_tables(ExclusiveStartTableName=made[0])["TableNames"]
        assert made[0] not in after
        assert made[1] in after

    def test_a_new_table_of_the_same_name_is_empty(self, ddb, make_table):
        name = make_table(["a"], {"a": "S"})
        ddb.put_item(TableName=name, Item={"a": {"S": "old"}})
        ddb.delete_table(TableName=name)
        ddb.get_waiter("table_not_exists").wait(TableName=name)
        ddb.create_table(**{**GOOD, "TableName": name})
        ddb.get_waiter("table_exists").wait(TableName=name)
        assert ddb.scan(TableName=name)["Count"] == 0

    @pytest.mark.node_only
    def test_items_of_a_deleted_table_leave_the_disk(self, fresh_node):
        node = fresh_node()
        ddb = node.client("dynamodb")
        ddb.create_table(**GOOD)
        for n in range(30):
            writes = [{"PutRequest": {"Item": {"a": {"S": f"secret-{n}-{m}"}}}} for m in range(25)]
            ddb.batch_write_item(RequestItems={"never-made": writes})
        ddb.delete_table(TableName="never-made")

        def rows() -> int:
            with closing(sqlite3.connect(node.data / "store.sqlite")) as db:
                found: int = db.execute("SELECT count(*) FROM kv WHERE instr(v, 'secret-')").fetchone()[0]
                return found

        assert eventually(lambda: rows() == 0)

    def test_deletion_protection(self, ddb, make_table):
        name = make_table(["a"], {"a": "S"}, DeletionProtectionEnabled=True)
        assert ddb.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"] is True
        told = refusal(ddb.delete_table, TableName=name)
        assert told.startswith("Resource cannot be deleted as it is currently protected against deletion.")
        ddb.update_table(TableName=name, DeletionProtectionEnabled=False)
        eventually(lambda: ddb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE")

    def test_limits_and_endpoints(self, ddb):
        assert ddb.describe_limits()["TableMaxReadCapacityUnits"] > 0
        assert ddb.describe_endpoints()["Endpoints"][0]["CachePeriodInMinutes"] == 1440
