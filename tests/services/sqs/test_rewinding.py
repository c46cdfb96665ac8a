"""Time that is set back, by a person or by a restart: nothing waits longer than it had left to wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import eventually

from .conftest import Queue, refused
from .test_dead_letters import redrive
from .test_messages import Poll

pytestmark = pytest.mark.node_only
DAY = 86_400


@pytest.fixture
def own(fresh_node: Any) -> Iterator[Any]:
    """A node of the test's own, a day ahead."""
    node = fresh_node()
    node.advance(DAY)
    yield node


def reset(node: Any) -> None:
    node.post("/_cloudlet/clock", {"reset": True})


class TestReset:
    def test_what_was_sent_can_be_received(self, own):
        made = Queue(own.client("sqs"), "q")
        made.send("ahead")
        reset(own)
        made.send("then")
        assert made.counts() == (2, 0, 0)
        assert made.bodies() == ["ahead", "then"]

    def test_a_delay_has_what_was_left_of_it(self, own):
        made = Queue(own.client("sqs"), "q", DelaySeconds=600)
        made.send("late")
        own.advance(400)
        reset(own)
        assert made.counts() == (0, 0, 1)
        own.advance(150)
        assert made.bodies() == []
        own.advance(50)
        assert made.bodies() == ["late"]

    def test_so_has_a_time_in_flight(self, own):
        made = Queue(own.client("sqs"), "q", VisibilityTimeout=600)
        made.send()
        [first] = made.receive()
        own.advance(400)
        reset(own)
        assert made.counts() == (0, 1, 0)
        own.advance(150)
        assert made.receive() == []
        made.hide(first, 300)
        own.advance(300)
        [second] = made.receive()
        assert second["Attributes"]["ApproximateReceiveCount"] == "2"
        made.delete(second)
        assert made.counts() == (0, 0, 0)

    def test_what_was_visible_stays_visible(self, own):
        """Whether it was received before time ran ahead, or then."""
        made = Queue(own.client("sqs"), "q", VisibilityTimeout=600)
        made.send()
        made.receive()
        own.advance(601)
        reset(own)
        assert made.counts() == (1, 0, 0)
        assert len(made.receive()) == 1

    def test_what_waits_since_before_waits_as_if_nothing_had_been(self, own):
        reset(own)
        made = Queue(own.client("sqs"), "q", VisibilityTimeout=600)
        made.send()
        made.receive()
        own.advance(DAY)
        assert made.counts() == (1, 0, 0)
        reset(own)
        assert made.counts() == (0, 1, 0)
        own.advance(600)
        assert len(made.receive()) == 1

    def test_a_changed_visibility_has_what_was_left_of_it(self, own):
        """Though the message was received before time ran ahead."""
        reset(own)
        made = Queue(own.client("sqs"), "q", VisibilityTimeout=43_200)
        made.send("shown"), made.send("hidden")
        shown, hidden = made.receive(2)
        own.advance(20_000)
        made.hide(shown, 0), made.hide(hidden, 600)
        own.advance(100)
        reset(own)
        assert made.bodies() == ["shown"]
        own.advance(501)
        assert made.bodies() == ["hidden"]

    def test_dead_letters_can_be_received(self, own):
        """Though they were sent before time ran ahead."""
        reset(own)
        sqs = own.client("sqs")
        dead, made = Queue(sqs, "dead"), Queue(sqs, "q", VisibilityTimeout=0)
        redrive(made, dead, 1)
        made.send()
        own.advance(DAY)
        made.receive(), made.receive()
        assert dead.counts() == (1, 0, 0)
        reset(own)
        assert len(dead.receive()) == 1

    def test_many(self, own):
        """More than one transaction looks at, with those that were sent before among them."""
        reset(own)
        made = Queue(own.client("sqs"), "q")
        for ahead in (0, DAY):
            own.advance(ahead)
            for delay in range(0, 900, 90):
                entries = [
                    {"Id": str(n), "MessageBody": "x", "DelaySeconds": delay + n * 9} for n in range(10)
                ]
                made.client.send_message_batch(QueueUrl=made.url, Entries=entries)
        reset(own)
        own.advance(450)
        visible, _, delayed = made.counts()
        assert visible + delayed == 200
        assert 100 <= visible < 110
        own.advance(450)
        assert made.counts() == (200, 0, 0)

    def test_a_long_poll_ends_no_later(self, own):
        made = Queue(own.client("sqs"), "q")
        poll = Poll(own, made, 20)
        assert poll.began.wait(10)
        reset(own)

        def ended() -> bool:
            own.advance(20)
            return not poll.is_alive()

        eventually(ended)
        assert (poll.bodies, poll.error) == ([], None)

    def test_a_deleted_name_is_free_again(self, own):
        sqs = own.client("sqs")
        sqs.delete_queue(QueueUrl=Queue(sqs, "q").url)
        with refused("AWS.SimpleQueueService.QueueDeletedRecently"):
            Queue(sqs, "q")
        reset(own)
        Queue(sqs, "q")


@pytest.mark.slow
def test_a_restart_sets_time_back(own):
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
