"""Several batches of a stream at once, each item's records in their order."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.harness import eventually

from .streams import PICKY, REPORT, Flow

TIMED = (
    REPORT
    + """
def handler(event, context):
    began = time.time()
    time.sleep(0.1)
    versions = [r["dynamodb"]["NewImage"].get("v", {}).get("N") for r in event["Records"]]
    tell([began, time.time(), list(zip(ids(event), versions))])
"""
)
MANY = [f"item-{number}" for number in range(24)]


def test_batches_run_at_once_and_items_in_order(flow: Any) -> None:
    one = flow(TIMED)
    for version in range(3):
        one.put(*MANY[:8], v={"N": str(version)})
    one.map(ParallelizationFactor=4, BatchSize=2)
    told = []
    while sum(len(records) for _, _, records in told) < 24:
        told += one.told(1)
    told.sort()
    at_once = [sum(begin <= start < end for begin, end, _ in told) for start, _, _ in told]
    assert 1 < max(at_once) <= 4
    for item in MANY[:8]:
        records = [(begin, end, v) for begin, end, batch in told for id, v in batch if id == item]
        assert [v for _, _, v in records] == ["0", "1", "2"]
        for (_, end, _), (begin, _, _) in itertools.pairwise(records):
            assert end <= begin or end == _end_of_same(told, begin)


def _end_of_same(told: list[Any], begin: float) -> float:
    """Records of one item may be in one batch."""
    return next(end for start, end, _ in told if start == begin)


def test_a_record_that_fails_holds_up_only_its_own_lane(flow: Any) -> None:
    one = flow(PICKY)
    one.put("bad", *MANY)
    one.map(ParallelizationFactor=4, BatchSize=1)
    fine: set[str] = set()

    def most_are_seen() -> bool:
        fine.update(id for batch in one.told(1) for id in batch)
        return len(fine) > len(MANY) / 2

    eventually(most_are_seen)


@pytest.mark.slow
@pytest.mark.node_only
def test_other_lanes_go_on_after_a_kill(fresh_node: Any) -> None:
    """What was done isn't done again, though another lane is held up."""
    node = fresh_node()
    one = Flow(node.client, "lanes", PICKY)
    one.put("bad", *MANY)
    one.map(ParallelizationFactor=10, BatchSize=1)
    first = {id for batch in one.told(15) for id in batch}
    assert len(first) > 10
    node.kill()
    node.start()
    one.put("after")
    again = {id for batch in one.told(2) for id in batch} - {"bad"}
    assert len(again & first) < 5


def test_another_number_of_lanes_does_nothing_twice_and_skips_nothing(flow: Any) -> None:
    one = flow()
    one.map(BatchSize=1)
    one.put(*MANY[:8])
    for factor, ids in ((5, MANY[8:16]), (2, MANY[16:])):
        one.update(ParallelizationFactor=factor)
        one.put(*ids)
    assert sorted(id for batch in one.told(len(MANY)) for id in batch) == sorted(MANY)


@pytest.mark.slow
@pytest.mark.node_only
def test_nothing_acknowledged_is_skipped_and_items_stay_in_order(fresh_node: Any) -> None:
    """Items are written, and the node is killed, again and again."""
    node = fresh_node()
    seen = node.data.parent / "seen"
    seen.touch()
    one = Flow(
        node.client,
        "busy",
        """
import os
def handler(event, context):
    with open(os.environ["SEEN"], "a") as seen:
        for record in event["Records"]:
            image = record["dynamodb"]["NewImage"]
            seen.write(f'{image["id"]["S"]} {image["v"]["N"]}\\n')
""",
    )
    variables = {"SEEN": str(seen)}
    one.lam.update_function_configuration(FunctionName=one.name, Environment={"Variables": variables})
    one.map(ParallelizationFactor=4, BatchSize=3)
    acknowledged: set[tuple[str, int]] = set()

    def write_until_it_dies(round: int) -> None:
        for number in itertools.count(round * 1_000_000):
            item = MANY[number % len(MANY)]
            try:
                one.put(item, v={"N": str(number)})
            except (ClientError, BotoCoreError):
                return
            acknowledged.add((item, number))

    for round in range(3):
        writer = threading.Thread(target=write_until_it_dies, args=(round,))
        writer.start()
        eventually(lambda round=round: len(acknowledged) >= 100 * (round + 1))
        node.kill()
        writer.join()
        node.start()

    def told() -> list[tuple[str, int]]:
        return [(item, int(number)) for item, number in map(str.split, seen.read_text().splitlines())]

    eventually(lambda: acknowledged <= set(told()))
    for item in MANY:
        firsts = list(dict.fromkeys(number for id, number in told() if id == item))
        assert firsts == sorted(firsts)
