"""A lane of a stream mapping: the items that fall to it, read in order and run batch by batch, one at a time.

A batch that fails is tried again, whole, halved or from the record that the function names, until it succeeds or the
mapping's limits say to go on without it; what is given up is told to the mapping's destination.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

from ....context import Context, Node
from ....errors import AwsError
from ....names import request_id
from ....patterns import compiled
from ....store.interface import StoreError, Watch
from ....store.wakeup import Wakeup
from .. import model, runs, storage
from ..arns import Reference
from ..spec import FunctionSpec
from . import discarded, positions
from .batches import failed_items
from .changes import Change, Shard, Streams
from .discarded import Try
from .positions import Positions
from .windows import Window, state_in, window_at

_MOST_PAUSES = 6
"""Pauses between tries double so many times."""


def _around(records: bytes) -> bytes:
    return b'{"Records":[' + records + b"]}"


class Job:
    """What a mapping says, and what its lanes share."""

    def __init__(
        self, node: Node, account: str, region: str, record: dict[str, Any], streams: Streams
    ) -> None:
        owner, name, qualifier = record["Function"]
        self.node = node
        self.streams = streams
        self.ctx = node.context(account=account, region=region)
        self.function = Reference(owner, region, name, qualifier)
        self.uuid: str = record["UUID"]
        self.source: str = record["EventSourceArn"]
        self.starting: str = record["StartingPosition"]
        self.lanes: int = record["ParallelizationFactor"]
        self.size: int = record["BatchSize"]
        self.patience: int = record["MaximumBatchingWindowInSeconds"]
        self.tumbling: int = record["TumblingWindowInSeconds"]
        self.retries: int = record["MaximumRetryAttempts"]
        age = record["MaximumRecordAgeInSeconds"]
        self.max_age: int = model.STREAM_RETENTION if age < 0 else min(age, model.STREAM_RETENTION)
        self.bisects: bool = record["BisectBatchOnFunctionError"]
        self.reports_items = "ReportBatchItemFailures" in record["FunctionResponseTypes"]
        self.target: str = record["DestinationConfig"].get("OnFailure", {}).get("Destination", "")
        filters = record.get("FilterCriteria", {}).get("Filters", ())
        self.shard = Shard(self.source, [compiled(one["Pattern"]) for one in filters], self.acting)
        self.positions = Positions(node, account, region, self.uuid)

    async def spec(self) -> FunctionSpec:
        return await runs.spec_of(self.ctx, self.function)

    async def acting(self) -> Context:
        """A context that acts as the function's role."""
        return await runs.workers(self.node).context(await self.spec())


class Lane:
    def __init__(self, job: Job, number: int) -> None:
        self._job = job
        self._number = number
        self._running = False
        self._retired = False
        self._task = asyncio.create_task(self._run())

    def retire(self) -> None:
        """Take no more. A batch that runs goes on to its end."""
        self._retired = True
        if not self._running:
            self._task.cancel()

    async def ended(self) -> None:
        await asyncio.gather(self._task, return_exceptions=True)

    def interrupt(self) -> None:
        self._task.cancel()

    # -- reading

    async def _run(self) -> None:
        """Read on after whatever happens. A source that fails is tried again later and later."""
        node, job = self._job.node, self._job
        pause, told = model.MAPPING_PAUSE, ""
        while not self._retired:
            began = node.clock.now()
            try:
                await self._follow()
            except (AwsError, StoreError) as error:
                if str(error) != told:
                    node.log.warning("%s can't be read for %s: %s", job.source, job.function.name, error)
                told = str(error)
            except Exception:
                node.log.exception("reading %s for %s failed", job.source, job.function.name)
            if node.clock.now() - began > model.MAPPING_MAX_PAUSE:
                pause, told = model.MAPPING_PAUSE, ""
            if not self._retired:
                await node.clock.sleep(pause)
            pause = min(2 * pause, model.MAPPING_MAX_PAUSE)

    async def _follow(self) -> None:
        watch = await self._job.streams.watch(self._job.source)
        try:
            while not self._retired:
                batch, last = await self._collect(watch)
                await self._process(batch)
                if not self._retired and last != self._done:
                    await self._job.positions.skip(self._number, last)
        finally:
            watch.close()

    @property
    def _done(self) -> str:
        return self._job.positions.of(self._number)

    async def _collect(self, watch: Watch) -> tuple[list[Change], str]:
        """A batch, and the last record that was looked at for it."""
        job, clock = self._job, self._job.node.clock
        batch: list[Change] = []
        last, size, until = self._done, 0, math.inf
        while True:
            page = await job.shard.after(last)
            for change in page:
                if change.encoded and self._is_ours(change):
                    if job.tumbling and not await self._fits(change, batch):
                        return batch, last
                    size += (len(change.encoded) + 1) if batch else len(self._event([change]))
                    if batch and size > model.BATCH_BYTES:
                        return batch, last
                    batch.append(change)
                last = change.sequence
                if len(batch) >= job.size:
                    return batch, last
            if page:
                continue
            window = job.positions.window
            if not batch:
                if last != self._done:
                    await job.positions.skip(self._number, last)
                if window is None:
                    await watch.wait()
                elif window.has(clock.now()):
                    await self._wait(watch, window.end - clock.now())
                else:  # over, or ahead of a clock that was set back
                    await self._close(early=False)
                    if self._retired:
                        return batch, last
                continue
            until = min(until, clock.now() + job.patience)
            if job.tumbling:
                until = min(until, window_at(batch[0].at, job.tumbling).end)
            left = until - clock.now()
            if not 0 < left <= job.patience:  # as when the clock is set back
                return batch, last
            await self._wait(watch, left)

    def _is_ours(self, change: Change) -> bool:
        job = self._job
        return change.item % job.lanes == self._number and not job.positions.was_done(change)

    async def _fits(self, change: Change, batch: list[Change]) -> bool:
        """Whether the record belongs to the window of those before it. The window that it doesn't belong to is closed
        once its batch is done."""
        if batch:
            return window_at(batch[0].at, self._job.tumbling).has(change.at)
        window = self._job.positions.window
        if window is not None and not window.has(change.at):
            await self._close(early=False)
        return not self._retired

    async def _wait(self, watch: Watch, seconds: float) -> None:
        waiting = asyncio.ensure_future(watch.wait())
        alarm = self._job.node.clock.call_later(seconds, waiting.cancel)
        try:
            await waiting
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
        finally:
            alarm.cancel()
            waiting.cancel()

    # -- running

    async def _process(self, batch: list[Change]) -> None:
        """Hand a batch over until all of it is done or given up. Halves of a bisected one wait their turn."""
        job = self._job
        parts = [batch] if batch else []
        failures = 0
        last: Try | None = None
        while parts and not self._retired:
            part = await self._without_old(parts.pop(), failures, last)
            if not part:
                failures, last = 0, None
                continue
            if job.tumbling:
                job.positions.window = self._window_of(part[0])
            tried = await self._try(self._event(part))
            if tried is None:
                parts.append(part)
                continue
            last = tried
            good = await self._succeeded(part, tried)
            left = part[good:]
            if not left:
                failures, last = 0, None
                continue
            if job.retries != 0 and job.bisects and len(left) > 1:
                middle = len(left) // 2
                parts += [left] if good else [left[middle:], left[:middle]]
                continue
            failures += 1
            if 0 <= job.retries < failures:
                await self._give_up(left, discarded.EXHAUSTED, failures, tried)
                failures, last = 0, None
                continue
            parts.append(left)
            await self._pause(failures)

    async def _pause(self, failures: int) -> None:
        if not self._retired:
            seconds = model.MAPPING_PAUSE * 2 ** min(failures - 1, _MOST_PAUSES)
            await self._job.node.clock.sleep(min(seconds, model.MAPPING_MAX_PAUSE))

    def _event(self, part: list[Change]) -> bytes:
        records = b",".join([change.encoded for change in part])
        return self._event_of(records, self._window_of(part[0])) if self._job.tumbling else _around(records)

    def _event_of(self, records: bytes, window: Window, *, final: bool = False, early: bool = False) -> bytes:
        return window.event(records, self._job.shard.id, self._job.source, final=final, early=early)

    def _window_of(self, change: Change) -> Window:
        """The open window, or the one that a record would open."""
        return self._job.positions.window or window_at(change.at, self._job.tumbling)

    async def _succeeded(self, part: list[Change], tried: Try) -> int:
        """How many records of the batch are done before the first that isn't; they are marked so, with the state that
        the function has given."""
        job, window = self._job, self._job.positions.window
        answer = state_in(tried.outcome.payload) if job.tumbling and tried.outcome.error is None else None
        failed = tried.outcome.error is not None or (job.tumbling > 0 and answer is None)
        good = 0 if failed else self._first_failed(part, tried)
        result = positions.OK if good == len(part) else positions.FAILED
        if not good:
            await job.positions.note(result)
            return 0
        if window is not None and answer is not None:
            window.state = answer["state"]
        await job.positions.reach(self._number, part[good - 1].sequence, result)
        if window is not None and window.is_full:
            await self._close(early=True)
        return good

    def _first_failed(self, part: list[Change], tried: Try) -> int:
        if not self._job.reports_items:
            return len(part)
        failed = failed_items(tried.outcome.payload, frozenset(change.sequence for change in part))
        return next((n for n, change in enumerate(part) if change.sequence in failed), len(part))

    async def _close(self, *, early: bool) -> None:
        """The last invocation of the open window. Nothing goes on before it has succeeded."""
        job = self._job
        window = job.positions.window
        assert window is not None
        event = self._event_of(b"", window, final=True, early=early)
        failures = 0
        while not self._retired:
            tried = await self._try(event)
            if tried is None:
                continue
            if tried.outcome.error is None and state_in(tried.outcome.payload) is not None:
                job.positions.window = None
                await job.positions.note(positions.OK)
                return
            failures += 1
            await job.positions.note(positions.FAILED)
            await self._pause(failures)

    async def _try(self, event: bytes) -> Try | None:
        """Run the function. None if it is throttled or isn't there, after a pause, or once it was changed."""
        node, job = self._job.node, self._job
        try:
            spec = await job.spec()
        except AwsError:
            spec = None
        if spec is None or spec.reserved == 0:
            await self._function_changed()
            return None
        id = request_id()
        try:
            self._running = True
            return Try(id, spec.version, await runs.workers(node).invoke(spec, event, request_id=id))
        except AwsError as error:
            if error.code != "TooManyRequestsException" or self._retired:
                raise
        finally:
            self._running = False
        await node.clock.sleep(model.MAPPING_PAUSE)
        return None

    async def _function_changed(self) -> None:
        node = self._job.node
        wakeup = Wakeup(node.store, node.clock, storage.function_prefix(self._job.function))
        try:
            await wakeup.wait(node.clock.now() + model.MAPPING_MAX_PAUSE)
        finally:
            wakeup.close()

    # -- giving up

    async def _without_old(self, part: list[Change], failures: int, last: Try | None) -> list[Change]:
        oldest = self._job.node.clock.now() - self._job.max_age
        old = [change for change in part if change.at < oldest]
        if old:
            await self._give_up(old, discarded.TOO_OLD, failures, last)
        return part[len(old) :]

    async def _give_up(self, part: list[Change], condition: str, tries: int, last: Try | None) -> None:
        job, now = self._job, self._job.node.clock.now()
        if job.target:
            record = discarded.record_of(
                part,
                condition=condition,
                tries=tries,
                last=last,
                request_id=request_id(),
                function=job.function.qualified,
                shard=job.shard.id,
                source=job.source,
                now=now,
            )
            try:
                acting = await job.acting()
                await discarded.tell(acting, job.target, record, self._event(part), job.uuid, now)
            except AwsError as error:
                job.node.log.warning("records of %s can't be told to %s: %s", job.source, job.target, error)
        else:
            job.node.log.info("%d records of %s are given up: %s", len(part), job.source, condition)
        await job.positions.reach(self._number, part[-1].sequence)
