"""Schedules and groups in stacks, SAM's ScheduleV2 included."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import TRUST, at, refused

BY_HAND: dict[str, Any] = {
    "Parameters": {"Rate": {"Type": "String"}, "Tag": {"Type": "String", "Default": "one"}},
    "Resources": {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Group": {
            "Type": "AWS::Scheduler::ScheduleGroup",
            "Properties": {"Tags": [{"Key": "stack", "Value": {"Ref": "Tag"}}]},
        },
        "Schedule": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "GroupName": {"Ref": "Group"},
                "ScheduleExpression": {"Ref": "Rate"},
                "StartDate": "2038-01-01T00:00:00.000Z",
                "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": "5"},
                "Target": {
                    "Arn": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "RetryPolicy": {"MaximumRetryAttempts": "3"},
                    "Input": "tick",
                },
            },
        },
    },
    "Outputs": {
        "Schedule": {"Value": {"Ref": "Schedule"}},
        "Arn": {"Value": {"Fn::GetAtt": ["Schedule", "Arn"]}},
        "Group": {"Value": {"Ref": "Group"}},
        "GroupArn": {"Value": {"Fn::GetAtt": ["Group", "Arn"]}},
        "GroupState": {"Value": {"Fn::GetAtt": ["Group", "State"]}},
        "GroupMade": {"Value": {"Fn::GetAtt": ["Group", "CreationDate"]}},
    },
}
SAM: dict[str, Any] = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Ticker": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "Runtime": "python3.11",
                "Handler": "index.handler",
                "InlineCode": "import boto3, json, os\n"
                "def handler(event, context):\n"
                "    boto3.client('sqs').send_message(QueueUrl=os.environ['QUEUE'], MessageBody=json.dumps(event))\n",
                "Environment": {"Variables": {"QUEUE": {"Ref": "Queue"}}},
                "Policies": "AmazonSQSFullAccess",
                "Events": {
                    "Tick": {
                        "Type": "ScheduleV2",
                        "Properties": {"ScheduleExpression": "rate(1 minute)", "Input": '{"tick": 1}'},
                    }
                },
            },
        },
    },
    "Outputs": {"Queue": {"Value": {"Ref": "Queue"}}},
}


def test_by_hand(stack, client):
    scheduler = client("scheduler")
    found = stack(BY_HAND, Rate="rate(1 hour)")
    shown = scheduler.get_schedule(Name=found["Schedule"], GroupName=found["Group"])
    assert shown["Arn"] == found["Arn"]
    assert (found["GroupState"], found["GroupMade"][:2]) == ("ACTIVE", "20")
    assert shown["StartDate"].isoformat().startswith("2038-01-01T00:00:00")
    assert shown["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}
    assert shown["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 3

    again = stack(BY_HAND, Rate="rate(2 hours)", Tag="two")
    assert again == found
    shown = scheduler.get_schedule(Name=found["Schedule"], GroupName=found["Group"])
    assert shown["ScheduleExpression"] == "rate(2 hours)"
    tags = scheduler.list_tags_for_resource(ResourceArn=found["GroupArn"])["Tags"]
    assert {"Key": "stack", "Value": "two"} in tags

    stack.delete()
    with refused("ResourceNotFoundException", status=404):
        scheduler.get_schedule_group(Name=found["Group"])


def test_a_schedule_that_went_by_itself_can_be_deleted(stack, client, bench):
    template = json.loads(json.dumps(BY_HAND))
    properties = template["Resources"]["Schedule"]["Properties"]
    properties |= {"ScheduleExpression": at(bench.now() + 3600), "FlexibleTimeWindow": {"Mode": "OFF"}}
    found = stack(template, Rate="unused")
    client("scheduler").delete_schedule(Name=found["Schedule"], GroupName=found["Group"])
    stack.delete()


@pytest.mark.slow
def test_schedule_v2_of_sam(stack, client):
    found = stack(SAM)
    message = client("sqs").receive_message(QueueUrl=found["Queue"], WaitTimeSeconds=20)["Messages"][0]
    assert json.loads(message["Body"]) == {"tick": 1}
