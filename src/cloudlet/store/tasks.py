"""Durable follow-up work: a queue per kind, tries with growing pauses, and a dead end that can be seen.

    ("tasks", "queue", kind, None, id)    a task that may run now
    ("tasks", "queue", kind, due, id)     one that may run from `due` (a delay, or the pause after a failure, and so
                                          sooner when time is set back)
    ("tasks", "running", kind, id)        one that this node runs
    ("tasks", "dead", kind, id)           one that failed for the last time

A value is one line of JSON, `[attempt, created, error, interrupted]`, and the payload. An id is a stamp.

Rules
 1. A task is moved to `running` before its handler starts and away from there when the handler has ended, so it runs at
    least once, and again if the node dies meanwhile: what a starting node finds there goes back to the queue.
 2. A try that the node's end cut short doesn't count as an attempt; a task to which that happens too often is dead,
    lest it be what ends the node.
 3. At most `concurrency` tasks of a kind run at once; the rest wait in the store, not in memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import orjson

from ..clock import Clock
from .interface import Store, StoreError, Task, Transaction
from .keys import Subspace, successor
from .wakeup import Wakeup

T = TypeVar("T")
Handler = Callable[[Task], Awaitable[None]]

INTERRUPTIONS_MAX = 5
ERROR_MAX = 2000
"""Characters of an error that a dead letter keeps."""
DISK_PAUSE = 1.0
HASTEN_STEP = 256
"""How many tasks one transaction looks at when time was set back."""

TASKS = Subspace("tasks")
QUEUE = TASKS.sub("queue")
RUNNING = TASKS.sub("running")
DEAD = TASKS.sub("dead")


@dataclass(slots=True, frozen=True)
class DurableTask:
    id: bytes
    kind: str
    payload: bytes
    attempt: int
    created: float
    error: str = ""
    interrupted: int = 0

    def encode(self) -> bytes:
        return orjson.dumps([self.attempt, self.created, self.error, self.interrupted]) + b"\n" + self.payload

    @classmethod
    def decode(cls, id: bytes, kind: str, value: bytes) -> DurableTask:
        head, _, payload = value.partition(b"\n")
        attempt, created, error, interrupted = orjson.loads(head)
        return cls(id, kind, payload, attempt, created, error, interrupted)


@dataclass(slots=True, frozen=True)
class Kind:
    name: str
    handler: Handler
    attempts: int
    backoff: Callable[[int], float]
    concurrency: int


def default_backoff(attempt: int) -> float:
    return min(60.0, 2.0 ** min(attempt, 6))


class DurableTasks:
    def __init__(self, store: Store, clock: Clock, log: logging.Logger) -> None:
        self._store = store
        self._clock = clock
        self._log = log
        self._kinds: dict[str, Kind] = {}
        self._runners: list[Runner] = []
        self._started = False

    def on(
        self,
        kind: str,
        handler: Handler,
        *,
        attempts: int = 3,
        backoff: Callable[[int], float] = default_backoff,
        concurrency: int = 64,
    ) -> None:
        if kind in self._kinds or self._started:
            raise ValueError(f"tasks of kind {kind!r} need one handler, and before the start")
        self._kinds[kind] = Kind(kind, handler, attempts, backoff, concurrency)

    async def enqueue(self, tx: Transaction, kind: str, payload: bytes, *, delay: float = 0.0) -> None:
        now = self._clock.now()
        task = DurableTask(tx.stamp(), kind, payload, 0, now)
        await tx.put(QUEUE.pack(kind, now + delay if delay > 0 else None, task.id), task.encode())

    async def dead(self, kind: str | None = None) -> list[Task]:
        begin, end = DEAD.range() if kind is None else DEAD.range(kind)
        rows = await self._store.read(lambda tx: tx.range(begin, end))
        letters = [_decode(DEAD, key, value) for key, value in rows]
        return sorted(letters, key=lambda task: task.id)

    async def start(self) -> None:
        self._started = True
        self._clock.when_set_back(self._rewind)
        await self._store.transact(self._take_back)
        self._runners = [Runner(self._store, self._clock, self._log, kind) for kind in self._kinds.values()]

    async def stop(self) -> None:
        """Handlers that still run are cancelled, and their tasks go back to the queue."""
        runners, self._runners = self._runners, []
        await asyncio.gather(*(runner.stop() for runner in runners))
        self._started = False

    async def _rewind(self, back: float) -> None:
        """Nobody waits longer because time was set back."""
        try:
            for kind in self._kinds:
                begin: bytes | None = QUEUE.pack(kind, self._clock.now())
                while begin is not None:
                    begin = await self._store.transact(
                        partial(self._hasten, begin=begin, kind=kind, back=back)
                    )
        except StoreError as error:
            self._log.error("tasks were not looked at after time was set back: %s", error)

    async def _hasten(self, tx: Transaction, begin: bytes, kind: str, back: float) -> bytes | None:
        now = self._clock.now()
        rows = await tx.range(begin, QUEUE.range(kind)[1], limit=HASTEN_STEP)
        for key, value in rows:
            due, id = QUEUE.unpack(key)[1:]
            await tx.delete(key)
            await tx.put(QUEUE.pack(kind, max(now, due - back), id), value)
        return successor(rows[-1][0]) if rows else None

    async def _take_back(self, tx: Transaction) -> None:
        """What the node ran when it died."""
        for key, value in await tx.range(*RUNNING.range()):
            task = _decode(RUNNING, key, value)
            task = replace(task, attempt=task.attempt - 1, interrupted=task.interrupted + 1)
            await tx.delete(key)
            if task.interrupted < INTERRUPTIONS_MAX:
                await tx.put(QUEUE.pack(task.kind, None, task.id), task.encode())
            else:
                task = replace(task, error="the node ended each time while it ran")
                await tx.put(DEAD.pack(task.kind, task.id), task.encode())


class Runner:
    """Runs the tasks of one kind."""

    def __init__(self, store: Store, clock: Clock, log: logging.Logger, kind: Kind) -> None:
        self._store = store
        self._clock = clock
        self._log = log
        self._kind = kind
        self._running: set[asyncio.Task[None]] = set()
        self._wakeup = Wakeup(store, clock, QUEUE.sub(kind.name).prefix)
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        self._wakeup.close()
        self._loop.cancel()
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(self._loop, *running, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            free = self._kind.concurrency - len(self._running)
            next_due = None
            if free > 0:
                tasks, next_due = await self._surely(lambda tx, free=free: self._claim(tx, free))  # type: ignore[misc]
                for task in tasks:
                    running = asyncio.create_task(self._work(task))
                    self._running.add(running)
                    running.add_done_callback(self._ended)
            await self._wakeup.wait(next_due)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wakeup.poke()

    async def _claim(self, tx: Transaction, limit: int) -> tuple[list[DurableTask], float | None]:
        """Tasks to run now, and the time of the next if there are no more."""
        kind, now = self._kind.name, self._clock.now()
        rows = await tx.claim(QUEUE.pack(kind, 0.0), QUEUE.range(kind, now)[1], limit)
        if len(rows) < limit:
            rows += await tx.claim(*QUEUE.range(kind, None), limit - len(rows))
        tasks = []
        for key, value in rows:
            task = _decode(QUEUE, key, value)
            task = replace(task, attempt=task.attempt + 1)
            await tx.put(RUNNING.pack(kind, task.id), task.encode())
            tasks.append(task)
        later = (
            await tx.range(QUEUE.pack(kind, 0.0), QUEUE.range(kind)[1], limit=1) if len(rows) < limit else []
        )
        return tasks, QUEUE.unpack(later[0][0])[1] if later else None

    async def _work(self, task: DurableTask) -> None:
        try:
            await self._kind.handler(task)
        except (Exception, asyncio.CancelledError) as error:
            if _cancelled():  # the handler didn't end, we are stopped
                task = replace(task, attempt=task.attempt - 1)
                await self._store.transact(
                    lambda tx: self._move(tx, task, QUEUE.pack(task.kind, None, task.id))
                )
                raise
            task = replace(task, error=f"{type(error).__name__}: {error}"[:ERROR_MAX])
            if task.attempt >= self._kind.attempts:
                self._log.error(
                    "task %s %s is dead: %s", task.kind, task.id.hex(), task.error, exc_info=error
                )
            await self._surely(lambda tx: self._failed(tx, task))
        else:
            await self._surely(lambda tx: tx.delete(RUNNING.pack(task.kind, task.id)))

    async def _failed(self, tx: Transaction, task: DurableTask) -> None:
        if task.attempt >= self._kind.attempts:
            await self._move(tx, task, DEAD.pack(task.kind, task.id))
        else:
            due = self._clock.now() + self._kind.backoff(task.attempt)
            await self._move(tx, task, QUEUE.pack(task.kind, due, task.id))

    @staticmethod
    async def _move(tx: Transaction, task: DurableTask, key: bytes) -> None:
        await tx.delete(RUNNING.pack(task.kind, task.id))
        await tx.put(key, task.encode())

    async def _surely(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        """Tried until the disk takes it."""
        while True:
            try:
                return await self._store.transact(body)
            except StoreError as error:
                self._log.error("tasks wait for the store: %s", error)
                await self._clock.sleep(DISK_PAUSE)


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _decode(space: Subspace, key: bytes, value: bytes) -> DurableTask:
    parts = space.unpack(key)
    return DurableTask.decode(parts[-1], parts[0], value)
