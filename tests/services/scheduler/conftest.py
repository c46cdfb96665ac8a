"""A role that schedules may use, a queue to hear of their firings, and schedules by one line."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.harness import ACCOUNT, REGION
from tests.harness import refused as refused

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
OFF = {"Mode": "OFF"}


def role_of(iam: Any, name: str, trust: dict[str, Any] | None = None) -> str:
    """A role that the scheduler may take, and that may do everything."""
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust or TRUST))
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    return str(made["Role"]["Arn"])


def queue_arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def at(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("at(%Y-%m-%dT%H:%M:%S)")


class Bench:
    """One node's scheduler with a role and a queue that schedules send to."""

    def __init__(self, node: Any, name: str) -> None:
        self.node = node
        self.scheduler = node.client("scheduler")
        self.sqs = node.client("sqs")
        self.name = name
        self.role = role_of(node.client("iam"), name)
        self.queue = queue_arn(name)
        # Time is moved by days here: what was received stays hidden.
        self.url = self.sqs.create_queue(
            QueueName=name, Attributes={"VisibilityTimeout": "43200", "MessageRetentionPeriod": "1209600"}
        )["QueueUrl"]

    def now(self) -> float:
        return float(self.node.get("/_cloudlet/clock")["now"])

    def target(self, **more: Any) -> dict[str, Any]:
        return {
            "Arn": self.queue,
            "RoleArn": self.role,
            "Input": "<aws.scheduler.scheduled-time>",
            **more,
        }

    def create(self, expression: str, name: str = "", **more: Any) -> str:
        options: dict[str, Any] = {"FlexibleTimeWindow": OFF, "Target": self.target(), **more}
        name = name or self.name
        self.scheduler.create_schedule(Name=name, ScheduleExpression=expression, **options)
        return name

    def next_message(self, within: int = 10) -> dict[str, Any]:
        """The next message of the queue, deleted."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            answer = self.sqs.receive_message(
                QueueUrl=self.url,
                WaitTimeSeconds=5,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            for message in answer.get("Messages", ()):
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                found: dict[str, Any] = message
                return found
        raise AssertionError(f"nothing came within {within} s")

    def fired(self) -> str:
        """What the next message says."""
        return str(self.next_message()["Body"])

    def quiet(self) -> bool:
        """Whether nothing more has come; a marker that is sent now comes first if so."""
        self.sqs.send_message(QueueUrl=self.url, MessageBody="quiet")
        return self.fired() == "quiet"


@pytest.fixture
def bench(node: Any, unique: Callable[[str], str]) -> Iterator[Bench]:
    """Schedules on the shared node, whose clock stays where it is; they are deleted after the test."""
    made = Bench(node, unique("schedule"))
    yield made
    for schedule in made.scheduler.list_schedules(NamePrefix=made.name)["Schedules"]:
        made.scheduler.delete_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])


@pytest.fixture
def own(fresh_node: Callable[..., Any]) -> Bench:
    """Schedules on a node of the test's own, whose clock may be moved."""
    return Bench(fresh_node(), "own")
