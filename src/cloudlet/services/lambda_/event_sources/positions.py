"""How far a mapping has come with its stream: one place for each lane, the open window, what came of the last try.

What is not marked as done is handed over again after a restart. Records that a lane only passes over, because they are
others' or no filter wants them, are written down with what is done next. When the number of lanes changes, each begins
where the slowest was, and leaves out what the lane that had an item before has done with it.
"""

from __future__ import annotations

from typing import Any

from ....context import Node
from .. import storage
from .changes import Change
from .windows import Window

NOTHING = "No records processed"
OK = "OK"
FAILED = "PROBLEM: Function call failed"
PASSES = 100
"""How often lanes may pass over records before that is written down."""


class Positions:
    def __init__(self, node: Node, account: str, region: str, uuid: str) -> None:
        self.window: Window | None = None
        self._node = node
        self._mapping = (account, region, uuid)
        self._done: list[str] = []
        self._before: list[str] = []
        self._result = NOTHING
        self._kept: dict[str, Any] | None = None
        self._passes = 0

    async def load(self, lanes: int, tumbling: int) -> bool:
        """As they were kept, for so many lanes and windows of so many seconds; False if nothing was."""
        uuid = self._mapping[2]
        kept = await self._node.store.read(lambda tx: storage.checkpoint(tx, uuid))
        if kept is None:
            return False
        done = kept["done"]
        self._result = kept.get("result", NOTHING)
        if len(done) == lanes:
            self._done = done
        else:
            self._done, self._before = [min(done)] * lanes, done
        window = kept.get("window")
        if window is not None and window["seconds"] == tumbling:
            self.window = Window(window["start"], tumbling, window["state"])
        return True

    async def begin(self, lanes: int, sequence: str) -> None:
        """Where a mapping begins that never read."""
        self._done = [sequence] * lanes
        await self.save()

    def of(self, lane: int) -> str:
        return self._done[lane]

    def was_done(self, change: Change) -> bool:
        """Whether the item's lane was past this record when there were other lanes."""
        before = self._before
        return bool(before) and change.sequence <= before[change.item % len(before)]

    async def reach(self, lane: int, sequence: str, result: str = "") -> None:
        """All of the lane's records up to this one are done, and what came of it."""
        self._done[lane] = sequence
        self._result = result or self._result
        await self.save()

    async def skip(self, lane: int, sequence: str) -> None:
        """The lane has nothing to do with the records up to this one."""
        self._done[lane] = sequence
        self._passes += 1
        if self._passes >= PASSES:
            await self.save()

    async def note(self, result: str) -> None:
        self._result = result
        await self.save()

    async def save(self) -> None:
        self._passes = 0
        record: dict[str, Any] = {"done": list(self._done), "result": self._result}
        if self.window is not None:
            record["window"] = self.window.kept()
        if record == self._kept:
            return
        account, region, uuid = self._mapping
        await self._node.store.transact(lambda tx: storage.put_checkpoint(tx, account, region, uuid, record))
        self._kept = record
