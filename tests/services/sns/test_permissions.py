"""Who may do what with a topic."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import refused


@pytest.fixture
def user(node: Any, client: Any, unique: Any) -> Any:
    """`user(statement…)`: SNS as a user who is allowed just that."""
    iam, name = client("iam"), unique("user")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]

    def allowed(*statements: dict[str, Any]) -> Any:
        if statements:
            document = {"Version": "2012-10-17", "Statement": list(statements)}
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(document))
        return node.client(
            "sns", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )

    return allowed


def test_a_user_needs_a_policy(topic, user):
    made = topic()
    with refused(
        "AuthorizationError", f"is not authorized to perform: SNS:Publish on resource: {made.arn}", 403
    ):
        user().publish(TopicArn=made.arn, Message="x")
    with refused("AuthorizationError", "SNS:CreateTopic", 403):
        user().create_topic(Name="mine")


def test_for_the_action_and_the_topic(topic, user):
    made, other = topic(), topic()
    queue = made.queue()
    sns = user({"Effect": "Allow", "Action": "sns:Publish", "Resource": made.arn})
    sns.publish(TopicArn=made.arn, Message="allowed")
    sns.publish_batch(TopicArn=made.arn, PublishBatchRequestEntries=[{"Id": "a", "Message": "also"}])
    assert {queue.said(), queue.said()} == {"allowed", "also"}
    with refused("AuthorizationError", other.arn, 403):
        sns.publish(TopicArn=other.arn, Message="x")


def test_conditions_on_what_is_subscribed(topic, user):
    made = topic()
    only = {"StringEquals": {"sns:Protocol": "sqs"}}
    sns = user({"Effect": "Allow", "Action": "sns:Subscribe", "Resource": "*", "Condition": only})
    queue = made.bare_queue()
    sns.subscribe(TopicArn=made.arn, Protocol="sqs", Endpoint=queue.arn)
    with refused("AuthorizationError", "SNS:Subscribe", 403):
        sns.subscribe(TopicArn=made.arn, Protocol="email", Endpoint="me@example.com")


def test_the_topics_policy_may_let_in_and_keep_out(topic, user, client):
    made = topic()
    queue = made.queue()
    sns = user()
    who = {"AWS": "*"}
    allow = {"Effect": "Allow", "Principal": who, "Action": "sns:Publish", "Resource": made.arn}
    policy = {"Version": "2012-10-17", "Statement": [allow]}

    def put() -> None:
        made.sns.set_topic_attributes(
            TopicArn=made.arn, AttributeName="Policy", AttributeValue=json.dumps(policy)
        )

    put()
    sns.publish(TopicArn=made.arn, Message="let in")
    assert queue.said() == "let in"
    policy["Statement"].append({**allow, "Effect": "Deny"})
    put()
    with refused("AuthorizationError", "explicit deny in a resource-based policy", 403):
        sns.publish(TopicArn=made.arn, Message="kept out")
