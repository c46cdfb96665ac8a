"""The sources that are read on this node: one reader for each enabled mapping.

The records are what counts: after each write to one of them the readers are made to be as they say. A mapping that was
changed gets a new reader; the old one's batches run to their end.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Protocol

from ....context import Node
from ....store.interface import StoreError
from ....store.wakeup import Wakeup
from .. import model, storage
from .queue import QueueSource
from .stream import StreamSource


class Source(Protocol):
    """What reads a mapping's source; it begins when it is made."""

    ALONE: bool
    """Whether a mapping's next reader has to wait until this one has ended."""

    def __init__(self, node: Node, account: str, region: str, record: dict[str, Any]) -> None: ...

    def retire(self) -> None: ...

    async def ended(self) -> None: ...

    def interrupt(self) -> None: ...


KINDS: dict[str, type[Source]] = {
    "dynamodb": StreamSource,
    "sqs": QueueSource,
}
"""By the service in the source's ARN."""


class EventSources:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._sources: dict[str, tuple[dict[str, Any], Source]] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self._retired: set[Source] = set()
        self._ending: Counter[str] = Counter()
        self._changes: Wakeup | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._follow())

    def release(self) -> None:
        """Take nothing more from any source."""
        if self._task is not None:
            self._task.cancel()
        for uuid in list(self._sources):
            self._retire(uuid)

    async def stop(self) -> None:
        """Functions that still run are left to the workers' end; what they had is given back."""
        self.release()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        self.release()
        for source in self._retired:
            source.interrupt()
        await asyncio.gather(*self._retiring)

    async def _follow(self) -> None:
        self._changes = Wakeup(self._node.store, self._node.clock, storage.MAPPINGS)
        try:
            while True:
                try:
                    self._settle(await self._node.store.read(storage.every_mapping))
                    await self._changes.wait(None)
                except StoreError as error:
                    self._node.log.error("event source mappings wait for the store: %s", error)
                    await self._node.clock.sleep(model.MAPPING_PAUSE)
        finally:
            self._changes.close()

    def _settle(self, records: list[tuple[str, str, dict[str, Any]]]) -> None:
        wanted = {record["UUID"]: (account, region, record) for account, region, record in records}
        for uuid, (before, _) in list(self._sources.items()):
            if uuid not in wanted or _settings(wanted[uuid][2]) != _settings(before):
                self._retire(uuid)
        for uuid, (account, region, record) in wanted.items():
            if uuid not in self._sources and record["State"] == "Enabled":
                self._begin(uuid, account, region, record)

    def _begin(self, uuid: str, account: str, region: str, record: dict[str, Any]) -> None:
        make = KINDS.get(record["EventSourceArn"].split(":")[2])
        if make is None:
            self._node.log.error("%s can't be read by this version", record["EventSourceArn"])
        elif not make.ALONE or not self._ending[uuid]:
            self._sources[uuid] = record, make(self._node, account, region, record)

    def _retire(self, uuid: str) -> None:
        _, source = self._sources.pop(uuid)
        source.retire()
        self._retired.add(source)
        self._ending[uuid] += 1
        task = asyncio.create_task(self._end(uuid, source))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _end(self, uuid: str, source: Source) -> None:
        await source.ended()
        self._retired.discard(source)
        self._ending[uuid] -= 1
        if not self._ending[uuid]:
            del self._ending[uuid]
        if self._changes is not None:
            self._changes.poke()


def _settings(record: dict[str, Any]) -> dict[str, Any]:
    """What of a mapping concerns its reader."""
    return {member: value for member, value in record.items() if member not in ("tags", "LastModified")}
