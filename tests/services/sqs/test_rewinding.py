"""Time that is set back, by a person or by a restart: nothing waits longer than it had left to wait."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import eventually

from .conftest import Queue, refused
from .test_dead_letters import redrive
from .test_messages import Poll

pytestmark = pytest.mark.node_only
DAY = 86_400


@pytest.fixture
def ahead(node: Any) -> Any:
    """The node, a day ahead of where it was."""
    node.advance(DAY)
    return node


def reset(node: Any) -> None:
    node.advance(-DAY)


class TestReset:
    def test_what_was_sent_can_be_received(self, ahead, queue):
        made = queue()
        made.send("ahead")
        reset(ahead)
        made.send("then")
        assert made.counts() == (2, 0, 0)
        assert made.bodies() == ["ahead", "then"]

    def test_a_delay_has_what_was_left_of_it(self, ahead, queue):
        made = queue(DelaySeconds=600)
        made.send("late")
        ahead.advance(400)
        reset(ahead)
        assert made.counts() == (0, 0, 1)
        ahead.advance(150)
        assert made.bodies() == []
        ahead.advance(50)
        assert made.bodies() == ["late"]

    def test_so_has_a_time_in_flight(self, ahead, queue):
        made = queue(VisibilityTimeout=600)
        made.send()
        [first] = made.receive()
        ahead.advance(400)
        reset(ahead)
        assert made.counts() == (0, 1, 0)
        ahead.advance(150)
        assert made.receive() == []
        made.hide(first, 300)
        ahead.advance(300)
        [second] = made.receive()
        assert second["Attributes"]["ApproximateReceiveCount"] == "2"
        made.delete(second)
        assert made.counts() == (0, 0, 0)

    def test_what_was_visible_stays_visible(self, ahead, queue):
        """Whether it was received before time ran ahead, or then."""
        made = queue(VisibilityTimeout=600)
        made.send()
        made.receive()
        ahead.advance(601)
        reset(ahead)
        assert made.counts() == (1, 0, 0)
        assert len(made.receive()) == 1

    def test_what_waits_since_before_waits_as_if_nothing_had_been(self, ahead, queue):
        reset(ahead)
        made = queue(VisibilityTimeout=600)
        made.send()
        made.receive()
        ahead.advance(DAY)
        assert made.counts() == (1, 0, 0)
        reset(ahead)
        assert made.counts() == (0, 1, 0)
        ahead.advance(600)
        assert len(made.receive()) == 1

    def test_a_changed_visibility_has_what_was_left_of_it(self, ahead, queue):
        """Though the message was received before time ran ahead."""
        reset(ahead)
        made = queue(VisibilityTimeout=43_200)
        made.send("shown"), made.send("hidden")
        shown, hidden = made.receive(2)
        ahead.advance(20_000)
        made.hide(shown, 0), made.hide(hidden, 600)
        ahead.advance(100)
        ahead.advance(-20_100)
        assert made.bodies() == ["shown"]
        ahead.advance(501)
        assert made.bodies() == ["hidden"]

    def test_dead_letters_can_be_received(self, ahead, queue):
        """Though they were sent before time ran ahead."""
        reset(ahead)
        dead, made = queue(), queue(VisibilityTimeout=0)
        redrive(made, dead, 1)
        made.send()
        ahead.advance(DAY)
        made.receive(), made.receive()
        assert dead.counts() == (1, 0, 0)
        reset(ahead)
        assert len(dead.receive()) == 1

    def test_many(self, ahead, queue):
        """More than one transaction looks at, with those that were sent before among them."""
        reset(ahead)
        made = queue()
        for seconds in (0, DAY):
            ahead.advance(seconds)
            for delay in range(0, 900, 90):
                entries = [
                    {"Id": str(n), "MessageBody": "x", "DelaySeconds": delay + n * 9} for n in range(10)
                ]
                made.client.send_message_batch(QueueUrl=made.url, Entries=entries)
        reset(ahead)
        ahead.advance(450)
        visible, _, delayed = made.counts()
        assert visible + delayed == 200
        assert 100 <= visible < 110
        ahead.advance(450)
        assert made.counts() == (200, 0, 0)

    def test_a_long_poll_ends_no_later(self, ahead, queue):
        made = queue()
        poll = Poll(ahead, made, 20)
        assert poll.began.wait(10)
        reset(ahead)

        def ended() -> bool:
            ahead.advance(20)
            return not poll.is_alive()

        eventually(ended)
        assert (poll.bodies, poll.error) == ([], None)

    def test_a_deleted_name_is_free_again(self, ahead, sqs, unique):
        name = unique("queue")
        sqs.delete_queue(QueueUrl=Queue(sqs, name).url)
        with refused("AWS.SimpleQueueService.QueueDeletedRecently"):
            Queue(sqs, name)
        reset(ahead)
        Queue(sqs, name)


@pytest.mark.slow
def test_a_restart_sets_time_back(fresh_node):
    own = fresh_node()
    own.advance(DAY)
    made = Queue(own.client("sqs"), "q", VisibilityTimeout=600)
    made.send("visible")
    own.advance(60)
    made.send("late", DelaySeconds=300)
    own.kill()
    own.restart()
    again = Queue(own.client("sqs"), "q", VisibilityTimeout=600)
    eventually(lambda: again.counts() == (1, 0, 1))
    assert again.bodies() == ["visible"]
    own.advance(301)
    assert again.bodies() == ["late"]
