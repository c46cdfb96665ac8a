"""PutItem."""

from __future__ import annotations

import pytest

from .conftest import DETECTED, INVALID, failure, index, refusal


class TestWire:
    @pytest.mark.parametrize(
        "body",
        [
            {"TableName": 23, "Item": {}},
            {"TableName": "abc", "Item": "hi"},
            {"TableName": "abc", "Item": {"a": {"S": 1}}},
            {"TableName": "abc", "Item": {"a": {"B": "not base64"}}},
            {"TableName": "abc", "Item": {"a": {"SS": "x"}}},
        ],
    )
    def test_wrong_types_are_a_serialization_exception(self, post, body):
        answer = post("PutItem", body)
        assert answer.status == 400
        assert answer.body["__type"] == "com.amazon.coral.service#SerializationException"

    def test_broken_json(self, post):
        answer = post("PutItem", b"{")
        assert answer.status == 400
        assert answer.body["__type"] == "com.amazon.coral.service#SerializationException"

    def test_null_members_are_absent(self, post, users):
        answer = post(
            "PutItem", {"TableName": users, "Item": {"id": {"S": "n", "N": None}}, "ReturnValues": None}
        )
        assert (answer.status, answer.body) == (200, {})

    def test_error_carries_its_type(self, post):
        answer = post("PutItem", {"TableName": "no-such-table", "Item": {"id": {"S": "x"}}})
        assert answer.status == 400
        assert answer.body == {
            "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
            "message": "Requested resource not found",
        }


class TestValidation:
    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ({}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
            (
                {"S": "a", "N": "1"},
                (
                    "Supplied AttributeValue has more than one datatypes set, "
                    "must contain exactly one of the supported datatypes"
                ),
            ),
            ({"NULL": False}, INVALID + "Null attribute value types must have the value of true"),
            ({"SS": []}, INVALID + "An string set  may not be empty"),
            ({"NS": []}, INVALID + "An number set  may not be empty"),
            ({"BS": []}, INVALID + "Binary sets should not be empty"),
            (
                {"SS": ["b", "a", "b", "0"]},
                INVALID + 'Input collection ["a", "b", "b", "0"] contains duplicates.',
            ),
            ({"NS": ["1", "1.0"]}, INVALID + "Input collection contains duplicates."),
            (
                {"BS": [b"b", b"a", b"b"]},
                INVALID + 'Input collection ["YQ==","Yg==","Yg=="]of type BS contains duplicates.',
            ),
            ({"N": ""}, "The parameter cannot be converted to a numeric value: "),
            (
                {"N": "1e9223372036854775808"},
                "The parameter cannot be converted to a numeric value: 1e9223372036854775808",
            ),
            (
                {"N": "0e126"},
                "Number overflow. Attempting to store a number with magnitude larger than supported range",
            ),
            ({"N": "b"}, "The parameter cannot be converted to a numeric value: b"),
            (
                {"N": "1e126"},
                "Number overflow. Attempting to store a number with magnitude larger than supported range",
            ),
            (
                {"N": "1e-131"},
                "Number underflow. Attempting to store a number with magnitude smaller than supported range",
            ),
            ({"N": "1" * 39}, "Attempting to store more than 38 significant digits in a Number"),
            ({"L": [{"M": {"a": {"N": "x"}}}]}, "The parameter cannot be converted to a numeric value: x"),
        ],
    )
    def test_values(self, ddb, value, message):
        assert refusal(ddb.put_item, TableName="abc", Item={"a": value}) == DETECTED + message

    def test_attribute_without_a_name(self, ddb):
        item = {"": {"S": "a"}}
        assert refusal(ddb.put_item, TableName="abc", Item=item) == f"{DETECTED}Empty attribute name"
        put = {"Put": {"TableName": "abc", "Item": item}}
        assert refusal(ddb.transact_write_items, TransactItems=[put]) == "Empty attribute name"

    @pytest.mark.parametrize(
        ("operation", "rest"),
        [("put_item", {"Item": {}}), ("delete_item", {"Key": {}}), ("update_item", {"Key": {}})],
    )
    def test_empty_name(self, ddb, operation, rest):
        told = refusal(getattr(ddb, operation), TableName="", ReturnValues="hi", **rest)
        assert told == (
            f"{DETECTED}Value at 'TableName' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )

    def test_nesting(self, ddb, users):
        value = {"S": "deep"}
        for _ in range(31):
            value = {"L": [value]}
        ddb.put_item(TableName=users, Item={"id": {"S": "deep"}, "v": value})
        message = refusal(ddb.put_item, TableName=users, Item={"id": {"S": "deep"}, "v": {"M": {"x": value}}})
        assert message == (
            f"{DETECTED}Nesting Levels have exceeded supported limits: "
            "Attributes in the item have nested levels beyond supported limit"
        )

    def test_size(self, ddb, users):
        ddb.put_item(TableName=users, Item={"id": {"S": "big"}, "x": {"S": "x" * (409600 - 6)}})
        message = refusal(
            ddb.put_item, TableName=users, Item={"id": {"S": "big"}, "x": {"S": "x" * (409600 - 5)}}
        )
        assert message == "Item size has exceeded the maximum allowed size"

    def test_return_values(self, ddb):
        message = refusal(ddb.put_item, TableName="abc", Item={"a": {"S": "a"}}, ReturnValues="ALL_NEW")
        assert message == DETECTED + "ReturnValues can only be ALL_OLD or NONE"

    def test_constraints_come_together(self, ddb):
        message = refusal(
            ddb.put_item, TableName="abc", Item={}, ReturnValues="hi", ReturnConsumedCapacity="hi"
        )
        assert message.startswith(
            "2 validation errors detected: Value 'hi' at 'returnValues' failed to satisfy"
        )

    def test_expression_and_old_parameters(self, ddb):
        message = refusal(
            ddb.put_item,
            TableName="abc",
            Item={},
            Expected={"a": {"Exists": False}},
            ConditionExpression="attribute_exists(a)",
        )
        assert message == (
            f"{DETECTED}Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}"
        )

    def test_placeholders_without_expressions(self, ddb):
        message = refusal(ddb.put_item, TableName="abc", Item={}, ExpressionAttributeNames={"#a": "a"})
        assert message == DETECTED + "ExpressionAttributeNames can only be specified when using expressions"
        message = refusal(
            ddb.put_item, TableName="abc", Item={}, ExpressionAttributeValues={":a": {"S": "a"}}
        )
        assert message == DETECTED + "ExpressionAttributeValues can only be specified when using expressions"

    @pytest.mark.parametrize(
        ("item", "message"),
        [
            ({"a": {"S": "a"}}, INVALID + "Missing the key id in the item"),
            ({"id": {"N": "1"}}, INVALID + "Type mismatch for key id expected: S actual: N"),
            (
                {"id": {"S": ""}},
                (
                    "One or more parameter values are not valid. The AttributeValue for a key attribute "
                    "cannot contain an empty string value. Key: id"
                ),
            ),
            (
                {"id": {"S": "x" * 2049}},
                INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes",
            ),
        ],
    )
    def test_keys(self, ddb, users, item, message):
        assert refusal(ddb.put_item, TableName=users, Item=item) == message

    def test_range_key_size(self, ddb, make_table):
        table = make_table(["id", "sort"], {"id": "S", "sort": "B"})
        message = refusal(ddb.put_item, TableName=table, Item={"id": {"S": "a"}, "sort": {"B": b"x" * 1025}})
        assert (
            message == INVALID + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
        )

    @pytest.mark.parametrize(
        ("attribute", "message"),
        [
            (
                {"city": {"N": "1"}},
                INVALID + "Type mismatch for Index Key city Expected: S Actual: N IndexName: by_city",
            ),
            (
                {"price": {"S": "1"}},
                INVALID + "Type mismatch for Index Key price Expected: N Actual: S IndexName: by_price",
            ),
            (
                {"city": {"S": ""}},
                (
                    "One or more parameter values are not valid. A value specified for a secondary index key is not "
                    "supported. The AttributeValue for a key attribute cannot contain an empty string value. "
                    "IndexName: by_city, IndexKey: city"
                ),
            ),
        ],
    )
    def test_index_keys(self, ddb, orders, attribute, message):
        item = {"who": {"S": "a"}, "seq": {"N": "1"}, **attribute}
        assert refusal(ddb.put_item, TableName=orders, Item=item) == message

    def test_of_several_indexes_the_first_by_name_is_told(self, ddb, make_table):
        indexes = [index(name, "city") for name in ("by_town", "by_city", "by_village")]
        table = make_table(["id"], {"id": "S", "city": "S"}, GlobalSecondaryIndexes=indexes)
        told = refusal(ddb.put_item, TableName=table, Item={"id": {"S": "a"}, "city": {"N": "1"}})
        assert told.endswith("Type mismatch for Index Key city Expected: S Actual: N IndexName: by_city")


class TestBehaviour:
    def test_every_type_comes_back(self, ddb, users):
        item = {
            "id": {"S": "types"},
            "text": {"S": 'äöü€😀\u0000\n"'},
            "empty": {"S": ""},
            "number": {"N": "-12.5"},
            "binary": {"B": bytes(range(256))},
            "nothing": {"NULL": True},
            "yes": {"BOOL": True},
            "no": {"BOOL": False},
            "map": {"M": {"": {"L": []}, "deep": {"M": {"x": {"N": "1"}}}}},
            "list": {"L": [{"S": "a"}, {"L": [{"B": b""}]}]},
        }
        ddb.put_item(TableName=users, Item=item)
        assert ddb.get_item(TableName=users, Key={"id": {"S": "types"}})["Item"] == item

    def test_sets_come_back_in_order(self, ddb, users):
        sets = {
            "texts": {"SS": ["b", "é", "B", ""]},
            "numbers": {"NS": ["10", "9", "-3", "0.5"]},
            "blobs": {"BS": [b"x", b""]},
        }
        ddb.put_item(TableName=users, Item={"id": {"S": "sets"}, **sets, "in": {"L": [{"SS": ["z", "a"]}]}})
        found = ddb.get_item(TableName=users, Key={"id": {"S": "sets"}})["Item"]
        assert found == {
            "id": {"S": "sets"},
            "texts": {"SS": ["", "B", "b", "é"]},
            "numbers": {"NS": ["-3", "0.5", "9", "10"]},
            "blobs": {"BS": [b"", b"x"]},
            "in": {"L": [{"SS": ["a", "z"]}]},
        }

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("1.0", "1"),
            ("-00001.50", "-1.5"),
            ("+7", "7"),
            ("1E3", "1000"),
            (".5", "0.5"),
            ("-0", "0"),
            ("0e125", "0"),
            ("1e-130", "0." + "0" * 129 + "1"),
            ("9.9999999999999999999999999999999999999e125", "9" * 38 + "0" * 88),
            ("0012345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ],
    )
    def test_numbers_are_normalised_and_exact(self, ddb, users, given, kept):
        ddb.put_item(TableName=users, Item={"id": {"S": "number"}, "n": {"N": given}})
        assert ddb.get_item(TableName=users, Key={"id": {"S": "number"}})["Item"]["n"] == {"N": kept}

    def test_replaces_the_whole_item(self, ddb, users):
        ddb.put_item(TableName=users, Item={"id": {"S": "whole"}, "a": {"S": "1"}})
        old = ddb.put_item(
            TableName=users, Item={"id": {"S": "whole"}, "b": {"S": "2"}}, ReturnValues="ALL_OLD"
        )
        assert old["Attributes"] == {"id": {"S": "whole"}, "a": {"S": "1"}}
        assert ddb.get_item(TableName=users, Key={"id": {"S": "whole"}})["Item"] == {
            "id": {"S": "whole"},
            "b": {"S": "2"},
        }

    def test_nothing_old_nothing_returned(self, ddb, users):
        assert "Attributes" not in ddb.put_item(
            TableName=users, Item={"id": {"S": "first"}}, ReturnValues="ALL_OLD"
        )

    def test_condition(self, ddb, users):
        item = {"id": {"S": "once"}, "v": {"N": "1"}}
        create = {"TableName": users, "Item": item, "ConditionExpression": "attribute_not_exists(id)"}
        ddb.put_item(**create)
        assert failure(ddb.put_item, **create) == (
            "ConditionalCheckFailedException",
            "The conditional request failed",
        )
        with pytest.raises(ddb.exceptions.ConditionalCheckFailedException) as raised:
            ddb.put_item(**create, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        assert raised.value.response["Item"] == item
        with pytest.raises(ddb.exceptions.ConditionalCheckFailedException) as raised:
            ddb.put_item(**create)
        assert "Item" not in raised.value.response

    def test_expected(self, ddb, users):
        item = {"id": {"S": "expected"}, "v": {"N": "1"}}
        ddb.put_item(TableName=users, Item=item, Expected={"id": {"Exists": False}})
        code, _ = failure(ddb.put_item, TableName=users, Item=item, Expected={"id": {"Exists": False}})
        assert code == "ConditionalCheckFailedException"
        ddb.put_item(TableName=users, Item=item, Expected={"v": {"Value": {"N": "1.0"}}})
        over = {"v": {"ComparisonOperator": "GT", "AttributeValueList": [{"N": "5"}]}}
        either = {**over, "id": {"ComparisonOperator": "NOT_NULL"}}
        code, _ = failure(ddb.put_item, TableName=users, Item=item, Expected=either)
        assert code == "ConditionalCheckFailedException"
        ddb.put_item(TableName=users, Item=item, Expected=either, ConditionalOperator="OR")

    def test_consumed_capacity(self, ddb, users, orders):
        item = {"id": {"S": "capacity"}, "x": {"S": "x" * 1500}}
        spent = ddb.put_item(TableName=users, Item=item, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
        assert spent == {"TableName": users, "CapacityUnits": 2.0}
        small = {"id": {"S": "capacity"}}
        spent = ddb.put_item(TableName=users, Item=small, ReturnConsumedCapacity="INDEXES")[
            "ConsumedCapacity"
        ]
        assert spent == {"TableName": users, "CapacityUnits": 2.0, "Table": {"CapacityUnits": 2.0}}
        order = {"who": {"S": "cap"}, "seq": {"N": "1"}, "city": {"S": "Graz"}, "price": {"N": "9"}}
        spent = ddb.put_item(TableName=orders, Item=order, ReturnConsumedCapacity="INDEXES")[
            "ConsumedCapacity"
        ]
        assert spent == {
            "TableName": orders,
            "CapacityUnits": 3.0,
            "Table": {"CapacityUnits": 1.0},
            "GlobalSecondaryIndexes": {"by_city": {"CapacityUnits": 1.0}},
            "LocalSecondaryIndexes": {"by_price": {"CapacityUnits": 1.0}},
        }
        moved = {**order, "city": {"S": "Linz"}}
        spent = ddb.put_item(TableName=orders, Item=moved, ReturnConsumedCapacity="INDEXES")[
            "ConsumedCapacity"
        ]
        assert spent["GlobalSecondaryIndexes"] == {"by_city": {"CapacityUnits": 2.0}}
        assert "LocalSecondaryIndexes" not in spent

    def test_item_collection_metrics(self, ddb, users, orders):
        order = {"who": {"S": "met"}, "seq": {"N": "1"}}
        told = ddb.put_item(TableName=orders, Item=order, ReturnItemCollectionMetrics="SIZE")
        assert told["ItemCollectionMetrics"]["ItemCollectionKey"] == {"who": {"S": "met"}}
        assert len(told["ItemCollectionMetrics"]["SizeEstimateRangeGB"]) == 2
        told = ddb.put_item(TableName=users, Item={"id": {"S": "m"}}, ReturnItemCollectionMetrics="SIZE")
        assert "ItemCollectionMetrics" not in told

    def test_table_named_by_its_arn(self, ddb, users):
        arn = ddb.describe_table(TableName=users)["Table"]["TableArn"]
        ddb.put_item(TableName=arn, Item={"id": {"S": "arn"}})
        assert "Item" in ddb.get_item(TableName=users, Key={"id": {"S": "arn"}})

    @pytest.mark.node_only
    def test_acknowledged_survives_a_kill(self, fresh_node):
        node = fresh_node()
        ddb = node.client("dynamodb")
        ddb.create_table(
            TableName="kept",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for number in range(20):
            ddb.put_item(TableName="kept", Item={"id": {"N": str(number)}})
        node.kill()
        node.start()
        assert ddb.scan(TableName="kept", Select="COUNT")["Count"] == 20
