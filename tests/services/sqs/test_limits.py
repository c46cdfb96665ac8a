"""The messages in flight are limited; run beside the node, with a limit that a test can reach."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from cloudlet.app import CloudletNode
from cloudlet.clock import ManualClock
from cloudlet.config import Config
from cloudlet.errors import AwsError
from cloudlet.services.sqs import model

pytestmark = pytest.mark.node_only
Call = Callable[..., Any]


@pytest.fixture
async def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Call]:
    monkeypatch.setattr(model, "MAX_IN_FLIGHT", 5)
    node = CloudletNode(Config(data=tmp_path, port=0), logging.getLogger("test"), ManualClock())
    await node.start()
    ctx = node.context()
    url = (await ctx.call("sqs", "CreateQueue", {"QueueName": "q"}))["QueueUrl"]

    async def ask(operation: str, **params: Any) -> dict[str, Any]:
        return await ctx.call("sqs", operation, {"QueueUrl": url, **params})

    yield ask
    await node.stop()


async def fill(call: Call) -> list[dict[str, Any]]:
    """Seven messages, of which five are received."""
    for n in range(7):
        await call("SendMessage", MessageBody=str(n))
    received: list[dict[str, Any]] = (await call("ReceiveMessage", MaxNumberOfMessages=10))["Messages"]
    assert len(received) == 5
    return received


async def test_a_receive_says_so(call: Call) -> None:
    received = await fill(call)
    with pytest.raises(AwsError) as refused:
        await call("ReceiveMessage")
    assert refused.value.code == "OverLimit"
    await call("DeleteMessage", ReceiptHandle=received[0]["ReceiptHandle"])
    assert len((await call("ReceiveMessage", MaxNumberOfMessages=10))["Messages"]) == 1


async def test_a_long_poll_waits_for_room(call: Call) -> None:
    received = await fill(call)
    poll = asyncio.ensure_future(call("ReceiveMessage", WaitTimeSeconds=20))
    await call("SendMessage", MessageBody="more")
    assert not poll.done()
    await call("DeleteMessage", ReceiptHandle=received[0]["ReceiptHandle"])
    assert len((await poll)["Messages"]) == 1
