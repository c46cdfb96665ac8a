"""UpdateItem."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import DETECTED, INVALID, failure, refusal


def update(ddb: Any, table: str, key: str, expression: str, **options: Any) -> dict[str, Any]:
    values = options.pop("values", None)
    if values:
        options["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    names = options.pop("names", None)
    if names:
        options["ExpressionAttributeNames"] = {f"#{name}": value for name, value in names.items()}
    options.setdefault("ReturnValues", "ALL_NEW")
    answer = ddb.update_item(TableName=table, Key={"id": {"S": key}}, UpdateExpression=expression, **options)
    attributes = answer.get("Attributes", {})
    return {name: value for name, value in attributes.items() if name != "id"}


class TestWire:
    @pytest.mark.parametrize(
        "body",
        [
            {"TableName": "abc", "Key": {}, "UpdateExpression": {}},
            {"TableName": "abc", "Key": {}, "AttributeUpdates": {"a": {"Value": {"L": {}}}}},
        ],
    )
    def test_wrong_types_are_a_serialization_exception(self, post, body):
        answer = post("UpdateItem", body)
        assert answer.status == 400
        assert answer.body["__type"].endswith("#SerializationException")


class TestValidation:
    @pytest.mark.parametrize(
        ("expression", "message"),
        [
            ("", "The expression can not be empty;"),
            ("whatever bird", 'Syntax error; token: "whatever", near: "whatever bird"'),
            ("SET a :a", 'Syntax error; token: ":a", near: "a :a"'),
            ("SET a = :a + :b - :a", 'Syntax error; token: "-", near: ":b - :a"'),
            ("ADD a b", 'Syntax error; token: "b", near: "a b"'),
            ("SET a = :a SET b = :b", 'The "SET" section can only be used once in an update expression;'),
            ("SET abort = :a", "Attribute name is a reserved keyword; reserved keyword: abort"),
            ("SET a = bananas(:a)", "Invalid function name; function: bananas"),
            (
                "SET a = list_append(:a)",
                (
                    "Incorrect number of operands for operator or function; "
                    "operator or function: list_append, number of operands: 1"
                ),
            ),
            (
                "SET a = list_append(:a, b)",
                (
                    "Incorrect operand type for operator or function; "
                    "operator or function: list_append, operand type: S"
                ),
            ),
            (
                "SET a = if_not_exists(:a, b)",
                "Operator or function requires a document path; operator or function: if_not_exists",
            ),
            (
                "SET a = b + :a",
                "Incorrect operand type for operator or function; operator or function: +, operand type: S",
            ),
            (
                "ADD a :a",
                (
                    "Incorrect operand type for operator or function; "
                    "operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"
                ),
            ),
            (
                "DELETE a :b",
                (
                    "Incorrect operand type for operator or function; "
                    "operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_ADD_OPERAND"
                ),
            ),
            ("SET a = size(b)", "The function is not allowed in an update expression; function: size"),
            (
                "SET a = list_append(list_append(b, :l), :l)",
                "The function is not allowed to be used this way in an expression; function: list_append",
            ),
            (f"SET {'a' * 4093} = :a", "Expression size has exceeded the maximum allowed size;"),
            (
                "SET a = :c",
                "An expression attribute value used in expression is not defined; attribute value: :c",
            ),
            (
                "SET a.b = :a REMOVE a",
                (
                    "Two document paths overlap with each other; must remove or rewrite one of these paths; "
                    "path one: [a, b], path two: [a]"
                ),
            ),
        ],
    )
    def test_expressions(self, ddb, expression, message):
        told = refusal(
            ddb.update_item,
            TableName="abc",
            Key={"id": {"S": "a"}},
            UpdateExpression=expression,
            ExpressionAttributeValues={":a": {"S": "a"}, ":b": {"N": "1"}, ":l": {"L": []}},
        )
        assert told == f"{DETECTED}Invalid UpdateExpression: {message}"

    def test_condition_comes_first(self, ddb):
        told = refusal(
            ddb.update_item,
            TableName="abc",
            Key={"id": {"S": "a"}},
            UpdateExpression="SET a = bananas(b)",
            ConditionExpression="if_not_exists(a, b) = c",
        )
        assert told == (
            f"{DETECTED}Invalid ConditionExpression: "
            "The function is not allowed in a condition expression; function: if_not_exists"
        )

    def test_values_without_expressions(self, ddb):
        told = refusal(ddb.update_item, TableName="abc", Key={}, ExpressionAttributeValues={":a": {"S": "a"}})
        assert told == DETECTED + "ExpressionAttributeValues can only be specified when using expressions"

    def test_unused_value(self, ddb):
        told = refusal(
            ddb.update_item,
            TableName="abc",
            Key={},
            UpdateExpression="REMOVE a",
            ExpressionAttributeValues={":a": {"S": "a"}},
        )
        assert (
            told == DETECTED + "Value provided in ExpressionAttributeValues unused in expressions: keys: {:a}"
        )

    def test_the_key_stays(self, ddb, users):
        told = refusal(ddb.update_item, TableName=users, Key={"id": {"S": "a"}}, UpdateExpression="REMOVE id")
        assert told == INVALID + "Cannot update attribute id. This attribute is part of the key"

    @pytest.mark.parametrize(
        ("expression", "message"),
        [
            (
                "SET city = :n",
                INVALID + "Type mismatch for Index Key city Expected: S Actual: N IndexName: by_city",
            ),
            (
                "SET city = wrong",
                "The update expression attempted to update the secondary index key to unsupported type",
            ),
            (
                "SET city.x = :n",
                (
                    "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
                    "IndexKey: city"
                ),
            ),
        ],
    )
    def test_index_keys(self, ddb, orders, expression, message):
        key = {"who": {"S": "up"}, "seq": {"N": "1"}}
        ddb.put_item(TableName=orders, Item={**key, "wrong": {"N": "1"}})
        options = {"ExpressionAttributeValues": {":n": {"N": "1"}}} if ":n" in expression else {}
        told = refusal(ddb.update_item, TableName=orders, Key=key, UpdateExpression=expression, **options)
        assert told == message

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({}, "Only DELETE action is allowed when no attribute value is specified"),
            (
                {"Value": {"S": "a"}, "Action": "DELETE"},
                "DELETE action with value is not supported for the type S",
            ),
            ({"Value": {"M": {}}, "Action": "ADD"}, "ADD action is not supported for the type M"),
        ],
    )
    def test_attribute_updates(self, ddb, change, message):
        told = refusal(ddb.update_item, TableName="abc", Key={}, AttributeUpdates={"a": change})
        assert told == DETECTED + INVALID + message


class TestBehaviour:
    def test_makes_the_item(self, ddb, users):
        assert update(ddb, users, "made", "SET a = :a", values={"a": {"S": "x"}}) == {"a": {"S": "x"}}
        ddb.update_item(TableName=users, Key={"id": {"S": "bare"}})
        assert ddb.get_item(TableName=users, Key={"id": {"S": "bare"}})["Item"] == {"id": {"S": "bare"}}

    def test_arithmetic(self, ddb, users):
        one = {"one": {"N": "1"}}
        assert update(ddb, users, "sum", "SET n = if_not_exists(n, :one) + :one", values=one) == {
            "n": {"N": "2"}
        }
        assert update(ddb, users, "sum", "SET n = n - :x", values={"x": {"N": "0.1"}}) == {"n": {"N": "1.9"}}
        assert update(ddb, users, "sum", "ADD n :x", values={"x": {"N": "-1.9"}}) == {"n": {"N": "0"}}

    def test_operands_are_read_before_anything_changes(self, ddb, users):
        update(ddb, users, "swap", "SET a = :a, b = :b", values={"a": {"S": "a"}, "b": {"S": "b"}})
        assert update(ddb, users, "swap", "SET a = b, b = a") == {"a": {"S": "b"}, "b": {"S": "a"}}

    def test_nested_paths(self, ddb, users):
        update(ddb, users, "nest", "SET m = :m", values={"m": {"M": {"l": {"L": [{"S": "0"}, {"M": {}}]}}}})
        found = update(
            ddb,
            users,
            "nest",
            "SET m.l[1].#k = :v REMOVE m.l[0]",
            names={"k": "a.b"},
            values={"v": {"N": "1"}},
        )
        assert found == {"m": {"M": {"l": {"L": [{"M": {"a.b": {"N": "1"}}}]}}}}

    @pytest.mark.parametrize(
        ("expression", "members"),
        [
            ("SET l[1] = :x", "axc"),
            ("SET l[9] = :x, l[7] = :y", "abcyx"),
            ("REMOVE l[0], l[2]", "b"),
            ("REMOVE l[0], l[1], l[2]", ""),
            ("REMOVE l[9]", "abc"),
            ("SET l[1] = :x REMOVE l[0]", "xc"),
            ("SET l = list_append(:l, l)", "zabc"),
            ("SET l = list_append(l, :l)", "abcz"),
        ],
    )
    def test_lists(self, ddb, users, expression, members):
        ddb.put_item(
            TableName=users, Item={"id": {"S": "list"}, "l": {"L": [{"S": letter} for letter in "abc"]}}
        )
        given = {"x": {"S": "x"}, "y": {"S": "y"}, "l": {"L": [{"S": "z"}]}}
        values = {name: value for name, value in given.items() if f":{name}" in expression}
        found = update(ddb, users, "list", expression, values=values)
        assert "".join(value["S"] for value in found["l"]["L"]) == members

    def test_sets(self, ddb, users):
        assert update(ddb, users, "set", "ADD s :s", values={"s": {"SS": ["a", "b"]}}) == {
            "s": {"SS": ["a", "b"]}
        }
        found = update(ddb, users, "set", "ADD s :s", values={"s": {"SS": ["c", "b", ""]}})
        assert found["s"]["SS"] == ["", "a", "b", "c"]
        found = update(ddb, users, "set", "DELETE s :s", values={"s": {"SS": ["a", "x", ""]}})
        assert found["s"]["SS"] == ["b", "c"]
        assert update(ddb, users, "set", "DELETE s :s", values={"s": {"SS": ["b", "c"]}}) == {}
        found = update(ddb, users, "set", "ADD n :n", values={"n": {"NS": ["1", "1.50"]}})
        found = update(ddb, users, "set", "DELETE n :n", values={"n": {"NS": ["1.5"]}})
        assert found == {"n": {"NS": ["1"]}}

    @pytest.mark.parametrize(
        ("expression", "message"),
        [
            ("SET a = b", "The provided expression refers to an attribute that does not exist in the item"),
            ("SET a = s + :n", "An operand in the update expression has an incorrect data type"),
            ("ADD s :n", "An operand in the update expression has an incorrect data type"),
            ("SET s = list_append(s, s)", "An operand in the update expression has an incorrect data type"),
            ("SET nope.x = :n", "The document path provided in the update expression is invalid for update"),
            ("SET s.x = :n", "The document path provided in the update expression is invalid for update"),
            ("SET s[0] = :n", "The document path provided in the update expression is invalid for update"),
            ("REMOVE l[5].x", "The document path provided in the update expression is invalid for update"),
            (
                "SET big = big + :n",
                "Number overflow. Attempting to store a number with magnitude larger than supported range",
            ),
            (
                "SET big = big - :one",
                "Number overflow. Attempting to store a number with magnitude larger than supported range",
            ),
        ],
    )
    def test_what_the_item_does_not_allow(self, ddb, users, expression, message):
        item = {"id": {"S": "refuse"}, "s": {"S": "x"}, "l": {"L": []}, "big": {"N": "99" + "0" * 124}}
        ddb.put_item(TableName=users, Item=item)
        number = {"N": "9e124"} if "big" in expression else {"N": "1"}
        given = {":n": number, ":one": {"N": "1"}}
        used = {name: value for name, value in given.items() if name in expression}
        values = {"ExpressionAttributeValues": used} if used else {}
        key = {"id": {"S": "refuse"}}
        told = refusal(ddb.update_item, TableName=users, Key=key, UpdateExpression=expression, **values)
        assert told == message
        assert ddb.get_item(TableName=users, Key=key)["Item"] == item

    def test_size(self, ddb, users):
        key = {"id": {"S": "grow"}}
        ddb.put_item(TableName=users, Item={**key, "a": {"S": "x" * 300_000}})
        told = refusal(
            ddb.update_item,
            TableName=users,
            Key=key,
            UpdateExpression="SET b = :b",
            ExpressionAttributeValues={":b": {"S": "x" * 200_000}},
        )
        assert told == "Item size to update has exceeded the maximum allowed size"

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ("NONE", {}),
            ("ALL_OLD", {"a": {"S": "1"}, "m": {"M": {"x": {"S": "1"}, "y": {"S": "1"}}}}),
            ("UPDATED_OLD", {"m": {"M": {"x": {"S": "1"}}}}),
            ("ALL_NEW", {"a": {"S": "1"}, "m": {"M": {"x": {"S": "2"}, "y": {"S": "1"}}}, "b": {"S": "2"}}),
            ("UPDATED_NEW", {"m": {"M": {"x": {"S": "2"}}}, "b": {"S": "2"}}),
        ],
    )
    def test_return_values(self, ddb, users, wanted, found):
        old = {"a": {"S": "1"}, "m": {"M": {"x": {"S": "1"}, "y": {"S": "1"}}}}
        ddb.put_item(TableName=users, Item={"id": {"S": "returned"}, **old})
        two = {"v": {"S": "2"}}
        assert (
            update(ddb, users, "returned", "SET m.x = :v, b = :v", values=two, ReturnValues=wanted) == found
        )

    def test_condition(self, ddb, users):
        key = {"id": {"S": "cond"}}
        asked: dict[str, Any] = {
            "TableName": users,
            "Key": key,
            "UpdateExpression": "SET n = :n",
            "ConditionExpression": "attribute_exists(id) AND n < :n",
            "ExpressionAttributeValues": {":n": {"N": "5"}},
        }
        assert failure(ddb.update_item, **asked)[0] == "ConditionalCheckFailedException"
        ddb.put_item(TableName=users, Item={**key, "n": {"N": "4"}})
        ddb.update_item(**asked)
        with pytest.raises(ddb.exceptions.ConditionalCheckFailedException) as raised:
            ddb.update_item(**asked, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        assert raised.value.response["Item"] == {**key, "n": {"N": "5"}}

    def test_attribute_updates(self, ddb, users):
        key = {"id": {"S": "legacy"}}
        ddb.put_item(TableName=users, Item={**key, "n": {"N": "1"}, "s": {"SS": ["a", "b"]}, "x": {"S": "x"}})
        answer = ddb.update_item(
            TableName=users,
            Key=key,
            AttributeUpdates={
                "n": {"Action": "ADD", "Value": {"N": "2"}},
                "s": {"Action": "DELETE", "Value": {"SS": ["a"]}},
                "x": {"Action": "DELETE"},
                "p": {"Value": {"S": "put"}},
                "l": {"Action": "ADD", "Value": {"L": [{"S": "a"}]}},
            },
            ReturnValues="ALL_NEW",
        )
        assert answer["Attributes"] == {
            **key,
            "n": {"N": "3"},
            "s": {"SS": ["b"]},
            "p": {"S": "put"},
            "l": {"L": [{"S": "a"}]},
        }

    def test_indexes_follow(self, ddb, orders):
        key = {"who": {"S": "follow"}, "seq": {"N": "1"}}

        def cities() -> list[str]:
            return [
                city
                for city in ("Old Town", "New Town")
                if ddb.query(
                    TableName=orders,
                    IndexName="by_city",
                    KeyConditionExpression="city = :c AND seq = :a",
                    ExpressionAttributeValues={":c": {"S": city}, ":a": {"N": "1"}},
                )["Count"]
            ]

        for expression, city, found in (
            ("SET city = :c", "Old Town", ["Old Town"]),
            ("SET city = :c", "New Town", ["New Town"]),
            ("REMOVE city", "", []),
        ):
            values = {"ExpressionAttributeValues": {":c": {"S": city}}} if city else {}
            ddb.update_item(TableName=orders, Key=key, UpdateExpression=expression, **values)
            assert cities() == found
