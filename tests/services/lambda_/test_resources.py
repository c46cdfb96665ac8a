"""CloudFormation's types of Lambda and CloudWatch Logs, through a real stack."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests import harness

from .conftest import payload
from .test_invoke import messages

SOURCE = "def handler(event, context):\n    return {}\n"


def template(source: str, **more: Any) -> str:
    function = {
        "Handler": "index.handler",
        "Runtime": "python3.11",
        "Role": harness.ROLE,
        "Code": {"ZipFile": source},
        "Environment": {"Variables": {"MODE": "x"}},
        "ReservedConcurrentExecutions": "5",
        "Timeout": "7",
        "Tags": [{"Key": "team", "Value": "one"}],
    } | more
    function = {name: value for name, value in function.items() if value is not None}
    named = {"Ref": "Function"}
    resources = {
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Fn::GetAtt": ["Function", "Arn"]},
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
            },
        },
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": named}},
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": named,
                "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                "Name": "live",
            },
        },
        "Events": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {"FunctionName": named, "Qualifier": "$LATEST", "MaximumRetryAttempts": 1},
        },
        "Logs": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": {"Fn::Sub": "/aws/lambda/${Function}"}, "RetentionInDays": "7"},
        },
    }
    outputs = {
        name: {"Value": value}
        for name, value in {
            "Name": named,
            "Arn": {"Fn::GetAtt": ["Function", "Arn"]},
            "Version": {"Ref": "Version"},
            "Alias": {"Ref": "Alias"},
            "Group": {"Ref": "Logs"},
            "GroupArn": {"Fn::GetAtt": ["Logs", "Arn"]},
        }.items()
    }
    return json.dumps({"Resources": resources, "Outputs": outputs})


def outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def wait(cloudformation: Any, stack: str, wanted: str) -> None:
    def status() -> str:
        return str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])

    harness.eventually(lambda: not status().endswith("_PROGRESS"))
    assert status() == wanted


def test_a_stack_is_made_changed_and_deleted(
    client: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    cloudformation, lam, logs = client("cloudformation"), client("lambda"), client("logs")
    stack = unique("stack")
    cloudformation.create_stack(StackName=stack, TemplateBody=template(SOURCE.format(1)))
    wait(cloudformation, stack, "CREATE_COMPLETE")
    made = outputs(cloudformation, stack)
    name, arn = made["Name"], made["Arn"]
    assert name.startswith(f"{stack}-Function-")
    assert (made["Version"], made["Alias"]) == (f"{arn}:1", f"{arn}:live")
    assert made["GroupArn"].endswith(f":log-group:/aws/lambda/{name}:*")
    assert payload(lam.invoke(FunctionName=made["Alias"])) == b"1"
    got = lam.get_function(FunctionName=name)
    assert got["Configuration"]["Timeout"] == 7
    assert got["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    assert got["Tags"]["team"] == "one"
    assert len(json.loads(lam.get_policy(FunctionName=name)["Policy"])["Statement"]) == 1
    assert lam.get_function_event_invoke_config(FunctionName=name)["MaximumRetryAttempts"] == 1
    (group,) = logs.describe_log_groups(logGroupNamePrefix=made["Group"])["logGroups"]
    assert group["retentionInDays"] == 7

    changed = template(
        SOURCE.format(2),
        Environment=None,
        ReservedConcurrentExecutions=None,
        Tags=[{"Key": "k", "Value": "v"}],
    )
    cloudformation.update_stack(StackName=stack, TemplateBody=changed)
    wait(cloudformation, stack, "UPDATE_COMPLETE")
    assert outputs(cloudformation, stack)["Name"] == name
    assert payload(lam.invoke(FunctionName=name)) == b"2"
    got = lam.get_function(FunctionName=name)
    assert "Environment" not in got["Configuration"]
    assert "Concurrency" not in got
    assert (got["Tags"].get("team"), got["Tags"]["k"]) == (None, "v")

    # Lines that come after the group was deleted would make it again, as on AWS.
    harness.eventually(lambda: len(messages(logs, name, "REPORT")) == 2)
    id = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName=stack)
    wait(cloudformation, id, "DELETE_COMPLETE")
    assert name not in {f["FunctionName"] for f in lam.list_functions()["Functions"]}
    assert logs.describe_log_groups(logGroupNamePrefix=made["Group"])["logGroups"] == []
