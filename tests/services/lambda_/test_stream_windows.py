"""Tumbling windows: a state that a function carries over a stretch of a stream's time."""

from __future__ import annotations

import datetime
import random
from typing import Any

import pytest

from tests.harness import ACCOUNT, REGION, eventually

from .streams import REPORT, Flow

pytestmark = pytest.mark.node_only

COUNTS = (
    REPORT
    + """
def handler(event, context):
    event["ids"] = ids(event)
    del event["Records"]
    tell(event)
    state = event["state"]
    state["n"] = state.get("n", 0) + len(event["ids"])
    return {"state": state}
"""
)
WINDOW = 600


def next_window(node: Any) -> int:
    """Move the clock to the beginning of a window, so that the test stays within it; when it began."""
    now = node.now()
    node.advance(WINDOW - now % WINDOW + 1)
    return int(now // WINDOW + 1) * WINDOW


def moment(at: int) -> str:
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_the_state_of_a_window(flow: Any, node: Any) -> None:
    one = flow(COUNTS)
    begin = next_window(node)
    one.map(TumblingWindowInSeconds=WINDOW)
    one.put("a")
    (first,) = one.told(1)
    assert first.pop("shardId").startswith("shardId-")
    assert first == {
        "ids": ["a"],
        "window": {"start": moment(begin), "end": moment(begin + WINDOW)},
        "state": {},
        "eventSourceARN": one.arn,
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
    }
    one.put("b")
    (second,) = one.told(1)
    assert (second["ids"], second["state"]) == (["b"], {"n": 1})
    eventually(lambda: one.seen()["LastProcessingResult"] == "OK")
    node.advance(WINDOW)
    (final,) = one.told(1)
    assert (final["ids"], final["state"], final["window"]) == ([], {"n": 2}, first["window"])
    assert (final["isFinalInvokeForWindow"], final["isWindowTerminatedEarly"]) == (True, False)
    one.put("c")
    (fresh,) = one.told(1)
    assert (fresh["ids"], fresh["state"]) == (["c"], {})
    assert fresh["window"]["start"] == first["window"]["end"]


def test_a_record_belongs_to_the_window_in_which_it_was_made(flow: Any, node: Any) -> None:
    one = flow(COUNTS)
    next_window(node)
    one.put("a", "b")
    node.advance(2 * WINDOW)
    one.put("c")
    one.map(TumblingWindowInSeconds=WINDOW)
    told = one.told(3)
    assert [(event["ids"], event["state"], event["isFinalInvokeForWindow"]) for event in told] == [
        (["a", "b"], {}, False),
        ([], {"n": 2}, True),
        (["c"], {}, False),
    ]
    assert told[1]["window"] == told[0]["window"] != told[2]["window"]


def test_no_state_is_a_failure(flow: Any, node: Any) -> None:
    one = flow(REPORT + "\ndef handler(event, context):\n    tell(ids(event))\n    return {}\n")
    next_window(node)
    one.map(TumblingWindowInSeconds=WINDOW, MaximumRetryAttempts=1)
    one.put("a")
    assert one.told(2) == [["a"], ["a"]]
    assert one.seen()["LastProcessingResult"] == "PROBLEM: Function call failed"


def test_a_large_state_ends_its_window(flow: Any, node: Any) -> None:
    one = flow(
        REPORT
        + """
def handler(event, context):
    tell([ids(event), len(event["state"]), event["isFinalInvokeForWindow"], event["isWindowTerminatedEarly"]])
    return {"state": {"much": "x" * 1024 * 1024}}
"""
    )
    next_window(node)
    one.map(TumblingWindowInSeconds=WINDOW, BatchSize=1)
    one.put("a", "b")
    assert one.told(4) == [
        [["a"], 0, False, False],
        [[], 1, True, True],
        [["b"], 0, False, False],
        [[], 1, True, True],
    ]


def test_nothing_goes_on_before_a_window_is_closed(flow: Any, node: Any) -> None:
    one = flow(
        REPORT
        + """
def handler(event, context):
    tell([ids(event), event["isFinalInvokeForWindow"]])
    if event["isFinalInvokeForWindow"] and "CLOSES" not in os.environ:
        raise ValueError("not yet")
    return {"state": {}}
"""
    )
    next_window(node)
    one.put("a")
    node.advance(WINDOW)
    one.put("b")
    one.map(TumblingWindowInSeconds=WINDOW, MaximumRetryAttempts=0)
    first, *finals = one.told(3)
    assert first == [["a"], False]
    assert all(final == [[], True] for final in finals)
    variables = {"OUT": one.out, "CLOSES": "1"}
    one.lam.update_function_configuration(FunctionName=one.name, Environment={"Variables": variables})
    told = one.told(2, while_waiting=lambda: node.advance(60))
    assert told[-1] == [["b"], False] or told[-2:] == [[["b"], False], [[], True]]


def test_what_is_given_up_leaves_the_state(flow: Any, node: Any) -> None:
    one = flow(COUNTS.replace("    return {", "    assert 'bad' not in event['ids']\n    return {"))
    next_window(node)
    one.map(TumblingWindowInSeconds=WINDOW, MaximumRetryAttempts=0, BatchSize=1)
    one.put("a", "bad", "c")
    assert [(event["ids"], event["state"]) for event in one.told(3)] == [
        (["a"], {}),
        (["bad"], {"n": 1}),
        (["c"], {"n": 1}),
    ]


def test_what_is_never_tried_opens_no_window(flow: Any, node: Any, client: Any, unique: Any) -> None:
    name = unique("dead")
    client("sqs").create_queue(QueueName=name)
    target = {"OnFailure": {"Destination": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"}}
    one = flow(COUNTS)
    one.put("a")
    node.advance(2 * WINDOW)
    next_window(node)
    one.put("b")
    one.map(TumblingWindowInSeconds=WINDOW, MaximumRecordAgeInSeconds=60, DestinationConfig=target)
    assert [event["ids"] for event in one.told(1)] == [["b"]]


def test_reported_items_keep_the_state_of_the_others(flow: Any, node: Any) -> None:
    one = flow(
        REPORT
        + """
def handler(event, context):
    names = ids(event)
    tell([names, event["state"]])
    good = [name for name in names if name != "bad"] if "b" in names else names
    failed = [r["dynamodb"]["SequenceNumber"] for r in event["Records"][len(good):]]
    state = {**event["state"], **{name: 1 for name in good}}
    return {"state": state, "batchItemFailures": [{"itemIdentifier": one} for one in failed]}
"""
    )
    next_window(node)
    one.put("a", "b", "bad")
    one.map(TumblingWindowInSeconds=WINDOW, FunctionResponseTypes=["ReportBatchItemFailures"])
    assert one.told(2) == [[["a", "b", "bad"], {}], [["bad"], {"a": 1, "b": 1}]]


@pytest.mark.slow
def test_a_window_ahead_of_a_clock_that_was_set_back_is_over(fresh_node: Any) -> None:
    node = fresh_node()
    one = Flow(node.client, "back", COUNTS)
    node.advance(86_400)
    next_window(node)
    one.map(TumblingWindowInSeconds=WINDOW)
    one.put("a")
    one.told(1)
    eventually(lambda: one.seen()["LastProcessingResult"] == "OK")
    node.post("/_cloudlet/clock", {"reset": True})
    (final,) = one.told(1, while_waiting=lambda: node.advance(200))
    assert (final["ids"], final["state"], final["isFinalInvokeForWindow"]) == ([], {"n": 1}, True)


@pytest.mark.slow
def test_the_state_outlives_a_kill(fresh_node: Any) -> None:
    node = fresh_node()
    one = Flow(node.client, "kept", COUNTS)
    long = max((600, 700, 900), key=lambda seconds: seconds - node.now() % seconds)
    one.map(TumblingWindowInSeconds=long)
    one.put("a")
    one.told(1)
    eventually(lambda: one.seen()["LastProcessingResult"] == "OK")
    node.kill()
    node.start()
    one.put("b")
    (second,) = one.told(1)
    assert (second["ids"], second["state"]) == (["b"], {"n": 1})


@pytest.mark.slow
def test_each_record_counts_once_whatever_fails(flow: Any, node: Any) -> None:
    """Windows pass while the function fails as it likes; what it was told in the end is what was written."""
    one = flow(
        REPORT
        + """
import random

def handler(event, context):
    if random.random() < 0.3:
        raise ValueError("no")
    if random.random() < 0.1:
        return {}
    if event["isFinalInvokeForWindow"]:
        tell([event["window"]["start"], event["state"]])
    return {"state": {**event["state"], **dict.fromkeys(ids(event), 1)}}
"""
    )
    one.map(TumblingWindowInSeconds=60, BatchSize=3, BisectBatchOnFunctionError=True)
    draw = random.Random(7)
    for number in range(40):
        one.put(f"item-{number}")
        node.advance(draw.choice((0, 0, 5, 25, 90)))
    written: dict[str, set[str]] = {}
    for record in one.records():
        begin = int(record["ApproximateCreationDateTime"].timestamp()) // 60 * 60
        written.setdefault(moment(begin), set()).add(record["Keys"]["id"]["S"])
    told: dict[str, set[str]] = {}

    def all_are_told() -> bool:
        node.advance(61)
        told.update((start, set(state)) for start, state in one.told(0))
        return told.keys() >= written.keys()

    eventually(all_are_told, within=60)
    assert told == written
