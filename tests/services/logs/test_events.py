"""Log events: put, get, filter."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import now, put, refused

HOUR = 3600 * 1000
DAY = 24 * HOUR


def texts(answer: Any) -> list[str]:
    return [event["message"] for event in answer["events"]]


class TestPutLogEvents:
    def test_are_there_at_once(self, logs: Any, group: str) -> None:
        at = now()
        assert put(logs, group, (at, "one"), (at, "two"))["nextSequenceToken"].isdigit()
        events = logs.get_log_events(logGroupName=group, logStreamName="stream")["events"]
        assert [(event["timestamp"], event["message"]) for event in events] == [(at, "one"), (at, "two")]
        assert events[0]["ingestionTime"] >= at
        (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
        assert (stream["firstEventTimestamp"], stream["lastEventTimestamp"]) == (at, at)
        (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        assert found["storedBytes"] == 2 * (3 + 26)

    def test_the_old_and_the_new_are_left_out(self, logs: Any, group: str) -> None:
        at = now()
        old = put(logs, group, (at - 14 * DAY - HOUR, "old"), (at - 14 * DAY + HOUR, "ok"))
        assert old["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
        new = put(logs, group, (at, "ok too"), (at + 3 * HOUR, "new"))
        assert new["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
        answer = logs.get_log_events(logGroupName=group, logStreamName="stream")
        assert texts(answer) == ["ok", "ok too"]

    def test_what_its_retention_would_delete_is_left_out(self, logs: Any, group: str) -> None:
        logs.put_retention_policy(logGroupName=group, retentionInDays=1)
        at = now()
        answer = put(logs, group, (at - DAY - HOUR, "expired"), (at - DAY + HOUR, "ok"))
        assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}

    def test_errors(self, logs: Any, group: str) -> None:
        at = now()
        event = {"timestamp": at, "message": "x"}
        assert refused(
            logs.put_log_events, logGroupName=group, logStreamName="missing", logEvents=[event]
        ) == ("ResourceNotFoundException", "The specified log stream does not exist.")
        assert refused(
            logs.put_log_events, logGroupName="missing", logStreamName="stream", logEvents=[event]
        ) == ("ResourceNotFoundException", "The specified log group does not exist.")
        target = {"logGroupName": group, "logStreamName": "stream"}
        assert refused(logs.put_log_events, **target, logEvents=[event, event | {"timestamp": at - 1}]) == (
            "InvalidParameterException",
            "Log events in a single PutLogEvents request must be in chronological order.",
        )
        assert refused(
            logs.put_log_events, **target, logEvents=[event | {"timestamp": at - DAY - 1}, event]
        ) == (
            "InvalidParameterException",
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        )
        half = event | {"message": "é" * 262_144}
        assert refused(logs.put_log_events, **target, logEvents=[half, half]) == (
            "InvalidParameterException",
            "Upload too large: 1048628 bytes exceeds limit of 1048576",
        )
        assert refused(logs.put_log_events, **target, logEvents=[])[0] == "InvalidParameterException"


class TestGetLogEvents:
    def test_in_order_of_time_whatever_the_order_of_arrival(self, logs: Any, group: str) -> None:
        at = now() - 10_000
        put(logs, group, (at + 500, "c"), (at + 5000, "e"))
        put(logs, group, (at, "a"), (at + 600, "d"), (at + 9000, "f"))
        put(logs, group, (at + 400, "b"))
        answer = logs.get_log_events(logGroupName=group, logStreamName="stream", startFromHead=True)
        assert texts(answer) == ["a", "b", "c", "d", "e", "f"]

    def test_forward_to_the_end_and_on_when_more_comes(self, logs: Any, group: str) -> None:
        at = now()
        put(logs, group, *((at, str(n)) for n in range(5)))
        params = {"logGroupName": group, "logStreamName": "stream", "limit": 2, "startFromHead": True}
        pages = []
        answer = logs.get_log_events(**params)
        while answer["events"]:
            pages.append(texts(answer))
            answer = logs.get_log_events(**params, nextToken=answer["nextForwardToken"])
        assert pages == [["0", "1"], ["2", "3"], ["4"]]
        token = answer["nextForwardToken"]
        assert logs.get_log_events(**params, nextToken=token)["nextForwardToken"] == token
        put(logs, group, (at, "5"))
        assert texts(logs.get_log_events(**params, nextToken=token)) == ["5"]

    def test_backward_from_the_latest(self, logs: Any, group: str) -> None:
        at = now()
        put(logs, group, *((at + n, str(n)) for n in range(5)))
        params = {"logGroupName": group, "logStreamName": "stream", "limit": 2}
        pages = []
        answer = logs.get_log_events(**params)
        while answer["events"]:
            pages.append(texts(answer))
            answer = logs.get_log_events(**params, nextToken=answer["nextBackwardToken"])
        assert pages == [["3", "4"], ["1", "2"], ["0"]]
        assert answer["nextForwardToken"].startswith("f/")
        assert texts(logs.get_log_events(**params, nextToken=answer["nextForwardToken"])) == ["0", "1"]

    def test_between_two_times(self, logs: Any, group: str) -> None:
        at = now()
        put(logs, group, (at, "a"), (at + 1, "b"), (at + 2, "c"))
        params = {"logGroupName": group, "logStreamName": "stream"}
        assert texts(logs.get_log_events(**params, startTime=at + 1, endTime=at + 2)) == ["b"]
        assert texts(logs.get_log_events(**params, startTime=at + 3)) == []

    def test_pages_of_a_megabyte(self, logs: Any, group: str) -> None:
        at = now()
        for number in range(3):
            put(logs, group, (at + number, str(number) * 500_000))
        params = {"logGroupName": group, "logStreamName": "stream", "startFromHead": True}
        first = logs.get_log_events(**params)
        assert [text[0] for text in texts(first)] == ["0", "1"]
        second = logs.get_log_events(**params, nextToken=first["nextForwardToken"])
        assert [text[0] for text in texts(second)] == ["2"]

    def test_a_bad_token(self, logs: Any, group: str) -> None:
        for token in ("x", "f/1", "g/1/s", "f/x/s"):
            assert refused(
                logs.get_log_events, logGroupName=group, logStreamName="stream", nextToken=token
            ) == ("InvalidParameterException", "The specified nextToken is invalid.")

    def test_more_chunks_than_one_reading_takes(self, logs: Any, group: str) -> None:
        """All within one second, so that their order can't be told from the chunks' own."""
        at = now() - 1000
        for number in range(300):
            put(logs, group, (at + number % 7, f"{number % 7} {number:03d}"))
        params = {"logGroupName": group, "logStreamName": "stream"}
        wanted = sorted(f"{n % 7} {n:03d}" for n in range(300))
        assert texts(logs.get_log_events(**params, startFromHead=True)) == wanted
        assert texts(logs.get_log_events(**params)) == wanted
        assert texts(logs.get_log_events(**params, limit=3)) == wanted[-3:]
        assert texts(logs.filter_log_events(logGroupName=group)) == wanted


class TestFilterLogEvents:
    @pytest.fixture
    def filled(self, logs: Any, group: str) -> tuple[str, int]:
        at = now()
        for name in ("a1", "a2"):
            logs.create_log_stream(logGroupName=group, logStreamName=name)
        put(logs, group, (at, "ERROR one"), (at + 2, "INFO two"), stream="a1")
        put(logs, group, (at + 1, "ERROR three"), (at + 3, '{"level": "ERROR"}'), stream="a2")
        put(logs, group, (at + 4, "ERROR four"))
        return group, at

    def test_all_streams_in_order_of_time(self, logs: Any, filled: tuple[str, int]) -> None:
        group, at = filled
        answer = logs.filter_log_events(logGroupName=group)
        assert texts(answer) == ["ERROR one", "ERROR three", "INFO two", '{"level": "ERROR"}', "ERROR four"]
        first = answer["events"][0]
        assert (first["logStreamName"], first["timestamp"]) == ("a1", at)
        ids = [event["eventId"] for event in answer["events"]]
        assert ids == sorted(set(ids))

    def test_by_pattern_stream_and_time(self, logs: Any, filled: tuple[str, int]) -> None:
        group, at = filled

        def got(**params: Any) -> list[str]:
            return texts(logs.filter_log_events(logGroupName=group, **params))

        assert got(filterPattern="ERROR", logStreamNamePrefix="a") == [
            "ERROR one",
            "ERROR three",
            '{"level": "ERROR"}',
        ]
        assert got(filterPattern='{ $.level = "ERROR" }') == ['{"level": "ERROR"}']
        assert got(logStreamNames=["a2"]) == ["ERROR three", '{"level": "ERROR"}']
        assert got(logStreamNames=["a1", "stream"]) == ["ERROR one", "INFO two", "ERROR four"]
        assert got(startTime=at + 1, endTime=at + 2) == ["ERROR three", "INFO two"]

    def test_pages(self, logs: Any, filled: tuple[str, int]) -> None:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=filled[0], filterPattern="ERROR", PaginationConfig={"PageSize": 2}
        )
        assert [texts(page) for page in pages] == [
            ["ERROR one", "ERROR three"],
            ['{"level": "ERROR"}', "ERROR four"],
        ]

    def test_errors(self, logs: Any, group: str) -> None:
        assert refused(logs.filter_log_events, logGroupName=group, filterPattern="{ nonsense") == (
            "InvalidParameterException",
            "Invalid filter pattern",
        )
        assert refused(logs.filter_log_events, logGroupName=group, nextToken="x")[1] == (
            "The specified nextToken is invalid."
        )
        code, message = refused(logs.filter_log_events, logGroupName=group, limit=10_001)
        assert code == "InvalidParameterException"
        assert "Value '10001' at 'limit' failed to satisfy constraint" in message


class TestTestMetricFilter:
    def test_which_messages_match(self, logs: Any) -> None:
        answer = logs.test_metric_filter(filterPattern="ERROR", logEventMessages=["fine", "ERROR x"])
        assert answer["matches"] == [{"eventNumber": 2, "eventMessage": "ERROR x", "extractedValues": {}}]
