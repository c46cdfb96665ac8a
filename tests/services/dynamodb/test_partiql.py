"""ExecuteStatement: statements, and how they are refused. (Keys in `test_partiql_reads`.)"""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import failure, refusal

MALFORMED = "Statement wasn't well formed, can't be processed: "
ONLY_OLD = "Only RETURNING ALL OLD * is allowed in DELETE statements."
INVALID = "One or more parameter values were invalid: "
NO_KEY = "in ORDER BY clause must be part of the primary key"
INCOMPLETE = "Where clause does not contain a mandatory equality on all key attributes"


@pytest.fixture
def run(ddb: Any) -> Any:
    """`run("SELECT …", {"S": "x"}, Limit=1)` -> items."""

    def execute(statement: str, *parameters: dict[str, Any], **options: Any) -> list[Any]:
        given = {"Parameters": list(parameters)} if parameters else {}
        return list(ddb.execute_statement(Statement=statement, **given, **options)["Items"])

    return execute


@pytest.fixture
def filled(ddb: Any, orders: str, unique: Any) -> str:
    """A hash key in `orders` with ten items."""
    who = unique("who")
    for seq in range(10):
        item = {"who": {"S": who}, "seq": {"N": str(seq)}, "city": {"S": f"{who}-{seq % 2}"}}
        ddb.put_item(TableName=orders, Item={**item, "note": {"M": {"n": {"L": [{"N": str(seq)}]}}}})
    return who


class TestSelect:
    def test_by_key(self, run, orders, filled):
        statement = f'SELECT * FROM "{orders}" WHERE who = ? AND seq = 3'
        (item,) = run(statement, {"S": filled})
        assert item["seq"] == {"N": "3"} and item["note"] == {"M": {"n": {"L": [{"N": "3"}]}}}

    @pytest.mark.parametrize(
        ("condition", "seqs"),
        [
            ("seq BETWEEN 2 AND 4", "234"),
            ("seq > 7", "89"),
            ("7 < seq", "89"),
            ("seq >= 2 AND seq < 4", "23"),
            ("seq IN [1, 5, 11]", "15"),
            ("NOT seq < 8", "89"),
            ("note.n[0] = 6", "6"),
            ("(note.n[0] = 6 OR note.n[0] = 1)", "16"),
            ("(seq = 1 OR seq > 8)", "19"),
            ("seq IN [7, 3] AND note.n[0] > 5", "7"),
            ("seq <> 0 AND seq < 3", "12"),
            ("seq > 2 AND seq > 7", "89"),
            ("attribute_exists(note.x) = false AND seq = 1", "1"),
            ("(seq = 2) = contains(note.n, 2) AND seq < 4", "0123"),
            ("note.n[0] = - - 4", "4"),
            ("other IS MISSING AND seq = 1", "1"),
            ("note IS NOT MISSING AND seq = 1", "1"),
            ("note IS STRUCT AND seq = 2", "2"),
            ("attribute_type(note, 'M') AND seq = 2", "2"),
            ("begins_with(city, 'nowhere')", ""),
            ("contains(note.n, 4)", "4"),
            ("size(note) = 1 AND seq <> 0 AND seq <= 1", "1"),
        ],
    )
    def test_conditions(self, run, orders, filled, condition, seqs):
        items = run(f"SELECT seq FROM \"{orders}\" WHERE who = '{filled}' AND {condition}")
        assert "".join(item["seq"]["N"] for item in items) == seqs

    def test_projections(self, run, orders, filled):
        items = run(f"SELECT seq, note.n[0] FROM \"{orders}\" WHERE who = '{filled}' AND seq = 1")
        assert items == [{"seq": {"N": "1"}, "n[0]": {"N": "1"}}]

    def test_an_index_and_an_order(self, run, orders, filled):
        items = run(
            f'SELECT seq FROM "{orders}"."by_city" WHERE city = ? ORDER BY seq DESC', {"S": f"{filled}-1"}
        )
        assert [item["seq"]["N"] for item in items] == ["9", "7", "5", "3", "1"]

    def test_several_hash_keys(self, run, ddb, users, unique):
        ids = sorted(unique("id") for _ in range(3))
        for id in ids:
            ddb.put_item(TableName=users, Item={"id": {"S": id}})
        listed = ", ".join(f"'{id}'" for id in ids)
        items = run(f'SELECT * FROM "{users}" WHERE id IN ({listed}) ORDER BY id DESC')
        assert [item["id"]["S"] for item in items] == ids[::-1]

    def test_a_scan(self, run, orders, filled):
        items = run(f"SELECT who FROM \"{orders}\" WHERE city = '{filled}-0' OR city = '{filled}-1'")
        assert len(items) == 10

    def test_page_after_page(self, ddb, orders, filled):
        asked = {"Statement": f"SELECT seq FROM \"{orders}\" WHERE who = '{filled}'", "Limit": 4}
        pages, token = [], {}
        while True:
            page = ddb.execute_statement(**asked, **token)
            pages.append("".join(item["seq"]["N"] for item in page["Items"]))
            if "NextToken" not in page:
                break
            assert page["LastEvaluatedKey"]["seq"]["N"] == pages[-1][-1]
            token = {"NextToken": page["NextToken"]}
        assert pages == ["0123", "4567", "89"]
        other = {**asked, "Statement": f'SELECT * FROM "{orders}"'}
        assert refusal(ddb.execute_statement, **other, **token) == "NextToken does not match request"
        assert refusal(ddb.execute_statement, **other, NextToken="x") == "Invalid NextToken"

    def test_capacity(self, ddb, orders, filled):
        answer = ddb.execute_statement(
            Statement=f"SELECT * FROM \"{orders}\" WHERE who = '{filled}'", ReturnConsumedCapacity="TOTAL"
        )
        assert answer["ConsumedCapacity"] == {"TableName": orders, "CapacityUnits": 0.5}


class TestInsert:
    def test_every_type(self, run, ddb, users, unique):
        id = unique("id")
        value = (
            "{'id': ?, 'n': -1.5e2, 't': true, 'z': null, 'l': [1, 'a'], 'b': ?, "
            "'m': {'k': 'it''s'}, 'ss': <<'a', 'b'>>}"
        )
        assert run(f'INSERT INTO "{users}" VALUE {value}', {"S": id}, {"B": b"\x01"}) == []
        item = ddb.get_item(TableName=users, Key={"id": {"S": id}})["Item"]
        assert sorted(item.pop("ss")["SS"]) == ["a", "b"]
        assert item == {
            "id": {"S": id},
            "n": {"N": "-150"},
            "t": {"BOOL": True},
            "z": {"NULL": True},
            "l": {"L": [{"N": "1"}, {"S": "a"}]},
            "b": {"B": b"\x01"},
            "m": {"M": {"k": {"S": "it's"}}},
        }

    def test_twice(self, run, ddb, users, unique):
        statement = f"INSERT INTO \"{users}\" VALUE {{'id': '{unique('id')}'}}"
        run(statement)
        assert failure(ddb.execute_statement, Statement=statement) == (
            "DuplicateItemException", "Duplicate primary key exists in table"
        )  # fmt: skip

    def test_null_is_true(self, ddb, users):
        told = refusal(
            ddb.execute_statement,
            Statement=f"INSERT INTO \"{users}\" VALUE {{'id': 'null', 'm': ?}}",
            Parameters=[{"M": {"z": {"L": [{"NULL": False}]}}}],
        )
        assert told == f"{INVALID}Null attribute value types must have the value of true"


class TestUpdate:
    def test_sets_and_removes(self, run, ddb, users, unique):
        id = unique("id")
        ddb.put_item(
            TableName=users,
            Item={"id": {"S": id}, "n": {"N": "1"}, "l": {"L": []}, "gone": {"S": "x"}, "ss": {"SS": ["a"]}},
        )
        (item,) = run(
            f"UPDATE \"{users}\" SET n = n + 2, l = list_append(l, ?) SET ss = set_add(ss, <<'b'>>) REMOVE gone "
            f"WHERE id = '{id}' AND n = 1 RETURNING ALL NEW *",
            {"L": [{"S": "y"}]},
        )
        assert sorted(item.pop("ss")["SS"]) == ["a", "b"]
        assert item == {"id": {"S": id}, "n": {"N": "3"}, "l": {"L": [{"S": "y"}]}}
        (old,) = run(f"UPDATE \"{users}\" SET n = 0 WHERE id = '{id}' RETURNING MODIFIED OLD *")
        assert old == {"n": {"N": "3"}}

    def test_what_is_not_there(self, ddb, users, unique):
        statement = f"UPDATE \"{users}\" SET n = 1 WHERE id = '{unique('id')}'"
        assert failure(ddb.execute_statement, Statement=statement) == (
            "ConditionalCheckFailedException", "The conditional request failed"
        )  # fmt: skip


class TestDelete:
    def test_a_life(self, run, ddb, users, unique):
        id = unique("id")
        ddb.put_item(TableName=users, Item={"id": {"S": id}, "n": {"N": "1"}})
        with pytest.raises(ddb.exceptions.ConditionalCheckFailedException):
            run(f"DELETE FROM \"{users}\" WHERE id = '{id}' AND n = 2")
        statement = f"DELETE FROM \"{users}\" WHERE id = '{id}' RETURNING ALL OLD *"
        assert run(statement) == [{"id": {"S": id}, "n": {"N": "1"}}]
        assert run(statement) == []


class TestWords:
    """As the service words it."""

    @pytest.mark.parametrize(
        ("statement", "told"),
        [
            ("SELECT * FROM {t} WHERE", f"{MALFORMED}Unexpected term"),
            ("SELECT * FROM", f"{MALFORMED}Unexpected term"),
            ("SELECT * FROM {t} WHERE id = 'a' foo", f"{MALFORMED}Unexpected token after expression"),
            (
                "SELECT * FROM {t} WHERE id = 'a' AND",
                f"{MALFORMED}Missing right-hand side expression of infix operator",
            ),
            ("SELECT * FROM {t} WHERE x IS FOO", f"{MALFORMED}Expected type name"),
            ("SELECT * FROM {t} WHERE id = 'a' # note", MALFORMED),
            ("DELETE FROM", f"{MALFORMED}Expected identifier for simple path"),
            ("CREATE TABLE x", f"{MALFORMED}Expected data manipulation"),
            ("SELECT * FROM {t} AS t", "Aliasing is not supported"),
            ("SELECT * FROM {t}.x.y", "A path may contain at most 2 components in the FROM clause"),
            ("SELECT * FROM {t}.nope", "The table does not have the specified index"),
            ("DELETE FROM {t} WHERE n = 1", INCOMPLETE),
            ("UPDATE {t} SET n = 1", INCOMPLETE),
            (
                "DELETE FROM {t} WHERE id = 'x' RETURNING ALL NEW *",
                f"Invalid returning clause: RETURNING ALL NEW *. {ONLY_OLD}",
            ),
            (
                "SELECT * FROM {t} WHERE id = 1e126",
                "Number overflow. Attempting to store a number with magnitude larger than supported range under root",
            ),
            ("SELECT * FROM {t} WHERE id = ?", "Number of parameters in request and statement don't match."),
            (
                "UPDATE {t} SET n = size(n) WHERE id = 'x'",
                "Unrecognized function: size at ",
            ),
            (
                "SELECT * FROM {t} WHERE id = 'a' AND contains(n, 'a') > true",
                "Incorrect operand type for operator or function; operator or function: >, operand type: BOOL",
            ),
            (
                "SELECT l[-1] FROM {t} WHERE id = 'a'",
                "List index is not within the allowable range; index: [-1] at 1:11:1",
            ),
            (
                "SELECT l[2147483648] FROM {t} WHERE id = 'a'",
                "List index is not within the allowable range; index: [2147483648] at 1:10:10",
            ),
            (
                "UPDATE {t} SET d = " + "{{'a':" * 32 + "1" + "}}" * 32 + " WHERE id = 'x'",
                "Nesting Levels have exceeded supported limits under root" + ".a" * 32,
            ),
            (
                "UPDATE {t} SET n = set_add(n, <<2, 2.0>>) WHERE id = 'x'",
                f"{INVALID}Input collection [2, 2.0] contains duplicates! under root",
            ),
            (
                "UPDATE {t} SET n = 1 WHERE id = 'x' AND id = 'y'",
                "Multiple conditions on same key id. Only single item Update/Insert/Delete are supported",
            ),
            ("SELECT * FROM {t} WHERE id = 'a' ORDER BY n", f"Attribute n {NO_KEY}"),
            ("UPDATE {t} SET ss = set_add(ss, <<>>) WHERE id = 'x'", "Empty bags are not supported"),
            (
                "SELECT * FROM {t} WHERE id = 'x' AND n < true",
                "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
            ),
            (
                "SELECT * FROM {t} ORDER BY id",
                "Must have WHERE clause in the statement when using ORDER BY clause.",
            ),
            (
                "EXISTS(SELECT * FROM {t} WHERE id = 'x' AND n = 1)",
                "EXISTS can only be used in ExecuteTransaction write requests.",
            ),
        ],
    )
    def test_refusals(self, ddb, users, statement, told):
        found = refusal(ddb.execute_statement, Statement=statement.format(t=f'"{users}"'))
        assert found.startswith(told) if told.endswith(" at ") else found == told

    def test_places(self, ddb, users):
        statement = f"UPDATE \"{users}\" SET t = set_add(ss, <<'x'>>) WHERE id = 'x'"
        place = f"1:{statement.index('set_add') + 1}:7"
        assert refusal(ddb.execute_statement, Statement=statement) == (
            f"The first argument to SET_ADD must equal the assignment value at {place}"
        )

    def test_no_such_table(self, ddb):
        code, message = failure(ddb.execute_statement, Statement="SELECT * FROM nowhere")
        assert (code, message) == ("ResourceNotFoundException", "Requested resource not found")
