"""Subscriptions: made, confirmed, shown, changed, ended."""

from __future__ import annotations

import json

import pytest

from tests.harness import ACCOUNT, REGION, eventually

from .conftest import get, refused

QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:somewhere"


class TestSubscribe:
    def test_a_queue_is_subscribed_at_once(self, topic):
        made = topic()
        arn = made.subscribe("sqs", QUEUE)
        assert arn.startswith(f"{made.arn}:")
        shown = made.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        assert shown.pop("SubscriptionPrincipal")
        assert shown == {
            "SubscriptionArn": arn,
            "TopicArn": made.arn,
            "Owner": ACCOUNT,
            "Protocol": "sqs",
            "Endpoint": QUEUE,
            "RawMessageDelivery": "false",
            "PendingConfirmation": "false",
            "ConfirmationWasAuthenticated": "true",
        }
        assert made.attributes()["SubscriptionsConfirmed"] == "1"

    def test_an_endpoint_once(self, topic):
        made = topic()
        arn = made.subscribe("sqs", QUEUE, RawMessageDelivery="true")
        assert made.subscribe("sqs", QUEUE) == arn
        assert made.subscribe("sqs", QUEUE, RawMessageDelivery="true") == arn
        with refused("InvalidParameter", "Subscription already exists with different attributes"):
            made.subscribe("sqs", QUEUE, RawMessageDelivery="false")
        assert made.attributes()["SubscriptionsConfirmed"] == "1"

    @pytest.mark.parametrize(
        ("protocol", "endpoint", "code", "text"),
        [
            ("pigeon", "x", "InvalidParameter", "Amazon SNS does not support this protocol string: pigeon"),
            ("http", "https://x", "InvalidParameter", "Endpoint must match the specified protocol"),
            ("sqs", "http://x", "InvalidParameter", "Invalid parameter: SQS endpoint ARN"),
            ("sqs", f"{QUEUE}.fifo", "InvalidParameter", "FIFO SQS Queues can not be subscribed to standard"),
            ("lambda", "x", "InvalidParameter", "Lambda endpoint ARN"),
            ("email", "nobody", "InvalidParameter", "Email address"),
            ("sms", "123", "InvalidParameter", "Invalid SMS endpoint: 123"),
            ("application", "x", "UnsupportedOperation", "mobile push"),
        ],
    )
    def test_wrong_endpoints(self, topic, protocol, endpoint, code, text):
        with refused(code, text):
            topic().subscribe(protocol, endpoint)

    @pytest.mark.parametrize(
        ("name", "value", "text"),
        [
            ("Nonsense", "x", "Attributes Reason: AttributeName"),
            (
                "RawMessageDelivery",
                "maybe",
                "RawMessageDelivery: Invalid value [maybe]. Must be true or false.",
            ),
            ("FilterPolicyScope", "x", "Please use either MessageBody or MessageAttributes"),
            ("FilterPolicy", "{", "FilterPolicy: failed to parse JSON."),
            ("RedrivePolicy", "{", "RedrivePolicy: failed to parse JSON."),
            ("RedrivePolicy", '{"deadLetterTargetArn":"x"}', "deadLetterTargetArn is an invalid arn"),
        ],
    )
    def test_wrong_attributes(self, topic, name, value, text):
        made = topic()
        with refused("InvalidParameter", text):
            made.subscribe("sqs", QUEUE, **{name: value})
        arn = made.subscribe("sqs", QUEUE)
        with refused("InvalidParameter", text.removeprefix("Attributes Reason: ")):
            made.sns.set_subscription_attributes(
                SubscriptionArn=arn, AttributeName=name, AttributeValue=value
            )

    def test_raw_delivery_is_for_some_protocols(self, topic):
        with refused("InvalidParameter", "Delivery protocol [email] does not support raw message delivery."):
            topic().subscribe("email", "me@example.com", RawMessageDelivery="true")


class TestSetSubscriptionAttributes:
    def test_come_and_go(self, topic):
        made = topic()
        arn = made.subscribe("sqs", QUEUE)

        def put(name: str, value: str) -> dict[str, str]:
            made.sns.set_subscription_attributes(
                SubscriptionArn=arn, AttributeName=name, AttributeValue=value
            )
            found: dict[str, str] = made.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
            return found

        shown = put("FilterPolicy", '{"a":["b"]}')
        assert (shown["FilterPolicy"], shown["FilterPolicyScope"]) == ('{"a":["b"]}', "MessageAttributes")
        assert put("FilterPolicyScope", "MessageBody")["FilterPolicyScope"] == "MessageBody"
        assert "FilterPolicy" not in put("FilterPolicy", "{}")
        redrive = json.dumps({"deadLetterTargetArn": QUEUE})
        assert put("RedrivePolicy", redrive)["RedrivePolicy"] == redrive
        assert put("RawMessageDelivery", "True")["RawMessageDelivery"] == "true"

    def test_of_what_is_not_there(self, topic):
        made = topic()
        for call in (
            made.sns.get_subscription_attributes,
            lambda **a: made.sns.set_subscription_attributes(**a, AttributeName="RawMessageDelivery"),
        ):
            with refused("NotFound", "Subscription does not exist", 404):
                call(SubscriptionArn=f"{made.arn}:6f8e1b0e-0000-4000-8000-000000000000")
            with refused("InvalidParameter", "An ARN must have at least 6 elements, not 1"):
                call(SubscriptionArn="nonsense")


class TestConfirmation:
    def test_an_endpoint_confirms_by_visiting(self, topic, endpoint):
        made = topic()
        answer = made.sns.subscribe(TopicArn=made.arn, Protocol="http", Endpoint=endpoint.url)
        assert answer["SubscriptionArn"] == "pending confirmation"
        listed = made.sns.list_subscriptions_by_topic(TopicArn=made.arn)["Subscriptions"]
        assert [one["SubscriptionArn"] for one in listed] == ["PendingConfirmation"]
        assert made.attributes()["SubscriptionsPending"] == "1"
        made.publish("nobody hears this")

        headers, _ = sent = endpoint.request()
        document = json.loads(sent[1])
        assert headers["x-amz-sns-message-type"] == document["Type"] == "SubscriptionConfirmation"
        assert headers["x-amz-sns-topic-arn"] == document["TopicArn"] == made.arn
        assert headers["x-amz-sns-message-id"] == document["MessageId"]
        assert headers["content-type"] == "text/plain; charset=UTF-8"
        assert headers["user-agent"] == "Amazon Simple Notification Service Agent"
        assert "x-amz-sns-subscription-arn" not in headers
        assert document["Token"] in document["SubscribeURL"]

        page = get(document["SubscribeURL"]).decode()
        listed = made.sns.list_subscriptions_by_topic(TopicArn=made.arn)["Subscriptions"]
        assert f"<SubscriptionArn>{listed[0]['SubscriptionArn']}</SubscriptionArn>" in page
        assert made.attributes()["SubscriptionsConfirmed"] == "1"
        made.publish("hello")
        assert endpoint.document()["Message"] == "hello"

    def test_by_the_api_and_again(self, topic, endpoint):
        made = topic()
        arn = made.subscribe("http", endpoint.url)
        token = endpoint.document()["Token"]
        for _ in range(2):
            answer = made.sns.confirm_subscription(TopicArn=made.arn, Token=token)
            assert answer["SubscriptionArn"] == arn

    def test_wrong_tokens(self, topic, endpoint):
        made, other = topic(), topic()
        made.subscribe("http", endpoint.url)
        token = endpoint.document()["Token"]
        for arn, text in ((made.arn, "nonsense"), (other.arn, token)):
            with refused("InvalidParameter", "Invalid parameter: Token"):
                made.sns.confirm_subscription(TopicArn=arn, Token=text)

    def test_nobody_confirms_for_two_days(self, fresh_node):
        from .conftest import Topic

        made = Topic(fresh_node(), "topic")
        arn = made.subscribe("email", "me@example.com")
        made.node.advance(2 * 86_400 + 1)
        eventually(lambda: made.attributes()["SubscriptionsPending"] == "0")
        with refused("NotFound", "Subscription does not exist", 404):
            made.sns.get_subscription_attributes(SubscriptionArn=arn)


class TestUnsubscribe:
    def test_hears_no_more_and_may_leave_twice(self, topic):
        made = topic()
        gone = made.bare_queue()
        arn = made.subscribe("sqs", gone.arn)
        stays = made.queue()
        for _ in range(2):
            made.sns.unsubscribe(SubscriptionArn=arn)
        made.publish("still here?")
        assert stays.said() == "still here?"
        shown = made.attributes()
        assert (shown["SubscriptionsConfirmed"], shown["SubscriptionsDeleted"]) == ("1", "1")
        made.subscribe("sqs", gone.arn)
        made.publish("again")
        assert gone.said() == "again"

    def test_by_its_link_can_be_taken_back(self, topic, endpoint):
        made = topic()
        arn = made.subscribe("http", endpoint.url, FilterPolicy='{"a":[{"exists":false}]}')
        endpoint.confirm()
        made.publish()
        get(endpoint.document()["UnsubscribeURL"])
        assert made.attributes()["SubscriptionsConfirmed"] == "0"
        headers, body = endpoint.request()
        assert headers["x-amz-sns-message-type"] == "UnsubscribeConfirmation"
        get(json.loads(body)["SubscribeURL"])
        shown = made.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        assert shown["FilterPolicy"] == '{"a":[{"exists":false}]}'

    def test_may_need_the_owner(self, topic, endpoint):
        made = topic()
        made.subscribe("http", endpoint.url)
        made.sns.confirm_subscription(
            TopicArn=made.arn, Token=endpoint.document()["Token"], AuthenticateOnUnsubscribe="true"
        )
        made.publish()
        link = endpoint.document()["UnsubscribeURL"]
        with pytest.raises(OSError, match="403"):
            get(link)
        assert made.attributes()["SubscriptionsConfirmed"] == "1"


def test_listed_by_pages(fresh_node):
    from .conftest import Topic

    made = Topic(fresh_node(), "topic")
    arns = sorted(made.subscribe("sqs", f"{QUEUE}{number}") for number in range(101))
    other = Topic(made.node, "zoo").subscribe("sqs", QUEUE)
    whole = made.sns.get_paginator("list_subscriptions").paginate()
    own = made.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=made.arn)
    assert [one["SubscriptionArn"] for page in whole for one in page["Subscriptions"]] == [*arns, other]
    assert [one["SubscriptionArn"] for page in own for one in page["Subscriptions"]] == arns
