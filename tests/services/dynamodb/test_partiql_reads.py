"""How the condition of a SELECT becomes reads: alternatives of keys, their limits, their order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import RUN

from .conftest import definitions, index, keys, refusal

OVERLAP = "Overlapping conditions with range keys are not supported in where clause"
TOO_MANY = "Too many decomposed read operations for a given query."
OTHER_TYPE = "Key attribute's data type should match its data type in table's schema: Key "


@pytest.fixture(scope="module")
def letters(ddb: Any) -> Iterator[str]:
    """Keys `pk` and `sk`: o1 o2 o3 p1 p2 p3, and an index `some` (hash `kind`) that has `held` besides the keys."""
    name = f"letters-{RUN}"
    ddb.create_table(
        TableName=name,
        KeySchema=keys("pk", "sk"),
        AttributeDefinitions=definitions(pk="S", sk="S", kind="S"),
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[index("some", "kind", ProjectionType="INCLUDE", NonKeyAttributes=["held"])],
    )
    ddb.get_waiter("table_exists").wait(TableName=name)
    for pk in "op":
        for sk in "123":
            item = {"kind": {"S": f"k{sk}"}, "held": {"S": pk}, "other": {"S": pk + sk}}
            ddb.put_item(TableName=name, Item={"pk": {"S": pk}, "sk": {"S": sk}, **item})
    yield name
    ddb.delete_table(TableName=name)


@pytest.fixture
def read(ddb: Any, letters: str) -> Any:
    def execute(where: str, source: str = "", **options: Any) -> list[str]:
        statement = f'SELECT pk, sk FROM "{letters}"{source} WHERE {where}'
        items = ddb.execute_statement(Statement=statement, **options)["Items"]
        return [item["pk"]["S"] + item["sk"]["S"] for item in items]

    return execute


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("pk = 'o' OR pk = 'p'", "o1 o2 o3 p1 p2 p3"),
        ("(pk = 'o' AND sk = '1') OR (pk = 'p' AND sk > '2')", "o1 p3"),
        ("pk IN ['o', 'p'] AND sk IN ['1', '3']", "o1 o3 p1 p3"),
        ("pk = 'o' AND (sk < '2' OR sk > '2' OR sk = '2')", "o1 o2 o3"),
        ("pk = 'o' AND NOT sk = '1'", "o2 o3"),
        ("pk = 'o' OR sk = '1'", "o1 o2 o3 p1"),
        ("pk = 'o' AND pk = 'p'", ""),
        ("pk = 'o' AND pk = 'o' AND sk = '2'", "o2"),
        ("pk > 1", ""),
        ("pk = 'o' AND (other = 'o2' OR held = 'x')", "o2"),
    ],
)
def test_alternatives(read, where, found):
    assert " ".join(sorted(read(where))) == found


@pytest.mark.parametrize(
    "where",
    [
        "pk IN ['o', 'o']",
        "pk = 'o' OR pk = 'o'",
        "pk = 'o' AND (sk > '0' OR sk < '5')",
        "pk = 'o' AND (sk = '1' OR other = 'x')",
        "pk = 'o' AND (begins_with(sk, 'a') OR sk = 'ab')",
        "pk = 'o' AND (sk BETWEEN '1' AND '2' OR sk >= '2')",
    ],
)
def test_no_item_is_read_twice(ddb, letters, where):
    assert refusal(ddb.execute_statement, Statement=f'SELECT * FROM "{letters}" WHERE {where}') == OVERLAP


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("pk = 1 OR pk = 'o'", f"{OTHER_TYPE}pk"),
        ("pk = 'o' AND sk IN ['1', 2]", f"{OTHER_TYPE}sk"),
        ("pk = true", "Key value must be of type S, N, or B. Key name: pk, Key type: BOOL"),
    ],
)
def test_types_of_keys(ddb, letters, where, told):
    assert refusal(ddb.execute_statement, Statement=f'SELECT * FROM "{letters}" WHERE {where}') == told


def test_how_many_reads(ddb, read, letters):
    def values(count: int) -> str:
        return ", ".join(f"'v{n}'" for n in range(count))

    assert read(f"pk IN [{values(50)}] AND other IN [{values(100)}]") == []
    assert read(f"pk IN [{values(51)}] OR other = 'o1'") == ["o1"]
    for where in (f"pk IN [{values(51)}]", f"pk IN [{values(26)}] AND sk IN ['1', '2']"):
        told = refusal(ddb.execute_statement, Statement=f'SELECT * FROM "{letters}" WHERE {where}')
        assert told == TOO_MANY


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("pk = 'o' ORDER BY sk DESC", "o3 o2 o1"),
        ("pk = 'o' ORDER BY sk", "o1 o2 o3"),
        ("pk = 'o' ORDER BY pk", "o3 o2 o1"),
        ("pk IN ['o', 'p'] ORDER BY pk DESC, sk ASC", "p1 p2 p3 o1 o2 o3"),
        ("pk IN ['o', 'p'] ORDER BY pk DESC", "p3 p2 p1 o3 o2 o1"),
        ("pk = 'p' AND sk IN ['3', '1'] ORDER BY sk", "p1 p3"),
    ],
)
def test_order(ddb, read, letters, where, found):
    assert read(where) == found.split()
    pages, token = [], {}
    while True:
        page = ddb.execute_statement(
            Statement=f'SELECT pk, sk FROM "{letters}" WHERE {where}', Limit=2, **token
        )
        pages += [item["pk"]["S"] + item["sk"]["S"] for item in page["Items"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert pages == found.split()


class TestIndex:
    """What an index doesn't hold can't be asked of a keyed read; a scan doesn't find it."""

    @pytest.mark.parametrize(
        ("where", "names"),
        [
            ("kind = 'k1' AND b = '1' AND (a = '2' OR held = '3')", "a, b"),
            ("kind = 'k1' AND (zz = '1' OR aa = '2' OR mm = '3')", "zz, aa, mm"),
            ("(kind = 'b' AND u1 = '1') OR (kind = 'q' AND u2 = '1')", "u2"),
            ("(kind = 'y' OR kind = 'z') AND zz = '1'", "zz"),
        ],
    )
    def test_refused(self, ddb, letters, where, names):
        told = refusal(ddb.execute_statement, Statement=f'SELECT pk FROM "{letters}".some WHERE {where}')
        assert told == (
            "One or more parameter values were invalid: Secondary index some does not project one or more filter "
            f"attributes: [{names}]"
        )

    def test_selections(self, ddb, letters):
        statement = f'SELECT zz, held, aa FROM "{letters}".some'
        assert refusal(ddb.execute_statement, Statement=statement) == (
            "One or more parameter values were invalid: Global secondary index some does not project [zz, aa]"
        )

    @pytest.mark.parametrize(
        ("where", "found"),
        [
            ("other = 'o1'", ""),
            ("NOT other = 'o1' AND held = 'o'", "o1 o2 o3"),
            ("(kind = 'k1' AND held = 'o') OR (kind = 'k2' AND aa = '1')", "o1"),
            ("kind > 'a' AND zz = '1'", ""),
            ("(kind = 'k1' AND zz = '1') OR held = 'p'", "p1 p2 p3"),
        ],
    )
    def test_accepted(self, read, where, found):
        assert " ".join(sorted(read(where, ".some"))) == found
