"""Users, groups, keys and instance profiles in a template."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.services.iam.documents import allow, trust

SQS = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"


def template(action: str, groups: list[str], status: str) -> str:
    document = json.loads(allow(action))
    resources = {
        "Group": {"Type": "AWS::IAM::Group", "Properties": {"ManagedPolicyArns": [SQS]}},
        "Other": {"Type": "AWS::IAM::Group"},
        "User": {
            "Type": "AWS::IAM::User",
            "Properties": {
                "Groups": [{"Ref": group} for group in groups],
                "Policies": [{"PolicyName": "own", "PolicyDocument": document}],
                "Tags": [{"Key": "team", "Value": "a"}],
            },
        },
        "Addition": {
            "Type": "AWS::IAM::UserToGroupAddition",
            "Properties": {"GroupName": {"Ref": "Other"}, "Users": [{"Ref": "User"}]},
        },
        "UserPolicy": {
            "Type": "AWS::IAM::UserPolicy",
            "Properties": {"UserName": {"Ref": "User"}, "PolicyName": "more", "PolicyDocument": document},
        },
        "GroupPolicy": {
            "Type": "AWS::IAM::GroupPolicy",
            "Properties": {"GroupName": {"Ref": "Group"}, "PolicyName": "more", "PolicyDocument": document},
        },
        "Key": {
            "Type": "AWS::IAM::AccessKey",
            "Properties": {"UserName": {"Ref": "User"}, "Status": status},
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": json.loads(trust("ec2.amazonaws.com"))},
        },
        "Profile": {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [{"Ref": "Role"}]}},
    }
    outputs = {
        name: {"Value": value}
        for name, value in {
            "User": {"Ref": "User"},
            "Arn": {"Fn::GetAtt": ["User", "Arn"]},
            "Group": {"Ref": "Group"},
            "Other": {"Ref": "Other"},
            "Key": {"Ref": "Key"},
            "Secret": {"Fn::GetAtt": ["Key", "SecretAccessKey"]},
            "Profile": {"Ref": "Profile"},
            "Role": {"Ref": "Role"},
        }.items()
    }
    return json.dumps({"Resources": resources, "Outputs": outputs})


def test_people_come_change_and_go_with_a_stack(
    client: Callable[..., Any], iam: Any, unique: Callable[[str], str], refused: Any
) -> None:
    cloudformation, name = client("cloudformation"), unique("people")

    def outputs() -> dict[str, str]:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        assert stack["StackStatus"].endswith("_COMPLETE") and "ROLLBACK" not in stack["StackStatus"], stack
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    given = {"StackName": name, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    cloudformation.create_stack(TemplateBody=template("sns:ListTopics", ["Group"], "Active"), **given)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name)
    made = outputs()
    keys = {"aws_access_key_id": made["Key"], "aws_secret_access_key": made["Secret"]}
    assert client("sts", **keys).get_caller_identity()["Arn"] == made["Arn"]
    client("sqs", **keys).list_queues()
    client("sns", **keys).list_topics()
    groups = iam.list_groups_for_user(UserName=made["User"])["Groups"]
    assert {group["GroupName"] for group in groups} == {made["Group"], made["Other"]}
    (role,) = iam.get_instance_profile(InstanceProfileName=made["Profile"])["InstanceProfile"]["Roles"]
    assert role["RoleName"] == made["Role"]

    cloudformation.update_stack(TemplateBody=template("dynamodb:ListTables", [], "Active"), **given)
    cloudformation.get_waiter("stack_update_complete").wait(StackName=name)
    client("dynamodb", **keys).list_tables()
    with refused("AccessDenied"):
        client("sqs", **keys).list_queues()

    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=name)
    with refused("NoSuchEntity"):
        iam.get_user(UserName=made["User"])
    with refused("NoSuchEntity"):
        iam.get_instance_profile(InstanceProfileName=made["Profile"])
