"""Items of DynamoDB: signed requests of 32 keep-alive callers, beside the same node's echo."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import load
from bench.table import Figure
from tests.harness import Node

KEYS = 2000
PAGES = 40
_TABLE = "bench"


def figures(folder: Path, seconds: float) -> list[Figure]:
    node = Node(folder / "items")
    try:
        _fill(node)
        ask = Asker(node, seconds)
        echo = ask.floor()
        return [
            ask("GetItem, 32 callers", 15_000, echo, "GetItem", KEYS, _get),
            ask("PutItem, durable, 32 callers", 8_000, echo, "PutItem", KEYS, _put),
            ask("UpdateItem with a condition, durable", 6_000, echo, "UpdateItem", KEYS, _update),
            ask("Query of 25 small items", 6_000, echo, "Query", PAGES, lambda n: _query(f"small{n}")),
            ask("Query of 50 items of 1 KB", 4_000, echo, "Query", PAGES, lambda n: _query(f"large{n}")),
        ]
    finally:
        node.stop()


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
        requests = [self._signed("/", operation, json.dumps(body(n)).encode()) for n in range(count)]
        result = self._run(requests)
        assert result.errors == 0, f"{name}: {result.errors} errors"
        return Figure(
            name, result.per_second, "/s", target, False,
            f"echo {echo.per_second:,.0f}/s; p50 {result.p50_ms:.2f} ms, p99 {result.p99_ms:.2f} ms",
        )  # fmt: skip

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
    client.create_table(
        TableName=_TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        KeySchema=[
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "at", "KeyType": "RANGE"},
        ],
    )
    items = [_item(n) for n in range(KEYS)]
    for n in range(PAGES):
        items += [_page_item(f"small{n}", at, 20) for at in range(25)]
        items += [_page_item(f"large{n}", at, 1000) for at in range(50)]
    for at in range(0, len(items), 25):
        writes = [{"PutRequest": {"Item": item}} for item in items[at : at + 25]]
        client.batch_write_item(RequestItems={_TABLE: writes})


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
