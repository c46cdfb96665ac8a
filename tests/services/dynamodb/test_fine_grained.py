"""Policies about the keys and attributes of items."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.harness import ACCOUNT, REGION


@pytest.fixture
def table(client: Callable[..., Any], unique: Callable[[str], str]) -> str:
    name = unique("games")
    client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": "player", "AttributeType": "S"},
            {"AttributeName": "game", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "player", "KeyType": "HASH"},
            {"AttributeName": "game", "KeyType": "RANGE"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.fixture
def ann(client: Callable[..., Any], unique: Callable[[str], str], table: str) -> Any:
    """A client of a user who may touch items that begin with her name, and three attributes of them."""
    iam, name = client("iam"), unique("ann")
    iam.create_user(UserName=name)
    condition = {
        "ForAllValues:StringEquals": {
            "dynamodb:LeadingKeys": ["${aws:username}"],
            "dynamodb:Attributes": ["player", "game", "score"],
        }
    }
    statement = {
        "Effect": "Allow",
        "Action": ["dynamodb:*Item", "dynamodb:Query"],
        "Resource": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}",
        "Condition": condition,
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    found = client(
        "dynamodb",
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
    )
    found.player = name
    return found


def key(player: str) -> dict[str, Any]:
    return {"player": {"S": player}, "game": {"S": "go"}}


def refused(call: Callable[..., Any], **params: Any) -> None:
    with pytest.raises(ClientError) as error:
        call(**params)
    assert error.value.response["Error"]["Code"] == "AccessDeniedException"


def query(player: str) -> dict[str, Any]:
    return {
        "KeyConditionExpression": "#p = :p AND game > :g",
        "ExpressionAttributeNames": {"#p": "player"},
        "ExpressionAttributeValues": {":p": {"S": player}, ":g": {"S": "a"}},
        "ProjectionExpression": "player, score",
    }


class TestLeadingKeys:
    def test_own_items_only(self, ann: Any, table: str) -> None:
        ann.put_item(TableName=table, Item={**key(ann.player), "score": {"N": "1"}})
        assert ann.get_item(TableName=table, Key=key(ann.player))["Item"]["score"] == {"N": "1"}
        refused(ann.put_item, TableName=table, Item=key("bob"))
        refused(ann.get_item, TableName=table, Key=key("bob"))

    def test_queries(self, ann: Any, table: str) -> None:
        assert ann.query(TableName=table, **query(ann.player))["Items"] == []
        refused(ann.query, TableName=table, **query("bob"))

    def test_batches_and_transactions(self, ann: Any, table: str) -> None:
        own, other = {"PutRequest": {"Item": key(ann.player)}}, {"PutRequest": {"Item": key("bob")}}
        ann.batch_write_item(RequestItems={table: [own]})
        refused(ann.batch_write_item, RequestItems={table: [own, other]})
        mine = {"Put": {"TableName": table, "Item": key(ann.player)}}
        ann.transact_write_items(TransactItems=[mine])
        refused(
            ann.transact_write_items,
            TransactItems=[mine, {"Put": {"TableName": table, "Item": {**key("bob"), "game": {"S": "x"}}}}],
        )


class TestAttributes:
    def test_only_those_that_are_named(self, ann: Any, table: str) -> None:
        refused(ann.put_item, TableName=table, Item={**key(ann.player), "secret": {"S": "1"}})
        update = {"TableName": table, "Key": key(ann.player)}
        ann.update_item(
            **update, UpdateExpression="SET score = :s", ExpressionAttributeValues={":s": {"N": "2"}}
        )
        refused(
            ann.update_item,
            **update,
            UpdateExpression="SET #s = :s",
            ExpressionAttributeNames={"#s": "secret"},
            ExpressionAttributeValues={":s": {"N": "2"}},
        )
        refused(
            ann.get_item, TableName=table, Key=key(ann.player), ProjectionExpression="score, secret.inner"
        )
