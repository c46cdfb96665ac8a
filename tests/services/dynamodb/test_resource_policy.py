"""PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy, and what a policy allows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import failure, refusal


@pytest.fixture
def arn(ddb: Any, make_table: Any) -> str:
    table = make_table(
        ["id"], {"id": "S"}, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    )
    return str(ddb.describe_table(TableName=table)["Table"]["TableArn"])


def allow(principal: str, action: str, resource: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_life(ddb, arn):
    assert failure(ddb.get_resource_policy, ResourceArn=arn)[0] == "PolicyNotFoundException"
    policy = allow("*", "dynamodb:GetItem", arn)
    revision = ddb.put_resource_policy(ResourceArn=arn, Policy=policy)["RevisionId"]
    assert ddb.get_resource_policy(ResourceArn=arn)["Policy"] == policy
    again = ddb.put_resource_policy(ResourceArn=arn, Policy=policy, ExpectedRevisionId=revision)
    assert again["RevisionId"] == revision
    code, _ = failure(ddb.put_resource_policy, ResourceArn=arn, Policy=policy, ExpectedRevisionId="NO_POLICY")
    assert code == "PolicyNotFoundException"
    assert ddb.delete_resource_policy(ResourceArn=arn)["RevisionId"] == revision
    assert "RevisionId" not in ddb.delete_resource_policy(ResourceArn=arn)


def test_of_a_stream(ddb, arn):
    stream = ddb.describe_table(TableName=arn)["Table"]["LatestStreamArn"]
    policy = allow("*", "dynamodb:GetRecords", stream)
    ddb.put_resource_policy(ResourceArn=stream, Policy=policy)
    assert ddb.get_resource_policy(ResourceArn=stream)["Policy"] == policy
    assert failure(ddb.get_resource_policy, ResourceArn=arn)[0] == "PolicyNotFoundException"


def test_wrong_ones(ddb, arn):
    code, _ = failure(ddb.get_resource_policy, ResourceArn=arn + "x")
    assert code == "ResourceNotFoundException"
    assert "policy" in refusal(ddb.put_resource_policy, ResourceArn=arn, Policy="no json")
    code, _ = failure(ddb.put_resource_policy, ResourceArn=arn, Policy="{" + " " * 21_000 + "}")
    assert code == "LimitExceededException"


@pytest.mark.node_only
def test_lets_a_user_in(node, client, ddb, arn, unique):
    iam = client("iam")
    user = iam.create_user(UserName=unique("reader"))["User"]
    key = iam.create_access_key(UserName=user["UserName"])["AccessKey"]
    theirs = node.client(
        "dynamodb", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )

    def read() -> str:
        try:
            theirs.get_item(TableName=arn.split("/")[1], Key={"id": {"S": "a"}})
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    assert read() == "AccessDeniedException"
    ddb.put_resource_policy(ResourceArn=arn, Policy=allow(user["Arn"], "dynamodb:GetItem", arn))
    assert read() == ""
