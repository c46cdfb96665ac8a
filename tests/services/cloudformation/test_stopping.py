"""Operations that are ended early, and rollbacks that get stuck."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.harness import eventually, python_function

from .conftest import Stacks

SOURCE = """
import json, urllib.request

def handler(event, context):
    properties = event["ResourceProperties"]
    if properties.get("Silent") == event["RequestType"]:
        return
    answer = {
        "Status": "FAILED" if properties.get("Fail") == event["RequestType"] else "SUCCESS",
        "Reason": "as it was asked",
        "PhysicalResourceId": "thing",
    }
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request).close()
"""


@pytest.fixture
def thing(client: Callable[..., Any], name: str) -> Iterator[Callable[..., str]]:
    """A template of a custom resource with these properties, and a log group."""
    with python_function(client("lambda"), name, SOURCE) as arn:

        def template(days: int = 7, **properties: str) -> str:
            resources = {
                "Thing": {"Type": "Custom::Thing", "Properties": {"ServiceToken": arn, **properties}},
                "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}},
            }
            return json.dumps({"Resources": resources})

        yield template


def reached(stacks: Stacks, name: str, *event: str) -> None:
    eventually(lambda: event in [told[: len(event)] for told in stacks.events(name)])


def test_a_stack_is_deleted_while_it_is_created(stacks: Stacks, name: str, thing: Callable[..., str]) -> None:
    stack_id = stacks.client.create_stack(StackName=name, TemplateBody=thing(Silent="Create"))["StackId"]
    reached(stacks, name, "Group", "CREATE_COMPLETE")
    stacks.client.delete_stack(StackName=name)
    assert stacks.settled(stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert ("Thing", "CREATE_FAILED", "Resource creation cancelled") in stacks.events(stack_id)


def test_a_failure_does_not_wait_for_the_others(stacks: Stacks, name: str, thing: Callable[..., str]) -> None:
    stack = stacks.create(name, thing(days=8, Silent="Create"))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    why = "The following resource(s) failed to create: [Group, Thing]. Rollback requested by user."
    assert (name, "ROLLBACK_IN_PROGRESS", why) in stacks.events(name)


def test_an_update_is_cancelled(stacks: Stacks, name: str, thing: Callable[..., str]) -> None:
    stacks.create(name, thing())
    with pytest.raises(ClientError, match="CancelUpdateStack cannot be called from current stack status"):
        stacks.client.cancel_update_stack(StackName=name)
    stacks.client.update_stack(StackName=name, TemplateBody=thing(days=14, Silent="Update"))
    reached(stacks, name, "Group", "UPDATE_COMPLETE")
    stacks.client.cancel_update_stack(StackName=name)
    assert stacks.settled(name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert ("Thing", "UPDATE_FAILED", "Resource update cancelled") in stacks.events(name)


def test_a_rollback_that_fails_is_continued(stacks: Stacks, name: str, thing: Callable[..., str]) -> None:
    stacks.create(name, thing(Fail="Update"))
    stack = stacks.update(name, thing(Fail="Update", More="x"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    assert stack["StackStatusReason"] == "The following resource(s) failed to update: [Thing]."
    with pytest.raises(ClientError, match="UPDATE_ROLLBACK_FAILED state and can not be updated"):
        stacks.client.update_stack(StackName=name, TemplateBody=thing())
    stacks.client.continue_update_rollback(StackName=name)
    assert stacks.settled(name)["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    stacks.client.continue_update_rollback(StackName=name, ResourcesToSkip=["Thing"])
    assert stacks.settled(name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


@pytest.mark.node_only
def test_a_creation_takes_too_long(fresh_node: Callable[..., Any], name: str) -> None:
    node = fresh_node()
    stacks = Stacks(node.client("cloudformation"))
    with python_function(node.client("lambda"), name, "def handler(event, context):\n    pass\n") as arn:
        text = json.dumps({"Resources": {"T": {"Type": "Custom::T", "Properties": {"ServiceToken": arn}}}})
        stacks.client.create_stack(StackName=name, TemplateBody=text, TimeoutInMinutes=5)
        reached(stacks, name, "T", "CREATE_IN_PROGRESS")
        node.advance(301)
        assert stacks.settled(name)["StackStatus"] == "ROLLBACK_COMPLETE"
        why = "Stack creation time exceeded the specified timeout. Rollback requested by user."
        assert (name, "ROLLBACK_IN_PROGRESS", why) in stacks.events(name)
