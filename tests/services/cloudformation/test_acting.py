"""As whom resources are made: what the one who deploys, or the role that he gives, may."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Stacks

QUEUE = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
TOPIC = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


@pytest.fixture
def ann(client: Callable[..., Any], unique: Callable[[str], str]) -> Any:
    """CloudFormation as a user who may use it, and queues."""
    iam, name = client("iam"), unique("ann")
    iam.create_user(UserName=name)
    iam.put_user_policy(
        UserName=name, PolicyName="own", PolicyDocument=document(allow("cloudformation:*", "sqs:*"))
    )
    made = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
    found = client("cloudformation", **keys)
    found.user = name
    return found


@pytest.fixture
def role(client: Callable[..., Any], unique: Callable[[str], str]) -> str:
    """A role for CloudFormation that may make topics."""
    iam, name = client("iam"), unique("deployer")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudformation.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(allow("sns:*")))
    return arn


class TestTheOneWhoDeploys:
    def test_makes_what_he_may(self, ann: Any, unique: Callable[[str], str]) -> None:
        stacks, name = Stacks(ann), unique("queues")
        assert stacks.create(name, QUEUE)["StackStatus"] == "CREATE_COMPLETE"
        assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"

    def test_is_refused_what_he_may_not(self, ann: Any, unique: Callable[[str], str]) -> None:
        stacks, name = Stacks(ann), unique("topics")
        assert stacks.create(name, TOPIC)["StackStatus"] == "ROLLBACK_COMPLETE"
        reasons = [reason for logical, _, reason in stacks.events(name) if logical == "Topic"]
        assert any(f"user/{ann.user} is not authorized to perform: SNS:CreateTopic" in r for r in reasons)
        stacks.delete(name)


class TestARole:
    def test_stands_for_him(
        self, ann: Any, role: str, client: Callable[..., Any], unique: Callable[[str], str]
    ) -> None:
        stacks, name = Stacks(ann), unique("topics")
        with pytest.raises(ClientError) as refused:
            stacks.create(name, TOPIC, RoleARN=role)
        assert f"iam:PassRole on resource: {role}" in refused.value.response["Error"]["Message"]
        client("iam").put_user_policy(
            UserName=ann.user,
            PolicyName="pass",
            PolicyDocument=document(allow("iam:PassRole", resource=role)),
        )
        assert stacks.create(name, TOPIC, RoleARN=role)["StackStatus"] == "CREATE_COMPLETE"
        assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"

    def test_limits_the_administrator(self, client: Any, role: str, unique: Callable[[str], str]) -> None:
        stacks, name = Stacks(client("cloudformation")), unique("queues")
        assert stacks.create(name, QUEUE, RoleARN=role)["StackStatus"] == "ROLLBACK_COMPLETE"
        stacks.delete(name)

    def test_has_to_trust_cloudformation(self, client: Any, role: str, unique: Callable[[str], str]) -> None:
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        client("iam").update_assume_role_policy(
            RoleName=role.rpartition("/")[2], PolicyDocument=document(trust)
        )
        with pytest.raises(ClientError) as refused:
            Stacks(client("cloudformation")).create(unique("queues"), QUEUE, RoleARN=role)
        assert refused.value.response["Error"]["Message"] == f"Role {role} is invalid or cannot be assumed"
