"""Clocks: order, jumps, cancelling."""

from __future__ import annotations

import asyncio

from cloudlet.clock import CANCELLED_MAX, Clock, ManualClock


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_jump_runs_what_is_due_in_its_order() -> None:
    clock, ran = ManualClock(), list[str]()
    clock.call_later(20, ran.append, "late")
    clock.call_later(10, ran.append, "early")
    clock.call_later(30, ran.append, "never")
    await turns()
    assert ran == []
    clock.advance(20)
    await turns()
    assert ran == ["early", "late"]


async def test_the_machines_clock_moves_with_its_offset() -> None:
    clock = Clock()
    sleeper = asyncio.create_task(clock.sleep(3600))
    await turns()
    before = clock.now()
    clock.advance(3600)
    await asyncio.wait_for(sleeper, 10)
    assert clock.now() - before >= 3600
    assert clock.offset == 3600
    clock.reset()
    assert clock.offset == 0


async def test_what_is_added_while_others_run_runs_too() -> None:
    clock, ran = ManualClock(), list[int]()

    def again(n: int) -> None:
        ran.append(n)
        if n < 3:
            clock.call_later(0, again, n + 1)

    clock.call_later(1, again, 1)
    clock.advance(1)
    for _ in range(4):
        await turns()
    assert ran == [1, 2, 3]


async def test_cancelled_calls_neither_run_nor_stay() -> None:
    clock, ran = Clock(), list[int]()
    handles = [clock.call_later(1000 + n, ran.append, n) for n in range(10 * CANCELLED_MAX)]
    kept = handles.pop()
    for handle in handles:
        handle.cancel()
        handle.cancel()
    assert len(clock._heap) < 3 * CANCELLED_MAX
    assert kept.callback is not None
    clock.advance(100_000)
    await turns()
    assert ran == [10 * CANCELLED_MAX - 1]


async def test_what_waits_for_a_while_waits_no_longer_when_time_is_set_back() -> None:
    clock, ran = ManualClock(), list[str]()
    clock.advance(86_400)
    clock.call_later(10, ran.append, "a while")
    clock.call_at(clock.now() + 10, ran.append, "a moment")
    clock.advance(-86_400)
    clock.advance(10)
    await turns()
    assert ran == ["a while"]
    clock.advance(86_400)
    await turns()
    assert ran == ["a while", "a moment"]


async def test_who_keeps_waits_is_told_by_how_much_time_was_set_back() -> None:
    clock, told = ManualClock(), list[float]()

    async def note(seconds: float) -> None:
        await asyncio.sleep(0)
        told.append(seconds)

    clock.when_set_back(note)
    clock.advance(10)
    clock.advance(-4)
    await clock.settled()
    assert told == [4]
