"""Whether a pool should start another worker, or those that it has will be free sooner.

A start takes the processor from those who work. Where many short calls come to a machine that is busy, a worker for
each that has to wait a moment makes all of them wait longer, so that still more are started, until nothing else runs.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable

STARTS_AT_ONCE = max(8, 2 * (os.cpu_count() or 1))
"""Workers that start at the same time while a pool has none. More would only slow each other down, until none is ready
in time; calls that wait meanwhile go to whichever worker is free first."""
ENOUGH = 2 * (os.cpu_count() or 1)
"""Workers with which a pool keeps every processor busy."""
STARTS_BESIDE = max(1, (os.cpu_count() or 1) // 2)
"""The same while enough work."""
LONGEST_WAIT = 0.5
"""Seconds after which a call that waits gets a worker of its own whatever starts take."""


class Pace:
    """What calls and starts took lately, in seconds of the machine's time."""

    __slots__ = ("_again", "call", "start")

    def __init__(self) -> None:
        self.call = self.start = 0.0
        self._again: asyncio.TimerHandle | None = None

    def called(self, seconds: float) -> None:
        self.call = 0.9 * self.call + 0.1 * seconds if self.call else seconds

    def started(self, seconds: float) -> None:
        self.start = (self.start + seconds) / 2 if self.start else seconds

    @property
    def patience(self) -> float:
        """So long a call may wait for one of the workers that are there."""
        return min(self.start, LONGEST_WAIT)

    def starts(self, workers: int, waiting: int, came: float, again: Callable[[], object]) -> int:
        """How many may be starting, where the first of the waiting calls came then. `again` is called if there may be
        more once it has waited enough: by the machine's time, as that is what starts take."""
        if not workers:
            return min(waiting, STARTS_AT_ONCE)
        if workers < ENOUGH:
            return min(waiting, ENOUGH - workers)
        left = came + self.patience - time.perf_counter()
        if left <= 0 or waiting * self.call > workers * self.patience:
            return min(waiting, STARTS_BESIDE)
        if self._again is None:
            self._again = asyncio.get_running_loop().call_later(left, self._look_again, again)
        return 0

    def _look_again(self, again: Callable[[], object]) -> None:
        self._again = None
        again()
