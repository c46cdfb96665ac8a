"""GetItem."""

from __future__ import annotations

import zlib

import pytest

from .conftest import failure, refusal


class TestWire:
    @pytest.mark.parametrize(
        "body",
        [
            {"TableName": [], "Key": {}},
            {"TableName": "abc", "Key": []},
            {"TableName": "abc", "Key": {"a": "b"}},
            {"TableName": "abc", "Key": {}, "ConsistentRead": "maybe"},
            {"TableName": "abc", "Key": {}, "AttributesToGet": "a"},
        ],
    )
    def test_wrong_types_are_a_serialization_exception(self, post, body):
        answer = post("GetItem", body)
        assert answer.status == 400
        assert answer.body["__type"].endswith("#SerializationException")

    def test_headers(self, post, users):
        answer = post("GetItem", {"TableName": users, "Key": {"id": {"S": "nobody"}}})
        assert (answer.status, answer.body) == (200, {})
        assert answer.headers["Content-Type"] == "application/x-amz-json-1.0"
        assert answer.headers["x-amz-crc32"] == str(zlib.crc32(b"{}"))
        assert answer.headers["x-amzn-RequestId"]


class TestValidation:
    def test_missing_parameters(self, ddb):
        message = refusal(ddb.get_item)
        assert message.startswith("2 validation errors detected: ")
        assert "Value null at 'key' failed to satisfy constraint: Member must not be null" in message

    @pytest.mark.parametrize(
        ("name", "rule"), [("ab", "greater than or equal to 3"), ("x" * 256, "less than or equal to 255")]
    )
    def test_length_of_the_table_name(self, ddb, name, rule):
        message = refusal(ddb.get_item, TableName=name, Key={})
        assert message == (
            f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: "
            f"Member must have length {rule}"
        )

    def test_letters_of_the_table_name(self, ddb):
        assert "[a-zA-Z0-9_.-]+" in refusal(ddb.get_item, TableName="abc;", Key={})

    def test_attributes_twice(self, ddb):
        message = refusal(ddb.get_item, TableName="abc", Key={}, AttributesToGet=["a", "b", "a"])
        assert message == "One or more parameter values were invalid: Duplicate value in attribute name: a"

    @pytest.mark.parametrize(
        ("expression", "message"),
        [
            ("", "The expression can not be empty;"),
            ("whatever bird", 'Syntax error; token: "bird", near: "whatever bird"'),
            ("a..b", 'Syntax error; token: ".", near: "..b"'),
            ("a[b]", 'Syntax error; token: "b", near: "[b]"'),
            ("a, ", 'Syntax error; token: "<EOF>", near: ","'),
            ("a, %", 'Syntax error; token: "%", near: ", %"'),
            ("abort", "Attribute name is a reserved keyword; reserved keyword: abort"),
            (
                "#b",
                "An expression attribute name used in the document path is not defined; attribute name: #b",
            ),
            (
                "#a.b, #a",
                (
                    "Two document paths overlap with each other; must remove or rewrite one of these paths; "
                    "path one: [x, b], path two: [x]"
                ),
            ),
            (
                "#a[1], #a.b",
                (
                    "Two document paths conflict with each other; must remove or rewrite one of these paths; "
                    "path one: [x, [1]], path two: [x, b]"
                ),
            ),
        ],
    )
    def test_projection(self, ddb, expression, message):
        told = refusal(
            ddb.get_item,
            TableName="abc",
            Key={},
            ProjectionExpression=expression,
            ExpressionAttributeNames={"#a": "x"},
        )
        assert told == f"Invalid ProjectionExpression: {message}"

    def test_unused_name(self, ddb):
        told = refusal(
            ddb.get_item,
            TableName="abc",
            Key={},
            ProjectionExpression="a",
            ExpressionAttributeNames={"#b": "b", "#c": "c"},
        )
        assert told == "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b, #c}"

    def test_long_projection(self, ddb):
        told = refusal(ddb.get_item, TableName="abc", Key={}, ProjectionExpression="a" * 4097)
        assert told == (
            "Invalid ProjectionExpression: Expression size has exceeded the maximum allowed size;"
        )

    def test_key_that_is_no_value(self, ddb):
        told = refusal(ddb.get_item, TableName="abc", Key={"a": {"SS": ["b", "a", "b"]}})
        assert told == (
            'One or more parameter values were invalid: Input collection ["a", "b", "b"] contains duplicates.'
        )

    def test_malformed_name(self, ddb):
        told = refusal(
            ddb.get_item,
            TableName="abc",
            Key={},
            ProjectionExpression="a",
            ExpressionAttributeNames={"b": "b"},
        )
        assert told == 'ExpressionAttributeNames contains invalid key: Syntax error; key: "b"'

    def test_unknown_table(self, ddb):
        assert failure(ddb.get_item, TableName="no-such-table", Key={"id": {"S": "a"}}) == (
            "ResourceNotFoundException",
            "Requested resource not found",
        )

    @pytest.mark.parametrize(
        "key", [{}, {"b": {"S": "a"}}, {"id": {"N": "1"}}, {"id": {"S": "a"}, "b": {"S": "a"}}]
    )
    def test_key_of_another_schema(self, ddb, users, key):
        told = refusal(ddb.get_item, TableName=users, Key=key)
        assert told == "The provided key element does not match the schema"

    def test_empty_key(self, ddb, users):
        assert "cannot contain an empty string value. Key: id" in refusal(
            ddb.get_item, TableName=users, Key={"id": {"S": ""}}
        )

    def test_path_into_a_key(self, ddb, users):
        told = refusal(ddb.get_item, TableName=users, Key={"id": {"S": "a"}}, ProjectionExpression="id.x")
        assert told == (
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: id"
        )


ITEM = {
    "id": {"S": "get"},
    "a": {"M": {"b": {"L": [{"S": "0"}, {"M": {"c": {"N": "1"}, "d": {"N": "2"}}}, {"S": "2"}]}}},
    "z": {"S": "z"},
}


class TestBehaviour:
    def test_nothing(self, ddb, users):
        assert "Item" not in ddb.get_item(TableName=users, Key={"id": {"S": "nothing"}})

    @pytest.mark.parametrize(
        ("expression", "found"),
        [
            ("z", {"z": {"S": "z"}}),
            ("a.b[1].c", {"a": {"M": {"b": {"L": [{"M": {"c": {"N": "1"}}}]}}}}),
            ("a.b[2], z, a.b[0]", {"a": {"M": {"b": {"L": [{"S": "0"}, {"S": "2"}]}}}, "z": {"S": "z"}}),
            ("a.b[9], nope, z.x", {}),
        ],
    )
    def test_projection(self, ddb, users, expression, found):
        ddb.put_item(TableName=users, Item=ITEM)
        answer = ddb.get_item(TableName=users, Key={"id": {"S": "get"}}, ProjectionExpression=expression)
        assert answer["Item"] == found

    def test_attributes_to_get(self, ddb, users):
        ddb.put_item(TableName=users, Item=ITEM)
        answer = ddb.get_item(TableName=users, Key={"id": {"S": "get"}}, AttributesToGet=["z", "nope"])
        assert answer["Item"] == {"z": {"S": "z"}}

    def test_equal_numbers_are_one_key(self, ddb, make_table):
        table = make_table(["n"], {"n": "N"})
        ddb.put_item(TableName=table, Item={"n": {"N": "10"}, "x": {"S": "ten"}})
        assert ddb.get_item(TableName=table, Key={"n": {"N": "1.0e1"}})["Item"]["x"] == {"S": "ten"}

    def test_binary_key(self, ddb, make_table):
        table = make_table(["b"], {"b": "B"})
        for key in (b"\x00", b"\x00\x00", b"\xff", b"\x00\xff"):
            ddb.put_item(TableName=table, Item={"b": {"B": key}})
            assert ddb.get_item(TableName=table, Key={"b": {"B": key}})["Item"] == {"b": {"B": key}}

    def test_capacity(self, ddb, users):
        ddb.put_item(TableName=users, Item={"id": {"S": "cap"}, "x": {"S": "x" * 4100}})
        key = {"id": {"S": "cap"}}
        stale = ddb.get_item(TableName=users, Key=key, ReturnConsumedCapacity="TOTAL")
        assert stale["ConsumedCapacity"] == {"TableName": users, "CapacityUnits": 1.0}
        fresh = ddb.get_item(TableName=users, Key=key, ReturnConsumedCapacity="INDEXES", ConsistentRead=True)
        assert fresh["ConsumedCapacity"] == {
            "TableName": users,
            "CapacityUnits": 2.0,
            "Table": {"CapacityUnits": 2.0},
        }
        nothing = ddb.get_item(TableName=users, Key={"id": {"S": "none"}}, ReturnConsumedCapacity="TOTAL")
        assert nothing["ConsumedCapacity"]["CapacityUnits"] == 0.5

    def test_accounts_and_regions_are_apart(self, client, users, ddb):
        elsewhere = client("dynamodb", region_name="eu-west-1")
        code, _ = failure(elsewhere.get_item, TableName=users, Key={"id": {"S": "get"}})
        assert code == "ResourceNotFoundException"
