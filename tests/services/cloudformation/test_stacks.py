"""Stacks: created, described, deleted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.harness import eventually

from .conftest import Stacks

TABLE_AND_ROLE = """
Description: A table and who may use it
Parameters:
  Stage: {Type: String, Default: dev}
  Secret: {Type: String, NoEcho: true, Default: hidden}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
      Policies:
        - PolicyName: use
          PolicyDocument:
            Version: 2012-10-17
            Statement: [{Effect: Allow, Action: "dynamodb:*", Resource: !GetAtt Table.Arn}]
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Extra:
    Type: AWS::Logs::LogGroup
    Condition: IsProd
Outputs:
  Table: {Value: !Ref Table, Description: its name}
  TableArn: {Value: !GetAtt Table.Arn}
  TableFromArn: {Value: !Select [1, !Split ["/", !GetAtt Table.Arn]]}
  Extra: {Value: !Ref Extra, Condition: IsProd}
"""
GROUP = "Resources: {Group: {Type: AWS::Logs::LogGroup}}"


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


class TestCreateStack:
    def test_a_table_and_a_role(self, stacks: Stacks, name: str, client: Callable[..., Any]) -> None:
        stack = stacks.create(name, TABLE_AND_ROLE)
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        assert stack["Description"] == "A table and who may use it"
        outputs = stacks.outputs(name)
        assert re.fullmatch(f"{name}-Table-[A-Z0-9]{{12}}", outputs["Table"])
        assert outputs.keys() == {"Table", "TableArn", "TableFromArn"}
        assert outputs["TableFromArn"] == outputs["Table"]
        described = client("dynamodb").describe_table(TableName=outputs["Table"])["Table"]
        assert described["TableArn"] == outputs["TableArn"]
        role = stacks.physical_id(name, "Role")
        policy = client("iam").get_role_policy(RoleName=role, PolicyName="use")["PolicyDocument"]
        assert policy["Statement"][0]["Resource"] == outputs["TableArn"]

    def test_events_tell_the_story(self, stacks: Stacks, name: str) -> None:
        stacks.create(name, GROUP)
        assert stacks.events(name) == [
            (name, "CREATE_IN_PROGRESS", "User Initiated"),
            ("Group", "CREATE_IN_PROGRESS", ""),
            ("Group", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
            ("Group", "CREATE_COMPLETE", ""),
            (name, "CREATE_COMPLETE", ""),
        ]

    def test_parameters_are_shown_but_for_those_that_must_not_be(self, stacks: Stacks, name: str) -> None:
        parameters = [{"ParameterKey": "Secret", "ParameterValue": "open sesame"}]
        stack = stacks.create(name, TABLE_AND_ROLE, Parameters=parameters, Tags=[{"Key": "a", "Value": "b"}])
        shown = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
        assert shown == {"Stage": "dev", "Secret": "****"}
        assert stack["Tags"] == [{"Key": "a", "Value": "b"}]

    def test_capabilities_are_asked_for(self, stacks: Stacks, name: str) -> None:
        create = stacks.client.create_stack
        code, message = refused(create, StackName=name, TemplateBody=TABLE_AND_ROLE)
        assert (code, message) == (
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_IAM]",
        )
        named = TABLE_AND_ROLE.replace(
            "    Properties:\n      Assume", "    Properties:\n      RoleName: me\n      Assume"
        )
        code, message = refused(create, StackName=name, TemplateBody=named, Capabilities=["CAPABILITY_IAM"])
        assert message == "Requires capabilities : [CAPABILITY_NAMED_IAM]"

    def test_a_name_is_taken_once(self, stacks: Stacks, name: str) -> None:
        stacks.create(name, GROUP)
        answer = refused(stacks.client.create_stack, StackName=name, TemplateBody=GROUP)
        assert answer == ("AlreadyExistsException", f"Stack [{name}] already exists")

    def test_the_same_token_is_the_same_creation(self, stacks: Stacks, name: str) -> None:
        stack = stacks.create(name, GROUP, ClientRequestToken="t-1")
        again = stacks.client.create_stack(StackName=name, TemplateBody=GROUP, ClientRequestToken="t-1")
        assert again["StackId"] == stack["StackId"]

    @pytest.mark.parametrize(
        ("request_", "message"),
        [
            ({"StackName": "1x", "TemplateBody": GROUP}, "Member must satisfy regular expression pattern"),
            ({"StackName": "x"}, "Either Template URL or Template Body must be specified."),
            ({"StackName": "x", "TemplateBody": "x" * 51_201}, "less than or equal to 51200"),
            ({"StackName": "x", "TemplateBody": "Resources: [", }, "YAML not well-formed. (line 2, column 1)"),
        ],
    )  # fmt: skip
    def test_what_is_not_a_request_is_refused(
        self, stacks: Stacks, request_: dict[str, str], message: str
    ) -> None:
        code, text = refused(stacks.client.create_stack, **request_)
        assert code == "ValidationError"
        assert message in text

    def test_nothing_is_left_of_a_refused_template(self, stacks: Stacks, name: str) -> None:
        text = "Resources: {A: {Type: AWS::Foo::Bar}}"
        _, message = refused(stacks.client.create_stack, StackName=name, TemplateBody=text)
        assert message == "Template format error: Unrecognized resource types: [AWS::Foo::Bar] (A, line 1)"
        _, message = refused(stacks.client.describe_stacks, StackName=name)
        assert message == f"Stack with id {name} does not exist"


class TestDeleteStack:
    def test_everything_goes_and_the_stack_is_remembered_by_its_id(
        self, stacks: Stacks, name: str, client: Callable[..., Any]
    ) -> None:
        stacks.create(name, TABLE_AND_ROLE)
        table = stacks.outputs(name)["Table"]
        stack = stacks.delete(name)
        assert stack["StackStatus"] == "DELETE_COMPLETE"
        assert table not in client("dynamodb").list_tables()["TableNames"]
        assert refused(stacks.client.describe_stacks, StackName=name)[0] == "ValidationError"
        summaries = stacks.client.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
        assert stack["StackId"] in [each["StackId"] for each in summaries]

    @pytest.mark.node_only
    def test_a_deleted_stack_is_remembered_for_90_days(
        self, fresh_node: Callable[..., Any], name: str
    ) -> None:
        node = fresh_node()
        stacks = Stacks(node.client("cloudformation"))
        stacks.create(name, GROUP)
        stack_id = stacks.delete(name)["StackId"]
        node.advance(89 * 86_400)
        assert stacks.describe(stack_id)["StackStatus"] == "DELETE_COMPLETE"
        node.advance(2 * 86_400)
        eventually(lambda: not stacks.client.list_stacks()["StackSummaries"])
        assert refused(stacks.client.describe_stack_events, StackName=stack_id)[0] == "ValidationError"

    def test_what_is_not_there_is_deleted_already(self, stacks: Stacks, name: str) -> None:
        stacks.client.delete_stack(StackName=name)

    def test_retained_resources_stay(self, stacks: Stacks, name: str, client: Callable[..., Any]) -> None:
        text = "Resources: {Group: {Type: AWS::Logs::LogGroup, DeletionPolicy: Retain}}"
        stacks.create(name, text)
        group = stacks.physical_id(name, "Group")
        stack = stacks.delete(name)
        assert ("Group", "DELETE_SKIPPED", "") in stacks.events(stack["StackId"])
        logs = client("logs")
        assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        logs.delete_log_group(logGroupName=group)

    def test_protected_stacks_stay(self, stacks: Stacks, name: str) -> None:
        stacks.create(name, GROUP, EnableTerminationProtection=True)
        _, message = refused(stacks.client.delete_stack, StackName=name)
        assert message == f"Stack [{name}] cannot be deleted while TerminationProtection is enabled"
        stacks.client.update_termination_protection(StackName=name, EnableTerminationProtection=False)
        assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"


class TestTemplates:
    def test_get_template_is_what_was_given(self, stacks: Stacks, name: str) -> None:
        stacks.create(name, TABLE_AND_ROLE)
        assert stacks.client.get_template(StackName=name)["TemplateBody"] == TABLE_AND_ROLE

    def test_summary(self, stacks: Stacks) -> None:
        summary = stacks.client.get_template_summary(TemplateBody=TABLE_AND_ROLE)
        assert summary["Capabilities"] == ["CAPABILITY_IAM"]
        assert summary["ResourceTypes"] == ["AWS::DynamoDB::Table", "AWS::IAM::Role", "AWS::Logs::LogGroup"]
        declared = {each["ParameterKey"]: each for each in summary["Parameters"]}
        assert declared["Secret"]["NoEcho"] is True
        assert declared["Stage"]["DefaultValue"] == "dev"

    def test_validate(self, stacks: Stacks) -> None:
        answer = stacks.client.validate_template(TemplateBody=TABLE_AND_ROLE)
        assert answer["Description"] == "A table and who may use it"
        text = "Resources: {A: {Type: AWS::Logs::LogGroup, DependsOn: B}}"
        _, message = refused(stacks.client.validate_template, TemplateBody=text)
        assert "Unresolved resource dependencies [B]" in message


class TestPolicies:
    def test_are_kept(self, stacks: Stacks, name: str) -> None:
        stacks.create(name, GROUP)
        assert "StackPolicyBody" not in stacks.client.get_stack_policy(StackName=name)
        stacks.client.set_stack_policy(StackName=name, StackPolicyBody='{"Statement": []}')
        assert stacks.client.get_stack_policy(StackName=name)["StackPolicyBody"] == '{"Statement": []}'
        _, message = refused(stacks.client.set_stack_policy, StackName=name, StackPolicyBody="{")
        assert "Invalid stack policy" in message


class TestDescribe:
    def test_resources(self, stacks: Stacks, name: str) -> None:
        stacks.create(name, TABLE_AND_ROLE)
        summaries = stacks.client.list_stack_resources(StackName=name)["StackResourceSummaries"]
        assert {each["LogicalResourceId"]: each["ResourceStatus"] for each in summaries} == {
            "Role": "CREATE_COMPLETE",
            "Table": "CREATE_COMPLETE",
        }
        table = stacks.physical_id(name, "Table")
        found = stacks.client.describe_stack_resources(PhysicalResourceId=table)["StackResources"]
        assert {each["StackName"] for each in found} == {name}
        _, message = refused(stacks.client.describe_stack_resource, StackName=name, LogicalResourceId="Nope")
        assert message == f"Resource Nope does not exist for stack {name}"

    def test_operations_that_are_not_built_say_so(self, stacks: Stacks) -> None:
        _, message = refused(stacks.client.detect_stack_drift, StackName="x")
        assert "drift detection" in message
