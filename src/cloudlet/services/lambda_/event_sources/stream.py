"""A table's stream as the source of a function's events.

One task reads and runs, one batch after the other, because the order of a shard's records is the order in which the
function sees them. How far it has come is kept with the mapping: whatever is not marked as done is handed over again,
after a restart, too. A batch that fails is tried again, whole, halved or from the record that the function names, until
it succeeds or the mapping's limits say to go on without it; what is given up is told to the mapping's destination.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any, Protocol, cast

import orjson

from ....context import Node
from ....errors import AwsError
from ....names import request_id
from ....patterns import compiled
from ....store.interface import StoreError, Watch
from .. import model, runs, storage
from ..arns import Reference
from ..configuration import timestamp
from ..destinations import deliver
from ..spec import FunctionSpec, Outcome
from .batches import failed_items

PAGE = 1000
"""GetRecords' limit."""
_EMPTY = len(b'{"Records":[]}')


class Streams(Protocol):
    """The streams' owner, as it is needed here."""

    async def watch(self, arn: str) -> Watch: ...

    async def newest(self, arn: str) -> str:
        """The sequence number after which the stream is empty just now."""
        ...

    async def oldest(self, arn: str) -> str:
        """The sequence number before the first record that the stream still has."""
        ...


class Change:
    """A record: where it stands, when it was made, and how it goes to the function."""

    __slots__ = ("at", "encoded", "sequence")

    def __init__(self, sequence: str, at: float, record: dict[str, Any]) -> None:
        self.sequence = sequence
        self.at = at
        self.encoded = orjson.dumps(record)


def payload(batch: list[Change]) -> bytes:
    return b'{"Records":[' + b",".join([change.encoded for change in batch]) + b"]}"


def record_of(given: dict[str, Any], source: str) -> dict[str, Any]:
    """The record as the function sees it, from what GetRecords gives."""
    body = dict(given["dynamodb"])
    body["ApproximateCreationDateTime"] = int(body["ApproximateCreationDateTime"])
    record = {**_plain(given), "dynamodb": _plain(body), "eventSourceARN": source}
    if "userIdentity" in record:
        who = record["userIdentity"]
        record["userIdentity"] = {"principalId": who["PrincipalId"], "type": who["Type"]}
    return record


def _plain(value: Any) -> Any:
    """A value with its binary parts as base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value


class StreamSource:
    """One enabled mapping, as it is until it changes."""

    def __init__(self, node: Node, account: str, region: str, record: dict[str, Any]) -> None:
        owner, name, qualifier = record["Function"]
        self._node = node
        self._record = record
        self._ctx = self._as_role = node.context(account=account, region=region)
        self._ref = Reference(owner, region, name, qualifier)
        self._arn: str = record["EventSourceArn"]
        self._size: int = record["BatchSize"]
        self._window: int = record["MaximumBatchingWindowInSeconds"]
        self._retries: int = record["MaximumRetryAttempts"]
        self._max_age: int = record["MaximumRecordAgeInSeconds"]
        filters = record.get("FilterCriteria", {}).get("Filters", ())
        self._patterns = [compiled(one["Pattern"]) for one in filters]
        self._reports_items = "ReportBatchItemFailures" in record["FunctionResponseTypes"]
        self._shard = ""
        self._done = ""
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
        pause, told = model.MAPPING_PAUSE, ""
        while not self._retired:
            began = self._node.clock.now()
            try:
                await self._follow()
            except (AwsError, StoreError) as error:
                if str(error) != told:
                    self._node.log.warning("%s can't be read for %s: %s", self._arn, self._ref.name, error)
                told = str(error)
            except Exception:
                self._node.log.exception("reading %s for %s failed", self._arn, self._ref.name)
            if self._node.clock.now() - began > model.MAPPING_MAX_PAUSE:
                pause, told = model.MAPPING_PAUSE, ""
            if not self._retired:
                await self._node.clock.sleep(pause)
            pause = min(2 * pause, model.MAPPING_MAX_PAUSE)

    @property
    def _streams(self) -> Streams:
        return cast(Streams, self._node.runtimes["dynamodbstreams"])

    async def _follow(self) -> None:
        watch = await self._streams.watch(self._arn)
        try:
            await self._begin()
            while not self._retired:
                batch, last = await self._collect(watch)
                await self._process(batch)
                if not self._retired and last != self._done:
                    await self._reach(last)
        finally:
            watch.close()

    async def _begin(self) -> None:
        """Where to read on: what was done, or where the mapping says to start."""
        self._as_role = await runs.workers(self._node).context(await self._spec())
        described = await self._as_role.call("dynamodbstreams", "DescribeStream", {"StreamArn": self._arn})
        self._shard = described["StreamDescription"]["Shards"][0]["ShardId"]
        uuid = self._record["UUID"]
        done = await self._node.store.read(lambda tx: storage.checkpoint(tx, uuid))
        if done is None:
            latest = self._record["StartingPosition"] == "LATEST"
            done = await (self._streams.newest if latest else self._streams.oldest)(self._arn)
            await self._reach(done)
        self._done = done

    async def _reach(self, sequence: str) -> None:
        """All up to this record is done."""
        uuid = self._record["UUID"]
        await self._node.store.transact(lambda tx: storage.put_checkpoint(tx, uuid, sequence))
        self._done = sequence

    async def _collect(self, watch: Watch) -> tuple[list[Change], str]:
        """A batch, and the last record that was looked at for it."""
        batch: list[Change] = []
        last, size, until = self._done, _EMPTY, 0.0
        while True:
            page = await self._page(last, self._size - len(batch))
            for given in page:
                body = given["dynamodb"]
                record = record_of(given, self._arn)
                if not self._patterns or any(pattern.matches(record) for pattern in self._patterns):
                    change = Change(body["SequenceNumber"], body["ApproximateCreationDateTime"], record)
                    size += len(change.encoded) + 1
                    if batch and size > model.BATCH_BYTES:
                        return batch, last
                    batch.append(change)
                last = body["SequenceNumber"]
            if len(batch) >= self._size or (not page and batch and not self._window):
                return batch, last
            if page:
                continue
            if not batch:
                if last != self._done:
                    await self._reach(last)
                await watch.wait()
                continue
            until = until or self._node.clock.now() + self._window
            if self._node.clock.now() >= until:
                return batch, last
            await self._wait(watch, until)

    async def _wait(self, watch: Watch, until: float) -> None:
        waiting = asyncio.ensure_future(watch.wait())
        alarm = self._node.clock.call_at(until, waiting.cancel)
        try:
            await waiting
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
        finally:
            alarm.cancel()

    async def _page(self, after: str, most: int) -> list[dict[str, Any]]:
        place: dict[str, Any] = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": after}
        while True:
            asked = {"StreamArn": self._arn, "ShardId": self._shard, **place}
            try:
                found = await self._as_role.call("dynamodbstreams", "GetShardIterator", asked)
                wanted = {"ShardIterator": found["ShardIterator"], "Limit": min(PAGE, most)}
                answer = await self._as_role.call("dynamodbstreams", "GetRecords", wanted)
                records: list[dict[str, Any]] = answer["Records"]
                return records
            except AwsError as error:
                if error.code != "TrimmedDataAccessException":
                    raise
                place = {"ShardIteratorType": "TRIM_HORIZON"}

    # -- running

    async def _process(self, batch: list[Change]) -> None:
        """Hand a batch over until all of it is done or given up. Halves of a bisected one wait their turn."""
        parts = [batch] if batch else []
        failures = 0
        while parts and not self._retired:
            part = await self._without_old(parts.pop())
            if not part:
                continue
            outcome = await self._invoke(part)
            bad = self._first_failed(part, outcome)
            if bad:
                await self._reach(part[bad - 1].sequence)
            left = part[bad:]
            if not left:
                failures = 0
                continue
            if self._retries != 0 and self._record["BisectBatchOnFunctionError"] and len(left) > 1:
                middle = len(left) // 2
                parts += [left] if bad else [left[middle:], left[:middle]]
                continue
            failures += 1
            if 0 <= self._retries < failures:
                await self._give_up(left, "RetryAttemptsExhausted", failures, outcome)
                failures = 0
                continue
            parts.append(left)
            if not self._retired:
                await self._node.clock.sleep(min(model.MAPPING_PAUSE * 2 ** min(failures - 1, 6), 60.0))

    def _first_failed(self, batch: list[Change], outcome: Outcome) -> int:
        """How many records of the batch are done before the first that isn't."""
        if outcome.error is not None:
            return 0
        if not self._reports_items:
            return len(batch)
        failed = failed_items(outcome.payload, frozenset(change.sequence for change in batch))
        return next((n for n, change in enumerate(batch) if change.sequence in failed), len(batch))

    async def _without_old(self, batch: list[Change]) -> list[Change]:
        if self._max_age < 0:
            return batch
        oldest = self._node.clock.now() - self._max_age
        old = [change for change in batch if change.at < oldest]
        if old:
            await self._give_up(old, "RecordAgeExceeded", 0, None)
        return batch[len(old) :]

    async def _spec(self) -> FunctionSpec:
        return await runs.spec_of(self._ctx, self._ref)

    async def _invoke(self, batch: list[Change]) -> Outcome:
        """Run the function, again and again while it is throttled."""
        event, pause = payload(batch), model.MAPPING_PAUSE
        while True:
            spec = await self._spec()
            try:
                self._running = True
                return await runs.workers(self._node).invoke(spec, event, request_id=request_id())
            except AwsError as error:
                if error.code != "TooManyRequestsException" or self._retired:
                    raise
            finally:
                self._running = False
            await self._node.clock.sleep(pause)
            pause = min(2 * pause, model.MAPPING_MAX_PAUSE)

    async def _give_up(
        self, batch: list[Change], condition: str, tries: int, outcome: Outcome | None
    ) -> None:
        target = self._record.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if target:
            text = orjson.dumps(await self._told(batch, condition, tries, outcome))
            try:
                await deliver(self._as_role, target, text, {})
            except (AwsError, StoreError) as error:
                self._node.log.warning("records of %s can't be told to %s: %s", self._arn, target, error)
        else:
            self._node.log.info("%d records of %s are given up: %s", len(batch), self._arn, condition)
        await self._reach(batch[-1].sequence)

    async def _told(
        self, batch: list[Change], condition: str, tries: int, outcome: Outcome | None
    ) -> dict[str, Any]:
        """What a destination gets: not the records, but where they stand."""
        told: dict[str, Any] = {
            "requestContext": {
                "requestId": request_id(),
                "functionArn": self._ref.qualified,
                "condition": condition,
                "approximateInvokeCount": tries,
            },
            "version": "1.0",
            "timestamp": _moment(self._node.clock.now()),
            "DDBStreamBatchInfo": {
                "shardId": self._shard,
                "startSequenceNumber": batch[0].sequence,
                "endSequenceNumber": batch[-1].sequence,
                "approximateArrivalOfFirstRecord": _moment(batch[0].at),
                "approximateArrivalOfLastRecord": _moment(batch[-1].at),
                "batchSize": len(batch),
                "streamArn": self._arn,
            },
        }
        if outcome is not None:
            response = {"statusCode": 200, "executedVersion": (await self._spec()).version}
            if outcome.error:
                response["functionError"] = outcome.error
            told["responseContext"] = response
        return told


def _moment(at: float) -> str:
    return timestamp(at).replace("+0000", "Z")
