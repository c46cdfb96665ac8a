"""kill -9 of the node at any moment loses nothing that was acknowledged."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import Node, eventually, python_function

pytestmark = [pytest.mark.node_only, pytest.mark.slow]

WRITERS = 4
ROUNDS = 5
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


def write_until_it_dies(
    node: Node, writer: int, round: int, acknowledged: list[str], enough: threading.Event
) -> None:
    dynamodb = node.client("dynamodb")
    for number in range(100_000):
        key = f"{round}-{writer}-{number}"
        try:
            dynamodb.put_item(TableName="kept", Item={"id": {"S": key}, "by": {"S": f"w{writer}"}})
        except Exception:
            return
        acknowledged.append(key)
        if len(acknowledged) > 40:
            enough.set()


def test_items_and_their_index_entries_survive(fresh_node: Callable[..., Node]) -> None:
    node = fresh_node()
    node.client("dynamodb").create_table(
        TableName="kept",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("id", "by")],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-writer",
                "KeySchema": [
                    {"AttributeName": "by", "KeyType": "HASH"},
                    {"AttributeName": "id", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    acknowledged: list[str] = []
    for round in range(ROUNDS):
        told: list[str] = []
        enough = threading.Event()
        writers = [
            threading.Thread(target=write_until_it_dies, args=(node, w, round, told, enough))
            for w in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        assert enough.wait(30)
        threading.Event().wait(random.uniform(0, 0.02))  # not always at the same point
        node.kill()
        for writer in writers:
            writer.join(30)
        acknowledged += told
        node.start()
        dynamodb = node.client("dynamodb")
        found = {
            item["id"]["S"]
            for page in dynamodb.get_paginator("scan").paginate(TableName="kept")
            for item in page["Items"]
        }
        assert set(acknowledged) <= found
        indexed = {
            item["id"]["S"]
            for page in dynamodb.get_paginator("scan").paginate(TableName="kept", IndexName="by-writer")
            for item in page["Items"]
        }
        assert indexed == found


def test_an_acknowledged_event_invocation_runs(fresh_node: Callable[..., Node]) -> None:
    node = fresh_node()
    node.client("dynamodb").create_table(
        TableName="ran",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    source = """
import boto3
table = boto3.resource("dynamodb").Table("ran")
def handler(event, context):
    table.put_item(Item={"id": event})
"""
    with python_function(node.client("lambda"), "runner", source):
        functions = node.client("lambda")
        for number in range(10):
            functions.invoke(FunctionName="runner", InvocationType="Event", Payload=f'"{number}"'.encode())
        node.kill()
        node.start()

        def all_ran() -> Any:
            items = node.client("dynamodb").scan(TableName="ran")["Items"]
            return {item["id"]["S"] for item in items} == {str(n) for n in range(10)}

        eventually(all_ran)


def test_stacks_functions_and_apis_are_there_after_it(fresh_node: Callable[..., Node]) -> None:
    node = fresh_node()
    api = node.client("apigatewayv2").create_api(
        Name="kept", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    node.client("iam").create_role(RoleName="kept", AssumeRolePolicyDocument=TRUST)
    node.client("logs").create_log_group(logGroupName="kept")
    node.kill()
    node.start()
    assert node.client("apigatewayv2").get_api(ApiId=api)["Name"] == "kept"
    assert node.client("iam").get_role(RoleName="kept")["Role"]["RoleName"] == "kept"
    groups = node.client("logs").describe_log_groups(logGroupNamePrefix="kept")["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["kept"]
