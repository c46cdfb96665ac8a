"""A queue as the source of a function's events.

One task reads: it waits in ReceiveMessage's long poll until there are messages, collects a batch, hands it to a task of
its own, and reads on as long as the crew has room. A batch is deleted when the function has succeeded with it; what
failed is left to the queue's visibility timeout and redrive policy. What was taken and not handed over when the reader
stops is given back at once.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

from ....context import Context, Node
from ....errors import AwsError
from ....names import request_id
from ....patterns import compiled
from ....store.interface import StoreError
from ....store.wakeup import Wakeup
from .. import model, runs, storage
from ..arns import Reference
from ..destinations import queue_url
from ..spec import FunctionSpec, Outcome
from .batches import Hand, Message, failed_items, is_wanted, payload, record_of
from .crew import Crew

RECEIVE = 10
"""ReceiveMessage's and the batch operations' limit."""
RECEIVES = 4
"""How many run at once while there is plenty."""


class NotNow(Exception):
    """The function has gone, or may not run at all."""


def concurrency_of(spec: FunctionSpec) -> int:
    return model.CONCURRENT_EXECUTIONS if spec.reserved is None else spec.reserved


class QueueSource:
    """One enabled mapping, as it is until it changes."""

    ALONE = False

    def __init__(self, node: Node, account: str, region: str, record: dict[str, Any]) -> None:
        owner, name, qualifier = record["Function"]
        self._node = node
        self._ctx = self._as_role = node.context(account=account, region=region)
        self._ref = Reference(owner, region, name, qualifier)
        self._arn: str = record["EventSourceArn"]
        self._size: int = record["BatchSize"]
        self._window: int = record["MaximumBatchingWindowInSeconds"]
        self._most: int = record.get("ScalingConfig", {}).get(
            "MaximumConcurrency", model.CONCURRENT_EXECUTIONS
        )
        filters = record.get("FilterCriteria", {}).get("Filters", ())
        self._patterns = [compiled(one["Pattern"]) for one in filters]
        self._reports_items = "ReportBatchItemFailures" in record["FunctionResponseTypes"]
        self._crew = Crew(node.clock)
        self._url = queue_url(self._arn)
        self._hand = Hand(self._size)
        self._plenty = False
        self._batches: set[asyncio.Task[None]] = set()
        self._interruptible: set[asyncio.Task[None]] = set()
        self._reader = asyncio.create_task(self._run())

    def retire(self) -> None:
        """Take no more. Batches that run go on to their end."""
        self._reader.cancel()

    async def ended(self) -> None:
        """After `retire`: wait until all is done."""
        await asyncio.gather(self._reader, *self._batches, return_exceptions=True)
        self._crew.close()

    def interrupt(self) -> None:
        """After `retire`: batches whose function still runs are given back."""
        for task in list(self._interruptible):
            task.cancel()

    # -- reading

    async def _run(self) -> None:
        """Read on after whatever happens. A source that fails is tried again later and later."""
        pause = model.MAPPING_PAUSE
        told = ""
        while True:
            began = self._node.clock.now()
            try:
                await self._read()
            except (AwsError, StoreError) as error:
                if str(error) != told:
                    self._node.log.warning("%s can't be read for %s: %s", self._arn, self._ref.name, error)
                told = str(error)
            except Exception:
                self._node.log.exception("reading %s for %s failed", self._arn, self._ref.name)
            if self._node.clock.now() - began > model.MAPPING_MAX_PAUSE:
                pause, told = model.MAPPING_PAUSE, ""
            await self._node.clock.sleep(pause)
            pause = min(2 * pause, model.MAPPING_MAX_PAUSE)

    async def _read(self) -> None:
        try:
            while True:
                spec = await self._runnable()
                room = await self._crew.room(min(self._most, concurrency_of(spec)))
                self._as_role = await runs.workers(self._node).context(spec)
                await self._collect(room)
                while self._hand and self._crew.is_room():
                    self._hand_over()
        finally:
            await self._give_back(self._hand.rest())

    async def _runnable(self) -> FunctionSpec:
        """The function. While it isn't there, or may not run at all, wait until it is changed."""
        spec = await self._spec()
        if spec is not None and concurrency_of(spec):
            return spec
        wakeup = Wakeup(self._node.store, self._node.clock, storage.function_prefix(self._ref))
        try:
            while (spec := await self._spec()) is None or not concurrency_of(spec):
                await wakeup.wait(self._node.clock.now() + model.MAPPING_MAX_PAUSE)
            return spec
        finally:
            wakeup.close()

    async def _spec(self) -> FunctionSpec | None:
        try:
            return await runs.spec_of(self._ctx, self._ref)
        except AwsError:
            return None

    async def _collect(self, room: int) -> None:
        """Take messages: what there is for `room` batches, or for one what comes within the window after the first."""
        if not self._hand:
            await self._take(self._size if self._window else self._size * room)
        if not self._window or not self._hand:
            return
        until = self._node.clock.now() + self._window
        # Where time was set back, the end of the window lies further ahead than it ever did; it is over then.
        while not self._hand.is_full and 0 < until - self._node.clock.now() < self._window + 1:
            if self._plenty:
                await self._take(self._size - len(self._hand))
            else:
                await self._receive_until(until)

    async def _take(self, most: int) -> None:
        """Up to `most` messages; while the queue gives all that it is asked for, by several receives at once, which
        the store writes together."""
        if not self._plenty:
            await self._receive(most, model.QUEUE_WAIT)
            return
        parts = range(0, min(most, RECEIVES * RECEIVE), RECEIVE)
        receives = [self._receive(most - begin, 0) for begin in parts]
        for outcome in await asyncio.gather(*receives, return_exceptions=True):
            if outcome is not None:
                raise outcome

    async def _receive(self, most: int, seconds: int) -> None:
        most = min(RECEIVE, most)
        answer = await self._as_role.call(
            "sqs",
            "ReceiveMessage",
            {
                "QueueUrl": self._url,
                "MaxNumberOfMessages": most,
                "WaitTimeSeconds": seconds,
                "AttributeNames": ["All"],
                "MessageAttributeNames": ["All"],
            },
        )
        messages = answer.get("Messages", ())
        self._plenty = len(messages) == most
        if seconds == model.QUEUE_WAIT and not messages:
            self._crew.rest()
        unwanted: list[Message] = []
        for one in messages:
            record = record_of(one, self._arn, self._ref.region)
            message = Message(one["MessageId"], one["ReceiptHandle"], record)
            if self._patterns and not is_wanted(record, self._patterns):
                unwanted.append(message)
            else:
                self._hand.add(message)
        await self._delete(unwanted)

    async def _receive_until(self, when: float) -> None:
        left = math.ceil(min(model.QUEUE_WAIT, when - self._node.clock.now()))
        call = asyncio.ensure_future(self._receive(self._size - len(self._hand), left))
        alarm = self._node.clock.call_at(when, call.cancel)
        try:
            await call
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
        finally:
            alarm.cancel()

    # -- running

    def _hand_over(self) -> None:
        self._crew.begin()
        task = asyncio.create_task(self._work(self._hand.batch()))
        self._batches.add(task)
        self._interruptible.add(task)
        task.add_done_callback(self._worked)

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._batches.discard(task)
        self._crew.end()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._node.log.error("a batch of %s failed", self._arn, exc_info=error)

    async def _work(self, batch: list[Message]) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            outcome = await self._invoke(batch)
        except asyncio.CancelledError:
            await self._give_back(batch)
            raise
        except NotNow:
            await self._give_back(batch)
            return
        except (AwsError, StoreError) as error:
            self._node.log.info("a batch of %s is left to the queue: %s", self._arn, error)
            return
        finally:
            self._interruptible.discard(task)
        if outcome.error is not None:
            return
        if self._reports_items:
            failed = failed_items(outcome.payload, frozenset(message.id for message in batch))
            batch = [message for message in batch if message.id not in failed]
        await self._delete(batch)

    async def _invoke(self, batch: list[Message]) -> Outcome:
        """Run the function, again and again while it is throttled, until the queue shows the messages to others."""
        clock = self._node.clock
        event = payload(batch)
        until, pause = 0.0, model.MAPPING_PAUSE
        began = clock.now()
        while True:
            spec = await self._spec()
            if spec is None or not concurrency_of(spec):
                raise NotNow
            try:
                return await runs.workers(self._node).invoke(spec, event, request_id=request_id())
            except AwsError as error:
                if error.code != "TooManyRequestsException":
                    raise
                until = until or began + await self._visibility()
                if clock.now() + pause >= until:
                    raise
            self._crew.throttled(1)
            try:
                await clock.sleep(pause)
            finally:
                self._crew.throttled(-1)
            pause = min(2 * pause, model.MAPPING_MAX_PAUSE)

    async def _visibility(self) -> int:
        found = await self._as_role.call(
            "sqs", "GetQueueAttributes", {"QueueUrl": self._url, "AttributeNames": ["VisibilityTimeout"]}
        )
        return int(found["Attributes"]["VisibilityTimeout"])

    # -- what becomes of messages

    async def _delete(self, messages: list[Message]) -> None:
        await self._each(self._as_role, messages, "DeleteMessageBatch", {})

    async def _give_back(self, messages: list[Message]) -> None:
        """Which AWS asks no right of the role for."""
        await self._each(self._ctx, messages, "ChangeMessageVisibilityBatch", {"VisibilityTimeout": 0})

    async def _each(
        self, ctx: Context, messages: list[Message], operation: str, more: dict[str, Any]
    ) -> None:
        """In batches. What the queue refuses, or a queue that is gone, leaves nothing to do."""
        for begin in range(0, len(messages), RECEIVE):
            entries = [
                {"Id": str(number), "ReceiptHandle": message.handle, **more}
                for number, message in enumerate(messages[begin : begin + RECEIVE])
            ]
            try:
                await ctx.call("sqs", operation, {"QueueUrl": self._url, "Entries": entries})
            except (AwsError, StoreError) as error:
                self._node.log.info("%s for %s: %s", operation, self._arn, error)
