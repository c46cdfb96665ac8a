"""Custom resources, and stacks within stacks."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import eventually, python_function

from .conftest import Stacks

SOURCE = """
import json, urllib.request

def handler(event, context):
    print(json.dumps(event))
    properties = event["ResourceProperties"]
    answer = {
        "Status": "FAILED" if properties.get("Fail") == event["RequestType"] else "SUCCESS",
        "Reason": "as it was asked",
        "PhysicalResourceId": "made-" + properties.get("Name", ""),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Answer": properties.get("Size", "") + "!", "Old": json.dumps(event.get("OldResourceProperties"))},
    }
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, method="PUT", headers={"content-type": ""})
    urllib.request.urlopen(request).close()
"""


def template(arn: str, **properties: Any) -> str:
    return json.dumps(
        {
            "Resources": {
                "Thing": {"Type": "Custom::Thing", "Properties": {"ServiceToken": arn, **properties}},
                "User": {
                    "Type": "AWS::CDK::Metadata",
                    "Properties": {"A": {"Fn::GetAtt": ["Thing", "Answer"]}},
                },
            },
            "Outputs": {
                "Id": {"Value": {"Ref": "Thing"}},
                "Answer": {"Value": {"Fn::GetAtt": ["Thing", "Answer"]}},
                "Old": {"Value": {"Fn::GetAtt": ["Thing", "Old"]}},
            },
        }
    )


def asked(logs: Any, function: str, least: int) -> list[tuple[str, str]] | None:
    """What the function was asked, once it was asked so often."""
    if not logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function}")["logGroups"]:
        return None
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    bodies = [json.loads(event["message"]) for event in events if event["message"].startswith("{")]
    found = [(body["RequestType"], body.get("PhysicalResourceId", "")) for body in bodies]
    return found if len(found) >= least else None


class TestCustomResources:
    def test_its_life(self, stacks: Stacks, name: str, client: Callable[..., Any]) -> None:
        with python_function(client("lambda"), name, SOURCE) as arn:
            assert stacks.create(name, template(arn, Name="a", Size=5))["StackStatus"] == "CREATE_COMPLETE"
            assert stacks.outputs(name) == {"Id": "made-a", "Answer": "5!", "Old": "null"}
            assert stacks.update(name, template(arn, Name="a", Size=6))["StackStatus"] == "UPDATE_COMPLETE"
            assert stacks.outputs(name)["Answer"] == "6!"
            assert json.loads(stacks.outputs(name)["Old"])["Size"] == "5"
            stacks.update(name, template(arn, Name="b", Size=6))
            assert stacks.outputs(name)["Id"] == "made-b"
            assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"
            assert eventually(lambda: asked(client("logs"), name, 5)) == [
                ("Create", ""),
                ("Update", "made-a"),
                ("Update", "made-a"),
                ("Delete", "made-a"),
                ("Delete", "made-b"),
            ]

    def test_its_failure(self, stacks: Stacks, name: str, client: Callable[..., Any]) -> None:
        with python_function(client("lambda"), name, SOURCE) as arn:
            assert stacks.create(name, template(arn, Fail="Create"))["StackStatus"] == "ROLLBACK_COMPLETE"
            reason = next(reason for _, status, reason in stacks.events(name) if status == "CREATE_FAILED")
            assert reason.startswith(
                "Received response status [FAILED] from custom resource. Message returned: as it was asked (RequestId: "
            )

    @pytest.mark.node_only
    def test_silence(self, stacks: Stacks, name: str, fresh_node: Callable[..., Any]) -> None:
        node = fresh_node()
        stacks = Stacks(node.client("cloudformation"))
        with python_function(node.client("lambda"), name, "def handler(event, context):\n    pass\n") as arn:
            stacks.client.create_stack(StackName=name, TemplateBody=template(arn, ServiceTimeout=30))
            while stacks.describe(name)["StackStatus"].endswith("_IN_PROGRESS"):
                node.advance(31)
            reasons = [reason for _, status, reason in stacks.events(name) if status == "CREATE_FAILED"]
            assert reasons[0].startswith(
                "CloudFormation did not receive a response from your Custom Resource."
            )


@pytest.mark.node_only
class TestNestedStacks:
    INNER = "Parameters: {Days: {Type: Number}}\nResources: {G: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: !Ref Days}}}\nOutputs: {G: {Value: !Ref G}}\n"  # noqa: E501

    def outer(self, node: Any, days: int) -> str:
        content = self.INNER.encode()
        sha = hashlib.sha256(content).hexdigest()
        url = f"{node.endpoint}/_cloudlet/artifacts/{sha}.zip"
        urllib.request.urlopen(urllib.request.Request(url, content, method="PUT")).close()
        return f"""
Resources:
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: {url}
      Parameters: {{Days: {days}}}
Outputs: {{G: {{Value: !GetAtt Inner.Outputs.G}}}}
"""

    def test_its_life(self, stacks: Stacks, name: str, node: Any, client: Callable[..., Any]) -> None:
        assert stacks.create(name, self.outer(node, 7))["StackStatus"] == "CREATE_COMPLETE"
        group, inner = stacks.outputs(name)["G"], stacks.physical_id(name, "Inner")
        assert stacks.describe(inner)["StackName"].startswith(f"{name}-Inner-")
        stacks.update(name, self.outer(node, 14))
        found = client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        assert [each["retentionInDays"] for each in found] == [14]
        stacks.delete(name)
        assert stacks.describe(inner)["StackStatus"] == "DELETE_COMPLETE"

    def test_its_failure(self, stacks: Stacks, name: str, node: Any) -> None:
        stacks.create(name, self.outer(node, 8))
        assert stacks.describe(name)["StackStatus"] == "ROLLBACK_COMPLETE"
        reason = next(reason for _, status, reason in stacks.events(name) if status == "CREATE_FAILED")
        assert reason.startswith("Embedded stack arn:aws:cloudformation:")
        assert "The following resource(s) failed to create: [G]." in reason
