"""Topics, subscriptions and their policies in stacks, SAM's SNS event included."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Queue, policy, refused

BY_HAND: dict[str, Any] = {
    "Parameters": {
        "Display": {"Type": "String", "Default": "one"},
        "Colour": {"Type": "String", "Default": "red"},
    },
    "Resources": {
        "Jobs": {"Type": "AWS::SQS::Queue"},
        "Other": {"Type": "AWS::SQS::Queue"},
        "News": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "DisplayName": {"Ref": "Display"},
                "Subscription": [{"Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Jobs", "Arn"]}}],
                "Tags": [{"Key": "display", "Value": {"Ref": "Display"}}],
            },
        },
        "Some": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "News"},
                "Protocol": "sqs",
                "Endpoint": {"Fn::GetAtt": ["Other", "Arn"]},
                "RawMessageDelivery": True,
                "FilterPolicyScope": "MessageBody",
                "FilterPolicy": {"paint": {"colour": [{"Ref": "Colour"}]}},
                "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Jobs", "Arn"]}},
            },
        },
        "LetIn": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Jobs"}, {"Ref": "Other"}],
                "PolicyDocument": policy("*", {"Ref": "News"}),
            },
        },
        "Policy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [{"Ref": "News"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "events",
                            "Effect": "Allow",
                            "Principal": {"Service": "s3.amazonaws.com"},
                            "Action": "sns:Publish",
                            "Resource": {"Ref": "News"},
                        }
                    ],
                },
            },
        },
    },
    "Outputs": {
        "Arn": {"Value": {"Ref": "News"}},
        "Name": {"Value": {"Fn::GetAtt": ["News", "TopicName"]}},
        "Some": {"Value": {"Ref": "Some"}},
        "Jobs": {"Value": {"Ref": "Jobs"}},
        "Other": {"Value": {"Ref": "Other"}},
    },
}
SAM: dict[str, Any] = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Answers": {"Type": "AWS::SQS::Queue"},
        "News": {"Type": "AWS::SNS::Topic"},
        "Listener": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "Runtime": "python3.11",
                "Handler": "index.handler",
                "InlineCode": "import boto3, os\n"
                "def handler(event, context):\n"
                "    text = event['Records'][0]['Sns']['Message']\n"
                "    boto3.client('sqs').send_message(QueueUrl=os.environ['QUEUE'], MessageBody=text)\n",
                "Environment": {"Variables": {"QUEUE": {"Ref": "Answers"}}},
                "Policies": [
                    {"SQSSendMessagePolicy": {"QueueName": {"Fn::GetAtt": ["Answers", "QueueName"]}}}
                ],
                "Events": {
                    "News": {
                        "Type": "SNS",
                        "Properties": {"Topic": {"Ref": "News"}, "FilterPolicy": {"to": ["me"]}},
                    }
                },
            },
        },
    },
    "Outputs": {"Topic": {"Value": {"Ref": "News"}}, "Queue": {"Value": {"Ref": "Answers"}}},
}


def messages(sqs: Any, url: str) -> list[str]:
    answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", ())]


def test_by_hand(stack, client):
    sns, sqs = client("sns"), client("sqs")
    found = stack(BY_HAND)
    shown = sns.get_topic_attributes(TopicArn=found["Arn"])["Attributes"]
    assert (shown["DisplayName"], shown["SubscriptionsConfirmed"]) == ("one", "2")
    assert json.loads(shown["Policy"])["Statement"][0]["Sid"] == "events"
    assert found["Arn"].endswith(f":{found['Name']}")
    sns.publish(TopicArn=found["Arn"], Message='{"paint":{"colour":"red"}}')
    assert messages(sqs, found["Other"]) == ['{"paint":{"colour":"red"}}']
    assert json.loads(messages(sqs, found["Jobs"])[0])["Message"] == '{"paint":{"colour":"red"}}'

    again = stack(BY_HAND, Display="two", Colour="blue")
    assert again == found
    assert sns.get_topic_attributes(TopicArn=found["Arn"])["Attributes"]["DisplayName"] == "two"
    assert sns.list_tags_for_resource(ResourceArn=found["Arn"])["Tags"] == [
        {"Key": "display", "Value": "two"}
    ]
    sns.publish(TopicArn=found["Arn"], Message='{"paint":{"colour":"blue"}}')
    assert messages(sqs, found["Other"]) == ['{"paint":{"colour":"blue"}}']

    stack.delete()
    with refused("NotFound", "Topic does not exist", 404):
        sns.get_topic_attributes(TopicArn=found["Arn"])


def test_a_filter_changes_its_scope(stack, client):
    found = stack(BY_HAND)
    template = json.loads(json.dumps(BY_HAND))
    properties = template["Resources"]["Some"]["Properties"]
    del properties["FilterPolicyScope"]
    properties["FilterPolicy"] = {"colour": ["red"]}
    stack(template)
    shown = client("sns").get_subscription_attributes(SubscriptionArn=found["Some"])["Attributes"]
    assert json.loads(shown["FilterPolicy"]) == {"colour": ["red"]}
    assert shown["FilterPolicyScope"] == "MessageAttributes"


@pytest.mark.slow
def test_sam(stack, client):
    found = stack(SAM)
    sns = client("sns")
    for to in ("you", "me"):
        sns.publish(
            TopicArn=found["Topic"],
            Message=f"for {to}",
            MessageAttributes={"to": {"DataType": "String", "StringValue": to}},
        )
    assert messages(client("sqs"), found["Queue"]) == ["for me"]


def test_a_schedule_publishes(client, topic, unique):
    """EventBridge Scheduler's templated target."""
    made = topic()
    queue: Queue = made.queue()
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "scheduler.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    allowed = {"Effect": "Allow", "Action": "sns:Publish", "Resource": made.arn}
    iam, name = client("iam"), unique("role")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=name, PolicyName="publish", PolicyDocument=document)
    client("scheduler").create_schedule(
        Name=made.name,
        ScheduleExpression="rate(365 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": made.arn, "RoleArn": role["Role"]["Arn"], "Input": "on time"},
    )
    assert queue.said() == "on time"
    client("scheduler").delete_schedule(Name=made.name)
