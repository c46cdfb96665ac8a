"""Long polls: who waits for messages of a queue, and what wakes them.

A queue that is waited for has one bell. It rings when the store tells of a write to the queue's order, and at the time
at which the next hidden message becomes visible. A ring wakes one waiter, the one that waits longest; that one reads,
and if it got something, rings for the next, since there may be more. So a message wakes one call, not all, and nobody
polls.
"""

from __future__ import annotations

import asyncio
from collections import deque

from ...clock import Clock, Handle
from ...context import Node
from ...store.interface import Store, StoreError, Watch
from .storage import rewind


class Bell:
    __slots__ = ("_alarm", "_clock", "_follower", "_watch", "members", "rings", "waiters")

    def __init__(self, store: Store, clock: Clock, prefix: bytes) -> None:
        self._clock = clock
        self._watch: Watch = store.watch(prefix)
        self.waiters: deque[asyncio.Future[None]] = deque()
        self._alarm: Handle | None = None
        self._follower = asyncio.create_task(self._follow())
        self.members = 0
        self.rings = 0

    async def _follow(self) -> None:
        while True:
            await self._watch.wait()
            self.ring()

    def ring(self) -> None:
        self.rings += 1
        while self.waiters:
            waiter = self.waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def ring_at(self, when: float) -> None:
        if self._alarm is None or self._alarm.callback is None or when < self._alarm.when:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._clock.call_at(when, self._alarmed)

    def _alarmed(self) -> None:
        self._alarm = None
        self.ring()

    async def wait(self, seen: int, seconds: float) -> None:
        """Return at a ring after the `seen`th, or when so many seconds have gone by."""
        if self.rings != seen:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        deadline = self._clock.call_later(seconds, _end, waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.ring()  # it was told of a message that it will not fetch
            raise
        finally:
            deadline.cancel()

    def close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._follower.cancel()
        self._watch.close()
        for waiter in self.waiters:
            waiter.cancel()


def _end(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class Bells:
    """The bells of the queues that somebody waits for, by what they watch. The service's runtime."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._bells: dict[bytes, Bell] = {}
        self.released = False

    async def start(self) -> None:
        """Bells are made when somebody waits."""
        self._node.clock.when_set_back(self._rewind)

    async def _rewind(self, back: float) -> None:
        try:
            await rewind(self._node.store, self._node.clock, back)
        except StoreError as error:
            self._node.log.error("queues were not looked at after time was set back: %s", error)

    def release(self) -> None:
        """Let everybody who waits go, and nobody wait any more."""
        self.released = True
        for bell in self._bells.values():
            while bell.waiters:
                bell.ring()

    async def stop(self) -> None:
        for bell in self._bells.values():
            bell.close()
        self._bells.clear()

    def join(self, prefix: bytes) -> Bell:
        bell = self._bells.get(prefix)
        if bell is None:
            bell = self._bells[prefix] = Bell(self._node.store, self._node.clock, prefix)
        bell.members += 1
        return bell

    def leave(self, prefix: bytes, bell: Bell) -> None:
        bell.members -= 1
        if bell.members == 0 and self._bells.get(prefix) is bell:
            del self._bells[prefix]
            bell.close()


def bells(node: Node) -> Bells:
    found: Bells = node.runtimes["sqs"]
    return found
