"""A receive that is cancelled, because whoever asked has gone, has taken nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cloudlet.app import CloudletNode
from cloudlet.config import Config


class Queue:
    """A queue of a node within this process, through the inner door."""

    def __init__(self, node: CloudletNode) -> None:
        self._ctx = node.context()
        self._url = f"http://localhost/{self._ctx.account}/queue"

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self._ctx.call("sqs", operation, {"QueueUrl": self._url, **params})

    async def make(self) -> None:
        await self._ctx.call("sqs", "CreateQueue", {"QueueName": "queue"})

    def receive(self, wait: int = 0) -> asyncio.Task[dict[str, Any]]:
        """A receive that has taken its first step."""
        return asyncio.ensure_future(
            self.call("ReceiveMessage", WaitTimeSeconds=wait, AttributeNames=["ApproximateReceiveCount"])
        )

    async def received(self) -> list[tuple[str, str]]:
        answer = await self.receive()
        return [
            (message["Body"], message["Attributes"]["ApproximateReceiveCount"])
            for message in answer.get("Messages", ())
        ]

    async def counts(self) -> dict[str, str]:
        found = await self.call("GetQueueAttributes", AttributeNames=["All"])
        begin = "ApproximateNumberOfMessages"
        return {
            name.removeprefix(begin): value for name, value in found["Attributes"].items() if begin in name
        }


@pytest.fixture
async def queue(tmp_path: Path) -> AsyncIterator[Queue]:
    node = CloudletNode(Config(data=tmp_path / "data", port=0), logging.getLogger("test"))
    await node.start()
    made = Queue(node)
    await made.make()
    yield made
    await node.stop()


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_while_the_receive_is_being_written(queue: Queue) -> None:
    await queue.call("SendMessage", MessageBody="a")
    task = queue.receive()
    await turns(1)
    assert not task.done()
    await cancelled(task)
    assert await queue.counts() == {"": "1", "NotVisible": "0", "Delayed": "0"}
    assert await queue.received() == [("a", "1")]


async def test_a_message_that_was_received_before_keeps_its_count(queue: Queue) -> None:
    await queue.call("SendMessage", MessageBody="a")
    answer = await queue.receive()
    handle = answer["Messages"][0]["ReceiptHandle"]
    await queue.call("ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=0)
    task = queue.receive()
    await turns(1)
    await cancelled(task)
    assert await queue.received() == [("a", "2")]


async def test_while_it_waits(queue: Queue) -> None:
    task = queue.receive(wait=20)
    await turns(10)
    await cancelled(task)
    await queue.call("SendMessage", MessageBody="a")
    assert await queue.received() == [("a", "1")]


@pytest.mark.parametrize("after", range(8))
async def test_just_as_a_message_comes(queue: Queue, after: int) -> None:
    """However many turns of the loop later; another who waits gets the message."""
    first, second = queue.receive(wait=20), queue.receive(wait=20)
    await turns(20)
    await queue.call("SendMessage", MessageBody="a")
    await turns(after)
    if first.done():
        assert len(first.result()["Messages"]) == 1
        await cancelled(second)
        return
    await cancelled(first)
    (message,) = (await second)["Messages"]
    assert (message["Body"], message["Attributes"]["ApproximateReceiveCount"]) == ("a", "1")
