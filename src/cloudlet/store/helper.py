"""A thread for what blocks: it waits for the disk, so that the loop doesn't."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any


class Helper:
    """A thread that runs blocking calls one after another and reports each to the loop."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self._jobs: SimpleQueue[tuple[Callable[[], Any], Callable[[Any, BaseException | None], None]] | None]
        self._jobs = SimpleQueue()
        self._loop = loop
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def call(self, job: Callable[[], Any], done: Callable[[Any, BaseException | None], None]) -> None:
        self._jobs.put((job, done))

    def stop(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (entry := self._jobs.get()) is not None:
            job, done = entry
            result, error = None, None
            try:
                result = job()
            except Exception as raised:
                error = raised
            self._loop.call_soon_threadsafe(done, result, error)
