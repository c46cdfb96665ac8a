"""What happens when a resource can't be made."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Stacks

BROKEN = """
Resources:
  Good: {Type: AWS::Logs::LogGroup}
  Bad:
    Type: AWS::Logs::LogGroup
    DependsOn: Good
    Properties: {RetentionInDays: 8}
  Never:
    Type: AWS::Logs::LogGroup
    DependsOn: Bad
"""


class TestCreation:
    def test_events_say_why_and_nothing_is_left(
        self, stacks: Stacks, name: str, client: Callable[..., Any]
    ) -> None:
        stack = stacks.create(name, BROKEN)
        assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
        events = stacks.events(name)
        reasons = [
            reason
            for logical_id, status, reason in events
            if (logical_id, status) == ("Bad", "CREATE_FAILED")
        ]
        assert len(reasons) == 1
        assert re.fullmatch(
            r'Resource handler returned message: ".+ \(Service: CloudWatchLogs, Status Code: 400, Request ID: [-\w]+\)"'
            r" \(RequestToken: [-\w]+, HandlerErrorCode: InvalidRequest\)",
            reasons[0],
        )
        why = "The following resource(s) failed to create: [Bad]. Rollback requested by user."
        assert (name, "ROLLBACK_IN_PROGRESS", why) in events
        assert [status for logical_id, status, _ in events if logical_id == "Good"][-2:] == [
            "DELETE_IN_PROGRESS",
            "DELETE_COMPLETE",
        ]
        assert "Never" not in [logical_id for logical_id, _, _ in events]
        assert not client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]

    @pytest.mark.parametrize(
        ("options", "status"),
        [
            ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED"),
            ({"DisableRollback": True}, "CREATE_FAILED"),
            ({"OnFailure": "DELETE"}, "DELETE_COMPLETE"),
        ],
    )
    def test_other_ends(self, stacks: Stacks, name: str, options: dict[str, Any], status: str) -> None:
        stack = stacks.create(name, BROKEN, **options)
        assert stack["StackStatus"] == status

    def test_a_name_that_is_taken(self, stacks: Stacks, name: str, client: Callable[..., Any]) -> None:
        client("logs").create_log_group(logGroupName=f"{name}-mine")
        text = (
            f"Resources: {{Group: {{Type: AWS::Logs::LogGroup, Properties: {{LogGroupName: {name}-mine}}}}}}"
        )
        assert stacks.create(name, text)["StackStatus"] == "ROLLBACK_COMPLETE"
        reason = next(reason for _, status, reason in stacks.events(name) if status == "CREATE_FAILED")
        assert (
            f"Resource of type 'AWS::Logs::LogGroup' with identifier '{name}-mine' already exists." in reason
        )
        assert reason.endswith("HandlerErrorCode: AlreadyExists)")
        found = client("logs").describe_log_groups(logGroupNamePrefix=f"{name}-mine")["logGroups"]
        assert len(found) == 1, "what another made is not the stack's to delete"
        client("logs").delete_log_group(logGroupName=f"{name}-mine")

    def test_wrong_types_of_properties(self, stacks: Stacks, name: str) -> None:
        text = "Resources: {Group: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: soon}}}"
        stacks.create(name, text)
        reason = next(reason for _, status, reason in stacks.events(name) if status == "CREATE_FAILED")
        assert "expected type: Number, found: String" in reason
