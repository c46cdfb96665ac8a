"""How many events of a function run at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cloudlet.clock import ManualClock
from cloudlet.services.lambda_ import model
from cloudlet.services.lambda_.gates import Gate, Gates


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class Crowd:
    """Events that enter a gate and stay until they are let go."""

    def __init__(self, gate: Gate, number: int, most: int) -> None:
        self.inside: list[int] = []
        self.turned_away = 0
        self._gate, self._most = gate, most
        self.tasks = [asyncio.ensure_future(self._one(n)) for n in range(number)]
        self._go = [asyncio.Event() for _ in range(number)]

    async def _one(self, number: int) -> None:
        if not await self._gate.enter(self._most):
            self.turned_away += 1
            return
        self.inside.append(number)
        try:
            await self._go[number].wait()
        finally:
            self._gate.leave()
            self.inside.remove(number)

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def let_go(self, number: int) -> None:
        self._go[number].set()
        await self.settle()


@pytest.fixture
async def crowds() -> AsyncIterator[list[Crowd]]:
    made: list[Crowd] = []
    yield made
    for crowd in made:
        for task in crowd.tasks:
            task.cancel()
        await asyncio.gather(*crowd.tasks, return_exceptions=True)


async def test_no_more_than_the_functions_concurrency_and_in_order(
    clock: ManualClock, crowds: list[Crowd]
) -> None:
    crowd = Crowd(Gate(clock), 6, most=2)
    crowds.append(crowd)
    await crowd.settle()
    assert crowd.inside == [0, 1]
    await crowd.let_go(1)
    assert crowd.inside == [0, 2]
    for number in (0, 2, 3, 4, 5):
        await crowd.let_go(number)
    assert crowd.inside == []


async def test_more_at_once_when_they_are_slow(clock: ManualClock, crowds: list[Crowd]) -> None:
    width = model.EVENT_WIDTH
    crowd = Crowd(Gate(clock), 5 * width, most=1000)
    crowds.append(crowd)
    await crowd.settle()
    assert len(crowd.inside) == width
    for wanted in (2 * width, 4 * width, 5 * width):
        clock.advance(model.EVENT_TICK_SECONDS)
        await crowd.settle()
        assert len(crowd.inside) == wanted


async def test_no_more_at_once_when_they_are_quick(clock: ManualClock, crowds: list[Crowd]) -> None:
    width = model.EVENT_WIDTH
    crowd = Crowd(Gate(clock), 5 * width, most=1000)
    crowds.append(crowd)
    await crowd.settle()
    for number in range(width):
        await crowd.let_go(number)
    clock.advance(model.EVENT_TICK_SECONDS)
    await crowd.settle()
    assert len(crowd.inside) == width


async def test_who_finds_no_room_is_turned_away(clock: ManualClock, crowds: list[Crowd]) -> None:
    gate = Gate(clock)
    crowd = Crowd(gate, model.EVENTS_WAITING + 5, most=2)
    crowds.append(crowd)
    await crowd.settle()
    assert crowd.turned_away == 3
    assert gate.pause() >= 0.5
    assert not await Gate(clock).enter(0)


async def test_who_stops_waiting_is_passed_over(clock: ManualClock, crowds: list[Crowd]) -> None:
    gate = Gate(clock)
    crowd = Crowd(gate, 3, most=1)
    crowds.append(crowd)
    await crowd.settle()
    crowd.tasks[1].cancel()
    await crowd.let_go(0)
    assert crowd.inside == [2]
    await crowd.let_go(2)
    assert gate.idle


async def test_gates_without_events_are_forgotten(clock: ManualClock) -> None:
    gates = Gates(clock)
    busy = gates.of("a", "r", "busy")
    await busy.enter(1)
    idle = gates.of("a", "r", "idle")
    gates.of("a", "r", "third")
    assert gates.of("a", "r", "busy") is busy
    assert gates.of("a", "r", "idle") is not idle
