"""Many writers at once, and a node that is killed under them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from .conftest import definitions, index, keys


def test_counters_lose_nothing(ddb, users):
    def add(_: int) -> None:
        ddb.update_item(
            TableName=users,
            Key={"id": {"S": "counter"}},
            UpdateExpression="SET n = if_not_exists(n, :zero) + :one",
            ExpressionAttributeValues={":zero": {"N": "0"}, ":one": {"N": "1"}},
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(160)))
    assert ddb.get_item(TableName=users, Key={"id": {"S": "counter"}})["Item"]["n"] == {"N": "160"}


def test_one_of_many_wins(ddb, users):
    def claim(who: int) -> bool:
        try:
            ddb.put_item(
                TableName=users,
                Item={"id": {"S": "throne"}, "who": {"N": str(who)}},
                ConditionExpression="attribute_not_exists(id)",
            )
        except ddb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(32))) == 1


@pytest.mark.slow
@pytest.mark.node_only
def test_killed_under_writers(fresh_node):
    """What was acknowledged is there, and an index never disagrees with its table."""
    node = fresh_node()
    ddb = node.client("dynamodb")
    ddb.create_table(
        TableName="moves",
        KeySchema=keys("id"),
        AttributeDefinitions=definitions(id="S", place="S"),
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[index("by_place", "place")],
    )
    acknowledged: dict[str, int] = {}
    enough = threading.Event()

    def move(who: int) -> None:
        client: Any = node.client("dynamodb")
        for turn in range(10_000):
            item = {"id": {"S": f"w{who}"}, "place": {"S": f"p{turn % 7}"}, "turn": {"N": str(turn)}}
            try:
                client.put_item(TableName="moves", Item=item)
            except (BotoCoreError, ClientError):
                return
            acknowledged[f"w{who}"] = turn
            if turn == 30:
                enough.set()

    threads = [threading.Thread(target=move, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    assert enough.wait(30)
    node.kill()
    for thread in threads:
        thread.join()
    node.start()

    def whole(**options: Any) -> dict[str, Any]:
        return {item["id"]["S"]: item for item in ddb.scan(TableName="moves", **options)["Items"]}

    table, entries = whole(), whole(IndexName="by_place")
    assert table == entries
    assert ddb.scan(TableName="moves", IndexName="by_place", Select="COUNT")["Count"] == len(table)
    for who, turn in acknowledged.items():
        assert int(table[who]["turn"]["N"]) in (turn, turn + 1)
