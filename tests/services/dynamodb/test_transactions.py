"""TransactWriteItems and TransactGetItems."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.harness import eventually

from .conftest import definitions, failure, keys, refusal


def cancelled(call: Any, **asked: Any) -> tuple[str, list[dict[str, Any]]]:
    """Message and reasons of a cancelled transaction."""
    with pytest.raises(ClientError) as raised:
        call(**asked)
    error = raised.value.response
    assert error["Error"]["Code"] == "TransactionCanceledException", error
    return error["Error"]["Message"], error["CancellationReasons"]


def put(table: str, id: str, **options: Any) -> dict[str, Any]:
    item = {"id": {"S": id}, "v": {"N": "1"}}
    return {"Put": {"TableName": table, "Item": item, **options}}


class TestWire:
    @pytest.mark.parametrize("operation", ["TransactWriteItems", "TransactGetItems"])
    def test_wrong_types_are_a_serialization_exception(self, post, operation):
        answer = post(operation, {"TransactItems": {}})
        assert answer.status == 400
        assert answer.body["__type"].endswith("#SerializationException")

    def test_reasons_in_order(self, post, users):
        answer = post(
            "TransactWriteItems",
            {
                "TransactItems": [
                    put(users, "w1"),
                    put(users, "w2", ConditionExpression="attribute_exists(id)"),
                ]
            },
        )
        assert answer.status == 400
        assert answer.body == {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons "
            "[None, ConditionalCheckFailed]",
            "CancellationReasons": [
                {"Code": "None"},
                {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
            ],
        }


class TestValidation:
    def test_too_many(self, ddb, users):
        told = refusal(ddb.transact_write_items, TransactItems=[put(users, str(n)) for n in range(101)])
        assert "Member must have length less than or equal to 100" in told

    def test_one_action_each(self, ddb):
        told = refusal(ddb.transact_write_items, TransactItems=[{}])
        assert told == "TransactItems can only contain one of Check, Put, Update or Delete"

    def test_twice_the_same_item(self, ddb, users):
        told = refusal(ddb.transact_write_items, TransactItems=[put(users, "a"), put(users, "a")])
        assert told == "Transaction request cannot include multiple operations on one item"

    def test_twice_the_same_item_weighs_more_than_its_condition(self, ddb, users):
        never = put(users, "a", ConditionExpression="attribute_not_exists(id) AND attribute_exists(id)")
        told = refusal(ddb.transact_write_items, TransactItems=[never, put(users, "a")])
        assert told == "Transaction request cannot include multiple operations on one item"

    def test_expressions(self, ddb, users):
        told = refusal(ddb.transact_write_items, TransactItems=[put(users, "a", ConditionExpression="a =")])
        assert told.startswith("Invalid ConditionExpression: Syntax error")

    @pytest.mark.parametrize(
        ("action", "message"),
        [
            (
                {"Put": {"TableName": "abc", "Item": {"a": {"SS": ["b", "a", "b"]}}}},
                "One or more parameter values were invalid: Input collection [b, a, b] contains duplicates.",
            ),
            (
                {
                    "Update": {
                        "TableName": "abc",
                        "Key": {},
                        "UpdateExpression": "SET a = :a",
                        "ExpressionAttributeValues": {":a": {"N": ""}},
                    }
                },
                (
                    "ExpressionAttributeValues contains invalid value: "
                    "The parameter cannot be converted to a numeric value for key :a"
                ),
            ),
            (
                {
                    "Update": {
                        "TableName": "abc",
                        "Key": {},
                        "UpdateExpression": "SET a = size(b)",
                        "ConditionExpression": "list_append(a, b) = c",
                    }
                },
                (
                    "Invalid UpdateExpression: "
                    "The function is not allowed in an update expression; function: size"
                ),
            ),
            (
                {"Delete": {"TableName": "abc", "Key": {}, "ConditionExpression": "a" * 4097}},
                (
                    "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; "
                    "expression size: 4097"
                ),
            ),
        ],
    )
    def test_mistakes_are_told_in_the_older_words(self, ddb, action, message):
        assert refusal(ddb.transact_write_items, TransactItems=[action]) == message

    def test_unknown_table(self, ddb):
        code, _ = failure(ddb.transact_write_items, TransactItems=[put("no-such-table", "a")])
        assert code == "ResourceNotFoundException"

    def test_what_an_item_does_not_allow_is_a_reason(self, ddb, users):
        wrong = {"Delete": {"TableName": users, "Key": {"x": {"S": "a"}}}}
        _, reasons = cancelled(ddb.transact_write_items, TransactItems=[put(users, "a"), wrong])
        assert reasons[1] == {
            "Code": "ValidationError",
            "Message": "The provided key element does not match the schema",
        }


class TestBehaviour:
    def get(self, ddb: Any, table: str, id: str) -> Any:
        return ddb.get_item(TableName=table, Key={"id": {"S": id}}).get("Item")

    def test_all(self, ddb, users):
        ddb.put_item(TableName=users, Item={"id": {"S": "t-del"}})
        ddb.put_item(TableName=users, Item={"id": {"S": "t-up"}, "v": {"N": "1"}})
        ddb.transact_write_items(
            TransactItems=[
                put(users, "t-put", ConditionExpression="attribute_not_exists(id)"),
                {"Delete": {"TableName": users, "Key": {"id": {"S": "t-del"}}}},
                {
                    "Update": {
                        "TableName": users,
                        "Key": {"id": {"S": "t-up"}},
                        "UpdateExpression": "ADD v :one",
                        "ExpressionAttributeValues": {":one": {"N": "1"}},
                    }
                },
                {
                    "ConditionCheck": {
                        "TableName": users,
                        "Key": {"id": {"S": "t-nobody"}},
                        "ConditionExpression": "attribute_not_exists(id)",
                    }
                },
            ]
        )
        assert self.get(ddb, users, "t-put")["v"] == {"N": "1"}
        assert self.get(ddb, users, "t-del") is None
        assert self.get(ddb, users, "t-up")["v"] == {"N": "2"}
        assert self.get(ddb, users, "t-nobody") is None

    def test_or_nothing(self, ddb, users):
        ddb.put_item(TableName=users, Item={"id": {"S": "t-there"}, "b": {"B": b"x"}})
        message, reasons = cancelled(
            ddb.transact_write_items,
            TransactItems=[
                put(users, "t-never"),
                put(
                    users,
                    "t-there",
                    ConditionExpression="attribute_not_exists(id)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                ),
            ],
        )
        assert message.endswith("[None, ConditionalCheckFailed]")
        assert reasons[1]["Item"] == {"id": {"S": "t-there"}, "b": {"B": b"x"}}
        assert self.get(ddb, users, "t-never") is None

    def test_capacity(self, ddb, users):
        answer = ddb.transact_write_items(
            TransactItems=[put(users, "t-c1"), put(users, "t-c2")], ReturnConsumedCapacity="TOTAL"
        )
        assert answer["ConsumedCapacity"] == [
            {"TableName": users, "CapacityUnits": 4.0, "WriteCapacityUnits": 4.0}
        ]

    def test_capacity_of_indexes(self, ddb, orders):
        """The table's part costs twice, that of an index once."""
        item = {"who": {"S": "t-cap"}, "seq": {"N": "1"}, "city": {"S": "Wels"}, "price": {"N": "1"}}
        answer = ddb.transact_write_items(
            TransactItems=[{"Put": {"TableName": orders, "Item": item}}], ReturnConsumedCapacity="INDEXES"
        )
        one = {"CapacityUnits": 1.0, "WriteCapacityUnits": 1.0}
        assert answer["ConsumedCapacity"] == [
            {
                "TableName": orders,
                "CapacityUnits": 4.0,
                "WriteCapacityUnits": 4.0,
                "Table": {"CapacityUnits": 2.0, "WriteCapacityUnits": 2.0},
                "GlobalSecondaryIndexes": {"by_city": one},
                "LocalSecondaryIndexes": {"by_price": one},
            }
        ]

    def test_capacity_of_a_repetition(self, ddb, users, unique):
        """It reads what the first wrote, or what was there if that was larger."""
        item = {"id": {"S": unique("id")}, "text": {"S": "x" * 5000}}
        ddb.put_item(TableName=users, Item=item)
        asked = {
            "TransactItems": [
                {"Delete": {"TableName": users, "Key": {"id": item["id"]}}},
                put(users, unique("id")),
            ],
            "ClientRequestToken": unique("token"),
            "ReturnConsumedCapacity": "INDEXES",
        }
        (first,) = ddb.transact_write_items(**asked)["ConsumedCapacity"]
        assert (first["WriteCapacityUnits"], first["Table"]["WriteCapacityUnits"]) == (12.0, 12.0)
        (again,) = ddb.transact_write_items(**asked)["ConsumedCapacity"]
        units = {"CapacityUnits": 6.0, "ReadCapacityUnits": 6.0}
        assert again == {"TableName": users, **units, "Table": units}

    def test_a_token_makes_it_happen_once(self, ddb, users):
        ddb.put_item(TableName=users, Item={"id": {"S": "t-once"}, "v": {"N": "0"}})

        def add(amount: str) -> dict[str, Any]:
            return {
                "ClientRequestToken": "token-once",
                "TransactItems": [
                    {
                        "Update": {
                            "TableName": users,
                            "Key": {"id": {"S": "t-once"}},
                            "UpdateExpression": "ADD v :n",
                            "ExpressionAttributeValues": {":n": {"N": amount}},
                        }
                    }
                ],
            }

        for _ in range(3):
            ddb.transact_write_items(**add("5"))
        assert self.get(ddb, users, "t-once")["v"] == {"N": "5"}
        code, _ = failure(ddb.transact_write_items, **add("6"))
        assert code == "IdempotentParameterMismatchException"

    @pytest.mark.node_only
    def test_a_token_is_forgotten(self, fresh_node):
        node = fresh_node()
        ddb = node.client("dynamodb")
        ddb.create_table(
            TableName="tokens",
            KeySchema=keys("id"),
            AttributeDefinitions=definitions(id="S"),
            BillingMode="PAY_PER_REQUEST",
        )

        def attempt(id: str) -> bool:
            try:
                ddb.transact_write_items(TransactItems=[put("tokens", id)], ClientRequestToken="again")
            except ddb.exceptions.IdempotentParameterMismatchException:
                return False
            return True

        assert attempt("a")
        assert not attempt("b")
        node.advance(601)
        assert eventually(lambda: attempt("b"))

    def test_get(self, ddb, users, orders):
        ddb.put_item(TableName=users, Item={"id": {"S": "t-get"}, "a": {"S": "a"}, "b": {"B": b"b"}})
        ddb.put_item(TableName=orders, Item={"who": {"S": "t"}, "seq": {"N": "1"}})
        answer = ddb.transact_get_items(
            TransactItems=[
                {"Get": {"TableName": orders, "Key": {"who": {"S": "t"}, "seq": {"N": "1.0"}}}},
                {"Get": {"TableName": users, "Key": {"id": {"S": "t-none"}}}},
                {"Get": {"TableName": users, "Key": {"id": {"S": "t-get"}}, "ProjectionExpression": "b"}},
            ],
            ReturnConsumedCapacity="TOTAL",
        )
        assert answer["Responses"] == [
            {"Item": {"who": {"S": "t"}, "seq": {"N": "1"}}},
            {},
            {"Item": {"b": {"B": b"b"}}},
        ]
        spent = {one["TableName"]: one["ReadCapacityUnits"] for one in answer["ConsumedCapacity"]}
        assert spent == {users: 4.0, orders: 2.0}

    def test_capacity_of_reads(self, ddb, users):
        gets = [{"Get": {"TableName": users, "Key": {"id": {"S": "t-nobody"}}}}]
        (told,) = ddb.transact_get_items(TransactItems=gets, ReturnConsumedCapacity="INDEXES")[
            "ConsumedCapacity"
        ]
        units = {"CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}
        assert told == {"TableName": users, **units, "Table": units}

    def test_get_twice(self, ddb, users):
        gets = [{"Get": {"TableName": users, "Key": {"id": {"S": "t-nobody"}}}}] * 2
        told = refusal(ddb.transact_get_items, TransactItems=gets)
        assert told == "Transaction request cannot include multiple operations on one item"

    def test_get_refused(self, ddb, users):
        _, reasons = cancelled(
            ddb.transact_get_items, TransactItems=[{"Get": {"TableName": users, "Key": {"x": {"S": "a"}}}}]
        )
        assert reasons[0]["Code"] == "ValidationError"


class TestLimits:
    def test_four_megabytes(self, ddb, users):
        items = [
            {"Put": {"TableName": users, "Item": {"id": {"S": f"big{n}"}, "text": {"S": "x" * 390_000}}}}
            for n in range(11)
        ]
        assert "4 MB" in refusal(ddb.transact_write_items, TransactItems=items)
        assert "Item" not in ddb.get_item(TableName=users, Key={"id": {"S": "big0"}})

    def test_four_megabytes_read(self, ddb, users):
        ids = [f"large{n}" for n in range(11)]
        for id in ids:
            ddb.put_item(TableName=users, Item={"id": {"S": id}, "text": {"S": "x" * 390_000}})
        gets = [{"Get": {"TableName": users, "Key": {"id": {"S": id}}}} for id in ids]
        assert "4 MB" in refusal(ddb.transact_get_items, TransactItems=gets)
        assert len(ddb.transact_get_items(TransactItems=gets[:10])["Responses"]) == 10

    def test_empty_keys_are_refused_whole(self, ddb, users):
        told = refusal(ddb.transact_write_items, TransactItems=[put(users, "fine"), put(users, "")])
        assert told == (
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
            "an empty string value. Key: id"
        )

    def test_three_hundred_operators(self, ddb, users):
        def condition(operators: int) -> str:
            return " OR ".join(["a = b"] * ((operators + 1) // 2))

        fine, more = (put(users, "operators", ConditionExpression=condition(n)) for n in (299, 301))
        assert "operators" in refusal(ddb.transact_write_items, TransactItems=[more])
        _, reasons = cancelled(ddb.transact_write_items, TransactItems=[fine])
        assert reasons[0]["Code"] == "ConditionalCheckFailed"
