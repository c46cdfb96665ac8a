"""Groups: made, joined, left, with policies of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.services.iam.documents import ALLOW

SQS = "arn:aws:iam::aws:policy/AmazonSQSFullAccess"


@pytest.fixture
def group(iam: Any, unique: Callable[[str], str]) -> str:
    name = unique("group")
    made = iam.create_group(GroupName=name)["Group"]
    assert made["GroupId"].startswith("AGPA")
    assert made["Arn"].endswith(f":group/{name}")
    return name


class TestMembers:
    def test_come_and_go(self, iam: Any, group: str, user: str) -> None:
        iam.add_user_to_group(GroupName=group, UserName=user)
        iam.add_user_to_group(GroupName=group, UserName=user)
        assert [each["UserName"] for each in iam.get_group(GroupName=group)["Users"]] == [user]
        assert [each["GroupName"] for each in iam.list_groups_for_user(UserName=user)["Groups"]] == [group]
        iam.remove_user_from_group(GroupName=group, UserName=user)
        assert iam.get_group(GroupName=group)["Users"] == []
        assert iam.list_groups_for_user(UserName=user)["Groups"] == []

    def test_a_renamed_user_stays_in_his_groups(
        self, iam: Any, group: str, user: str, unique: Callable[[str], str]
    ) -> None:
        iam.add_user_to_group(GroupName=group, UserName=user)
        other = unique("renamed")
        iam.update_user(UserName=user, NewUserName=other)
        assert [each["UserName"] for each in iam.get_group(GroupName=group)["Users"]] == [other]

    def test_both_have_to_be_there(self, iam: Any, group: str, user: str, refused: Any) -> None:
        with refused("NoSuchEntity", "The user with name nobody cannot be found.", 404):
            iam.add_user_to_group(GroupName=group, UserName="nobody")
        with refused("NoSuchEntity", "The group with name nothing cannot be found.", 404):
            iam.add_user_to_group(GroupName="nothing", UserName=user)

    def test_ten_groups_at_most(
        self, iam: Any, group: str, user: str, unique: Callable[[str], str], refused: Any
    ) -> None:
        for _ in range(10):
            other = unique("more")
            iam.create_group(GroupName=other)
            iam.add_user_to_group(GroupName=other, UserName=user)
        with refused("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10", 409):
            iam.add_user_to_group(GroupName=group, UserName=user)


class TestPolicies:
    def test_inline_and_managed(self, iam: Any, group: str, refused: Any) -> None:
        iam.put_group_policy(GroupName=group, PolicyName="one", PolicyDocument=ALLOW)
        iam.attach_group_policy(GroupName=group, PolicyArn=SQS)
        assert iam.list_group_policies(GroupName=group)["PolicyNames"] == ["one"]
        assert iam.get_group_policy(GroupName=group, PolicyName="one")["PolicyDocument"]["Statement"]
        attached = iam.list_attached_group_policies(GroupName=group)["AttachedPolicies"]
        assert [each["PolicyArn"] for each in attached] == [SQS]
        with refused("DeleteConflict", "must detach all policies first", 409):
            iam.delete_group(GroupName=group)
        iam.detach_group_policy(GroupName=group, PolicyArn=SQS)
        iam.delete_group_policy(GroupName=group, PolicyName="one")
        iam.delete_group(GroupName=group)
        with refused("NoSuchEntity", f"The group with name {group} cannot be found.", 404):
            iam.get_group(GroupName=group)

    def test_what_is_in_use_stays(self, iam: Any, group: str, user: str, refused: Any) -> None:
        iam.add_user_to_group(GroupName=group, UserName=user)
        with refused("DeleteConflict", "must remove users from group first", 409):
            iam.delete_group(GroupName=group)
        with refused("DeleteConflict", "must remove user from group first", 409):
            iam.delete_user(UserName=user)
