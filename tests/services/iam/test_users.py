"""Users and their keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.services.iam.documents import ALLOW


class TestCreateUser:
    def test_it_is_there(self, iam: Any, user: str, refused: Any) -> None:
        got = iam.get_user(UserName=user)["User"]
        assert got["Arn"].endswith(f":user/{user}")
        assert got["UserId"].startswith("AIDA")
        with refused("EntityAlreadyExists", f"User with name {user} already exists.", 409):
            iam.create_user(UserName=user)


class TestUpdateUser:
    def test_policies_and_keys_go_with_the_name(self, iam: Any, user: str, unique: Any, refused: Any) -> None:
        new = unique("renamed")
        key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=ALLOW)
        iam.update_user(UserName=user, NewUserName=new)
        with refused("NoSuchEntity", f"The user with name {user} cannot be found.", 404):
            iam.get_user(UserName=user)
        assert iam.list_user_policies(UserName=new)["PolicyNames"] == ["p"]
        assert iam.get_access_key_last_used(AccessKeyId=key)["UserName"] == new


class TestDeleteUser:
    def test_not_while_it_has_anything(self, iam: Any, user: str, refused: Any) -> None:
        key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=ALLOW)
        with refused("DeleteConflict", "must delete access keys first", 409):
            iam.delete_user(UserName=user)
        iam.delete_access_key(UserName=user, AccessKeyId=key)
        with refused("DeleteConflict", "must delete policies first", 409):
            iam.delete_user(UserName=user)
        iam.delete_user_policy(UserName=user, PolicyName="p")
        iam.delete_user(UserName=user)
        assert user not in [u["UserName"] for u in iam.list_users()["Users"]]


class TestAccessKeys:
    def test_who_uses_one_is_the_user(
        self, iam: Any, user: str, client: Callable[..., Any], refused: Any
    ) -> None:
        key = iam.create_access_key(UserName=user)["AccessKey"]
        sts = client(
            "sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )
        who = sts.get_caller_identity()
        assert who["Arn"] == iam.get_user(UserName=user)["User"]["Arn"]
        assert who["UserId"].startswith("AIDA")
        own = client(
            "iam", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )
        with refused("AccessDenied", status=403):
            own.get_user()
        allowed = {"Effect": "Allow", "Action": "iam:GetUser", "Resource": who["Arn"]}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_user_policy(UserName=user, PolicyName="self", PolicyDocument=document)
        assert own.get_user()["User"]["UserName"] == user

    def test_an_inactive_one_is_refused(
        self, iam: Any, user: str, client: Callable[..., Any], refused: Any
    ) -> None:
        key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
        iam.update_access_key(UserName=user, AccessKeyId=key, Status="Inactive")
        assert iam.list_access_keys(UserName=user)["AccessKeyMetadata"][0]["Status"] == "Inactive"
        with refused("InvalidClientTokenId", "The security token included in the request is invalid.", 403):
            client("sts", aws_access_key_id=key).get_caller_identity()
        with refused("UnrecognizedClientException", status=400):
            client("dynamodb", aws_access_key_id=key).list_tables()

    @pytest.mark.node_only
    def test_is_not_believed_for_longer_because_time_was_set_back(
        self, iam: Any, user: str, client: Callable[..., Any], refused: Any, node: Any
    ) -> None:
        key = iam.create_access_key(UserName=user)["AccessKey"]
        sts = client(
            "sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )
        node.advance(86_400)
        sts.get_caller_identity()
        node.advance(-86_400)
        iam.update_access_key(UserName=user, AccessKeyId=key["AccessKeyId"], Status="Inactive")
        node.advance(6)
        with refused("InvalidClientTokenId", status=403):
            sts.get_caller_identity()

    def test_two_at_most(self, iam: Any, user: str, refused: Any) -> None:
        for _ in range(2):
            iam.create_access_key(UserName=user)
        with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409):
            iam.create_access_key(UserName=user)
