"""Change sets: told, executed, thrown away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Stacks

TABLE = """
Parameters: {Key: {Type: String, Default: id}, Days: {Type: Number, Default: 7}}
Resources:
  Group: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: !Ref Days}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: !Ref Key, AttributeType: S}]
      KeySchema: [{AttributeName: !Ref Key, KeyType: HASH}]
  User: {Type: AWS::CDK::Metadata, Properties: {Table: !Ref Table}}
"""


def change_set(stacks: Stacks, name: str, **options: Any) -> dict[str, Any]:
    request = {"StackName": name, "ChangeSetName": "change", "TemplateBody": TABLE, **options}
    stacks.client.create_change_set(**request)
    described: dict[str, Any] = stacks.client.describe_change_set(StackName=name, ChangeSetName="change")
    return described


def test_a_creation(stacks: Stacks, name: str) -> None:
    described = change_set(stacks, name, ChangeSetType="CREATE", Description="first")
    stacks.made.add(name)
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    changes = [each["ResourceChange"] for each in described["Changes"]]
    assert {(each["Action"], each["LogicalResourceId"]) for each in changes} == {
        ("Add", "Group"),
        ("Add", "Table"),
        ("Add", "User"),
    }
    assert stacks.describe(name)["StackStatus"] == "REVIEW_IN_PROGRESS"
    stacks.client.execute_change_set(StackName=name, ChangeSetName="change")
    stack = stacks.settled(name)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["ChangeSetId"] == described["ChangeSetId"]
    statuses = [status for logical_id, status, _ in stacks.events(name) if logical_id == name]
    assert statuses == ["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


def test_an_update_tells_what_is_replaced_and_why(stacks: Stacks, name: str) -> None:
    stacks.create(name, TABLE)
    parameters = [
        {"ParameterKey": "Key", "ParameterValue": "k"},
        {"ParameterKey": "Days", "ParameterValue": "14"},
    ]
    described = change_set(stacks, name, Parameters=parameters)
    changes = {
        each["ResourceChange"]["LogicalResourceId"]: each["ResourceChange"] for each in described["Changes"]
    }
    assert {key: (each["Action"], each["Replacement"]) for key, each in changes.items()} == {
        "Group": ("Modify", "False"),
        "Table": ("Modify", "True"),
        "User": ("Modify", "True"),
    }
    details = {each["Target"]["Name"]: each for each in changes["Table"]["Details"]}
    assert details["KeySchema"]["Target"]["RequiresRecreation"] == "Always"
    assert details["KeySchema"]["CausingEntity"] == "Key"
    assert details["KeySchema"]["ChangeSource"] == "ParameterReference"
    (detail,) = changes["User"]["Details"]
    assert (detail["ChangeSource"], detail["CausingEntity"]) == ("ResourceReference", "Table")
    before = stacks.physical_id(name, "Table")
    stacks.client.execute_change_set(StackName=name, ChangeSetName="change")
    assert stacks.settled(name)["StackStatus"] == "UPDATE_COMPLETE"
    assert stacks.physical_id(name, "Table") != before
    again = stacks.client.describe_change_set(ChangeSetName=described["ChangeSetId"])
    assert again["ExecutionStatus"] == "EXECUTE_COMPLETE"


def test_without_changes_it_fails(stacks: Stacks, name: str) -> None:
    stacks.create(name, TABLE)
    described = change_set(stacks, name)
    assert described["Status"] == "FAILED"
    assert described["StatusReason"].startswith("The submitted information didn't contain changes.")
    with pytest.raises(ClientError, match="cannot be executed in its current status of"):
        stacks.client.execute_change_set(StackName=name, ChangeSetName="change")


def test_list_and_delete(stacks: Stacks, name: str, unique: Callable[[str], str]) -> None:
    stacks.create(name, TABLE)
    change_set(stacks, name, Parameters=[{"ParameterKey": "Days", "ParameterValue": "30"}])
    listed = stacks.client.list_change_sets(StackName=name)["Summaries"]
    assert [each["ChangeSetName"] for each in listed] == ["change"]
    stacks.client.delete_change_set(StackName=name, ChangeSetName="change")
    with pytest.raises(ClientError) as gone:
        stacks.client.describe_change_set(StackName=name, ChangeSetName="change")
    assert gone.value.response["Error"]["Code"] == "ChangeSetNotFound"


def test_an_update_needs_a_stack(stacks: Stacks, name: str) -> None:
    with pytest.raises(ClientError, match=rf"Stack \[{name}\] does not exist"):
        change_set(stacks, name)
