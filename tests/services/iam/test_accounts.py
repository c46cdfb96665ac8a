"""The account as a whole, and AWS's managed policies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cloudlet.policies.documents import policy_of
from cloudlet.services.iam.managed import aws_managed
from tests.services.iam.documents import ALLOW, BASIC


def test_an_alias_comes_and_goes(iam: Any, refused: Any) -> None:
    iam.create_account_alias(AccountAlias="workshop")
    assert iam.list_account_aliases()["AccountAliases"] == ["workshop"]
    with refused("NoSuchEntity"):
        iam.delete_account_alias(AccountAlias="other")
    iam.delete_account_alias(AccountAlias="workshop")
    assert iam.list_account_aliases()["AccountAliases"] == []


def test_the_summary_counts(iam: Any, role: str, user: str) -> None:
    before = iam.get_account_summary()["SummaryMap"]
    assert before["Roles"] >= 1 and before["Users"] >= 1 and before["GroupsPerUserQuota"] == 10


def test_everything_at_once(iam: Any, role: str, user: str) -> None:
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=ALLOW)
    iam.attach_role_policy(RoleName=role, PolicyArn=BASIC)
    found = iam.get_account_authorization_details()
    users = {one["UserName"]: one for one in found["UserDetailList"]}
    roles = {one["RoleName"]: one for one in found["RoleDetailList"]}
    assert users[user]["UserPolicyList"][0]["PolicyDocument"] == json.loads(ALLOW)
    assert roles[role]["AttachedManagedPolicies"][0]["PolicyArn"] == BASIC
    assert BASIC in [one["Arn"] for one in found["Policies"]]
    assert iam.get_account_authorization_details(Filter=["User"])["RoleDetailList"] == []


def test_a_group_is_renamed_with_all_it_has(iam: Any, user: str, unique: Callable[[str], str]) -> None:
    old, new = unique("old"), unique("new")
    iam.create_group(GroupName=old)
    iam.add_user_to_group(GroupName=old, UserName=user)
    iam.attach_group_policy(GroupName=old, PolicyArn=BASIC)
    iam.put_group_policy(GroupName=old, PolicyName="own", PolicyDocument=ALLOW)
    iam.update_group(GroupName=old, NewGroupName=new)
    assert [one["UserName"] for one in iam.get_group(GroupName=new)["Users"]] == [user]
    assert iam.list_attached_group_policies(GroupName=new)["AttachedPolicies"][0]["PolicyArn"] == BASIC
    assert iam.list_group_policies(GroupName=new)["PolicyNames"] == ["own"]


@pytest.mark.parametrize("arn", sorted(aws_managed()), ids=lambda arn: arn.rpartition("/")[2])
def test_awss_policies_can_be_weighed(arn: str) -> None:
    assert policy_of(json.loads(aws_managed()[arn]["Document"])).statements


def test_a_policy_of_awss_that_is_unknown_here_is_told_once(
    node: Any, iam: Any, user: str, client: Callable[..., Any], unique: Callable[[str], str], refused: Any
) -> None:
    arn = f"arn:aws:iam::aws:policy/{unique('Unheard')}"
    iam.attach_user_policy(UserName=user, PolicyArn=arn)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    keys = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
    for _ in range(2):
        with refused("AccessDenied"):
            client("sqs", **keys).list_queues()
        iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=ALLOW)
    assert node.log.count(f"the content of {arn} isn't known here") == 1
