"""The pages of a stream that lanes share: whoever reads, from wherever, finds what the stream has there."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cloudlet.services.lambda_.event_sources import changes


def number(position: int) -> str:
    return f"{position:026d}"


class Stream:
    """What a shard asks of the stream's owner. Record n stands at n."""

    def __init__(self, page: int) -> None:
        self.length = 0
        self.page = page
        self.reads = 0

    async def call(self, service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "GetShardIterator":
            return {"ShardIterator": request["SequenceNumber"]}
        self.reads += 1
        begin = int(request["ShardIterator"]) + 1
        return {"Records": [self.record(n) for n in range(begin, min(self.length, begin + self.page))]}

    def record(self, position: int) -> dict[str, Any]:
        keys = {"id": {"S": str(position % 5)}}
        about = {"Keys": keys, "SequenceNumber": number(position), "ApproximateCreationDateTime": 1.0}
        return {"eventName": "INSERT", "dynamodb": about}


def shard_of(stream: Stream) -> changes.Shard:
    async def acting() -> Any:
        return stream

    return changes.Shard("arn", (), acting)


STEPS = st.lists(
    st.one_of(st.tuples(st.just("write"), st.integers(1, 9)), st.tuples(st.just("read"), st.integers(0, 40)))
)


@given(STEPS, st.integers(1, 7))
def test_every_reader_finds_what_is_there(steps: list[tuple[str, int]], page: int) -> None:
    stream = Stream(page)
    shard = shard_of(stream)

    async def run() -> None:
        for kind, value in steps:
            if kind == "write":
                stream.length += value
                continue
            after = min(value, stream.length) - 1
            found = [int(change.sequence) for change in await shard.after(number(after))]
            assert found == list(range(after + 1, after + 1 + len(found)))
            assert bool(found) == (after + 1 < stream.length)

    asyncio.run(run())


def test_lanes_that_go_together_read_once() -> None:
    stream = Stream(changes.PAGE)
    stream.length = 3 * changes.PAGE
    shard = shard_of(stream)

    async def run() -> None:
        places = [0] * 10
        while min(places) < stream.length - 1:
            for lane, place in enumerate(places):
                found = await shard.after(number(place))
                if found:
                    places[lane] = int(found[min(len(found), 100) - 1].sequence)

    asyncio.run(run())
    assert stream.reads <= 5
