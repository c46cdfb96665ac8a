"""Log groups and streams: create, list, tags, retention, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests import harness

from .conftest import now, put, refused

ARN = f"arn:aws:logs:{harness.REGION}:{harness.ACCOUNT}:log-group:"
NO_GROUP = ("ResourceNotFoundException", "The specified log group does not exist.")


class TestCreateLogGroup:
    def test_is_described(self, logs: Any, group: str) -> None:
        (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        assert found["arn"] == f"{ARN}{group}:*"
        assert found["logGroupArn"] == ARN + group
        assert (found["storedBytes"], found["metricFilterCount"]) == (0, 0)
        assert (found["logGroupClass"], found["deletionProtectionEnabled"]) == ("STANDARD", False)
        assert "retentionInDays" not in found

    def test_refuses_a_name_that_is_taken(self, logs: Any, group: str) -> None:
        assert refused(logs.create_log_group, logGroupName=group) == (
            "ResourceAlreadyExistsException",
            "The specified log group already exists",
        )

    @pytest.mark.parametrize("name", ["", "with space", "x" * 513])
    def test_refuses_a_bad_name(self, logs: Any, name: str) -> None:
        assert refused(logs.create_log_group, logGroupName=name)[0] == "InvalidParameterException"


class TestDescribeLogGroups:
    def test_pages(self, logs: Any, unique: Callable[[str], str]) -> None:
        prefix = f"/pages/{unique('p')}/"
        names = [f"{prefix}{n}" for n in range(5)]
        for name in names:
            logs.create_log_group(logGroupName=name)
        pages = list(
            logs.get_paginator("describe_log_groups").paginate(
                logGroupNamePrefix=prefix, PaginationConfig={"PageSize": 2}
            )
        )
        assert [len(page["logGroups"]) for page in pages] == [2, 2, 1]
        assert [g["logGroupName"] for page in pages for g in page["logGroups"]] == names
        for name in names:
            logs.delete_log_group(logGroupName=name)

    def test_a_token_of_nobodys(self, logs: Any) -> None:
        assert refused(logs.describe_log_groups, nextToken="!") == (
            "InvalidParameterException",
            "The specified nextToken is invalid.",
        )

    def test_prefix_or_pattern(self, logs: Any, group: str) -> None:
        found = logs.describe_log_groups(logGroupNamePattern=group[3:].upper())["logGroups"]
        assert [g["logGroupName"] for g in found] == [group]
        assert refused(logs.describe_log_groups, logGroupNamePrefix="a", logGroupNamePattern="b") == (
            "InvalidParameterException",
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        )


class TestDeleteLogGroup:
    def test_takes_streams_and_events_along(self, logs: Any, group: str) -> None:
        put(logs, group, (now(), "one"))
        logs.delete_log_group(logGroupName=group)
        assert refused(logs.describe_log_streams, logGroupName=group) == NO_GROUP
        logs.create_log_group(logGroupName=group)
        assert logs.describe_log_streams(logGroupName=group)["logStreams"] == []
        assert logs.filter_log_events(logGroupName=group)["events"] == []

    def test_a_protected_group_stays(self, logs: Any, group: str) -> None:
        logs.put_log_group_deletion_protection(logGroupIdentifier=group, deletionProtectionEnabled=True)
        assert refused(logs.delete_log_group, logGroupName=group)[0] == "ValidationException"
        logs.put_log_group_deletion_protection(logGroupIdentifier=group, deletionProtectionEnabled=False)
        logs.delete_log_group(logGroupName=group)

    def test_a_missing_group(self, logs: Any) -> None:
        assert refused(logs.delete_log_group, logGroupName="missing") == NO_GROUP


class TestStreams:
    def test_create_and_delete(self, logs: Any, group: str) -> None:
        (found,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
        assert found["arn"] == f"{ARN}{group}:log-stream:stream"
        assert (found["storedBytes"], "lastEventTimestamp" in found) == (0, False)
        assert refused(logs.create_log_stream, logGroupName=group, logStreamName="stream") == (
            "ResourceAlreadyExistsException",
            "The specified log stream already exists",
        )
        assert refused(logs.create_log_stream, logGroupName="missing", logStreamName="s") == NO_GROUP
        put(logs, group, (now(), "one"))
        logs.delete_log_stream(logGroupName=group, logStreamName="stream")
        assert logs.filter_log_events(logGroupName=group)["events"] == []
        assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["storedBytes"] == 0
        assert refused(logs.delete_log_stream, logGroupName=group, logStreamName="stream") == (
            "ResourceNotFoundException",
            "The specified log stream does not exist.",
        )

    def test_order_and_pages(self, logs: Any, group: str) -> None:
        for number, name in enumerate(("c", "a", "b")):
            logs.create_log_stream(logGroupName=group, logStreamName=name)
            put(logs, group, (now() - 1000 + number, "x"), stream=name)
        logs.delete_log_stream(logGroupName=group, logStreamName="stream")
        by_name = logs.describe_log_streams(logGroupName=group)["logStreams"]
        assert [s["logStreamName"] for s in by_name] == ["a", "b", "c"]
        latest = logs.get_paginator("describe_log_streams").paginate(
            logGroupName=group, orderBy="LastEventTime", descending=True, PaginationConfig={"PageSize": 2}
        )
        pages = [[s["logStreamName"] for s in page["logStreams"]] for page in latest]
        assert pages == [["b", "a"], ["c"]]
        assert refused(
            logs.describe_log_streams, logGroupName=group, orderBy="LastEventTime", logStreamNamePrefix="a"
        ) == (
            "InvalidParameterException",
            "Cannot order by LastEventTime with a logStreamNamePrefix.",
        )

    def test_by_arn_or_by_name_but_not_both(self, logs: Any, group: str) -> None:
        found = logs.describe_log_streams(logGroupIdentifier=ARN + group)["logStreams"]
        assert [s["logStreamName"] for s in found] == ["stream"]
        assert refused(logs.describe_log_streams, logGroupIdentifier=group, logGroupName=group) == (
            "ValidationException",
            "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
        )


class TestTags:
    def test_both_ways(self, logs: Any, unique: Callable[[str], str]) -> None:
        name = unique("tagged")
        logs.create_log_group(logGroupName=name, tags={"a": "1"})
        logs.tag_resource(resourceArn=ARN + name, tags={"b": "2"})
        logs.tag_log_group(logGroupName=name, tags={"c": "3"})
        logs.untag_resource(resourceArn=ARN + name, tagKeys=["a"])
        logs.untag_log_group(logGroupName=name, tags=["b"])
        assert logs.list_tags_for_resource(resourceArn=ARN + name)["tags"] == {"c": "3"}
        assert logs.list_tags_log_group(logGroupName=name)["tags"] == {"c": "3"}
        logs.delete_log_group(logGroupName=name)


class TestRetention:
    def test_put_and_delete(self, logs: Any, group: str) -> None:
        logs.put_retention_policy(logGroupName=group, retentionInDays=7)
        (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        assert found["retentionInDays"] == 7
        logs.delete_retention_policy(logGroupName=group)
        (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        assert "retentionInDays" not in found

    def test_only_certain_numbers_of_days(self, logs: Any, group: str) -> None:
        code, message = refused(logs.put_retention_policy, logGroupName=group, retentionInDays=2)
        assert code == "InvalidParameterException"
        assert "'2' at 'retentionInDays'" in message

    @pytest.mark.node_only
    def test_events_go_when_their_days_are_over(self, fresh_node: Callable[..., Any]) -> None:
        node = fresh_node()
        logs = node.client("logs")
        logs.create_log_group(logGroupName="g")
        logs.create_log_stream(logGroupName="g", logStreamName="stream")
        logs.put_retention_policy(logGroupName="g", retentionInDays=1)
        start = int(node.now() * 1000)
        put(logs, "g", (start, "old"))
        node.advance(20 * 3600)
        put(logs, "g", (start + 20 * 3600 * 1000, "new"))
        size = logs.describe_log_groups()["logGroups"][0]["storedBytes"]
        node.advance(5 * 3600)
        shown = logs.get_log_events(logGroupName="g", logStreamName="stream")["events"]
        assert [event["message"] for event in shown] == ["new"]
        harness.eventually(lambda: 0 < logs.describe_log_groups()["logGroups"][0]["storedBytes"] < size)
        node.advance(24 * 3600)
        harness.eventually(lambda: logs.describe_log_groups()["logGroups"][0]["storedBytes"] == 0)
