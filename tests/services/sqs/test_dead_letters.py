"""Dead-letter queues: when messages go there, as what, who may send them, and how they come back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness import eventually

from .conftest import Queue, refused
from .test_messages import Poll


@pytest.fixture
def pair(queue):
    """A queue and its dead-letter queue, after two receives."""
    dead = queue()
    made = queue(VisibilityTimeout=0)
    redrive(made, dead, 2)
    return made, dead


def redrive(made: Queue, dead: Queue, most: int | str) -> None:
    made.set(RedrivePolicy=json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": most}))


def bury(made: Queue, *bodies: str) -> None:
    """Send messages, and receive them until they are gone."""
    for body in bodies:
        made.send(body)
    while made.receive():
        pass


class TestRedrive:
    def test_after_too_many_receives(self, pair):
        made, dead = pair
        sent = made.send("bad", MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}})
        assert made.bodies() == ["bad"]
        assert made.bodies() == ["bad"]
        assert dead.receive() == []
        assert made.receive() == []
        assert made.counts() == (0, 0, 0)
        [got] = dead.receive()
        assert got["MessageId"] == sent["MessageId"]
        assert got["MessageAttributes"]["a"]["StringValue"] == "b"
        assert got["Attributes"]["DeadLetterQueueSourceArn"] == made.arn
        assert got["Attributes"]["ApproximateReceiveCount"] == "3"

    def test_keeps_its_age(self, node, pair):
        """A message expires by when it was sent to the first queue."""
        made, dead = pair
        dead.set(MessageRetentionPeriod=600)
        made.send("bad")
        sent = made.receive()[0]["Attributes"]["SentTimestamp"]
        node.advance(500)
        bury(made)
        [got] = dead.receive(VisibilityTimeout=0)
        assert got["Attributes"]["SentTimestamp"] == sent
        node.advance(101)
        assert dead.receive() == []
        assert eventually(lambda: dead.counts() == (0, 0, 0))

    def test_others_behind_it_are_received_in_the_same_call(self, pair):
        made, dead = pair
        bury(made)
        for n in range(3):
            made.send(f"bad{n}")
        made.receive(), made.receive()
        made.send("good")
        assert made.bodies() == ["good"]
        assert sorted(dead.bodies()) == ["bad0", "bad1", "bad2"]

    def test_many_at_once(self, sqs, pair):
        """More than one transaction takes."""
        made, dead = pair
        for first in range(0, 600, 10):
            entries = [{"Id": str(n), "MessageBody": str(first + n)} for n in range(10)]
            sqs.send_message_batch(QueueUrl=made.url, Entries=entries)
        redrive(made, dead, 1)
        made.set(VisibilityTimeout=60)
        got = [message for _ in range(60) for message in made.receive()]
        for first in range(0, 600, 10):
            entries = [
                {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                for n, message in enumerate(got[first : first + 10])
            ]
            sqs.change_message_visibility_batch(QueueUrl=made.url, Entries=entries)
        made.send("good", DelaySeconds=1)
        assert made.bodies(WaitTimeSeconds=20) == ["good"]
        assert dead.counts() == (600, 0, 0)

    def test_a_chain(self, queue):
        first, second, third = queue(VisibilityTimeout=0), queue(VisibilityTimeout=0), queue()
        redrive(second, third, 1)
        redrive(first, second, 3)
        bury(first, "bad")
        assert second.bodies() == ["bad"]
        assert second.bodies() == []
        assert third.bodies() == ["bad"]

    def test_a_poll_of_the_dead_letter_queue_ends_with_it(self, node, pair):
        made, dead = pair
        poll = Poll(node, dead, 20)
        assert poll.began.wait(10)
        bury(made, "bad")
        poll.join()
        assert poll.bodies == ["bad"]

    def test_without_its_dead_letter_queue_a_message_stays(self, sqs, pair):
        made, dead = pair
        sqs.delete_queue(QueueUrl=dead.url)
        made.send("stays")
        for _ in range(4):
            assert made.bodies() == ["stays"]


class TestRedrivePolicy:
    def test_is_kept_in_one_form(self, queue):
        dead, made = queue(), queue()
        redrive(made, dead, "7")
        assert json.loads(made.attribute("RedrivePolicy")) == {
            "deadLetterTargetArn": dead.arn,
            "maxReceiveCount": 7,
        }
        made.set(RedrivePolicy="")
        assert made.attribute("RedrivePolicy") is None

    @pytest.mark.parametrize(
        ("policy", "reason"),
        [
            ("nonsense", "Redrive policy is not a valid JSON map."),
            ({"deadLetterTargetArn": "x"}, "does not contain mandatory attribute: maxReceiveCount."),
            ({"maxReceiveCount": 1}, "does not contain mandatory attribute: deadLetterTargetArn."),
            (
                {"deadLetterTargetArn": "dummy", "maxReceiveCount": 42},
                "Invalid value for deadLetterTargetArn.",
            ),
            (
                {"deadLetterTargetArn": "x", "maxReceiveCount": 0},
                "Invalid value for maxReceiveCount: 0, valid",
            ),
            ({"deadLetterTargetArn": "x", "maxReceiveCount": 1001}, "valid values are from 1 to 1000"),
            ({"deadLetterTargetArn": "x", "maxReceiveCount": 1.5}, "valid values are from 1 to 1000"),
            ({"deadLetterTargetArn": "x", "maxReceiveCount": True}, "valid values are from 1 to 1000"),
            (
                {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:none", "maxReceiveCount": 1},
                "Dead letter target does not exist.",
            ),
            (
                {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:111111111111:none", "maxReceiveCount": 1},
                "Dead letter target owner should be same as the source.",
            ),
        ],
    )
    def test_refusals(self, queue, policy: Any, reason):
        text = policy if isinstance(policy, str) else json.dumps(policy)
        with refused("InvalidParameterValue", reason) as caught:
            queue().set(RedrivePolicy=text)
        assert f"Value {text} for parameter RedrivePolicy is invalid." in str(caught.value)

    def test_needs_the_other_queues_consent(self, queue):
        made, other, dead = queue(), queue(), queue()
        dead.set(RedriveAllowPolicy=json.dumps({"redrivePermission": "denyAll"}))
        with refused("InvalidParameterValue", "does not allow this queue"):
            redrive(made, dead, 1)
        allow = {"redrivePermission": "byQueue", "sourceQueueArns": [made.arn]}
        dead.set(RedriveAllowPolicy=json.dumps(allow))
        redrive(made, dead, 1)
        with refused("InvalidParameterValue", "does not allow this queue"):
            redrive(other, dead, 1)

    @pytest.mark.parametrize(
        "policy",
        [
            "[]",
            '{"redrivePermission": "maybe"}',
            '{"redrivePermission": "byQueue"}',
            '{"redrivePermission": "byQueue", "sourceQueueArns": ["x"]}',
            '{"redrivePermission": "allowAll", "sourceQueueArns": []}',
        ],
    )
    def test_a_consent_has_a_form(self, queue, policy):
        with refused("InvalidParameterValue", "for parameter RedriveAllowPolicy is invalid"):
            queue().set(RedriveAllowPolicy=policy)


class TestListDeadLetterSourceQueues:
    def test_in_pages(self, sqs, queue):
        dead = queue()
        sources = [queue() for _ in range(3)]
        for made in sources:
            redrive(made, dead, 1)
        page = sqs.list_dead_letter_source_queues(QueueUrl=dead.url, MaxResults=2)
        rest = sqs.list_dead_letter_source_queues(
            QueueUrl=dead.url, MaxResults=2, NextToken=page["NextToken"]
        )
        assert sorted(page["queueUrls"] + rest["queueUrls"]) == sorted(made.url for made in sources)
        sources[0].set(RedrivePolicy="")
        sqs.delete_queue(QueueUrl=sources[1].url)
        left = sqs.list_dead_letter_source_queues(QueueUrl=dead.url)
        assert left["queueUrls"] == [sources[2].url]


def tasks(sqs: Any, queue: Queue, most: int = 10) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sqs.list_message_move_tasks(SourceArn=queue.arn, MaxResults=most).get(
        "Results", []
    )
    return found


class TestMessageMoveTasks:
    def test_bring_messages_back_to_where_they_came_from(self, sqs, pair):
        made, dead = pair
        bury(made, *"abc")
        assert dead.counts() == (3, 0, 0)
        old = {m["MessageId"] for m in dead.receive(VisibilityTimeout=0)}
        sqs.start_message_move_task(SourceArn=dead.arn)
        [task] = eventually(lambda: [t for t in tasks(sqs, dead) if t["Status"] == "COMPLETED"])
        assert task["ApproximateNumberOfMessagesMoved"] == task["ApproximateNumberOfMessagesToMove"] == 3
        assert task["SourceArn"] == dead.arn
        assert "TaskHandle" not in task
        got = made.receive()
        assert sorted(m["Body"] for m in got) == ["a", "b", "c"]
        assert {m["Attributes"]["ApproximateReceiveCount"] for m in got} == {"1"}
        assert not old & {m["MessageId"] for m in got}
        assert dead.counts() == (0, 0, 0)

    def test_or_elsewhere(self, sqs, queue, pair):
        made, dead = pair
        bury(made, *"ab")
        other = queue()
        sqs.start_message_move_task(SourceArn=dead.arn, DestinationArn=other.arn)
        assert eventually(lambda: [t for t in tasks(sqs, dead) if t["Status"] == "COMPLETED"])
        assert sorted(other.bodies()) == ["a", "b"]

    def test_keep_to_their_rate_and_can_be_cancelled(self, node, sqs, pair):
        made, dead = pair
        bury(made, *"abcdefgh")
        handle = sqs.start_message_move_task(SourceArn=dead.arn, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
        [task] = tasks(sqs, dead)
        assert (task["Status"], task["TaskHandle"]) == ("RUNNING", handle)
        assert task["MaxNumberOfMessagesPerSecond"] == 1
        assert task["ApproximateNumberOfMessagesToMove"] == 8
        with refused("InvalidParameterValue", "There is already a task running."):
            sqs.start_message_move_task(SourceArn=dead.arn)
        assert sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] < 8
        node.advance(2)
        [task] = eventually(lambda: [t for t in tasks(sqs, dead) if t["Status"] == "CANCELLED"])
        assert task["ApproximateNumberOfMessagesMoved"] + dead.counts()[0] == 8

    def test_fail_where_nobody_knows_the_way(self, sqs, pair):
        _, dead = pair
        dead.send("never elsewhere")
        sqs.start_message_move_task(SourceArn=dead.arn)
        [task] = eventually(lambda: [t for t in tasks(sqs, dead) if t["Status"] == "FAILED"])
        assert task["FailureReason"] == "CouldNotDetermineMessageSource"
        assert dead.counts() == (1, 0, 0)

    def test_refusals(self, sqs, queue, pair):
        _, dead = pair
        nowhere = "arn:aws:sqs:us-east-1:000000000000:nowhere"
        with refused("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue."):
            sqs.start_message_move_task(SourceArn=queue().arn)
        with refused("ResourceNotFoundException", "for the SourceArn parameter doesn't exist", 404):
            sqs.start_message_move_task(SourceArn=nowhere)
        with refused("ResourceNotFoundException", "for the DestinationArn parameter doesn't exist", 404):
            sqs.start_message_move_task(SourceArn=dead.arn, DestinationArn=nowhere)
        with refused("InvalidParameterValue", "Value for parameter TaskHandle is invalid."):
            sqs.cancel_message_move_task(TaskHandle="garbage")

    def test_the_newest_ten_are_remembered(self, sqs, pair):
        _, dead = pair
        for _ in range(12):
            sqs.start_message_move_task(SourceArn=dead.arn)
            assert eventually(lambda: tasks(sqs, dead, 1)[0]["Status"] == "COMPLETED")
        assert len(tasks(sqs, dead)) == 10
