"""Tables for the tests of items, and requests as bytes for those of the wire."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.conftest import RUN
from tests.harness import REGION


@pytest.fixture(scope="session")
def ddb(client: Callable[..., Any]) -> Any:
    return client("dynamodb")


def definitions(**types: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def keys(*names: str) -> list[dict[str, str]]:
    kinds = ("HASH", "RANGE")
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, kinds, strict=False)]


def index(name: str, *key: str, **projection: Any) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": keys(*key),
        "Projection": projection or {"ProjectionType": "ALL"},
    }


@pytest.fixture
def make_table(ddb: Any, unique: Callable[[str], str]) -> Iterator[Callable[..., str]]:
    """`make_table(["id"], {"id": "S"}, …)`: a table of the test's own, gone after it."""
    made: list[str] = []

    def make(key: list[str], types: dict[str, str], **options: Any) -> str:
        name = unique("table")
        options.setdefault("BillingMode", "PAY_PER_REQUEST")
        ddb.create_table(
            TableName=name, KeySchema=keys(*key), AttributeDefinitions=definitions(**types), **options
        )
        made.append(name)
        ddb.get_waiter("table_exists").wait(TableName=name)
        return name

    yield make
    for name in made:
        try:
            ddb.delete_table(TableName=name)
        except ddb.exceptions.ResourceNotFoundException:
            continue


@pytest.fixture(scope="session")
def users(ddb: Any) -> Iterator[str]:
    """A table that the tests share: key `id`; each test takes keys of its own."""
    name = f"users-{RUN}"
    ddb.create_table(
        TableName=name,
        KeySchema=keys("id"),
        AttributeDefinitions=definitions(id="S"),
        BillingMode="PAY_PER_REQUEST",
    )
    ddb.get_waiter("table_exists").wait(TableName=name)
    yield name
    ddb.delete_table(TableName=name)


@pytest.fixture(scope="session")
def orders(ddb: Any) -> Iterator[str]:
    """Shared: key `who` (text) and `seq` (number); global indexes `by_city` (city, seq; everything) and `by_tag` (tag;
    keys and `note`), local index `by_price` (price; keys only)."""
    name = f"orders-{RUN}"
    ddb.create_table(
        TableName=name,
        KeySchema=keys("who", "seq"),
        AttributeDefinitions=definitions(who="S", seq="N", city="S", tag="B", price="N"),
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            index("by_city", "city", "seq"),
            index("by_tag", "tag", ProjectionType="INCLUDE", NonKeyAttributes=["note"]),
        ],
        LocalSecondaryIndexes=[index("by_price", "who", "price", ProjectionType="KEYS_ONLY")],
    )
    ddb.get_waiter("table_exists").wait(TableName=name)
    yield name
    ddb.delete_table(TableName=name)


@dataclass
class Answer:
    status: int
    headers: Any
    body: Any


@pytest.fixture
def post(node: Any) -> Callable[..., Answer]:
    """`post("GetItem", {...})`: a signed request with a body of our own, however broken."""

    def send(operation: str, body: Any, api: str = "DynamoDB_20120810") -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"{api}.{operation}",
        }
        signed = AWSRequest("POST", node.endpoint + "/", headers, data)
        SigV4Auth(Credentials("test", "test"), "dynamodb", REGION).add_auth(signed)
        request = urllib.request.Request(node.endpoint + "/", data, dict(signed.headers), method="POST")
        try:
            with urllib.request.urlopen(request) as answer:
                return Answer(answer.status, answer.headers, json.loads(answer.read() or b"null"))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, json.loads(error.read()))

    return send


INVALID = "One or more parameter values were invalid: "
DETECTED = "1 validation error detected: "
"""Before what PutItem, UpdateItem and DeleteItem say of a request that the table needn't be known for."""


def refusal(call: Callable[..., Any], **params: Any) -> str:
    """The message of the ValidationException that a call raises."""
    with pytest.raises(ClientError) as raised:
        call(**params)
    assert raised.value.response["Error"]["Code"] == "ValidationException", raised.value
    return str(raised.value.response["Error"]["Message"])


def failure(call: Callable[..., Any], **params: Any) -> tuple[str, str]:
    """Code and message of the error that a call raises."""
    with pytest.raises(ClientError) as raised:
        call(**params)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]
