"""Functions that hear of topics."""

from __future__ import annotations

import json

from tests.harness import python_function

SOURCE = """
import boto3, json
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=%r, MessageBody=json.dumps(event))
"""


def test_the_event(topic, client):
    made = topic()
    answers = made.bare_queue()
    with python_function(client("lambda"), made.name, SOURCE % answers.url) as arn:
        client("lambda").add_permission(
            FunctionName=arn,
            StatementId="sns",
            Action="lambda:InvokeFunction",
            Principal="sns.amazonaws.com",
            SourceArn=made.arn,
        )
        subscription = made.subscribe("lambda", arn)
        attributes = {"a": {"DataType": "Number", "StringValue": "1"}}
        id = made.publish("hello", MessageAttributes=attributes)
        ((record,),) = answers.envelope().values()
    assert (record["EventSource"], record["EventVersion"]) == ("aws:sns", "1.0")
    assert record["EventSubscriptionArn"] == subscription
    sns = record["Sns"]
    assert list(sns) == [
        "Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature",
        "SigningCertUrl", "UnsubscribeUrl", "MessageAttributes",
    ]  # fmt: skip
    assert (sns["MessageId"], sns["Subject"], sns["Message"]) == (id, None, "hello")
    assert sns["MessageAttributes"] == {"a": {"Type": "Number", "Value": "1"}}
    assert subscription in sns["UnsubscribeUrl"]


def test_one_that_does_not_let_sns_in_is_not_invoked(topic, client):
    made = topic()
    dead = made.bare_queue()
    with python_function(client("lambda"), made.name, SOURCE % dead.url) as arn:
        made.subscribe("lambda", arn, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead.arn}))
        made.publish("refused")
        assert dead.said() == "refused"


def test_one_that_is_gone_ends_in_the_dead_letter_queue(topic):
    made = topic()
    dead = made.bare_queue()
    arn = "arn:aws:lambda:us-east-1:000000000000:function:nowhere"
    made.subscribe("lambda", arn, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead.arn}))
    made.publish("lost")
    assert dead.said() == "lost"
