"""BatchGetItem."""

from __future__ import annotations

import pytest

from .conftest import failure, refusal


class TestWire:
    @pytest.mark.parametrize("body", [{"RequestItems": "x"}, {"RequestItems": {"abc": {"Keys": {}}}}])
    def test_wrong_types_are_a_serialization_exception(self, post, body):
        answer = post("BatchGetItem", body)
        assert answer.status == 400
        assert answer.body["__type"].endswith("#SerializationException")


class TestValidation:
    def test_too_many(self, ddb, users, orders):
        keys = [{"id": {"S": str(n)}} for n in range(60)]
        told = refusal(ddb.batch_get_item, RequestItems={users: {"Keys": keys}, orders: {"Keys": keys}})
        assert told == "Too many items requested for the BatchGetItem call"

    @pytest.mark.parametrize(
        ("count", "limit"), [(0, "greater than or equal to 1"), (101, "less than or equal to 100")]
    )
    def test_keys_of_one_table(self, ddb, users, count, limit):
        keys = [{"id": {"S": str(n)}} for n in range(count)]
        told = refusal(ddb.batch_get_item, RequestItems={users: {"Keys": keys}})
        assert told == (
            f"1 validation error detected: Value at 'RequestItems.{users}.member.Keys' failed to satisfy "
            f"constraint: Member must have length {limit}"
        )

    def test_twice_the_same(self, ddb, users):
        keys = [{"id": {"S": "a"}}, {"id": {"S": "a"}}]
        told = refusal(ddb.batch_get_item, RequestItems={users: {"Keys": keys}})
        assert told == "Provided list of item keys contains duplicates"

    def test_expressions_and_what_was_before_them(self, ddb, users, orders):
        wanted = {
            users: {"Keys": [{"id": {"S": "a"}}], "ProjectionExpression": "id"},
            orders: {"Keys": [{"who": {"S": "a"}, "seq": {"N": "1"}}], "AttributesToGet": ["who"]},
        }
        assert refusal(ddb.batch_get_item, RequestItems=wanted) == (
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}"
        )

    def test_key_of_another_schema(self, ddb, users):
        told = refusal(ddb.batch_get_item, RequestItems={users: {"Keys": [{"x": {"S": "a"}}]}})
        assert told == "The provided key element does not match the schema"

    def test_unknown_table(self, ddb):
        code, _ = failure(ddb.batch_get_item, RequestItems={"no-such-table": {"Keys": [{"a": {"S": "a"}}]}})
        assert code == "ResourceNotFoundException"


class TestBehaviour:
    def test_gets(self, ddb, users, orders):
        ddb.put_item(TableName=users, Item={"id": {"S": "g1"}, "a": {"B": b"x"}, "b": {"S": "b"}})
        ddb.put_item(TableName=orders, Item={"who": {"S": "g"}, "seq": {"N": "1"}})
        answer = ddb.batch_get_item(
            RequestItems={
                users: {
                    "Keys": [{"id": {"S": "g1"}}, {"id": {"S": "nobody"}}],
                    "ProjectionExpression": "#a",
                    "ExpressionAttributeNames": {"#a": "a"},
                },
                orders: {"Keys": [{"who": {"S": "g"}, "seq": {"N": "1"}}], "ConsistentRead": True},
            },
            ReturnConsumedCapacity="TOTAL",
        )
        assert answer["Responses"] == {
            users: [{"a": {"B": b"x"}}],
            orders: [{"who": {"S": "g"}, "seq": {"N": "1"}}],
        }
        assert answer["UnprocessedKeys"] == {}
        spent = {one["TableName"]: one["CapacityUnits"] for one in answer["ConsumedCapacity"]}
        assert spent == {users: 1.0, orders: 1.0}

    @pytest.mark.slow
    def test_sixteen_megabytes(self, ddb, make_table):
        table = make_table(["id"], {"id": "N"})
        for n in range(45):
            ddb.put_item(TableName=table, Item={"id": {"N": str(n)}, "x": {"S": "x" * 400_000}})
        keys = [{"id": {"N": str(n)}} for n in range(45)]
        answer = ddb.batch_get_item(RequestItems={table: {"Keys": keys}})
        found = len(answer["Responses"][table])
        left = answer["UnprocessedKeys"][table]["Keys"]
        assert 0 < found < 45
        assert len(left) == 45 - found
        assert ddb.batch_get_item(RequestItems=answer["UnprocessedKeys"])["UnprocessedKeys"] == {}
