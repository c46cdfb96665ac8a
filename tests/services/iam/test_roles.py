"""Roles."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.services.iam.documents import ALLOW, TRUST, trust


class TestCreateRole:
    def test_it_is_there(self, iam: Any, unique: Callable[[str], str]) -> None:
        name = unique("role")
        made = iam.create_role(
            RoleName=name,
            Path="/app/",
            AssumeRolePolicyDocument=TRUST,
            Description="a role",
            MaxSessionDuration=7200,
            Tags=[{"Key": "team", "Value": "blue"}],
        )["Role"]
        assert made["Arn"].endswith(f":role/app/{name}")
        assert made["RoleId"].startswith("AROA")
        assert len(made["RoleId"]) == 21
        got = iam.get_role(RoleName=name)["Role"]
        assert got.pop("RoleLastUsed") == {}
        assert got == made
        assert got["AssumeRolePolicyDocument"] == json.loads(TRUST)

    def test_a_second_time(self, iam: Any, role: str, refused: Any) -> None:
        with refused("EntityAlreadyExists", f"Role with name {role} already exists.", 409):
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)

    def test_names_differ_by_more_than_case(self, iam: Any, role: str, refused: Any) -> None:
        with refused("EntityAlreadyExists"):
            iam.create_role(RoleName=role.upper(), AssumeRolePolicyDocument=TRUST)

    @pytest.mark.parametrize(
        ("document", "text"),
        [
            ("{", "This policy contains invalid Json"),
            ("[]", "Syntax errors in policy."),
            (trust(Effect="Perhaps"), "Syntax errors in policy."),
            (trust(Resource="*"), "Has prohibited field Resource"),
            (ALLOW, "Has prohibited field Resource"),
            (trust(Principal=None), "Missing required field Principal"),
            (trust(Action="s3:GetObject"), "AssumeRole policy may only specify STS AssumeRole actions."),
        ],
    )
    def test_malformed_trust(self, iam: Any, refused: Any, document: str, text: str) -> None:
        with refused("MalformedPolicyDocument", text, 400):
            iam.create_role(RoleName="never", AssumeRolePolicyDocument=document)

    def test_bad_name_and_duration(self, iam: Any, refused: Any) -> None:
        with refused(
            "ValidationError", "2 validation errors detected: Value 'a b' at 'roleName' failed", 400
        ):
            iam.create_role(RoleName="a b", AssumeRolePolicyDocument=TRUST, MaxSessionDuration=1)

    def test_the_same_tag_twice(self, iam: Any, refused: Any) -> None:
        tags = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
        with refused("InvalidInput", "Duplicate tag keys found."):
            iam.create_role(RoleName="never", AssumeRolePolicyDocument=TRUST, Tags=tags)


class TestGetRole:
    def test_missing(self, iam: Any, refused: Any) -> None:
        with refused("NoSuchEntity", "The role with name nobody cannot be found.", 404):
            iam.get_role(RoleName="nobody")


class TestListRoles:
    def test_pages_of_a_path(self, iam: Any, unique: Callable[[str], str]) -> None:
        path = f"/{unique('path')}/"
        names = sorted(unique("role") for _ in range(5))
        for name in names:
            iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=TRUST)
        pages = list(
            iam.get_paginator("list_roles").paginate(PathPrefix=path, PaginationConfig={"PageSize": 2})
        )
        assert [len(page["Roles"]) for page in pages] == [2, 2, 1]
        assert sorted(role["RoleName"] for page in pages for role in page["Roles"]) == names


class TestUpdateRole:
    def test_description_and_duration(self, iam: Any, role: str) -> None:
        iam.update_role(RoleName=role, Description="new", MaxSessionDuration=3700)
        got = iam.get_role(RoleName=role)["Role"]
        assert (got["Description"], got["MaxSessionDuration"]) == ("new", 3700)

    def test_trust(self, iam: Any, role: str) -> None:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust("events.amazonaws.com"))
        document = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        assert document["Statement"][0]["Principal"] == {"Service": "events.amazonaws.com"}

    def test_boundary(self, iam: Any, role: str) -> None:
        boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
        iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=boundary)
        got = iam.get_role(RoleName=role)["Role"]["PermissionsBoundary"]
        assert got == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
        iam.delete_role_permissions_boundary(RoleName=role)
        assert "PermissionsBoundary" not in iam.get_role(RoleName=role)["Role"]


class TestDeleteRole:
    def test_gone(self, iam: Any, role: str, refused: Any) -> None:
        iam.delete_role(RoleName=role)
        with refused("NoSuchEntity"):
            iam.get_role(RoleName=role)

    def test_not_while_it_has_policies(self, iam: Any, role: str, refused: Any) -> None:
        arn = "arn:aws:iam::aws:policy/AmazonSQSFullAccess"
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=ALLOW)
        with refused("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409):
            iam.delete_role(RoleName=role)
        iam.detach_role_policy(RoleName=role, PolicyArn=arn)
        with refused("DeleteConflict", "Cannot delete entity, must delete policies first.", 409):
            iam.delete_role(RoleName=role)
        iam.delete_role_policy(RoleName=role, PolicyName="p")
        iam.delete_role(RoleName=role)


class TestTagRole:
    def test_added_replaced_removed(self, iam: Any, role: str) -> None:
        iam.tag_role(RoleName=role, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        iam.tag_role(RoleName=role, Tags=[{"Key": "A", "Value": "3"}])
        iam.untag_role(RoleName=role, TagKeys=["b"])
        assert iam.list_role_tags(RoleName=role)["Tags"] == [{"Key": "A", "Value": "3"}]

    def test_fifty_at_most(self, iam: Any, role: str, refused: Any) -> None:
        iam.tag_role(RoleName=role, Tags=[{"Key": str(n), "Value": ""} for n in range(50)])
        with refused("LimitExceeded"):
            iam.tag_role(RoleName=role, Tags=[{"Key": "one more", "Value": ""}])
