"""E-mails and text messages are captured, where they can be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness import eventually

from .conftest import Topic, get, refused

pytestmark = pytest.mark.node_only


def letters(node: Any, to: str, count: int) -> list[dict[str, Any]]:
    """The letters to an address, once there are so many."""
    return eventually(
        lambda: (
            (found := [one for one in node.get("/_cloudlet/outbox") if one["to"] == to])
            and len(found) >= count
            and found
        )
    )


def test_an_address_confirms_and_hears(topic, node, unique):
    made, address = topic(DisplayName="News"), f"{unique('me')}@example.com"
    answer = made.sns.subscribe(TopicArn=made.arn, Protocol="email", Endpoint=address)
    assert answer["SubscriptionArn"] == "pending confirmation"
    (asked,) = letters(node, address, 1)
    assert asked["subject"] == "AWS Notification - Subscription Confirmation"
    assert asked["from"] == "News <no-reply@sns.amazonaws.com>"
    assert asked["url"] in asked["body"]
    get(asked["url"])
    made.publish("hello", Subject="greetings")
    made.publish("no subject")
    _, *sent = letters(node, address, 3)
    assert {(one["subject"], one["body"].partition("\n")[0]) for one in sent} == {
        ("greetings", "hello"),
        ("AWS Notification Message", "no subject"),
    }
    assert all("Action=Unsubscribe" in one["body"] and one["kind"] == "email" for one in sent)


def test_as_json(topic, node, unique):
    made, address = topic(), f"{unique('me')}@example.com"
    made.subscribe("email-json", address)
    get(letters(node, address, 1)[0]["url"])
    id = made.publish("hello")
    document = json.loads(letters(node, address, 2)[1]["body"])
    assert (document["Type"], document["MessageId"], document["Message"]) == ("Notification", id, "hello")


def test_text_messages_of_a_topic_and_to_a_number(topic, node):
    made, number = topic(DisplayName="News"), "+41791234567"
    made.subscribe("sms", number)
    made.publish(json.dumps({"default": "long", "sms": "short"}), MessageStructure="json")
    assert letters(node, number, 1)[0]["body"] == "News> short"
    sender = {"AWS.SNS.SMS.SenderID": {"DataType": "String", "StringValue": "me"}}
    id = made.sns.publish(PhoneNumber=number, Message="straight", MessageAttributes=sender)["MessageId"]
    last = letters(node, number, 2)[-1]
    assert (last["kind"], last["body"], last["message_id"], last["from"]) == ("sms", "straight", id, "me")
    with refused("InvalidParameter", "PhoneNumber Reason: 123 is not valid to publish to"):
        made.sns.publish(PhoneNumber="123", Message="x")


def test_is_kept_over_a_restart_and_for_two_weeks(fresh_node):
    made = Topic(fresh_node(), "topic")
    made.sns.publish(PhoneNumber="+15550100", Message="keep me")
    made.node.restart()
    assert letters(made.node, "+15550100", 1)[0]["body"] == "keep me"
    made.node.advance(14 * 86_400 + 1)
    eventually(lambda: made.node.get("/_cloudlet/outbox") == [])
