"""Random programs against a queue and a small model of it, with the clock moved in between."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.harness import eventually

from .conftest import Queue

pytestmark = [pytest.mark.node_only, pytest.mark.slow]

START = 1_900_000_000
RETENTION = 605
MOST_RECEIVES = 3
DELAYS, TIMEOUTS, STEPS = (0, 0, 0, 5, 45), (0, 5, 35, 705), (10, 20, 40, 50, 300)
"""Nothing falls due within five seconds of a step of the clock, which runs on between them."""


class Message:
    """What the model knows of a message."""

    def __init__(self, body: str, sent: int, visible: int) -> None:
        self.body = body
        self.sent = self.begun = sent
        self.visible = visible
        self.receives = 0
        self.place = "queue"


def machine(node: Any, redrive: bool) -> type[RuleBasedStateMachine]:
    """With dead letters there are few messages, and each receive comes by all of them; without, it takes some."""
    client = node.client("sqs")
    numbers = itertools.count()

    class Programs(RuleBasedStateMachine):
        received = Bundle("received")

        def __init__(self) -> None:
            super().__init__()
            node.post("/_cloudlet/clock", {"set": START})
            number = next(numbers)
            self.now = 0
            self.sent = 0
            self.messages: list[Message] = []
            self.dead = Queue(client, f"dead{number}", MessageRetentionPeriod=RETENTION)
            self.queue = Queue(client, f"queue{number}", MessageRetentionPeriod=RETENTION)
            if redrive:
                self.queue.set(
                    RedrivePolicy=f'{{"deadLetterTargetArn":"{self.dead.arn}","maxReceiveCount":{MOST_RECEIVES}}}'
                )

        def living(self, place: str = "queue") -> list[Message]:
            return [message for message in self.messages if message.place == place]

        def counts(self, place: str) -> tuple[int, int, int]:
            hidden = [m for m in self.living(place) if m.visible > self.now]
            delayed = sum(m.receives == 0 for m in hidden)
            return len(self.living(place)) - len(hidden), len(hidden) - delayed, delayed

        @precondition(lambda self: not redrive or len(self.living()) < 9)
        @rule(delay=st.sampled_from(DELAYS))
        def send(self, delay: int) -> None:
            self.sent += 1
            self.queue.send(str(self.sent), DelaySeconds=delay)
            self.messages.append(Message(str(self.sent), self.now, self.now + delay))

        @rule(target=received, most=st.integers(1, 10), timeout=st.sampled_from(TIMEOUTS))
        def receive(self, most: int, timeout: int) -> list[tuple[Message, dict[str, Any], int]]:
            most = 10 if redrive else most
            due = {}
            for message in [m for m in self.living() if m.visible <= self.now]:
                if redrive and message.receives >= MOST_RECEIVES:
                    message.place = "dead"
                    message.begun = self.now
                else:
                    due[message.body] = message
            got = self.queue.receive(most, VisibilityTimeout=timeout)
            assert len({answer["Body"] for answer in got}) == len(got) == min(most, len(due))
            result = []
            for answer in got:
                message = due[answer["Body"]]
                message.receives += 1
                message.begun = self.now
                message.visible = self.now + timeout
                assert answer["Attributes"]["ApproximateReceiveCount"] == str(message.receives)
                result.append((message, answer, message.receives))
            return result

        def is_current(self, message: Message, receives: int) -> bool:
            return message in self.living() and message.receives == receives

        @rule(batch=received)
        def delete(self, batch: list[tuple[Message, dict[str, Any], int]]) -> None:
            for message, answer, receives in batch:
                self.queue.delete(answer)
                if self.is_current(message, receives):
                    self.messages.remove(message)

        @rule(batch=received, timeout=st.sampled_from(TIMEOUTS))
        def change(self, batch: list[tuple[Message, dict[str, Any], int]], timeout: int) -> None:
            for message, answer, receives in batch:
                possible = self.is_current(message, receives) and message.visible > self.now
                try:
                    self.queue.hide(answer, timeout)
                except client.exceptions.ClientError:
                    assert not possible
                else:
                    assert possible
                    message.begun = self.now
                    message.visible = self.now + timeout

        @rule(seconds=st.sampled_from(STEPS))
        def advance(self, seconds: int) -> None:
            self.now += seconds
            self.messages = [message for message in self.messages if message.sent + RETENTION > self.now]
            node.post("/_cloudlet/clock", {"set": START + self.now})

        @rule(seconds=st.sampled_from(STEPS))
        def set_back(self, seconds: int) -> None:
            to = self.now - seconds
            if any(message.begun == to for message in self.messages):
                return  # what began at that very time began a little later by the node's clock
            for message in self.messages:
                if message.begun > to:
                    message.begun = to
                    message.visible = max(to, message.visible - seconds)
            self.now = to
            node.post("/_cloudlet/clock", {"set": START + self.now})

        @invariant()
        def counts_are_right(self) -> None:
            assert eventually(lambda: self.queue.counts() == self.counts("queue"), within=5)
            assert eventually(lambda: self.dead.counts() == self.counts("dead"), within=5)

    return Programs


@pytest.mark.parametrize("redrive", [False, True])
def test_programs(fresh_node, redrive):
    run_state_machine_as_test(
        machine(fresh_node(), redrive),
        settings=settings(
            max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
