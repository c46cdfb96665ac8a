"""A table's stream as the source of a function's events.

A stream is an order, and what functions rely on is the order of each item's records. So a mapping reads in lanes, as
many as its `ParallelizationFactor`: an item always falls to the same lane, and a lane runs one batch after the other.
How far each has come is kept with the mapping (`positions.py`).
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from ....context import Node
from ....errors import AwsError
from ....store.interface import StoreError
from .. import model
from .changes import Streams
from .lanes import Job, Lane


class StreamSource:
    """One enabled mapping, as it is until it changes."""

    ALONE = True
    """A changed mapping goes on where the one before has ended, not beside it."""

    def __init__(self, node: Node, account: str, region: str, record: dict[str, Any]) -> None:
        self._node = node
        streams = cast(Streams, node.runtimes["dynamodbstreams"])
        self._job = Job(node, account, region, record, streams)
        self._lanes: list[Lane] = []
        self._task = asyncio.create_task(self._begin())

    def retire(self) -> None:
        """Take no more. Batches that run go on to their end."""
        self._task.cancel()
        for lane in self._lanes:
            lane.retire()

    async def ended(self) -> None:
        await asyncio.gather(self._task, return_exceptions=True)
        for lane in self._lanes:
            await lane.ended()
        if self._lanes:
            await self._save()

    def interrupt(self) -> None:
        for lane in self._lanes:
            lane.interrupt()

    async def _save(self) -> None:
        try:
            await self._job.positions.save()
        except StoreError as error:
            self._node.log.warning("how far %s was read isn't kept: %s", self._job.source, error)

    async def _begin(self) -> None:
        """Find out where to read on, as often as it takes, and read."""
        pause, told = model.MAPPING_PAUSE, ""
        while True:
            try:
                await self._place()
                break
            except (AwsError, StoreError) as error:
                if str(error) != told:
                    self._node.log.warning("%s can't be read: %s", self._job.source, error)
                told = str(error)
            except Exception:
                self._node.log.exception("%s can't be read", self._job.source)
            await self._node.clock.sleep(pause)
            pause = min(2 * pause, model.MAPPING_MAX_PAUSE)
        self._lanes = [Lane(self._job, number) for number in range(self._job.lanes)]

    async def _place(self) -> None:
        """What was done, or else where the mapping says to start."""
        job = self._job
        await job.shard.open()
        if not await job.positions.load(job.lanes, job.tumbling):
            first = job.streams.newest if job.starting == "LATEST" else job.streams.oldest
            await job.positions.begin(job.lanes, await first(job.source))
