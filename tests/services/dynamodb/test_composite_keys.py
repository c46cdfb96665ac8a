"""Global indexes whose partition and sort keys are several attributes each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import RUN
from tests.harness import eventually

from .conftest import definitions, keys, refusal

INVALID = "One or more parameter values were invalid: "
TYPES = {"id": "S", "town": "S", "year": "N", "state": "S", "day": "N", "code": "B"}


def wide(name: str, hashes: str, ranges: str = "", **projection: Any) -> dict[str, Any]:
    schema = [{"AttributeName": key, "KeyType": "HASH"} for key in hashes.split()]
    schema += [{"AttributeName": key, "KeyType": "RANGE"} for key in ranges.split()]
    return {
        "IndexName": name,
        "KeySchema": schema,
        "Projection": projection or {"ProjectionType": "ALL"},
    }


def item(id: str, town: str, year: int, state: str, day: int, code: bytes) -> dict[str, Any]:
    return {
        "id": {"S": id},
        "town": {"S": town},
        "year": {"N": str(year)},
        "state": {"S": state},
        "day": {"N": str(day)},
        "code": {"B": code},
    }


ITEMS = [
    item("1", "Wels", 2024, "open", 10, b"a"),
    item("2", "Wels", 2024, "open", 9, b"a"),
    item("3", "Wels", 2024, "open", 9, b"b"),
    item("4", "Wels", 2024, "done", 1, b"a"),
    item("5", "Wels", 2025, "open", 1, b"a"),
    item("6", "Graz", 2024, "open", 1, b"a"),
]
VALUES = {
    ":town": {"S": "Wels"},
    ":year": {"N": "2024"},
    ":open": {"S": "open"},
    ":nine": {"N": "9"},
    ":ten": {"N": "10"},
    ":o": {"S": "o"},
    ":b": {"B": b"b"},
}


@pytest.fixture(scope="module")
def events(ddb: Any) -> Iterator[str]:
    name = f"events-{RUN}"
    ddb.create_table(
        TableName=name,
        KeySchema=keys("id"),
        AttributeDefinitions=definitions(**TYPES),
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[wide("by_all", "town year", "state day code")],
    )
    ddb.get_waiter("table_exists").wait(TableName=name)
    for one in ITEMS:
        ddb.put_item(TableName=name, Item=one)
    sparse = {name: value for name, value in ITEMS[0].items() if name != "code"}
    ddb.put_item(TableName=name, Item={**sparse, "id": {"S": "sparse"}})
    eventually(lambda: ddb.scan(TableName=name, IndexName="by_all")["Count"] == len(ITEMS))
    yield name
    ddb.delete_table(TableName=name)


def query(table: str, condition: str) -> dict[str, Any]:
    names = {f"#{name}": name for name in ("year", "state", "day") if f"#{name}" in condition}
    return {
        "TableName": table,
        "IndexName": "by_all",
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": {
            name: value for name, value in VALUES.items() if f"{name} " in f"{condition} "
        },
        **({"ExpressionAttributeNames": names} if names else {}),
    }


BOTH = "town = :town AND #year = :year"


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (BOTH, "4231"),
        (f"{BOTH} AND #state = :open", "231"),
        ("#state = :open AND #year = :year AND #day = :nine AND town = :town", "23"),
        (f"{BOTH} AND #state = :open AND #day = :nine AND code = :b", "3"),
        (f"{BOTH} AND #state = :open AND #day > :nine", "1"),
        (f"{BOTH} AND #state = :open AND #day BETWEEN :nine AND :ten", "231"),
        (f"{BOTH} AND begins_with(#state, :o )", "231"),
        (f"{BOTH} AND #state < :open", "4"),
    ],
)
def test_conditions(ddb, events, condition, found):
    asked = query(events, condition)
    assert [one["id"]["S"] for one in ddb.query(**asked)["Items"]] == list(found)
    backward = ddb.query(**asked, ScanIndexForward=False)["Items"]
    assert [one["id"]["S"] for one in backward] == list(found)[::-1]


def test_pages(ddb, events):
    asked = query(events, f"{BOTH} AND #state = :open")
    pages = list(ddb.get_paginator("query").paginate(**asked, PaginationConfig={"PageSize": 2}))
    assert [[one["id"]["S"] for one in page["Items"]] for page in pages] == [["2", "3"], ["1"]]
    assert set(pages[0]["LastEvaluatedKey"]) == set(TYPES)
    start = pages[0]["LastEvaluatedKey"]
    other = {**start, "town": {"S": "Graz"}}
    assert refusal(ddb.query, **asked, ExclusiveStartKey=other) == (
        "The provided starting key is outside query boundaries based on provided conditions"
    )
    del start["day"]
    assert refusal(ddb.query, **asked, ExclusiveStartKey=start) == "The provided starting key is invalid"
    seen = []
    for page in ddb.get_paginator("scan").paginate(
        TableName=events, IndexName="by_all", PaginationConfig={"PageSize": 1}
    ):
        seen += [one["id"]["S"] for one in page["Items"]]
    assert sorted(seen) == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("town = :town", "Query condition missed key schema element: year"),
        ("town = :town AND #year > :year", "Query key condition not supported"),
        (
            f"{BOTH} AND #day = :nine",
            (
                "RANGE key attributes state must have equality conditions specified in the query because a condition "
                "is present on key attribute day"
            ),
        ),
        (
            f"{BOTH} AND #state > :o AND #day = :nine",
            (
                "RANGE key attributes state must have equality conditions specified in the query because a condition "
                "is present on key attribute day"
            ),
        ),
        (
            "town = :town AND #year = :open",
            INVALID + "Condition parameter type does not match schema type",
        ),
    ],
)
def test_conditions_that_are_refused(ddb, events, condition, message):
    assert refusal(ddb.query, **query(events, condition)) == message


def test_an_item_moves(ddb, events):
    key = {"id": {"S": "6"}}
    try:
        ddb.update_item(
            TableName=events,
            Key=key,
            UpdateExpression="SET town = :town",
            ExpressionAttributeValues={":town": {"S": "Linz"}},
        )
        found = ddb.scan(TableName=events, IndexName="by_all")["Items"]
        assert sorted(one["town"]["S"] for one in found) == ["Linz", *["Wels"] * 5]
        told = refusal(ddb.put_item, TableName=events, Item={**ITEMS[5], "year": {"S": "2024"}})
        assert told == INVALID + "Type mismatch for Index Key year Expected: N Actual: S IndexName: by_all"
    finally:
        ddb.put_item(TableName=events, Item=ITEMS[5])


REFUSED = (
    "PartiQL statements cannot be executed on tables with multi-attribute HASH keys "
    "or multi-attribute RANGE keys."
)


@pytest.mark.parametrize(
    "rest",
    [
        "",
        """ WHERE town = 'Wels' AND "year" = 2024""",
        " WHERE town = 5",
        " WHERE id = '1'",
        " WHERE town = 'Wels' ORDER BY day",
    ],
)
def test_statements_read_none_of_them(ddb, events, rest):
    assert refusal(ddb.execute_statement, Statement=f'SELECT id FROM "{events}"."by_all"{rest}') == REFUSED


def test_statements_read_what_else_there_is(ddb, events):
    found = ddb.execute_statement(Statement=f"SELECT town FROM \"{events}\" WHERE id = '1'")["Items"]
    assert found == [{"town": {"S": "Wels"}}]
    batch = [
        f"""SELECT * FROM "{events}"."by_all" WHERE town = 'x'""",
        f"SELECT id FROM \"{events}\" WHERE id = '1'",
    ]
    refused, read = ddb.batch_execute_statement(Statements=[{"Statement": one} for one in batch])["Responses"]
    assert refused["Error"] == {"Code": "ValidationError", "Message": REFUSED}
    assert read["Item"] == {"id": {"S": "1"}}


class TestTables:
    def test_described_and_made_later(self, ddb, make_table: Callable[..., str]):
        table = make_table(["id"], {"id": "S"})
        ddb.put_item(TableName=table, Item=ITEMS[0])
        create = wide("later", "town year", "day", ProjectionType="KEYS_ONLY")
        ddb.update_table(
            TableName=table,
            AttributeDefinitions=definitions(town="S", year="N", day="N"),
            GlobalSecondaryIndexUpdates=[{"Create": create}],
        )
        (shown,) = ddb.describe_table(TableName=table)["Table"]["GlobalSecondaryIndexes"]
        assert shown["KeySchema"] == create["KeySchema"]
        (found,) = ddb.scan(TableName=table, IndexName="later")["Items"]
        assert set(found) == {"id", "town", "year", "day"}

    @pytest.mark.parametrize(
        ("hashes", "ranges", "message"),
        [
            (
                "a b c d e",
                "",
                INVALID + "The KeySchema exceeds the maximum allowed number of HASH key attributes",
            ),
            (
                "a",
                "b c d e f",
                INVALID + "The KeySchema exceeds the maximum allowed number of RANGE key attributes",
            ),
            ("a b", "a", "The KeySchema contains multiple key attributes with the same name"),
        ],
    )
    def test_refused(self, ddb, hashes, ranges, message):
        names = dict.fromkeys(["id", *hashes.split(), *ranges.split()], "S")
        told = refusal(
            ddb.create_table,
            TableName="abc",
            KeySchema=keys("id"),
            AttributeDefinitions=definitions(**names),
            BillingMode="PAY_PER_REQUEST",
            GlobalSecondaryIndexes=[wide("by_all", hashes, ranges)],
        )
        assert told == message

    def test_ranges_come_last(self, ddb):
        made = wide("by_all", "a", "b c")
        made["KeySchema"][2]["KeyType"] = "HASH"
        told = refusal(
            ddb.create_table,
            TableName="abc",
            KeySchema=keys("id"),
            AttributeDefinitions=definitions(id="S", a="S", b="S", c="S"),
            BillingMode="PAY_PER_REQUEST",
            GlobalSecondaryIndexes=[made],
        )
        assert told == INVALID + "All HASH key attributes must precede RANGE key attributes in the KeySchema"
