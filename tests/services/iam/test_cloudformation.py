"""IAM's types in a template."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.services.iam.documents import BASIC

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def allow(action: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def template(role: dict[str, Any], action: str = "sqs:*", owners: tuple[str, ...] = ("Role",)) -> str:
    roles = [{"Ref": owner} for owner in owners]
    return json.dumps(
        {
            "Resources": {
                "Role": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {"AssumeRolePolicyDocument": TRUST, **role},
                },
                "Other": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
                "Inline": {
                    "Type": "AWS::IAM::Policy",
                    "Properties": {"PolicyName": "inline", "PolicyDocument": allow(action), "Roles": roles},
                },
                "Managed": {
                    "Type": "AWS::IAM::ManagedPolicy",
                    "Properties": {"PolicyDocument": allow(action), "Roles": roles},
                },
            },
            "Outputs": {
                "Role": {"Value": {"Ref": "Role"}},
                "Other": {"Value": {"Ref": "Other"}},
                "Arn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}},
                "Id": {"Value": {"Fn::GetAtt": ["Role", "RoleId"]}},
                "Managed": {"Value": {"Ref": "Managed"}},
            },
        }
    )


class Stack:
    def __init__(self, cloudformation: Any, name: str) -> None:
        self._cloudformation = cloudformation
        self.name = name

    def put(self, body: str, how: str = "create") -> dict[str, str]:
        call = getattr(self._cloudformation, f"{how}_stack")
        call(StackName=self.name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        self.wait(how)
        stack = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        assert stack["StackStatus"] == f"{how.upper()}_COMPLETE"
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def delete(self) -> None:
        self._cloudformation.delete_stack(StackName=self.name)
        self.wait("delete")

    def wait(self, how: str) -> None:
        waiter = self._cloudformation.get_waiter(f"stack_{how}_complete")
        waiter.wait(StackName=self.name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})


@pytest.fixture
def stack(client: Callable[..., Any], unique: Callable[[str], str]) -> Stack:
    return Stack(client("cloudformation"), unique("stack"))


def test_made_changed_and_deleted(iam: Any, stack: Stack, refused: Any) -> None:
    first = {
        "ManagedPolicyArns": [BASIC, "arn:aws:iam::aws:policy/AmazonSQSFullAccess"],
        "Policies": [{"PolicyName": name, "PolicyDocument": allow("s3:*")} for name in ("a", "b")],
        "Tags": [{"Key": "k", "Value": "v"}],
    }
    out = stack.put(template(first))
    role = iam.get_role(RoleName=out["Role"])["Role"]
    assert (role["Arn"], role["RoleId"]) == (out["Arn"], out["Id"])
    assert role["AssumeRolePolicyDocument"] == TRUST
    assert role["RoleName"].startswith(f"{stack.name}-Role-")
    assert iam.list_role_policies(RoleName=out["Role"])["PolicyNames"] == ["a", "b", "inline"]
    attached = {
        p["PolicyArn"] for p in iam.list_attached_role_policies(RoleName=out["Role"])["AttachedPolicies"]
    }
    assert attached == {*first["ManagedPolicyArns"], out["Managed"]}

    second = {
        "ManagedPolicyArns": [BASIC],
        "Policies": [{"PolicyName": "b", "PolicyDocument": allow("s3:GetObject")}],
        "Description": "changed",
    }
    assert stack.put(template(second, "sns:*", ("Other",)), "update") == out
    assert iam.get_role(RoleName=out["Role"])["Role"]["Description"] == "changed"
    assert iam.list_role_tags(RoleName=out["Role"])["Tags"] == []
    assert iam.list_role_policies(RoleName=out["Role"])["PolicyNames"] == ["b"]
    assert iam.list_role_policies(RoleName=out["Other"])["PolicyNames"] == ["inline"]
    attached = iam.list_attached_role_policies(RoleName=out["Role"])["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [BASIC]
    version = iam.get_policy(PolicyArn=out["Managed"])["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=out["Managed"], VersionId=version)["PolicyVersion"][
        "Document"
    ]
    assert document == allow("sns:*")

    stack.delete()
    with refused("NoSuchEntity"):
        iam.get_role(RoleName=out["Role"])
    with refused("NoSuchEntity"):
        iam.get_policy(PolicyArn=out["Managed"])


def test_a_managed_policy_may_change_any_number_of_times(iam: Any, stack: Stack) -> None:
    stack.put(template({}))
    for number in range(7):
        out = stack.put(template({}, f"sqs:Action{number}"), "update")
    policy = iam.get_policy(PolicyArn=out["Managed"])["Policy"]
    assert policy["DefaultVersionId"] == "v8"
    assert len(iam.list_policy_versions(PolicyArn=out["Managed"])["Versions"]) <= 5
    stack.delete()
