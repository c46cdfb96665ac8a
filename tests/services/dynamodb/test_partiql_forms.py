"""Forms of statements beside the common ones: an update that begins with FROM, alternatives of which one says what its
range key is not, numbers as literals and parameters. All as recorded of the service in October 2026."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import refusal

MALFORMED = "Statement wasn't well formed, can't be processed: "
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
NO_NUMBER = "The parameter cannot be converted to a numeric value"


def run(ddb: Any, statement: str, *parameters: dict[str, Any]) -> list[dict[str, Any]]:
    options = {"Parameters": list(parameters)} if parameters else {}
    answer: list[dict[str, Any]] = ddb.execute_statement(Statement=statement, **options)["Items"]
    return answer


class TestFromFirst:
    @pytest.mark.parametrize(
        ("rest", "message"),
        [
            ("SET c = 1", "Where clause does not contain a mandatory equality on all key attributes"),
            ("REMOVE c", "Where clause does not contain a mandatory equality on all key attributes"),
            (
                "WHERE a = 1 SET c = 1",
                "Where clause does not contain a mandatory equality on all key attributes",
            ),
            ("SET c = 1 WHERE id = 'x'", MALFORMED + "Unexpected token after expression"),
            ("SET c = 1 WHERE id = 'x' SET d = 2", MALFORMED + "Unexpected token after expression"),
        ],
    )
    def test_refused(self, ddb, users, rest, message):
        assert refusal(ddb.execute_statement, Statement=f'FROM "{users}" {rest}') == message

    def test_updates(self, ddb, users):
        item = {"id": {"S": "from-first"}, "a": {"N": "1"}, "b": {"S": "bee"}}
        ddb.put_item(TableName=users, Item=item)
        run(ddb, f'FROM "{users}" WHERE id = ? SET c = ? REMOVE b', item["id"], {"N": "7"})
        told = run(ddb, f"from \"{users}\" where id = 'from-first' AND c = 7 set d = 3 RETURNING ALL NEW *")
        assert told == [{"id": item["id"], "a": {"N": "1"}, "c": {"N": "7"}, "d": {"N": "3"}}]

    @pytest.mark.parametrize("where", ["id = 'from-never'", "id = 'from-there' AND a = 2"])
    def test_wants_the_item_and_its_condition(self, ddb, users, where):
        ddb.put_item(TableName=users, Item={"id": {"S": "from-there"}, "a": {"N": "1"}})
        with pytest.raises(ddb.exceptions.ConditionalCheckFailedException):
            run(ddb, f'FROM "{users}" WHERE {where} SET c = 1')
        assert "Item" not in ddb.get_item(TableName=users, Key={"id": {"S": "from-never"}})

    def test_in_a_transaction_and_in_a_batch(self, ddb, users):
        for id in ("from-tx", "from-batch"):
            ddb.put_item(TableName=users, Item={"id": {"S": id}})
        one = {"Statement": f"FROM \"{users}\" WHERE id = 'from-tx' SET c = 1"}
        assert ddb.execute_transaction(TransactStatements=[one])["Responses"] == []
        other = {"Statement": f"FROM \"{users}\" WHERE id = 'from-batch' SET c = 1"}
        assert "Error" not in ddb.batch_execute_statement(Statements=[other])["Responses"][0]
        for id in ("from-tx", "from-batch"):
            assert ddb.get_item(TableName=users, Key={"id": {"S": id}})["Item"]["c"] == {"N": "1"}


class TestAlternatives:
    @pytest.fixture
    def three(self, ddb, orders):
        for seq in "123":
            ddb.put_item(TableName=orders, Item={"who": {"S": "alt"}, "seq": {"N": seq}, "x": {"S": seq}})
        return orders

    @pytest.mark.parametrize(
        ("condition", "found"),
        [
            ("NOT seq = 1", ["2", "3"]),
            ("seq <> 1", ["2", "3"]),
            ("NOT seq IN [1, 3]", ["2"]),
            ("NOT seq > 5", ["1", "2", "3"]),
            ("NOT (seq = 1)", ["2", "3"]),
            ("NOT seq = 2", ["1", "2", "3"]),
        ],
    )
    def test_what_the_range_key_is_not_may_overlap(self, ddb, three, condition, found):
        for where in (f"who = 'alt' AND {condition} OR who = 'alt' AND seq = 2",
                      f"who = 'alt' AND seq = 2 OR who = 'alt' AND {condition}"):  # fmt: skip
            items = run(ddb, f'SELECT * FROM "{three}" WHERE {where}')
            assert sorted(item["seq"]["N"] for item in items) == found

    def test_all_of_a_hash_key_beside_it(self, ddb, three):
        items = run(ddb, f"SELECT * FROM \"{three}\" WHERE who = 'alt' OR who = 'alt' AND NOT seq = 1")
        assert sorted(item["seq"]["N"] for item in items) == ["1", "2", "3"]

    @pytest.mark.parametrize("condition", ["x = '1'", "x <> '1'", "seq > 1"])
    def test_others_may_not(self, ddb, three, condition):
        told = refusal(
            ddb.execute_statement,
            Statement=f"SELECT * FROM \"{three}\" WHERE who = 'alt' AND {condition} OR who = 'alt' AND seq = 2",
        )
        assert told == "Overlapping conditions with range keys are not supported in where clause"


class TestNumbers:
    @pytest.mark.parametrize(
        ("item", "message"),
        [
            ("{'id': 'n', 'a': 1e126}", f"{OVERFLOW} under root"),
            ("{'id': 'n', 'm': {'x': 1e126}}", f"{OVERFLOW} under root.x"),
            ("{'id': 'n', 'l': [1, 1e-131]}", f"{UNDERFLOW} under root[1]"),
            ("{'id': 'n', 'a': 1e2147483648}", MALFORMED),
            ("{'id': 'n', 'a': 1.5e-2147483647}", MALFORMED),
            ("{'id': 'n', '': 1}", "Empty attribute name"),
        ],
    )
    def test_literals(self, ddb, users, item, message):
        assert refusal(ddb.execute_statement, Statement=f'INSERT INTO "{users}" VALUE {item}') == message

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("1e99999999999", f"{NO_NUMBER}: 1e99999999999"),
            ("1e-2147483648", f"{NO_NUMBER}: 1e-2147483648"),
            ("1e2147483647", UNDERFLOW),
            ("1e126", OVERFLOW),
            ("", NO_NUMBER),
        ],
    )
    def test_parameters(self, ddb, users, text, message):
        for value in ({"N": text}, {"L": [{"N": text}]}, {"NS": ["1", text]}):
            told = refusal(
                ddb.execute_statement,
                Statement=f"SELECT * FROM \"{users}\" WHERE id = 'n' AND a = ?",
                Parameters=[value],
            )
            assert told == message


class TestLargeStatements:
    """They are refused or run; none is too much for the node."""

    @pytest.mark.parametrize("count", [30, 95, 140, 400, 900])
    @pytest.mark.parametrize(
        "condition",
        [
            lambda n: "size(" * n + "a" + ")" * n + " = 1",
            lambda n: "(" * n + "a = 1" + ")" * n,
            lambda n: "NOT " * n + "a = 1",
            lambda n: "(NOT NOT NOT " * (n // 3) + "a = 1" + ")" * (n // 3),
            lambda n: " AND ".join(["a = 1"] * n),
            lambda n: " OR ".join(["id = '1'", *["a = 1"] * n]),
            lambda n: " AND ".join(["attribute_exists(a)"] * min(n, 300)),
            lambda n: f"a IN [{', '.join(map(str, range(n)))}]",
        ],
    )
    def test_conditions(self, ddb, users, condition, count):
        statement = f'SELECT * FROM "{users}" WHERE {condition(count)}'
        try:
            run(ddb, statement)
        except ddb.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "ValidationException"

    @pytest.mark.parametrize("count", [30, 95, 400])
    def test_updates(self, ddb, users, count):
        nested = "if_not_exists(a, " * count + "1" + ")" * count
        ddb.put_item(TableName=users, Item={"id": {"S": "large"}})
        try:
            run(ddb, f"UPDATE \"{users}\" SET a = {nested} WHERE id = 'large'")
        except ddb.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "ValidationException"

    def test_deep_parameters(self, post):
        value: dict[str, Any] = {"S": "a"}
        for _ in range(450):
            value = {"M": {"a": value}}
        statement = {"Statement": "SELECT * FROM abc WHERE id = ?", "Parameters": [value]}
        answer = post("BatchExecuteStatement", {"Statements": [statement]})
        told = answer.body["Responses"][0]["Error"]["Message"]
        assert told.startswith("Nesting Levels have exceeded supported limits")

    def test_too_many_operators(self, ddb, users):
        condition = " AND ".join(["a = 1"] * 151)
        told = refusal(ddb.execute_statement, Statement=f'SELECT * FROM "{users}" WHERE {condition}')
        assert told == (
            "The expression contains more operators than are allowed; number of operators: 301, maximum: 300"
        )
