"""kill -9 in the middle of an operation: it is carried to its end by the next life of the node."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import ROLE, Node, eventually, zipped

from .conftest import CAPABILITIES, Stacks

COUNT = 24
TABLE = """
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: KEY, AttributeType: S}]
      KeySchema: [{AttributeName: KEY, KeyType: HASH}]
"""


def chain(days: int, key: str = "id", broken: bool = False) -> str:
    """Log groups, each of which waits for the one before, then a table; `broken` ends in one that can't be."""
    text = f"Resources:\n  G0: {{Type: AWS::Logs::LogGroup, Properties: {{RetentionInDays: {days}}}}}\n"
    for i in range(1, COUNT):
        depends = f"DependsOn: G{i - 1}, Properties: {{RetentionInDays: {days}}}"
        text += f"  G{i}: {{Type: AWS::Logs::LogGroup, {depends}}}\n"
    text += TABLE.replace("KEY", key)
    if broken:
        text += (
            f"  Bad: {{Type: AWS::Logs::LogGroup, DependsOn: [G{COUNT - 1}, Table],"
            " Properties: {RetentionInDays: 8}}\n"
        )
    return text


@pytest.fixture
def broken_off(fresh_node: Callable[..., Node]) -> Callable[..., tuple[Node, Stacks]]:
    """Begin an operation, kill the node once `done` resources have the status, start it again."""

    def run(begin: Callable[[Stacks], Any], status: str, done: int, first: str = "") -> tuple[Node, Stacks]:
        node = fresh_node()
        stacks = Stacks(node.client("cloudformation"))
        if first:
            stacks.create("s", first)
        begin(stacks)
        stack_id = stacks.client.list_stacks()["StackSummaries"][0]["StackId"]

        def far_enough() -> bool:
            rows = stacks.client.describe_stack_resources(StackName=stack_id)["StackResources"]
            return sum(row["ResourceStatus"] == status for row in rows) >= done

        eventually(far_enough)
        node.kill()
        node.restart()
        return node, Stacks(node.client("cloudformation"))

    return run


def groups(node: Node) -> list[dict[str, Any]]:
    pages = node.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix="s-G")
    return [group for page in pages for group in page["logGroups"]]


@pytest.mark.slow
class TestKill:
    @pytest.mark.parametrize("done", [0, 3, 12])
    def test_a_creation_is_completed(self, broken_off: Callable[..., tuple[Node, Stacks]], done: int) -> None:
        def begin(stacks: Stacks) -> None:
            stacks.client.create_stack(StackName="s", TemplateBody=chain(7), Capabilities=CAPABILITIES)

        node, stacks = broken_off(begin, "CREATE_COMPLETE", done)
        assert stacks.settled("s")["StackStatus"] == "CREATE_COMPLETE"
        assert len(groups(node)) == COUNT
        assert node.client("dynamodb").list_tables()["TableNames"] == [stacks.physical_id("s", "Table")]
        told = [(name, status) for name, status, _ in stacks.events("s") if status == "CREATE_COMPLETE"]
        assert len(told) == len(set(told)) == COUNT + 2

    def test_a_failing_creation_is_rolled_back(self, broken_off: Callable[..., tuple[Node, Stacks]]) -> None:
        def begin(stacks: Stacks) -> None:
            stacks.client.create_stack(StackName="s", TemplateBody=chain(7, broken=True))

        node, stacks = broken_off(begin, "DELETE_COMPLETE", 5)
        assert stacks.settled("s")["StackStatus"] == "ROLLBACK_COMPLETE"
        assert groups(node) == []

    def test_an_update_is_completed(self, broken_off: Callable[..., tuple[Node, Stacks]]) -> None:
        def begin(stacks: Stacks) -> None:
            stacks.client.update_stack(StackName="s", TemplateBody=chain(14, "other"))

        node, stacks = broken_off(begin, "UPDATE_COMPLETE", 5, first=chain(7))
        assert stacks.settled("s")["StackStatus"] == "UPDATE_COMPLETE"
        assert [group["retentionInDays"] for group in groups(node)] == [14] * COUNT
        (table,) = node.client("dynamodb").list_tables()["TableNames"]
        described = node.client("dynamodb").describe_table(TableName=table)["Table"]
        assert described["KeySchema"] == [{"AttributeName": "other", "KeyType": "HASH"}]

    def test_a_failing_update_is_rolled_back(self, broken_off: Callable[..., tuple[Node, Stacks]]) -> None:
        def begin(stacks: Stacks) -> None:
            stacks.client.update_stack(StackName="s", TemplateBody=chain(14, "other", broken=True))

        node, stacks = broken_off(begin, "UPDATE_COMPLETE", 12, first=chain(7))
        assert stacks.settled("s")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        assert [group["retentionInDays"] for group in groups(node)] == [7] * COUNT
        assert len(node.client("dynamodb").list_tables()["TableNames"]) == 1

    def test_a_deletion_is_completed(self, broken_off: Callable[..., tuple[Node, Stacks]]) -> None:
        ids: list[str] = []

        def begin(stacks: Stacks) -> None:
            ids.append(stacks.describe("s")["StackId"])
            stacks.client.delete_stack(StackName="s")

        node, stacks = broken_off(begin, "DELETE_COMPLETE", 5, first=chain(7))
        assert stacks.settled(ids[0])["StackStatus"] == "DELETE_COMPLETE"
        assert groups(node) == []

    def test_a_custom_resource_is_waited_for(self, fresh_node: Callable[..., Node]) -> None:
        node = fresh_node()
        go = node.data.parent / "go"
        os.mkfifo(go)
        made = node.client("lambda").create_function(
            FunctionName="slow", Runtime="python3.11", Handler="index.handler", Role=ROLE, Timeout=20,
            Code={"ZipFile": zipped({"index.py": SLOW.replace("FOLDER", repr(str(node.data.parent)))})},
        )  # fmt: skip
        thing = {"Type": "Custom::Thing", "Properties": {"ServiceToken": made["FunctionArn"]}}
        stacks = Stacks(node.client("cloudformation"))
        stacks.client.create_stack(StackName="s", TemplateBody=json.dumps({"Resources": {"Thing": thing}}))
        eventually(lambda: (node.data.parent / "begun").exists())
        node.kill()
        go.unlink()
        go.touch()
        node.restart()
        stacks = Stacks(node.client("cloudformation"))
        assert stacks.settled("s")["StackStatus"] == "CREATE_COMPLETE"
        assert stacks.physical_id("s", "Thing") == "thing"


SLOW = """
import json, pathlib, urllib.request

def handler(event, context):
    folder = pathlib.Path(FOLDER)
    (folder / "begun").touch()
    open(folder / "go").close()  # a pipe without a writer holds whoever opens it
    answer = {"Status": "SUCCESS", "PhysicalResourceId": "thing"}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request).close()
"""
