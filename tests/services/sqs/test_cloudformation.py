"""Queues and their policies in stacks."""

from __future__ import annotations

import json

import pytest

from tests.services.cloudformation.conftest import Stacks

TEMPLATE = """
Resources:
  Dead:
    Type: AWS::SQS::Queue
    Properties:
      MessageRetentionPeriod: 1209600
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      %(properties)s
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt Dead.Arn
        maxReceiveCount: 3
      Tags: [{Key: team, Value: %(team)s}]
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Jobs]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: sns.amazonaws.com}
            Action: "sqs:SendMessage"
            Resource: !GetAtt Jobs.Arn
Outputs:
  Url: {Value: !Ref Jobs}
  Arn: {Value: !GetAtt Jobs.Arn}
  Name: {Value: !GetAtt Jobs.QueueName}
  DeadArn: {Value: !GetAtt Dead.Arn}
"""


@pytest.fixture
def stacks(client):
    return Stacks(client("cloudformation"))


def template(team: str = "a", **properties: object) -> str:
    lines = "\n      ".join(f"{name}: {value}" for name, value in properties.items()) or "DelaySeconds: 0"
    return TEMPLATE % {"properties": lines, "team": team}


def outputs(stack: dict) -> dict[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def attributes(sqs, url: str) -> dict[str, str]:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def test_a_stack_of_queues(sqs, stacks, unique):
    name = unique("queues")
    stack = stacks.create(name, template(VisibilityTimeout="90", ReceiveMessageWaitTimeSeconds=5))
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    out = outputs(stack)
    assert out["Url"].endswith(f"/000000000000/{out['Name']}")
    found = attributes(sqs, out["Url"])
    assert (found["VisibilityTimeout"], found["ReceiveMessageWaitTimeSeconds"]) == ("90", "5")
    assert found["QueueArn"] == out["Arn"]
    assert json.loads(found["RedrivePolicy"]) == {"deadLetterTargetArn": out["DeadArn"], "maxReceiveCount": 3}
    assert json.loads(found["Policy"])["Statement"][0]["Resource"] == out["Arn"]
    assert sqs.list_queue_tags(QueueUrl=out["Url"])["Tags"]["team"] == "a"

    stack = stacks.update(name, template("b", DelaySeconds=7))
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stack
    assert outputs(stack)["Url"] == out["Url"]
    found = attributes(sqs, out["Url"])
    assert (found["VisibilityTimeout"], found["DelaySeconds"]) == ("30", "7")
    assert sqs.list_queue_tags(QueueUrl=out["Url"])["Tags"]["team"] == "b"

    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        attributes(sqs, out["Url"])


def test_a_queue_that_says_it_is_not_fifo_stays_when_it_says_so_no_more(sqs, stacks, unique):
    name = unique("plain")
    first = stacks.create(name, template(FifoQueue="false"))
    sqs.send_message(QueueUrl=outputs(first)["Url"], MessageBody="kept")
    second = stacks.update(name, template(DelaySeconds=7))
    assert second["StackStatus"] == "UPDATE_COMPLETE", stacks.events(name)
    assert outputs(second)["Url"] == outputs(first)["Url"]
    assert sqs.receive_message(QueueUrl=outputs(second)["Url"])["Messages"][0]["Body"] == "kept"
    third = stacks.update(name, template(DelaySeconds=7, FifoQueue="true"))
    assert third["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", stacks.events(name)


def test_a_fifo_queue_fails_with_the_reason(stacks, unique):
    stack = stacks.create(unique("fifo"), template(FifoQueue="true"), OnFailure="DELETE")
    events = stacks.client.describe_stack_events(StackName=stack["StackId"])["StackEvents"]
    assert any("does not support FIFO queues" in event.get("ResourceStatusReason", "") for event in events)


INLINE = """
Resources:
  Jobs: {Type: AWS::SQS::Queue}
  News: {Type: AWS::SNS::Topic}
  May:
    Type: AWS::SQS::QueueInlinePolicy
    Properties:
      Queue: !Ref Jobs
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: "*", Action: "sqs:%(action)s", Resource: !GetAtt Jobs.Arn}]
  MayTell:
    Type: AWS::SNS::TopicInlinePolicy
    Properties:
      TopicArn: !Ref News
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: "*", Action: "sns:%(tell)s", Resource: !Ref News}]
Outputs:
  Url: {Value: !Ref May}
  Topic: {Value: !Ref MayTell}
"""


def test_policies_of_one_queue_and_one_topic(sqs, client, stacks, unique):
    name, sns = unique("inline"), client("sns")

    def actions(stack: dict) -> list[str]:
        out = outputs(stack)
        topic = sns.get_topic_attributes(TopicArn=out["Topic"])["Attributes"]
        policies = (attributes(sqs, out["Url"])["Policy"], topic["Policy"])
        return [json.loads(policy)["Statement"][0]["Action"] for policy in policies]

    stack = stacks.create(name, INLINE % {"action": "SendMessage", "tell": "Publish"})
    assert actions(stack) == ["sqs:SendMessage", "sns:Publish"]
    stack = stacks.update(name, INLINE % {"action": "ReceiveMessage", "tell": "Subscribe"})
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stacks.events(name)
    assert actions(stack) == ["sqs:ReceiveMessage", "sns:Subscribe"]
    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"
