"""Updates: in place, by replacement, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Stacks

TABLE = """
Parameters:
  Retention: {Type: Number, Default: 7}
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {RetentionInDays: !Ref Retention}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
Outputs:
  Table: {Value: !Ref Table}
"""
OTHER_KEY = TABLE.replace("AttributeName: id,", "AttributeName: other,")
BROKEN = OTHER_KEY.replace(
    "Outputs:",
    "  Bad: {Type: AWS::Logs::LogGroup, DependsOn: [Table, Group], Properties: {RetentionInDays: 8}}\nOutputs:",
)


def retention(client: Callable[..., Any], group: str) -> int:
    found = client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    return int(found[0]["retentionInDays"])


def parameter(value: int) -> list[dict[str, str]]:
    return [{"ParameterKey": "Retention", "ParameterValue": str(value)}]


class TestUpdateStack:
    def test_in_place(self, stacks: Stacks, name: str, client: Callable[..., Any]) -> None:
        stacks.create(name, TABLE)
        group, table = stacks.physical_id(name, "Group"), stacks.physical_id(name, "Table")
        stack = stacks.update(name, TABLE, Parameters=parameter(30))
        assert stack["StackStatus"] == "UPDATE_COMPLETE"
        assert "LastUpdatedTime" in stack
        assert (stacks.physical_id(name, "Group"), stacks.physical_id(name, "Table")) == (group, table)
        assert retention(client, group) == 30
        start = len(stacks.events(name)) - 5
        assert stacks.events(name)[start:] == [
            (name, "UPDATE_IN_PROGRESS", "User Initiated"),
            ("Group", "UPDATE_IN_PROGRESS", ""),
            ("Group", "UPDATE_COMPLETE", ""),
            (name, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ""),
            (name, "UPDATE_COMPLETE", ""),
        ]

    def test_replacement(self, stacks: Stacks, name: str, client: Callable[..., Any]) -> None:
        stacks.create(name, TABLE)
        old = stacks.physical_id(name, "Table")
        stacks.update(name, OTHER_KEY)
        new = stacks.physical_id(name, "Table")
        assert new != old
        assert stacks.outputs(name)["Table"] == new
        tables = client("dynamodb").list_tables()["TableNames"]
        assert new in tables and old not in tables
        told = [event for event in stacks.events(name) if event[0] == "Table"][3:]
        assert [status for _, status, _ in told] == [
            "UPDATE_IN_PROGRESS",
            "UPDATE_IN_PROGRESS",
            "UPDATE_COMPLETE",
            "DELETE_IN_PROGRESS",
            "DELETE_COMPLETE",
        ]
        assert told[0][2].startswith("Requested update requires the creation of a new physical resource")

    def test_a_replaced_resource_may_be_kept(
        self, stacks: Stacks, name: str, client: Callable[..., Any]
    ) -> None:
        keep = "Type: AWS::DynamoDB::Table\n    UpdateReplacePolicy: Retain"
        stacks.create(name, TABLE.replace("Type: AWS::DynamoDB::Table", keep))
        old = stacks.physical_id(name, "Table")
        stacks.update(name, OTHER_KEY.replace("Type: AWS::DynamoDB::Table", keep))
        assert ("Table", "DELETE_SKIPPED", "") in stacks.events(name)
        client("dynamodb").delete_table(TableName=old)

    def test_added_and_removed(self, stacks: Stacks, name: str, client: Callable[..., Any]) -> None:
        stacks.create(name, TABLE)
        group = stacks.physical_id(name, "Group")
        text = TABLE.replace("Group:", "Another:")
        assert stacks.update(name, text)["StackStatus"] == "UPDATE_COMPLETE"
        summaries = stacks.client.list_stack_resources(StackName=name)["StackResourceSummaries"]
        assert sorted(each["LogicalResourceId"] for each in summaries) == ["Another", "Table"]
        assert not client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]

    @pytest.mark.parametrize("text", [TABLE, TABLE + "# a comment\n"])
    def test_nothing_to_do(self, stacks: Stacks, name: str, text: str) -> None:
        stacks.create(name, TABLE)
        with pytest.raises(ClientError, match="No updates are to be performed"):
            stacks.client.update_stack(StackName=name, TemplateBody=text)

    def test_previous_template_and_values(self, stacks: Stacks, name: str) -> None:
        stacks.create(name, TABLE, Parameters=parameter(14))
        stacks.client.update_stack(
            StackName=name,
            UsePreviousTemplate=True,
            Parameters=[{"ParameterKey": "Retention", "UsePreviousValue": True}],
            Tags=[{"Key": "a", "Value": "b"}],
        )
        stack = stacks.settled(name)
        assert stack["Tags"] == [{"Key": "a", "Value": "b"}]
        assert stack["Parameters"] == parameter(14)

    def test_what_failed_is_undone(self, stacks: Stacks, name: str, client: Callable[..., Any]) -> None:
        stacks.create(name, TABLE)
        table, group = stacks.physical_id(name, "Table"), stacks.physical_id(name, "Group")
        stack = stacks.update(name, BROKEN, Parameters=parameter(30))
        assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        assert stack["Parameters"] == parameter(7)
        assert stacks.physical_id(name, "Table") == table
        assert retention(client, group) == 7
        assert [each for each in client("dynamodb").list_tables()["TableNames"] if name in each] == [table]
        statuses = [status for logical_id, status, _ in stacks.events(name) if logical_id == name][2:]
        assert statuses == [
            "UPDATE_IN_PROGRESS",
            "UPDATE_ROLLBACK_IN_PROGRESS",
            "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
            "UPDATE_ROLLBACK_COMPLETE",
        ]
        assert stacks.update(name, OTHER_KEY)["StackStatus"] == "UPDATE_COMPLETE"

    def test_custom_names_stand_in_the_way_of_replacement(self, stacks: Stacks, name: str) -> None:
        named = TABLE.replace("BillingMode", f"TableName: {name}-t\n      BillingMode")
        stacks.create(name, named)
        stack = stacks.update(
            name, OTHER_KEY.replace("BillingMode", f"TableName: {name}-t\n      BillingMode")
        )
        assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        reason = next(reason for _, status, reason in stacks.events(name) if status == "UPDATE_FAILED")
        assert reason == (
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename"
            f" {name}-t and update the stack again."
        )

    def test_a_resource_keeps_its_type(self, stacks: Stacks, name: str) -> None:
        stacks.create(name, TABLE)
        text = TABLE.replace("AWS::Logs::LogGroup", "AWS::CDK::Metadata")
        with pytest.raises(ClientError, match=r"Update of resource type is not permitted.*\[Group\]"):
            stacks.client.update_stack(StackName=name, TemplateBody=text)

    def test_a_stack_that_is_not_there(self, stacks: Stacks, name: str) -> None:
        with pytest.raises(ClientError, match=rf"Stack \[{name}\] does not exist"):
            stacks.client.update_stack(StackName=name, TemplateBody=TABLE)

    def test_a_stack_that_was_rolled_back(self, stacks: Stacks, name: str) -> None:
        stacks.create(name, "Resources: {A: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 8}}}")
        with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
            stacks.client.update_stack(StackName=name, TemplateBody=TABLE)


class TestWithoutRollback:
    def test_a_failed_creation_is_mended(self, stacks: Stacks, name: str, client: Callable[..., Any]) -> None:
        text = TABLE.replace("!Ref Retention", "8")
        assert stacks.create(name, text, DisableRollback=True)["StackStatus"] == "CREATE_FAILED"
        stack = stacks.update(name, TABLE)
        assert stack["StackStatus"] == "UPDATE_COMPLETE"
        assert retention(client, stacks.physical_id(name, "Group")) == 7
        assert len(client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]) == 1

    def test_a_failed_update_is_mended(self, stacks: Stacks, name: str, client: Callable[..., Any]) -> None:
        stacks.create(name, TABLE)
        before = stacks.physical_id(name, "Table")
        stack = stacks.update(name, BROKEN, DisableRollback=True)
        assert stack["StackStatus"] == "UPDATE_FAILED"
        after = stacks.physical_id(name, "Table")
        assert after != before
        mended = BROKEN.replace("RetentionInDays: 8", "RetentionInDays: 3")
        assert stacks.update(name, mended)["StackStatus"] == "UPDATE_COMPLETE"
        assert stacks.physical_id(name, "Table") == after
        assert [each for each in client("dynamodb").list_tables()["TableNames"] if name in each] == [after]
