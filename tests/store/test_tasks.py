"""Durable tasks: run at least once, tried again with pauses, dead letters, bounded concurrency."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloudlet.clock import ManualClock
from cloudlet.store.interface import Task, Transaction
from cloudlet.store.sqlite import SqliteStore
from cloudlet.store.tasks import DurableTasks

from .waiting import eventually, until

LOG = logging.getLogger("test.tasks")
LOG.setLevel(logging.CRITICAL + 1)


class Bench:
    def __init__(self, store: SqliteStore, clock: ManualClock) -> None:
        self.store = store
        self.clock = clock
        self.seen: list[tuple[bytes, int]] = []
        self.failures = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.running = self.most = 0
        self.tasks = DurableTasks(store, clock, LOG)
        self.tasks.on("work", self.work, attempts=3, backoff=lambda attempt: 10.0 * attempt, concurrency=4)

    async def work(self, task: Task) -> None:
        self.seen.append((task.payload, task.attempt))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        if self.failures:
            self.failures -= 1
            raise OSError("no luck")

    async def enqueue(self, *payloads: bytes, delay: float = 0.0) -> None:
        async def body(tx: Transaction) -> None:
            for payload in payloads:
                await self.tasks.enqueue(tx, "work", payload, delay=delay)

        await self.store.transact(body)

    async def left(self) -> int:
        return len(await self.store.read(lambda tx: tx.range(b"", b"\xff")))


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock = ManualClock()
    store = await SqliteStore.open(tmp_path)
    bench = Bench(store, clock)
    await bench.tasks.start()
    yield bench
    await bench.tasks.stop()
    await store.close()


async def settled(bench: Bench) -> None:
    async def nothing_left() -> bool:
        return not (bench.running or await bench.left())

    await eventually(nothing_left)


async def test_runs_in_order_and_leaves_nothing(bench: Bench) -> None:
    await bench.enqueue(b"1", b"2")
    await bench.enqueue(b"3\nwith a newline")
    await settled(bench)
    assert bench.seen == [(b"1", 1), (b"2", 1), (b"3\nwith a newline", 1)]


async def test_not_enqueued_by_a_transaction_that_fails(bench: Bench) -> None:
    async def body(tx: Transaction) -> None:
        await bench.tasks.enqueue(tx, "work", b"no")
        raise LookupError

    with pytest.raises(LookupError):
        await bench.store.transact(body)
    await bench.enqueue(b"yes")
    await settled(bench)
    assert bench.seen == [(b"yes", 1)]


async def test_delay(bench: Bench) -> None:
    await bench.enqueue(b"later", delay=30)
    await bench.enqueue(b"now")
    await until(lambda: bench.seen == [(b"now", 1)])
    bench.clock.advance(30)
    await settled(bench)
    assert bench.seen == [(b"now", 1), (b"later", 1)]


async def test_a_delay_is_no_longer_when_time_is_set_back(bench: Bench) -> None:
    bench.clock.advance(86_400)
    await bench.enqueue(*(b"%d" % n for n in range(600)), delay=30)
    bench.clock.advance(10)
    bench.clock.advance(-86_400)
    await bench.clock.settled()
    bench.clock.advance(19)
    await bench.enqueue(b"now")
    await until(lambda: bench.seen == [(b"now", 1)])
    bench.clock.advance(1)
    await settled(bench)
    assert len(bench.seen) == 601


async def test_tried_again_after_the_backoff(bench: Bench) -> None:
    bench.failures = 2
    await bench.enqueue(b"x")
    await until(lambda: bench.failures == 1 and not bench.running)
    await bench.enqueue(b"probe")
    await until(lambda: len(bench.seen) == 2)
    assert bench.seen[1][0] == b"probe", "the pause isn't over"
    bench.failures = 1
    bench.clock.advance(10)
    await until(lambda: len(bench.seen) >= 3)
    bench.clock.advance(20)
    await until(lambda: (b"x", 3) in bench.seen)
    assert await bench.tasks.dead() == []


async def test_a_dead_letter_keeps_its_last_error(bench: Bench) -> None:
    bench.failures = 3
    await bench.enqueue(b"x")
    for attempt in (1, 2, 3):
        await until(lambda attempt=attempt: (b"x", attempt) in bench.seen)
        await until(lambda: not bench.running)
        bench.clock.advance(100)
    dead = await eventually(lambda: bench.tasks.dead("work"))
    assert [(task.kind, task.payload, task.attempt, task.error) for task in dead] == [
        ("work", b"x", 3, "OSError: no luck")
    ]
    assert await bench.tasks.dead("other") == []


async def test_concurrency_is_bounded(bench: Bench) -> None:
    bench.gate.clear()
    await bench.enqueue(*(b"%d" % n for n in range(20)))
    await until(lambda: bench.running == 4)
    bench.gate.set()
    await settled(bench)
    assert len(bench.seen) == 20
    assert bench.most == 4


async def test_stop_gives_back_what_runs(bench: Bench) -> None:
    bench.gate.clear()
    await bench.enqueue(b"x")
    await until(lambda: bench.running == 1)
    await bench.tasks.stop()
    again = Bench(bench.store, bench.clock)
    await again.tasks.start()
    await settled(again)
    await again.tasks.stop()
    assert again.seen == [(b"x", 1)]


async def test_a_node_that_dies_runs_it_again_but_not_for_ever(bench: Bench, tmp_path: Path) -> None:
    """Each life begins on a copy of the files as they are while the task runs: what a kill leaves behind."""
    bench.gate.clear()
    await bench.enqueue(b"x")
    await until(lambda: bench.running == 1)
    lives = [bench]
    for n in range(5):
        left = tmp_path / f"life{n}"
        left.mkdir()
        for file in (tmp_path if n == 0 else tmp_path / f"life{n - 1}").glob("store.sqlite*"):
            shutil.copy(file, left)
        life = Bench(await SqliteStore.open(left), bench.clock)
        lives.append(life)
        life.gate.clear()
        await life.tasks.start()
        if n < 4:
            await until(lambda life=life: life.seen == [(b"x", 1)])
    dead = await life.tasks.dead()
    for life in lives[1:]:
        await life.tasks.stop()
        await life.store.close()
    assert [task.error for task in dead] == ["the node ended each time while it ran"]
    assert lives[-1].seen == []
