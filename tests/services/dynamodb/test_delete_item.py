"""DeleteItem."""

from __future__ import annotations

import pytest

from .conftest import DETECTED, failure, refusal


class TestWire:
    @pytest.mark.parametrize("body", [{"TableName": True, "Key": {}}, {"TableName": "abc", "Key": {"a": []}}])
    def test_wrong_types_are_a_serialization_exception(self, post, body):
        answer = post("DeleteItem", body)
        assert answer.status == 400
        assert answer.body["__type"].endswith("#SerializationException")


class TestValidation:
    def test_return_values(self, ddb):
        told = refusal(ddb.delete_item, TableName="abc", Key={}, ReturnValues="UPDATED_OLD")
        assert told == DETECTED + "ReturnValues can only be ALL_OLD or NONE"

    def test_key(self, ddb, users):
        told = refusal(ddb.delete_item, TableName=users, Key={"x": {"S": "a"}})
        assert told == "The provided key element does not match the schema"

    def test_values_of_the_condition(self, ddb):
        told = refusal(
            ddb.delete_item,
            TableName="abc",
            Key={"a": {"S": "a"}},
            ConditionExpression="a = :a",
            ExpressionAttributeValues={":a": {"N": "x"}},
        )
        assert told == DETECTED + "The parameter cannot be converted to a numeric value: x"


class TestBehaviour:
    def test_deletes(self, ddb, users):
        key = {"id": {"S": "gone"}}
        ddb.put_item(TableName=users, Item={**key, "a": {"S": "b"}})
        old = ddb.delete_item(TableName=users, Key=key, ReturnValues="ALL_OLD")
        assert old["Attributes"] == {**key, "a": {"S": "b"}}
        assert "Item" not in ddb.get_item(TableName=users, Key=key)

    def test_what_is_not_there(self, ddb, users):
        answer = ddb.delete_item(TableName=users, Key={"id": {"S": "never"}}, ReturnValues="ALL_OLD")
        assert "Attributes" not in answer

    def test_condition(self, ddb, users):
        key = {"id": {"S": "conditional"}}
        ddb.put_item(TableName=users, Item={**key, "n": {"N": "5"}})
        asked = {
            "TableName": users,
            "Key": key,
            "ConditionExpression": "n > :n",
            "ExpressionAttributeValues": {":n": {"N": "7"}},
        }
        assert failure(ddb.delete_item, **asked)[0] == "ConditionalCheckFailedException"
        assert "Item" in ddb.get_item(TableName=users, Key=key)
        ddb.delete_item(**{**asked, "ExpressionAttributeValues": {":n": {"N": "4.5"}}})
        assert "Item" not in ddb.get_item(TableName=users, Key=key)

    def test_index_entries_go_too(self, ddb, orders):
        key = {"who": {"S": "entry"}, "seq": {"N": "1"}}
        ddb.put_item(TableName=orders, Item={**key, "city": {"S": "Entryville"}, "price": {"N": "1"}})
        spent = ddb.delete_item(TableName=orders, Key=key, ReturnConsumedCapacity="INDEXES")
        assert spent["ConsumedCapacity"]["CapacityUnits"] == 3.0
        found = ddb.query(
            TableName=orders,
            IndexName="by_city",
            KeyConditionExpression="city = :c",
            ExpressionAttributeValues={":c": {"S": "Entryville"}},
        )
        assert found["Count"] == 0
