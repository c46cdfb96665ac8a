"""BatchWriteItem."""

from __future__ import annotations

import pytest

from .conftest import INVALID, failure, refusal


def put(**item: dict[str, str]) -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    return {"PutRequest": {"Item": item}}


class TestWire:
    @pytest.mark.parametrize("body", [{"RequestItems": []}, {"RequestItems": {"abc": {}}}])
    def test_wrong_types_are_a_serialization_exception(self, post, body):
        answer = post("BatchWriteItem", body)
        assert answer.status == 400
        assert answer.body["__type"].endswith("#SerializationException")


class TestValidation:
    def test_nothing(self, ddb):
        told = refusal(ddb.batch_write_item, RequestItems={})
        assert told == "The requestItems parameter is required for BatchWriteItem"

    def test_too_many(self, ddb, users, orders):
        writes = [put(id={"S": str(n)}) for n in range(20)]
        told = refusal(ddb.batch_write_item, RequestItems={users: writes, orders: writes})
        assert told == "Too many items requested for the BatchWriteItem call"

    def test_twice_the_same(self, ddb, users):
        writes = [put(id={"S": "a"}), {"DeleteRequest": {"Key": {"id": {"S": "a"}}}}]
        told = refusal(ddb.batch_write_item, RequestItems={users: writes})
        assert told == "Provided list of item keys contains duplicates"

    def test_neither_put_nor_delete(self, ddb, users):
        told = refusal(ddb.batch_write_item, RequestItems={users: [{}]})
        assert told.startswith("Supplied AttributeValue has more than one datatypes set")

    def test_values_and_keys(self, ddb, users):
        for wrong in (put(a={"S": "a"}), put(id={"N": "1"}), put(id={"L": []})):
            told = refusal(ddb.batch_write_item, RequestItems={users: [wrong]})
            assert told == "The provided key element does not match the schema"
        told = refusal(ddb.batch_write_item, RequestItems={users: [put(id={"N": "x"})]})
        assert told == "The parameter cannot be converted to a numeric value: x"

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ({"SS": ["b", "a", "b"]}, INVALID + "Input collection [b, a, b] contains duplicates."),
            ({"BS": [b"a", b"a"]}, INVALID + "Input collection [YQ==, YQ==]of type BS contains duplicates."),
            ({"NS": ["1", "1.0"]}, "Input collection contains duplicates"),
            ({"N": ""}, "The parameter cannot be converted to a numeric value"),
        ],
    )
    def test_values_are_told_of_in_the_older_words(self, ddb, value, message):
        assert refusal(ddb.batch_write_item, RequestItems={"abc": [put(a=value)]}) == message


class TestBehaviour:
    def test_puts_and_deletes(self, ddb, users, orders):
        ddb.put_item(TableName=users, Item={"id": {"S": "b0"}})
        answer = ddb.batch_write_item(
            RequestItems={
                users: [put(id={"S": "b1"}), {"DeleteRequest": {"Key": {"id": {"S": "b0"}}}}],
                orders: [put(who={"S": "b"}, seq={"N": "1"}, city={"S": "Batchville"})],
            },
            ReturnConsumedCapacity="INDEXES",
            ReturnItemCollectionMetrics="SIZE",
        )
        assert answer["UnprocessedItems"] == {}
        spent = {one["TableName"]: one["CapacityUnits"] for one in answer["ConsumedCapacity"]}
        assert spent == {users: 2.0, orders: 2.0}
        assert answer["ItemCollectionMetrics"][orders][0]["ItemCollectionKey"] == {"who": {"S": "b"}}
        assert "Item" not in ddb.get_item(TableName=users, Key={"id": {"S": "b0"}})
        assert "Item" in ddb.get_item(TableName=users, Key={"id": {"S": "b1"}})
        assert (
            ddb.query(
                TableName=orders,
                IndexName="by_city",
                KeyConditionExpression="city = :c",
                ExpressionAttributeValues={":c": {"S": "Batchville"}},
            )["Count"]
            == 1
        )

    def test_unknown_table_writes_nothing(self, ddb, users):
        code, message = failure(
            ddb.batch_write_item,
            RequestItems={users: [put(id={"S": "half"})], "no-such-table": [put(id={"S": "half"})]},
        )
        assert (code, message) == ("ResourceNotFoundException", "Requested resource not found")
        assert "Item" not in ddb.get_item(TableName=users, Key={"id": {"S": "half"}})
