"""Reading events: whatever the chunks, a reader gives all events of its range once, in order."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudlet.services.logs import model, storage
from cloudlet.services.logs.storage import Group, Reader
from cloudlet.store.interface import Transaction
from cloudlet.store.memory import MemoryStore

GROUP = Group("000000000000", "us-east-1", "group")
Batch = tuple[str, int, list[int]]

batches = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.integers(0, 12),
        st.lists(st.integers(0, 2), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=12,
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks that span 8 ms at most, read a few at a time."""
    monkeypatch.setattr(model, "CHUNK_SPAN_MS", 8)
    monkeypatch.setattr(model, "SCAN_FIRST", 1)
    monkeypatch.setattr(model, "SCAN_CHUNKS", 3)


async def fill(store: MemoryStore, given: list[Batch]) -> list[tuple[int, int, str, str]]:
    """Put the batches; the events as (time, order of arrival, stream, message)."""
    events = []
    for number, (stream, first, steps) in enumerate(given):
        times = [first + sum(steps[:n]) for n in range(len(steps))]
        chunk = [(at, f"{number}.{n}") for n, at in enumerate(times)]

        async def body(tx: Transaction, stream: str = stream, chunk: list[tuple[int, str]] = chunk) -> None:
            await storage.put_chunk(tx, GROUP, stream, 0, chunk)

        await store.transact(body)
        events += [(at, number, stream, message) for at, message in chunk]
    return sorted(events, key=lambda event: event[:2])


@settings(max_examples=300)
@given(
    batches,
    st.sampled_from([None, "a"]),
    st.booleans(),
    st.sampled_from([0, 0, 5]),
    st.sampled_from([11, 30, 30]),
)
def test_every_event_of_the_range_once_and_in_order(
    given: list[Batch], stream: str | None, reverse: bool, begin: int, end: int
) -> None:
    async def run() -> None:
        store = MemoryStore()
        events = await fill(store, given)
        wanted = [e[3] for e in events if begin <= e[0] < end and stream in (None, e[2])]
        reader = Reader(GROUP, storage.place(begin), storage.place(end), stream=stream, reverse=reverse)
        got: list[str] = []
        while not reader.done:
            got += [event.message for event in await reader.more(store)]
        assert got == (wanted[::-1] if reverse else wanted)

    asyncio.run(run())


@given(batches)
def test_a_reading_that_goes_on_from_the_frontier_misses_nothing(given: list[Batch]) -> None:
    async def run() -> None:
        store = MemoryStore()
        wanted = [event[3] for event in await fill(store, given)]
        end, place = storage.place(1000), 0
        got: list[str] = []
        while True:
            reader = Reader(GROUP, place, end)
            while not reader.done and reader.frontier <= place:
                got += [event.message for event in await reader.more(store)]
            if reader.done:
                break
            place = reader.frontier
        assert got == wanted

    asyncio.run(run())
