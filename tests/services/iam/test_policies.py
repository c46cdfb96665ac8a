"""Inline and managed policies, versions and attachments."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.services.iam.documents import ALLOW, BASIC, allow


@pytest.fixture
def policy(iam: Any, unique: Callable[[str], str]) -> str:
    arn: str = iam.create_policy(PolicyName=unique("policy"), PolicyDocument=ALLOW)["Policy"]["Arn"]
    return arn


class TestPutRolePolicy:
    def test_documents_come_back(self, iam: Any, role: str) -> None:
        document = allow(resource="arn:aws:dynamodb:*:*:table/a b+%")
        iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document)
        got = iam.get_role_policy(RoleName=role, PolicyName="p")
        assert got["PolicyDocument"] == json.loads(document)
        assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["p"]

    def test_replaced_and_deleted(self, iam: Any, role: str, refused: Any) -> None:
        for action in ("s3:GetObject", "s3:PutObject"):
            iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=allow(action))
        document = iam.get_role_policy(RoleName=role, PolicyName="p")["PolicyDocument"]
        assert document["Statement"][0]["Action"] == "s3:PutObject"
        iam.delete_role_policy(RoleName=role, PolicyName="p")
        with refused("NoSuchEntity", "The role policy with name p cannot be found.", 404):
            iam.get_role_policy(RoleName=role, PolicyName="p")

    @pytest.mark.parametrize(
        ("document", "text"),
        [
            ("nonsense", "This policy contains invalid Json"),
            (allow(Principal="*"), "Policy document should not specify a principal."),
            (allow(Action=[]), "Policy statement must contain actions."),
            (allow(Resource=[]), "Policy statement must contain resources."),
            (
                allow("everything"),
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
            ),
            (allow(resource="table"), 'Resource table must be in ARN format or "*".'),
        ],
    )
    def test_malformed(self, iam: Any, role: str, refused: Any, document: str, text: str) -> None:
        with refused("MalformedPolicyDocument", text, 400):
            iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document)

    def test_all_together_are_limited(self, iam: Any, role: str, refused: Any) -> None:
        big = allow(resource="arn:aws:s3:::" + "x" * 6000)
        iam.put_role_policy(RoleName=role, PolicyName="one", PolicyDocument=big)
        with refused("LimitExceeded", f"Maximum policy size of 10240 bytes exceeded for role {role}", 409):
            iam.put_role_policy(RoleName=role, PolicyName="two", PolicyDocument=big)

    def test_of_nobody(self, iam: Any, refused: Any) -> None:
        with refused("NoSuchEntity", "The role with name nobody cannot be found."):
            iam.put_role_policy(RoleName="nobody", PolicyName="p", PolicyDocument=ALLOW)


class TestCreatePolicy:
    def test_it_is_there(self, iam: Any, policy: str) -> None:
        got = iam.get_policy(PolicyArn=policy)["Policy"]
        assert got["Arn"] == policy
        assert (got["DefaultVersionId"], got["AttachmentCount"], got["IsAttachable"]) == ("v1", 0, True)
        assert got["PolicyId"].startswith("ANPA")

    def test_twice(self, iam: Any, policy: str, refused: Any) -> None:
        name = policy.rpartition("/")[2]
        with refused("EntityAlreadyExists", f"A policy called {name} already exists.", 409):
            iam.create_policy(PolicyName=name, PolicyDocument=ALLOW)

    def test_too_large(self, iam: Any, refused: Any) -> None:
        with refused("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", 409):
            iam.create_policy(PolicyName="never", PolicyDocument=allow(resource="arn:aws:s3:::" + "x" * 6144))


class TestPolicyVersions:
    def test_five_at_most_and_one_is_the_default(self, iam: Any, policy: str, refused: Any) -> None:
        for n in range(2, 6):
            document = allow(f"s3:Action{n}")
            made = iam.create_policy_version(PolicyArn=policy, PolicyDocument=document, SetAsDefault=n == 3)
            assert made["PolicyVersion"]["VersionId"] == f"v{n}"
        with refused("LimitExceeded", "A managed policy can have up to 5 versions.", 409):
            iam.create_policy_version(PolicyArn=policy, PolicyDocument=ALLOW)
        versions = iam.list_policy_versions(PolicyArn=policy)["Versions"]
        assert [v["VersionId"] for v in versions if v["IsDefaultVersion"]] == ["v3"]
        with refused("DeleteConflict", "Cannot delete the default version of a policy.", 409):
            iam.delete_policy_version(PolicyArn=policy, VersionId="v3")
        iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
        iam.set_default_policy_version(PolicyArn=policy, VersionId="v5")
        got = iam.get_policy_version(PolicyArn=policy, VersionId="v5")["PolicyVersion"]
        assert (got["IsDefaultVersion"], got["Document"]) == (True, json.loads(allow("s3:Action5")))
        with refused("NoSuchEntity", status=404):
            iam.get_policy_version(PolicyArn=policy, VersionId="v1")
        made = iam.create_policy_version(PolicyArn=policy, PolicyDocument=ALLOW)
        assert made["PolicyVersion"]["VersionId"] == "v6"


class TestDeletePolicy:
    def test_neither_attached_nor_with_versions(self, iam: Any, policy: str, role: str, refused: Any) -> None:
        iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        with refused("DeleteConflict", "Cannot delete a policy attached to entities.", 409):
            iam.delete_policy(PolicyArn=policy)
        iam.detach_role_policy(RoleName=role, PolicyArn=policy)
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=ALLOW)
        with refused("DeleteConflict", "This policy has more than one version.", 409):
            iam.delete_policy(PolicyArn=policy)
        iam.delete_policy_version(PolicyArn=policy, VersionId="v2")
        iam.delete_policy(PolicyArn=policy)
        with refused("NoSuchEntity", f"Policy {policy} was not found."):
            iam.get_policy(PolicyArn=policy)


class TestAttachRolePolicy:
    def test_found_from_both_ends(self, iam: Any, policy: str, role: str) -> None:
        iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        assert attached == [{"PolicyName": policy.rpartition("/")[2], "PolicyArn": policy}]
        roles = iam.list_entities_for_policy(PolicyArn=policy)["PolicyRoles"]
        assert [entity["RoleName"] for entity in roles] == [role]
        assert iam.get_policy(PolicyArn=policy)["Policy"]["AttachmentCount"] == 1

    def test_aws_own(self, iam: Any, role: str) -> None:
        iam.attach_role_policy(RoleName=role, PolicyArn=BASIC)
        got = iam.get_policy(PolicyArn=BASIC)["Policy"]
        assert (got["PolicyName"], got["Path"]) == ("AWSLambdaBasicExecutionRole", "/service-role/")
        version = iam.get_policy_version(PolicyArn=BASIC, VersionId=got["DefaultVersionId"])["PolicyVersion"]
        assert "logs:PutLogEvents" in version["Document"]["Statement"][0]["Action"]

    def test_aws_own_that_is_not_known_by_content(self, iam: Any, role: str) -> None:
        arn = "arn:aws:iam::aws:policy/AmazonPollyFullAccess"
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"][0]["PolicyArn"] == arn

    def test_missing_policy(self, iam: Any, role: str, refused: Any) -> None:
        arn = "arn:aws:iam::000000000000:policy/none"
        with refused("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404):
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        with refused("NoSuchEntity", f"Policy {arn} was not found.", 404):
            iam.detach_role_policy(RoleName=role, PolicyArn=arn)

    def test_ten_at_most(self, iam: Any, role: str, refused: Any) -> None:
        for n in range(10):
            iam.attach_role_policy(RoleName=role, PolicyArn=f"arn:aws:iam::aws:policy/Policy{n}")
        with refused("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10", 409):
            iam.attach_role_policy(RoleName=role, PolicyArn=BASIC)


class TestListPolicies:
    def test_scopes(self, iam: Any, policy: str, role: str) -> None:
        iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        pages = iam.get_paginator("list_policies")

        def arns(**options: Any) -> set[str]:
            return {p["Arn"] for page in pages.paginate(**options) for p in page["Policies"]}

        assert policy in arns(Scope="Local")
        assert policy in arns(Scope="Local", OnlyAttached=True)
        assert BASIC in arns(Scope="AWS")
        assert BASIC not in arns(Scope="Local")
        assert policy not in arns(Scope="AWS")
