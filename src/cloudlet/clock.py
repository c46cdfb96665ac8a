"""Time. Everything that reads the time or waits for it does so here, so that a test or a person can move it.

- `Clock` follows the machine's clock plus an offset that `advance` and `set` change; what becomes due by a jump
  runs at once, in the order of its times. When time is set back, what waits for a while (`call_later`, `sleep`) still
  waits no longer than that while; what waits for a moment (`call_at`, `sleep_until`) waits for the moment. What
  keeps waits elsewhere is told (`when_set_back`), and `settled` waits until it has done its part.
- `ManualClock` stands still until it is moved.

`now()` is seconds since 1970 as a float. `monotonic()` measures durations of the real world (latencies, REPORT lines)
and is never moved.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any

CANCELLED_MAX = 256


class Handle:
    """A call that is to happen; `cancel` is cheap and may come late."""

    __slots__ = ("_clock", "args", "callback", "relative", "when")

    def __init__(
        self, clock: Clock, when: float, callback: Callable[..., object], args: tuple[Any, ...]
    ) -> None:
        self._clock = clock
        self.when = when
        self.callback: Callable[..., object] | None = callback
        self.args = args
        self.relative = False

    def cancel(self) -> None:
        if self.callback is not None:
            self.callback = None
            self.args = ()
            self._clock.cancelled()


class Clock:
    """The machine's time, movable. One heap and one loop timer, however many calls wait."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._heap: list[tuple[float, int, Handle]] = []
        self._ids = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_for = float("inf")
        self._cancelled = 0
        self._when_set_back: list[Callable[[float], Awaitable[object] | None]] = []
        self._settling: set[asyncio.Future[object]] = set()

    def now(self) -> float:
        return time.time() + self._offset

    def now_ms(self) -> int:
        return int(self.now() * 1000)

    @property
    def offset(self) -> float:
        """Seconds by which this clock runs ahead of the machine's."""
        return self._offset

    def monotonic(self) -> float:
        return time.perf_counter()

    def call_at(self, when: float, callback: Callable[..., object], *args: Any) -> Handle:
        """Call `callback(*args)` on the loop once `now() >= when`."""
        handle = Handle(self, when, callback, args)
        heapq.heappush(self._heap, (when, next(self._ids), handle))
        if when < self._timer_for:
            self._arm()
        return handle

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Handle:
        handle = self.call_at(self.now() + delay, callback, *args)
        handle.relative = True
        return handle

    async def sleep(self, delay: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await _awaited(future, self.call_later(delay, _wake, future))

    async def sleep_until(self, when: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await _awaited(future, self.call_at(when, _wake, future))

    def advance(self, seconds: float) -> None:
        """Move time forward; what became due runs in the loop's next turn."""
        self._offset += seconds
        self._moved(seconds)
        self._arm()

    def set(self, when: float) -> None:
        self.advance(when - self.now())

    def when_set_back(self, callback: Callable[[float], Awaitable[object] | None]) -> None:
        """Call `callback(seconds)` each time that time is set back by so many: what has noted a time may have to forget
        it. What takes a while is given back to be awaited."""
        self._when_set_back.append(callback)

    def was_ahead(self, seconds: float) -> None:
        """Time went back by so much while nobody could be told, as over a restart."""
        for callback in self._when_set_back:
            if (work := callback(seconds)) is not None:
                future = asyncio.ensure_future(work)
                self._settling.add(future)
                future.add_done_callback(self._settling.discard)

    async def settled(self) -> None:
        """Return once all who were told that time was set back have done what they do about it."""
        await asyncio.gather(*self._settling, return_exceptions=True)

    def reset(self) -> None:
        self.advance(-self._offset)
        self._offset = 0.0

    def _moved(self, seconds: float) -> None:
        if seconds >= 0:
            return
        self.was_ahead(-seconds)
        for _, _, handle in self._heap:
            if handle.relative:
                handle.when += seconds
        self._heap = [(handle.when, id, handle) for _, id, handle in self._heap]
        heapq.heapify(self._heap)

    def cancelled(self) -> None:
        """A handle was cancelled. Once most of the heap is such, it is made anew without them."""
        self._cancelled += 1
        if self._cancelled > CANCELLED_MAX and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_for = float("inf")
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
        if self._heap:
            self._timer_for = self._heap[0][0]
            delay = max(0.0, self._timer_for - self.now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._timer_for = float(
            "-inf"
        )  # what callbacks add is seen below, and must not arm a timer of its own
        now = self.now()
        while self._heap and self._heap[0][0] <= now:
            _, _, handle = heapq.heappop(self._heap)
            if handle.callback is not None:
                asyncio.get_running_loop().call_soon(handle.callback, *handle.args)
                handle.callback = None
        self._arm()


class ManualClock(Clock):
    """A clock that stands still until `advance` or `set` moves it."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        super().__init__()
        self._now = start

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds
        self._moved(seconds)
        self._arm()

    def _arm(self) -> None:
        self._timer_for = float("inf")
        if self._heap and self._heap[0][0] <= self._now and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(0, self._fire)


async def _awaited(future: asyncio.Future[None], handle: Handle) -> None:
    try:
        await future
    finally:
        handle.cancel()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
