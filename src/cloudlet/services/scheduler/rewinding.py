"""Schedules when time was set back: by a person, or by the restart of a node whose clock was ahead."""

from __future__ import annotations

import asyncio
from functools import partial

from ...context import Node
from ...store.interface import StoreError
from . import firing, storage
from .storage import Name

PAGE = 1000


class Rewinding:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._node.clock.when_set_back(lambda seconds: self._begin())
        self._begin()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self) -> asyncio.Task[None]:
        task = asyncio.create_task(self._rewind())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _rewind(self) -> None:
        store = self._node.store
        after: Name | None = None
        try:
            while rows := await store.read(partial(storage.every, after=after, limit=PAGE)):
                now = self._node.clock.now()
                for name in [name for name, record in rows if firing.is_ahead(record, now)]:
                    await store.transact(partial(firing.rewind, self._node, name))
                after = rows[-1][0]
        except StoreError as error:
            self._node.log.error("schedules were not looked at after time was set back: %s", error)
