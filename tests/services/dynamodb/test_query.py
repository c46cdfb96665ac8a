"""Query."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import failure, refusal

INVALID = "One or more parameter values were invalid: "


def pages(ddb: Any, **asked: Any) -> list[list[dict[str, Any]]]:
    found, start = [], {}
    while True:
        answer = ddb.query(**asked, **start)
        assert answer["Count"] == len(answer["Items"])
        found.append(answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return found
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def numbers(answer: dict[str, Any]) -> list[str]:
    return [item["seq"]["N"] for item in answer["Items"]]


@pytest.fixture(scope="module")
def filled(ddb: Any, orders: str) -> str:
    """Orders -3 to 6 of "q"; cities by turns, prices downwards."""
    for number in range(-3, 7):
        ddb.put_item(
            TableName=orders,
            Item={
                "who": {"S": "q"},
                "seq": {"N": str(number)},
                "city": {"S": "Wels" if number % 2 else "Steyr"},
                "price": {"N": str(100 - number)},
                "tag": {"B": b"t" * (number + 4)},
                "note": {"S": f"note {number}"},
                "more": {"S": "not projected"},
            },
        )
    return orders


class TestWire:
    @pytest.mark.parametrize(
        "body",
        [
            {"TableName": "abc", "Limit": "1"},
            {"TableName": "abc", "KeyConditions": {"a": {"AttributeValueList": "x"}}},
            {"TableName": "abc", "ScanIndexForward": "x"},
        ],
    )
    def test_wrong_types_are_a_serialization_exception(self, post, body):
        answer = post("Query", body)
        assert answer.status == 400
        assert answer.body["__type"].endswith("#SerializationException")


class TestValidation:
    def test_conditions_are_needed(self, ddb):
        assert refusal(ddb.query, TableName="abc") == (
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        )

    @pytest.mark.parametrize("operation", ["query", "scan"])
    def test_limit(self, ddb, operation):
        assert refusal(getattr(ddb, operation), TableName="abc", Limit=0) == (
            "1 validation error detected: Value at 'Limit' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )

    @pytest.mark.parametrize(
        ("expression", "message"),
        [
            ("", "Invalid KeyConditionExpression: The expression can not be empty;"),
            ("a OR b", 'Invalid KeyConditionExpression: Syntax error; token: "OR", near: "a OR b"'),
            ("a = :a OR b = :a", "Invalid operator used in KeyConditionExpression: OR"),
            ("NOT a = :a", "Invalid operator used in KeyConditionExpression: NOT"),
            ("a IN (:a)", "Invalid operator used in KeyConditionExpression: IN"),
            ("a <> :a", "Invalid operator used in KeyConditionExpression: <>"),
            ("contains(a, :a)", "Invalid operator used in KeyConditionExpression: contains"),
            ("size(a) = :a", "KeyConditionExpressions cannot contain nested operations"),
            ("a.b = :a", "KeyConditionExpressions cannot have conditions on nested attributes"),
            (
                "a = b",
                "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
            ),
            (":a = :a", "Invalid condition in KeyConditionExpression: No key attribute specified"),
            (
                "a = :a AND a = :a",
                "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
            ),
            (
                "begins_with(:a, a)",
                (
                    "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute "
                    "as its first operand"
                ),
            ),
            (
                ":a BETWEEN a AND :a",
                (
                    "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute "
                    "as its first operand"
                ),
            ),
            (
                "a BETWEEN :b AND :a",
                (
                    "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than "
                    "or equal to lower bound; "
                    "lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}"
                ),
            ),
            (
                "a BETWEEN :n AND :a",
                (
                    "Invalid KeyConditionExpression: The BETWEEN operator requires same data type for lower and upper "
                    "bounds; lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:a}"
                ),
            ),
            (
                "begins_with(a, :n)",
                (
                    "Invalid KeyConditionExpression: Incorrect operand type for operator or function; "
                    "operator or function: begins_with, operand type: N"
                ),
            ),
            (
                ":f >= a",
                (
                    "Invalid KeyConditionExpression: Incorrect operand type for operator or function; "
                    "operator or function: >=, operand type: BOOL"
                ),
            ),
            (
                "a BETWEEN :f AND :f",
                (
                    "Invalid KeyConditionExpression: Incorrect operand type for operator or function; "
                    "operator or function: BETWEEN, operand type: BOOL"
                ),
            ),
            (
                "a = :a AND begins_with(b, :n) AND b = :missing",
                (
                    "Invalid KeyConditionExpression: Incorrect operand type for operator or function; "
                    "operator or function: begins_with, operand type: N"
                ),
            ),
            (
                "a = :missing AND begins_with(b, :n)",
                (
                    "Invalid KeyConditionExpression: An expression attribute value used in expression is not defined; "
                    "attribute value: :missing"
                ),
            ),
        ],
    )
    def test_key_condition(self, ddb, expression, message):
        values = {":a": {"S": "a"}, ":b": {"S": "b"}, ":n": {"N": "1"}, ":f": {"BOOL": False}}
        used = {name: value for name, value in values.items() if name in expression}
        told = refusal(
            ddb.query,
            TableName="abc",
            KeyConditionExpression=expression,
            ExpressionAttributeValues=used or {":a": {"S": "a"}},
        )
        assert told == message

    @pytest.mark.parametrize("place", ["key", "filter", "start"])
    def test_values_are_told_of_as_they_are(self, ddb, place):
        wrong, right = {"NS": ["1", "1.0"]}, {"S": "a"}
        told = refusal(
            ddb.query,
            TableName="abc",
            KeyConditionExpression="a = :a",
            FilterExpression="b = :b",
            ExpressionAttributeValues={
                ":a": wrong if place == "key" else right, ":b": wrong if place == "filter" else right
            },
            ExclusiveStartKey={"a": wrong if place == "start" else right},
        )  # fmt: skip
        assert told == INVALID + "Input collection contains duplicates."

    @pytest.mark.parametrize(
        ("condition", "message"),
        [
            (
                {"ComparisonOperator": "EQ", "AttributeValueList": []},
                INVALID + "Invalid number of argument(s) for the EQ ComparisonOperator",
            ),
            (
                {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"N": "1"}]},
                INVALID + "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type",
            ),
            (
                {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "1"}, {"S": "1"}]},
                INVALID + "AttributeValues inside AttributeValueList must be of same type",
            ),
            (
                {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "10"}, {"N": "9"}]},
                "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
            ),
        ],
    )
    def test_key_conditions(self, ddb, condition, message):
        assert refusal(ddb.query, TableName="abc", KeyConditions={"a": condition}) == message

    @pytest.mark.parametrize("names", ["", "abc"])
    def test_number_of_old_key_conditions(self, ddb, names):
        condition = {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}
        told = refusal(ddb.query, TableName="abc", KeyConditions=dict.fromkeys(names, condition))
        assert told == "Conditions can be of length 1 or 2 only"

    @pytest.mark.parametrize(
        ("expression", "options", "message"),
        [
            ("seq = :n", {}, "Query condition missed key schema element: who"),
            ("who = :n", {}, INVALID + "Condition parameter type does not match schema type"),
            ("who > :s", {}, "Query key condition not supported"),
            ("who = :s AND x = :n", {}, "Query condition missed key schema element: seq"),
            (
                "who = :s AND seq > :n AND x = :n",
                {},
                (
                    "The number of query conditions (3) exceeds "
                    "the number of key attributes defined in the schema (2)"
                ),
            ),
            (
                "city = :s",
                {"IndexName": "nope"},
                "The table does not have the specified index: nope",
            ),
            (
                "city = :s",
                {"IndexName": "by_city", "ConsistentRead": True},
                "Consistent reads are not supported on global secondary indexes",
            ),
            (
                "tag = :b",
                {"IndexName": "by_tag", "Select": "ALL_ATTRIBUTES"},
                INVALID + "Select type ALL_ATTRIBUTES is not supported for global secondary index by_tag "
                "because its projection type is not ALL",
            ),
            (
                "who = :s",
                {"FilterExpression": "seq = :n"},
                "Filter Expression can only contain non-primary key attributes: Primary key attribute: seq",
            ),
            (
                "who = :s",
                {"ExclusiveStartKey": {"who": {"S": "a"}}},
                "The provided starting key is invalid",
            ),
            (
                "who = :s",
                {"ExclusiveStartKey": {"who": {"S": "b"}, "seq": {"N": "1"}}},
                "The provided starting key is outside query boundaries based on provided conditions",
            ),
            (
                "who = :s AND seq > :n",
                {"ExclusiveStartKey": {"who": {"S": "a"}, "seq": {"N": "0"}}},
                "The provided starting key does not match the range key predicate",
            ),
        ],
    )
    def test_what_the_schema_does_not_allow(self, ddb, orders, expression, options, message):
        values = {":s": {"S": "a"}, ":n": {"N": "1"}, ":b": {"B": b"x"}}
        text = expression + options.get("FilterExpression", "")
        used = {name: value for name, value in values.items() if name in text}
        told = refusal(
            ddb.query,
            TableName=orders,
            KeyConditionExpression=expression,
            ExpressionAttributeValues=used,
            **options,
        )
        assert told == message

    def test_unknown_table(self, ddb):
        code, _ = failure(
            ddb.query,
            TableName="no-such-table",
            KeyConditionExpression="a = :a",
            ExpressionAttributeValues={":a": {"S": "a"}},
        )
        assert code == "ResourceNotFoundException"


class TestBehaviour:
    def query(self, ddb: Any, table: str, condition: str, *bounds: int, **options: Any) -> dict[str, Any]:
        values = {f":{i}": {"N": str(bound)} for i, bound in enumerate(bounds)}
        return ddb.query(
            TableName=table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues={":q": {"S": "q"}, **values, **options.pop("values", {})},
            **options,
        )

    @pytest.mark.parametrize(
        ("condition", "bounds", "found"),
        [
            ("who = :q", (), range(-3, 7)),
            ("who = :q AND seq = :0", (3,), [3]),
            ("who = :q AND seq < :0", (0,), [-3, -2, -1]),
            ("who = :q AND seq <= :0", (0,), [-3, -2, -1, 0]),
            ("who = :q AND seq > :0", (4,), [5, 6]),
            ("(who = :q) AND (seq >= :0)", (4,), [4, 5, 6]),
            ("seq BETWEEN :0 AND :1 AND who = :q", (-1, 1), [-1, 0, 1]),
            (":0 < seq AND :q = who", (4,), [5, 6]),
        ],
    )
    def test_range_conditions(self, ddb, filled, condition, bounds, found):
        answer = self.query(ddb, filled, condition, *bounds)
        assert numbers(answer) == [str(number) for number in found]
        assert answer["ScannedCount"] == answer["Count"] == len(found)
        backwards = self.query(ddb, filled, condition, *bounds, ScanIndexForward=False)
        assert numbers(backwards) == numbers(answer)[::-1]

    def test_begins_with(self, ddb, make_table):
        table = make_table(["a", "b"], {"a": "S", "b": "S"})
        for text in ("", "x", "xa", "xa\u0000", "xb", "x\uffff", "y"):
            if text:
                ddb.put_item(TableName=table, Item={"a": {"S": "a"}, "b": {"S": text}})
        answer = ddb.query(
            TableName=table,
            KeyConditionExpression="a = :a AND begins_with(b, :b)",
            ExpressionAttributeValues={":a": {"S": "a"}, ":b": {"S": "x"}},
        )
        assert [item["b"]["S"] for item in answer["Items"]] == ["x", "xa", "xa\u0000", "xb", "x\uffff"]

    @pytest.mark.parametrize("forward", [True, False])
    @pytest.mark.parametrize("limit", [1, 3, 10, 100])
    def test_pages(self, ddb, filled, forward, limit):
        found = pages(
            ddb,
            TableName=filled,
            KeyConditionExpression="who = :q",
            ExpressionAttributeValues={":q": {"S": "q"}},
            Limit=limit,
            ScanIndexForward=forward,
        )
        order = [str(number) for number in range(-3, 7)]
        assert [item["seq"]["N"] for page in found for item in page] == (order if forward else order[::-1])
        assert all(len(page) == limit for page in found[:-1])
        assert len(found) == 10 // limit + 1 if limit <= 10 else 1

    def test_filter_counts_what_it_scanned(self, ddb, filled):
        answer = self.query(
            ddb, filled, "who = :q", Limit=4, FilterExpression="contains(note, :x)", values={":x": {"S": "-"}}
        )
        assert (answer["Count"], answer["ScannedCount"]) == (3, 4)
        assert answer["LastEvaluatedKey"] == {"who": {"S": "q"}, "seq": {"N": "0"}}

    def test_select(self, ddb, filled):
        counted = self.query(ddb, filled, "who = :q", Select="COUNT")
        assert counted["Count"] == 10
        assert "Items" not in counted
        some = self.query(ddb, filled, "who = :q AND seq = :0", 1, ProjectionExpression="note, price")
        assert some["Items"] == [{"note": {"S": "note 1"}, "price": {"N": "99"}}]

    def test_global_index(self, ddb, filled):
        answer = ddb.query(
            TableName=filled,
            IndexName="by_city",
            KeyConditionExpression="city = :c AND seq > :n",
            ExpressionAttributeValues={":c": {"S": "Wels"}, ":n": {"N": "0"}},
            ReturnConsumedCapacity="INDEXES",
        )
        assert numbers(answer) == ["1", "3", "5"]
        assert answer["Items"][0]["more"] == {"S": "not projected"}
        assert answer["ConsumedCapacity"]["GlobalSecondaryIndexes"] == {"by_city": {"CapacityUnits": 0.5}}

    def test_index_projects(self, ddb, filled):
        answer = ddb.query(
            TableName=filled,
            IndexName="by_tag",
            KeyConditionExpression="tag = :t",
            ExpressionAttributeValues={":t": {"B": b"tttt"}},
        )
        assert answer["Items"] == [
            {"tag": {"B": b"tttt"}, "who": {"S": "q"}, "seq": {"N": "0"}, "note": {"S": "note 0"}}
        ]

    def test_pages_of_an_index(self, ddb, filled):
        found = pages(
            ddb,
            TableName=filled,
            IndexName="by_city",
            KeyConditionExpression="city = :c",
            ExpressionAttributeValues={":c": {"S": "Steyr"}},
            Limit=2,
        )
        assert [[item["seq"]["N"] for item in page] for page in found] == [["-2", "0"], ["2", "4"], ["6"]]

    def test_local_index(self, ddb, filled):
        asked = {
            "TableName": filled,
            "IndexName": "by_price",
            "KeyConditionExpression": "who = :q AND price <= :p",
            "ExpressionAttributeValues": {":q": {"S": "q"}, ":p": {"N": "95"}},
            "ConsistentRead": True,
        }
        keys = ddb.query(**asked)["Items"]
        assert keys[0] == {"who": {"S": "q"}, "seq": {"N": "6"}, "price": {"N": "94"}}
        whole = ddb.query(**asked, Select="ALL_ATTRIBUTES", ReturnConsumedCapacity="INDEXES")
        assert whole["Items"][0]["more"] == {"S": "not projected"}
        assert whole["ConsumedCapacity"]["Table"] == {"CapacityUnits": 2.0}
        noted = ddb.query(**asked, ProjectionExpression="note")
        assert noted["Items"] == [{"note": {"S": "note 6"}}, {"note": {"S": "note 5"}}]

    def test_old_parameters(self, ddb, filled):
        answer = ddb.query(
            TableName=filled,
            KeyConditions={
                "who": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "q"}]},
                "seq": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "0"}, {"N": "4"}]},
            },
            QueryFilter={
                "city": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "Wels"}]},
                "price": {"ComparisonOperator": "GT", "AttributeValueList": [{"N": "98"}]},
            },
            ConditionalOperator="OR",
            AttributesToGet=["seq"],
        )
        assert answer["Items"] == [{"seq": {"N": n}} for n in ("0", "1", "3")]

    @pytest.mark.slow
    def test_a_page_is_a_megabyte(self, ddb, make_table):
        table = make_table(["a", "b"], {"a": "S", "b": "N"})
        for number in range(4):
            item = {"a": {"S": "a"}, "b": {"N": str(number)}, "x": {"S": "x" * 380_000}}
            ddb.put_item(TableName=table, Item=item)
        asked = {
            "TableName": table,
            "KeyConditionExpression": "a = :a",
            "ExpressionAttributeValues": {":a": {"S": "a"}},
        }
        assert [len(page) for page in pages(ddb, **asked)] == [3, 1]
        nothing = ddb.query(**asked, FilterExpression="attribute_exists(nope)")
        assert (nothing["Count"], nothing["ScannedCount"]) == (0, 3)
        assert nothing["LastEvaluatedKey"]["b"] == {"N": "2"}
