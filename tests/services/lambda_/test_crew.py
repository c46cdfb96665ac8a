"""How many batches of a source run at once."""

from __future__ import annotations

import asyncio

import pytest

from cloudlet.clock import ManualClock
from cloudlet.services.lambda_ import model
from cloudlet.services.lambda_.event_sources.crew import TICK, Crew

FEW = model.QUEUE_BATCHES


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class Reader:
    """Begins a batch whenever there is room."""

    def __init__(self, clock: ManualClock, most: int = 1000) -> None:
        self.clock = clock
        self.crew = Crew(clock)
        self.most = most
        self.begun = 0
        self.task = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        while True:
            await self.crew.room(self.most)
            self.crew.begin()
            self.begun += 1

    async def begun_after(self, seconds: float = 0.0) -> int:
        self.clock.advance(seconds)
        for _ in range(50):
            await asyncio.sleep(0)
        return self.begun


@pytest.fixture
async def reader(clock: ManualClock) -> Reader:
    return Reader(clock)


async def test_slow_batches_get_more_each_second(reader: Reader) -> None:
    assert await reader.begun_after() == FEW
    assert await reader.begun_after(TICK / 2) == FEW
    assert await reader.begun_after(TICK) == 2 * FEW
    assert await reader.begun_after(TICK) == 3 * FEW


async def test_quick_batches_need_no_more(reader: Reader) -> None:
    await reader.begun_after()
    for _ in range(3):
        for _ in range(FEW):
            reader.crew.end()
        begun = await reader.begun_after()
        assert await reader.begun_after(TICK) == begun
    assert reader.begun == 4 * FEW


async def test_one_that_ends_makes_room(reader: Reader) -> None:
    await reader.begun_after()
    reader.crew.end()
    assert await reader.begun_after() == FEW + 1


async def test_never_more_than_the_most(clock: ManualClock) -> None:
    reader = Reader(clock, most=2)
    assert await reader.begun_after() == 2
    assert await reader.begun_after(10 * TICK) == 2


async def test_nobody_comes_in_while_the_function_is_throttled(reader: Reader) -> None:
    await reader.begun_after()
    reader.crew.throttled(1)
    reader.crew.end()
    assert await reader.begun_after(10 * TICK) == FEW
    reader.crew.throttled(-1)
    assert await reader.begun_after() == FEW + 1


async def test_after_a_rest_it_begins_with_a_few_again(reader: Reader) -> None:
    await reader.begun_after()
    assert await reader.begun_after(TICK) == 2 * FEW
    reader.task.cancel()
    for _ in range(2 * FEW):
        reader.crew.end()
    assert await reader.crew.room(1000) == 2 * FEW
    reader.crew.rest()
    assert await reader.crew.room(1000) == FEW
