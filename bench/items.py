"""Items of DynamoDB: signed requests of 32 keep-alive callers, beside the same node's echo.

A short run compares 10,000 items with 100,000, a full one with a million.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench import large_tables, load
from bench.table import Figure
from tests.harness import Node

KEYS = 2000
PAGES = 40
TRANSACTIONS = 96
"""A multiple of the callers: each has items of its own, as transactions that meet are cancelled."""
_TABLE = "bench"
_INDEXED = "indexed"
_STREAMED = "streamed"


def figures(folder: Path, seconds: float) -> list[Figure]:
    node = Node(folder / "items")
    try:
        _fill(node)
        ask = Asker(node, seconds)
        echo = ask.floor()
        return [
            ask("GetItem, 32 callers", 18_000, echo, "GetItem", KEYS, _get),
            ask("PutItem, durable, 32 callers", 10_000, echo, "PutItem", KEYS, _put),
            ask("UpdateItem with a condition, durable", 6_000, echo, "UpdateItem", KEYS, _update),
            ask("Query of 25 small items", 6_000, echo, "Query", PAGES, lambda n: _query(f"small{n}")),
            ask("Query of 50 items of 1 KB", 4_000, echo, "Query", PAGES, lambda n: _query(f"large{n}")),
            ask("BatchWriteItem of 25", 800, echo, "BatchWriteItem", 100, _batch),
            ask("TransactWriteItems of 10", 1_200, echo, "TransactWriteItems", TRANSACTIONS, _transaction),
            ask("PutItem into a table with three indexes", 4_000, echo, "PutItem", KEYS, _put_indexed),
            ask("PutItem into a table with a stream", 6_000, echo, "PutItem", KEYS, _put_streamed),
            *_large(ask, node, seconds),
        ]
    finally:
        node.stop()


def _large(ask: Asker, node: Node, seconds: float) -> list[Figure]:
    """A whole scan, and whether an item costs more in a large table."""
    million = 1_000_000 if seconds >= 1 else 100_000
    sizes = {"small": 10_000, "hundred": 100_000, "large": million}
    client = node.client("dynamodb")
    for name in sizes:
        _create(client, name)
    large_tables.fill(node, sizes)
    scan = ask.rate("Scan", 32, lambda n: {"TableName": "hundred", "Segment": n, "TotalSegments": 32})
    found = [
        Figure(
            "Scan of 100,000 items in 32 segments", scan.per_second / 32 * 100_000, "items/s", 200_000, False,
            f"{scan.per_second:,.0f} pages/s; p50 {scan.p50_ms:.2f} ms",
        )
    ]  # fmt: skip
    for operation, body in (("GetItem", _get), ("PutItem", _put)):
        # In turns, and the best of each: what else the machine does meanwhile would be taken for the table's size.
        turns = [
            [ask.rate(operation, KEYS, _spread(body, name, sizes[name])) for name in ("small", "large")]
            for _ in range(3)
        ]
        small, large = (max(of_one, key=lambda one: one.per_second) for of_one in zip(*turns, strict=True))
        found.append(
            Figure(
                f"{operation}: 10,000 items against {million:,}", small.per_second / large.per_second,
                "times", 1.3, True, f"{small.per_second:,.0f}/s against {large.per_second:,.0f}/s",
            )
        )  # fmt: skip
    return found


_Body = Callable[[int], dict[str, object]]


def _spread(body: _Body, table: str, size: int) -> _Body:
    """The same of another table, over all of its keys."""

    def spread(n: int) -> dict[str, object]:
        return {**body(n * (size // KEYS)), "TableName": table}

    return spread


class Asker:
    def __init__(self, node: Node, seconds: float) -> None:
        self.node = node
        self.seconds = seconds

    def floor(self) -> load.Result:
        """The same body, headers and signature, answered by the server's echo."""
        body = json.dumps(_get(1)).encode()
        request = self._signed("/_cloudlet/echo", "GetItem", body)
        return self._run([request])

    def __call__(
        self,
        name: str,
        target: float,
        echo: load.Result,
        operation: str,
        count: int,
        body: Callable[[int], dict[str, object]],
    ) -> Figure:
        result = self.rate(operation, count, body)
        return Figure(
            name, result.per_second, "/s", target, False,
            f"echo {echo.per_second:,.0f}/s; p50 {result.p50_ms:.2f} ms, p99 {result.p99_ms:.2f} ms",
        )  # fmt: skip

    def rate(self, operation: str, count: int, body: Callable[[int], dict[str, object]]) -> load.Result:
        requests = [self._signed("/", operation, json.dumps(body(n)).encode()) for n in range(count)]
        result = self._run(requests)
        assert result.errors == 0, f"{operation}: {result.errors} errors"
        return result

    def _signed(self, path: str, operation: str, body: bytes) -> bytes:
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        }
        return load.signed(self.node.endpoint, "POST", path, headers, body, "dynamodb")

    def _run(self, requests: Sequence[bytes]) -> load.Result:
        return load.run(self.node.port, requests, connections=32, seconds=self.seconds)


def _fill(node: Node) -> None:
    client = node.client("dynamodb")
    _create(client, _TABLE)
    _create(client, _INDEXED, indexes=3)
    _create(
        client, _STREAMED, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    )
    items = [_item(n) for n in range(KEYS)]
    for n in range(PAGES):
        items += [_page_item(f"small{n}", at, 20) for at in range(25)]
        items += [_page_item(f"large{n}", at, 1000) for at in range(50)]
    for at in range(0, len(items), 25):
        writes = [{"PutRequest": {"Item": item}} for item in items[at : at + 25]]
        client.batch_write_item(RequestItems={_TABLE: writes})


def _create(client: Any, name: str, indexes: int = 0, **options: Any) -> None:
    """Key `id` and `at`; each index has `name` and `at` as its key and everything in it."""
    keys = {"id": "HASH", "at": "RANGE"}
    types = {"id": "S", "at": "N", **({"name": "S"} if indexes else {})}
    if indexes:
        options["GlobalSecondaryIndexes"] = [
            {
                "IndexName": f"by_name_{number}",
                "KeySchema": [
                    {"AttributeName": "name", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for number in range(indexes)
        ]  # fmt: skip
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in types.items()],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        **options,
    )


def _key(n: int) -> dict[str, object]:
    return {"id": {"S": f"user{n}"}, "at": {"N": "1"}}


def _item(n: int) -> dict[str, object]:
    return {
        **_key(n),
        "name": {"S": f"The user with number {n}"},
        "score": {"N": str(n * 7)},
        "tags": {"SS": ["one", "two"]},
        "address": {"M": {"city": {"S": "Wien"}, "zip": {"S": "1010"}}},
    }


def _page_item(id: str, at: int, size: int) -> dict[str, object]:
    return {"id": {"S": id}, "at": {"N": str(at)}, "text": {"S": "x" * size}}


def _get(n: int) -> dict[str, object]:
    return {"TableName": _TABLE, "Key": _key(n)}


def _put(n: int) -> dict[str, object]:
    return {"TableName": _TABLE, "Item": _item(n)}


def _put_indexed(n: int) -> dict[str, object]:
    return {"TableName": _INDEXED, "Item": _item(n)}


def _put_streamed(n: int) -> dict[str, object]:
    return {"TableName": _STREAMED, "Item": _item(n)}


def _batch(n: int) -> dict[str, object]:
    writes = [{"PutRequest": {"Item": _item(n * 25 + more)}} for more in range(25)]
    return {"RequestItems": {_TABLE: writes}}


def _transaction(n: int) -> dict[str, object]:
    return {
        "TransactItems": [{"Put": {"TableName": _TABLE, "Item": _item(n * 10 + more)}} for more in range(10)]
    }


def _update(n: int) -> dict[str, object]:
    return {
        "TableName": _TABLE,
        "Key": _key(n),
        "UpdateExpression": "SET score = score + :one, #n = :name",
        "ConditionExpression": "attribute_exists(id) AND score >= :zero",
        "ExpressionAttributeNames": {"#n": "name"},
        "ExpressionAttributeValues": {":one": {"N": "1"}, ":zero": {"N": "0"}, ":name": {"S": "changed"}},
    }


def _query(id: str) -> dict[str, object]:
    return {
        "TableName": _TABLE,
        "KeyConditionExpression": "id = :id",
        "ExpressionAttributeValues": {":id": {"S": id}},
    }
