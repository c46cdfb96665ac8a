"""Durable timers: fire once, in order, across restarts; one that fails holds no other up."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cloudlet.clock import ManualClock
from cloudlet.store.interface import Transaction
from cloudlet.store.sqlite import SqliteStore
from cloudlet.store.timers import DurableTimers

from .waiting import until

LOG = logging.getLogger("test.timers")


class Bench:
    """A store, a clock that stands still, and timers of kind "note" that write down what they were given."""

    def __init__(self, store: SqliteStore, clock: ManualClock) -> None:
        self.store = store
        self.clock = clock
        self.fired: list[tuple[Any, ...]] = []
        self.timers = DurableTimers(store, clock, LOG)
        self.timers.on("note", self.note)

    async def note(self, tx: Transaction, id: tuple[Any, ...], payload: bytes) -> None:
        self.fired.append((*id, payload))

    async def set(self, *id: Any, after: float, kind: str = "note", payload: bytes = b"") -> None:
        due = self.clock.now() + after
        await self.store.transact(lambda tx: self.timers.set(tx, kind, id, due, payload))

    async def cancel(self, *id: Any) -> None:
        await self.store.transact(lambda tx: self.timers.cancel(tx, "note", id))


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock = ManualClock()
    store = await SqliteStore.open(tmp_path)
    bench = Bench(store, clock)
    await bench.timers.start()
    yield bench
    await bench.timers.stop()
    await store.close()


async def test_fires_when_due_and_not_before(bench: Bench) -> None:
    await bench.set("a", after=10, payload=b"x")
    await bench.set("b", after=20)
    bench.clock.advance(10)
    await until(lambda: bench.fired == [("a", b"x")])
    bench.clock.advance(10)
    await until(lambda: bench.fired == [("a", b"x"), ("b", b"")])


async def test_a_timer_set_for_earlier_than_the_sleeper_waits_for(bench: Bench) -> None:
    await bench.set("late", after=1000)
    await bench.set("soon", after=1)
    bench.clock.advance(1)
    await until(lambda: bench.fired == [("soon", b"")])


async def test_a_due_time_in_the_past_fires_at_once(bench: Bench) -> None:
    await bench.set("past", after=-5)
    await until(lambda: bench.fired == [("past", b"")])


async def test_a_jump_fires_in_order_of_time(bench: Bench) -> None:
    for n in range(600):
        await bench.set(n, after=1 + (n * 7919) % 600)
    bench.clock.advance(10_000)
    await until(lambda: len(bench.fired) == 600)
    assert bench.fired == sorted(bench.fired, key=lambda entry: (entry[0] * 7919) % 600)


async def test_moved(bench: Bench) -> None:
    await bench.set("a", after=10, payload=b"old")
    await bench.set("a", after=30, payload=b"new")
    await bench.set("probe", after=20)
    bench.clock.advance(20)
    await until(lambda: bench.fired == [("probe", b"")])
    bench.clock.advance(10)
    await until(lambda: bench.fired == [("probe", b""), ("a", b"new")])


async def test_cancelled(bench: Bench) -> None:
    await bench.set("a", after=10)
    await bench.set("b", after=11)
    await bench.cancel("a")
    await bench.cancel("never set")
    bench.clock.advance(20)
    await until(lambda: bench.fired == [("b", b"")])


async def test_set_in_a_transaction_that_fails_is_not_set(bench: Bench) -> None:
    async def body(tx: Transaction) -> None:
        await bench.timers.set(tx, "note", ("a",), bench.clock.now() + 1)
        raise LookupError

    with pytest.raises(LookupError):
        await bench.store.transact(body)
    await bench.set("b", after=2)
    bench.clock.advance(2)
    await until(lambda: bench.fired == [("b", b"")])


async def test_a_handler_may_set_its_timer_again(bench: Bench) -> None:
    beats: list[float] = []

    async def beat(tx: Transaction, id: tuple[Any, ...], payload: bytes) -> None:
        beats.append(bench.clock.now())
        await bench.timers.set(tx, "beat", id, bench.clock.now() + 60)

    bench.timers.on("beat", beat)
    await bench.set("x", after=60, kind="beat")
    for n in range(1, 4):
        bench.clock.advance(60)
        await until(lambda n=n: len(beats) == n)


async def test_a_failing_handler_is_tried_again_and_blocks_nobody(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    calls = 0

    async def broken(tx: Transaction, id: tuple[Any, ...], payload: bytes) -> None:
        nonlocal calls
        calls += 1
        await tx.put(b"trace", b"%d" % calls)
        if calls < 3:
            raise ZeroDivisionError

    bench.timers.on("broken", broken)
    await bench.set("bad", after=1, kind="broken")
    await bench.set("good", after=1)
    with caplog.at_level(logging.CRITICAL + 1, LOG.name):
        bench.clock.advance(1)
        await until(lambda: calls == 1 and bench.fired == [("good", b"")])
        assert await bench.store.read(lambda tx: tx.get(b"trace")) is None
        bench.clock.advance(1)
        await until(lambda: calls == 2)
        bench.clock.advance(1)
        await bench.set("probe", after=0)
        await until(lambda: len(bench.fired) == 2)
        assert calls == 2, "the second pause is longer"
        bench.clock.advance(1)
        await until(lambda: calls == 3)
    assert await bench.store.read(lambda tx: tx.get(b"trace")) == b"3"


async def test_survives_a_restart(bench: Bench, tmp_path: Path) -> None:
    await bench.set("a", after=10, payload=b"x")
    await bench.timers.stop()
    bench.clock.advance(11)
    again = Bench(bench.store, bench.clock)
    await again.timers.start()
    await until(lambda: again.fired == [("a", b"x")])
    await again.timers.stop()
    assert bench.fired == []
