"""Scan."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import refusal


@pytest.fixture
def filled(ddb: Any, make_table: Any) -> str:
    table: str = make_table(
        ["id"],
        {"id": "S", "g": "N"},
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    for start in (0, 25):
        writes = [
            {
                "PutRequest": {
                    "Item": {
                        "id": {"S": f"i{n}"},
                        "n": {"N": str(n)},
                        **({"g": {"N": "1"}} if n % 5 == 0 else {}),
                    }
                }
            }
            for n in range(start, start + 25)
        ]
        ddb.batch_write_item(RequestItems={table: writes})
    return table


class TestWire:
    @pytest.mark.parametrize(
        "body", [{"TableName": "abc", "Segment": "0"}, {"TableName": "abc", "ScanFilter": []}]
    )
    def test_wrong_types_are_a_serialization_exception(self, post, body):
        answer = post("Scan", body)
        assert answer.status == 400
        assert answer.body["__type"].endswith("#SerializationException")


class TestValidation:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                {"Segment": 1},
                (
                    "The TotalSegments parameter is required but was not present in the request "
                    "when Segment parameter is present"
                ),
            ),
            (
                {"TotalSegments": 1},
                (
                    "The Segment parameter is required but was not present in the request "
                    "when parameter TotalSegments is present"
                ),
            ),
            (
                {"Segment": 2, "TotalSegments": 2},
                (
                    "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
                    "Segment: 2 is not less than TotalSegments: 2"
                ),
            ),
            (
                {"FilterExpression": "a = "},
                'Invalid FilterExpression: Syntax error; token: "<EOF>", near: "="',
            ),
            (
                {"ExclusiveStartKey": {"id": {"N": "x"}}},
                "The provided starting key is invalid: The parameter cannot be converted to a numeric value: x",
            ),
            (
                {"FilterExpression": "a = :a", "ExpressionAttributeValues": {":a": {"NS": ["1", "1"]}}},
                (
                    "ExpressionAttributeValues contains invalid value: "
                    "Input collection contains duplicates for key :a"
                ),
            ),
            (
                {"ScanFilter": {"a": {"ComparisonOperator": "NULL", "AttributeValueList": [{"S": "a"}]}}},
                (
                    "One or more parameter values were invalid: Invalid number of argument(s) for the NULL "
                    "ComparisonOperator"
                ),
            ),
        ],
    )
    def test_parameters(self, ddb, options, message):
        assert refusal(ddb.scan, TableName="abc", **options) == message

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"IndexName": "nope"}, "The table does not have the specified index: nope"),
            (
                {"ExclusiveStartKey": {"x": {"S": "a"}}},
                "The provided starting key is invalid: The provided key element does not match the schema",
            ),
        ],
    )
    def test_what_the_schema_does_not_allow(self, ddb, users, options, message):
        assert refusal(ddb.scan, TableName=users, **options) == message

    @pytest.mark.parametrize("count", [30, 95, 149, 400])
    @pytest.mark.parametrize(
        "condition",
        [
            lambda n: "size(" * n + "a" + ")" * n + " = :v",
            lambda n: "NOT (" * n + "a = :v" + ")" * n,
            lambda n: "(NOT NOT NOT " * (n // 3) + "a = :v" + ")" * (n // 3),
            lambda n: " AND ".join(["a = :v"] * n),
        ],
    )
    def test_no_filter_is_too_much_for_the_node(self, ddb, users, condition, count):
        try:
            ddb.scan(
                TableName=users,
                FilterExpression=condition(count),
                ExpressionAttributeValues={":v": {"N": "1"}},
            )
        except ddb.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "ValidationException"

    def test_key_of_another_segment(self, ddb, filled):
        for segment in range(4):
            answer = ddb.scan(TableName=filled, Segment=segment, TotalSegments=4, Limit=1)
            told = refusal(
                ddb.scan,
                TableName=filled,
                Segment=(segment + 1) % 4,
                TotalSegments=4,
                ExclusiveStartKey=answer["LastEvaluatedKey"],
            )
            assert told.startswith("The provided starting key is invalid: Invalid ExclusiveStartKey.")


class TestBehaviour:
    def test_pages(self, ddb, filled):
        found: list[str] = []
        for page in ddb.get_paginator("scan").paginate(TableName=filled, PaginationConfig={"PageSize": 7}):
            found += [item["id"]["S"] for item in page["Items"]]
            assert page["Count"] <= 7
        assert sorted(found) == sorted(f"i{n}" for n in range(50))

    @pytest.mark.parametrize("total", [1, 2, 7])
    def test_segments_share_the_table(self, ddb, filled, total):
        found: list[str] = []
        for segment in range(total):
            answer = ddb.scan(TableName=filled, Segment=segment, TotalSegments=total)
            found += [item["id"]["S"] for item in answer["Items"]]
        assert sorted(found) == sorted(f"i{n}" for n in range(50))

    @pytest.mark.parametrize(
        ("expression", "count"),
        [
            ("n >= :five AND n < :nine", 4),
            ("NOT n >= :five", 5),
            ("n = :five OR n = :nine", 2),
            ("n IN (:five, :nine, id)", 2),
            ("n BETWEEN :five AND :nine", 5),
            ("n <> :five AND n <> :nine", 48),
            ("attribute_exists(g)", 10),
            ("attribute_not_exists(g) AND NOT (n = :five OR n = :nine)", 39),
            ("nope <> :five", 50),
            ("nope < :five", 0),
            ("attribute_type(n, :number)", 50),
            ("begins_with(id, :i) AND size(id) > :two", 40),
            ("contains(id, :nine_text)", 5),
            ("id > n", 0),
        ],
    )
    def test_filters(self, ddb, filled, expression, count):
        given = {
            ":five": {"N": "5"},
            ":nine": {"N": "9"},
            ":number": {"S": "N"},
            ":i": {"S": "i"},
            ":two": {"N": "2"},
            ":nine_text": {"S": "9"},
        }
        values = {name: value for name, value in given.items() if name in expression}
        if ":nine_text" in expression:
            del values[":nine"]
        options = {"ExpressionAttributeValues": values} if values else {}
        answer = ddb.scan(TableName=filled, FilterExpression=expression, **options)
        assert (answer["Count"], answer["ScannedCount"]) == (count, 50)

    def test_index(self, ddb, filled):
        answer = ddb.scan(TableName=filled, IndexName="by_g")
        assert answer["Count"] == 10
        assert all(item.keys() == {"id", "g"} for item in answer["Items"])

    def test_scan_filter(self, ddb, filled):
        answer = ddb.scan(
            TableName=filled,
            ScanFilter={
                "n": {"ComparisonOperator": "IN", "AttributeValueList": [{"N": "5"}, {"N": "6"}]},
                "g": {"ComparisonOperator": "NOT_NULL"},
            },
        )
        assert [item["id"] for item in answer["Items"]] == [{"S": "i5"}]

    def test_capacity(self, ddb, filled):
        answer = ddb.scan(TableName=filled, ReturnConsumedCapacity="TOTAL", ConsistentRead=True)
        assert answer["ConsumedCapacity"] == {"TableName": filled, "CapacityUnits": 1.0}
