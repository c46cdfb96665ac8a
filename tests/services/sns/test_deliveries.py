"""Deliveries that fail: retries by policy, dead letters, and what a kill leaves."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from cloudlet.net.authority import Authority
from cloudlet.services.sns import retries
from tests.harness import ACCOUNT, REGION, eventually

from .conftest import Endpoint, Topic

NOWHERE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:nowhere"


def redrive(queue: Any) -> str:
    return json.dumps({"deadLetterTargetArn": queue.arn})


@pytest.fixture
def own(fresh_node: Any) -> Topic:
    """A topic on a node of the test's own, whose clock may be moved."""
    return Topic(fresh_node(), "topic")


class TestHttp:
    def hook(self, topic: Topic, endpoint: Any, **attributes: str) -> str:
        arn = topic.subscribe("http", endpoint.url, **attributes)
        endpoint.confirm()
        return arn

    def test_headers_and_body(self, topic, endpoint):
        made = topic()
        arn = self.hook(made, endpoint)
        id = made.publish("hello")
        headers, body = endpoint.request()
        assert headers["x-amz-sns-message-type"] == "Notification"
        assert headers["x-amz-sns-message-id"] == id == json.loads(body)["MessageId"]
        assert headers["x-amz-sns-topic-arn"] == made.arn
        assert headers["x-amz-sns-subscription-arn"] == arn
        assert "x-amz-sns-rawdelivery" not in headers

    def test_raw(self, topic, endpoint):
        made = topic()
        self.hook(
            made,
            endpoint,
            RawMessageDelivery="true",
            DeliveryPolicy='{"requestPolicy":{"headerContentType":"application/json"}}',
        )
        made.publish('{"a":1}')
        headers, body = endpoint.request()
        assert (headers["x-amz-sns-rawdelivery"], body) == ("true", '{"a":1}')
        assert headers["content-type"] == "application/json"

    def test_is_tried_again_as_its_policy_says(self, own, endpoint):
        healthy = {"numRetries": 3, "numNoDelayRetries": 1, "minDelayTarget": 60, "maxDelayTarget": 60}
        policy = {"healthyRetryPolicy": healthy}
        self.hook(own, endpoint, DeliveryPolicy=json.dumps(policy))
        endpoint.answers = [500, 503, 200]
        own.publish("persistent")
        ids = {endpoint.document()["MessageId"], endpoint.document()["MessageId"]}
        assert endpoint.idle

        def tried() -> bool:
            own.node.advance(61)
            return not endpoint.idle

        eventually(tried)
        assert {endpoint.document()["MessageId"]} == ids

    def test_ends_in_the_dead_letter_queue(self, own, endpoint):
        dead = own.bare_queue()
        policy = {"healthyRetryPolicy": {"numRetries": 2, "numNoDelayRetries": 2}}
        self.hook(own, endpoint, DeliveryPolicy=json.dumps(policy), RedrivePolicy=redrive(dead))
        endpoint.answers = [500]
        own.publish("in vain")
        assert dead.said() == "in vain"
        assert [endpoint.document()["Message"] for _ in range(3)] == ["in vain"] * 3
        assert endpoint.idle

    def test_what_the_endpoint_does_not_want_is_not_tried_again(self, topic, endpoint):
        made = topic()
        dead = made.bare_queue()
        self.hook(made, endpoint, RedrivePolicy=redrive(dead))
        endpoint.answers = [404]
        made.publish("unwanted")
        assert dead.said() == "unwanted"
        assert endpoint.document()["Message"] == "unwanted"
        assert endpoint.idle

    def test_nobody_listens(self, own, endpoint):
        dead = own.bare_queue()
        self.hook(own, endpoint, RedrivePolicy=redrive(dead))
        endpoint.close()
        own.publish("into the void")
        eventually(lambda: "will try again" in own.node.log)

        def came() -> list[Any]:
            own.node.advance(21)
            answer = own._sqs.receive_message(QueueUrl=dead.url, WaitTimeSeconds=1)
            found: list[Any] = answer.get("Messages", [])
            return found

        assert json.loads(eventually(came)[0]["Body"])["Message"] == "into the void"


class TestHttps:
    def test_with_a_certificate_of_the_nodes_authority(self, own):
        eventually((own.node.data / "tls" / "bundle.pem").exists)
        endpoint = Endpoint(asyncio.run(Authority(own.node.data / "tls").server_context()))
        try:
            own.subscribe("https", endpoint.url)
            endpoint.confirm()
            own.publish("hello")
            assert endpoint.document()["Message"] == "hello"
        finally:
            endpoint.close()

    def test_one_of_an_unknown_authority_is_not_trusted(self, own, tmp_path):
        endpoint = Endpoint(asyncio.run(Authority(tmp_path / "other").server_context()))
        try:
            own.subscribe("https", endpoint.url)
            eventually(lambda: "certificate verify failed" in own.node.log)
            assert endpoint.idle
        finally:
            endpoint.close()


class TestThrottle:
    def test_a_subscription_gets_no_more_a_second_than_it_wants(self, own, endpoint):
        policy = {"throttlePolicy": {"maxReceivesPerSecond": 10}}
        own.subscribe("http", endpoint.url, DeliveryPolicy=json.dumps(policy))
        endpoint.confirm()
        start = own.node.now()
        entries = [{"Id": str(n), "Message": str(n)} for n in range(6)]
        own.sns.publish_batch(TopicArn=own.arn, PublishBatchRequestEntries=entries)
        assert {endpoint.document()["Message"] for _ in range(6)} == {*"012345"}
        assert own.node.now() - start > 0.49

    def test_others_do_not_wait(self, own, endpoint):
        other = Endpoint()
        try:
            topic_policy = {"http": {"defaultThrottlePolicy": {"maxReceivesPerSecond": 1}}}
            own.subscribe(
                "http", endpoint.url, DeliveryPolicy='{"throttlePolicy":{"maxReceivesPerSecond":1000}}'
            )
            own.sns.set_topic_attributes(
                TopicArn=own.arn, AttributeName="DeliveryPolicy", AttributeValue=json.dumps(topic_policy)
            )
            own.subscribe("http", other.url)
            endpoint.confirm(), other.confirm()
            for n in range(5):
                own.publish(str(n))
            assert {endpoint.document()["Message"] for _ in range(5)} == {*"01234"}
            own.node.advance(60)
            assert {other.document()["Message"] for _ in range(5)} == {*"01234"}
        finally:
            other.close()


class TestQueues:
    def test_one_that_is_gone_ends_in_the_dead_letter_queue(self, topic):
        made = topic()
        dead, alive = made.bare_queue(), made.queue()
        made.subscribe("sqs", NOWHERE, RedrivePolicy=redrive(dead))
        made.publish("one")
        assert dead.said() == alive.said() == "one"

    def test_one_that_does_not_let_sns_in(self, topic):
        made, other = topic(), topic()
        dead, closed = made.bare_queue(), other.bare_queue()
        made.subscribe("sqs", closed.arn, RedrivePolicy=redrive(dead))
        made.publish("refused")
        assert dead.said() == "refused"

    def test_many_at_once_that_a_queue_refuses(self, topic):
        """Each goes to the dead-letter queue, and none is tried again."""
        made, other = topic(), topic()
        dead, closed = made.bare_queue(), other.bare_queue()
        arn = made.subscribe("sqs", closed.arn, RedrivePolicy=redrive(dead))
        entries = [{"Id": str(n), "Message": str(n)} for n in range(10)]
        made.sns.publish_batch(TopicArn=made.arn, PublishBatchRequestEntries=entries)
        assert {dead.said() for _ in range(10)} == {str(n) for n in range(10)}
        assert f"sns gives up {arn}" in made.node.log
        assert f"sns will try again {arn}" not in made.node.log

    def test_raw_letters_keep_their_attributes(self, topic):
        made = topic()
        dead = made.bare_queue()
        made.subscribe("sqs", NOWHERE, RedrivePolicy=redrive(dead), RawMessageDelivery="true")
        made.publish("raw", MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}})
        message = dead.message()
        assert (message["Body"], message["MessageAttributes"]["a"]["StringValue"]) == ("raw", "b")

    def test_one_of_many_that_a_queue_refuses(self, topic):
        """More than ten attributes are no message of SQS."""
        made = topic()
        dead = made.bare_queue()
        raw = made.queue(RawMessageDelivery="true", RedrivePolicy=redrive(dead))
        many = {f"a{n}": {"DataType": "String", "StringValue": "b"} for n in range(11)}
        entries: list[dict[str, Any]] = [{"Id": str(n), "Message": str(n)} for n in range(5)]
        entries[2]["MessageAttributes"] = many
        made.sns.publish_batch(TopicArn=made.arn, PublishBatchRequestEntries=entries)
        assert sorted(raw.message()["Body"] for _ in range(4)) == ["0", "1", "3", "4"]
        eventually(lambda: "whose dead-letter queue refuses it" in made.node.log)


class TestPauses:
    def test_phases(self):
        policy = {
            "minDelayTarget": 1, "maxDelayTarget": 60, "numRetries": 9, "numNoDelayRetries": 2,
            "numMinDelayRetries": 2, "numMaxDelayRetries": 2, "backoffFunction": "linear",
        }  # fmt: skip
        pauses = [retries.http_pause(policy, retry) for retry in range(1, 11)]
        assert pauses == [0, 0, 1, 1, 1, 30.5, 60, 60, 60, None]

    @pytest.mark.parametrize("function", ["linear", "arithmetic", "geometric", "exponential"])
    def test_grow(self, function):
        policy = {
            **retries.model.RETRY_DEFAULTS,
            "minDelayTarget": 1,
            "numRetries": 20,
            "backoffFunction": function,
        }
        pauses = [retries.http_pause(policy, retry) for retry in range(1, 21)]
        assert pauses == sorted(pauses)
        assert 1 <= pauses[0] <= pauses[-1] <= 20

    def test_of_what_aws_runs(self):
        pauses = [retries.managed_pause(retry) for retry in range(1, 100_017)]
        assert pauses[:5] == [0, 0, 0, 1, 1]
        assert pauses[-1] is None and pauses[-2] == 20


@pytest.mark.slow
def test_a_kill_loses_nothing(fresh_node):
    """What was acknowledged reaches every queue at least once."""
    made = Topic(fresh_node(), "topic")
    queues = [made.queue(RawMessageDelivery="true") for _ in range(10)]
    wanted = set()
    for round in range(20):
        entries = [{"Id": str(n), "Message": f"{round}-{n}"} for n in range(10)]
        answer = made.sns.publish_batch(TopicArn=made.arn, PublishBatchRequestEntries=entries)
        wanted |= {f"{round}-{one['Id']}" for one in answer["Successful"]}
    made.node.kill()
    made.node.restart()
    for queue in queues:
        found: set[str] = set()

        def all_came(queue: Any = queue, found: set[str] = found) -> bool:
            answer = made._sqs.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10)
            found.update(message["Body"] for message in answer.get("Messages", ()))
            return found == wanted

        eventually(all_came, within=60)
