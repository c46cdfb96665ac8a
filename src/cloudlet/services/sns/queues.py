"""Messages on their way into queues, gathered: what is to go into one queue at the same time goes in one batch.

A topic that is published to faster than its queues are filled has many messages for each queue at hand, and a batch of
ten costs SQS a third of ten messages. A queue that is written to gathers meanwhile what comes for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from ...context import Context
from ...errors import AwsError

BATCH = 10
BATCH_BYTES = 1_048_576


class Waiter(Protocol):
    """Who waits for messages to be in their queues."""

    def ended(self, which: Any, error: BaseException | None) -> None: ...


class Place(NamedTuple):
    """A queue, and the topic for which SNS sends to it."""

    topic: str
    region: str
    url: str


class Entry(NamedTuple):
    body: str
    attributes: dict[str, Any] | None
    size: int
    """Bytes, at most."""
    waiter: Waiter
    which: Any
    """What the waiter calls it."""
    group: str = ""


class Queues:
    def __init__(self, context: Callable[[Place], Context]) -> None:
        self._context = context
        self._waiting: dict[Place, deque[Entry]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, place: Place, entry: Entry) -> None:
        """The entry's waiter is told once the message is in the queue, or what hindered it."""
        waiting = self._waiting.get(place)
        if waiting is None:
            waiting = self._waiting[place] = deque()
            asyncio.get_running_loop().call_soon(self._start, place)
        waiting.append(entry)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, place: Place) -> None:
        task = asyncio.create_task(self._empty(place))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _empty(self, place: Place) -> None:
        waiting = self._waiting[place]
        ctx = self._context(place)
        batch: list[Entry] = []
        try:
            while waiting:
                batch = _next(waiting)
                await _send(ctx, place.url, batch)
                batch = []
        except BaseException as error:
            # The batch's fate is unknown: those who wait for it, and for what comes after, are told why.
            for entry in (*batch, *waiting):
                entry.waiter.ended(entry.which, error)
            if not isinstance(error, Exception):
                raise
        finally:
            del self._waiting[place]


def _next(waiting: deque[Entry]) -> list[Entry]:
    batch = [waiting.popleft()]
    size = batch[0].size
    while waiting and len(batch) < BATCH and size + waiting[0].size <= BATCH_BYTES:
        batch.append(waiting.popleft())
        size += batch[-1].size
    return batch


async def _send(ctx: Context, url: str, batch: list[Entry]) -> None:
    """Each entry is told its own end; only what is no error of SQS's comes out."""
    try:
        if len(batch) == 1:
            message = _message(batch[0])
            await ctx.call("sqs", "SendMessage", {"QueueUrl": url, **message})
            failed: dict[str, AwsError] = {}
        else:
            entries = [{"Id": str(number), **_message(entry)} for number, entry in enumerate(batch)]
            answer = await ctx.call("sqs", "SendMessageBatch", {"QueueUrl": url, "Entries": entries})
            failed = {one["Id"]: AwsError(one["Code"], one["Message"]) for one in answer.get("Failed", ())}
    except AwsError as error:
        failed = dict.fromkeys(map(str, range(len(batch))), error)
    for number, entry in enumerate(batch):
        entry.waiter.ended(entry.which, failed.get(str(number)) if failed else None)


def _message(entry: Entry) -> dict[str, Any]:
    message: dict[str, Any] = {"MessageBody": entry.body}
    if entry.attributes:
        message["MessageAttributes"] = entry.attributes
    if entry.group:
        message["MessageGroupId"] = entry.group
    return message
