"""Who am I, and who may I become."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
)


@pytest.fixture
def sts(client: Callable[..., Any]) -> Any:
    return client("sts")


@pytest.fixture
def role(client: Callable[..., Any], unique: Callable[[str], str]) -> str:
    made = client("iam").create_role(RoleName=unique("role"), Path="/app/", AssumeRolePolicyDocument=TRUST)
    arn: str = made["Role"]["Arn"]
    return arn


def options(credentials: dict[str, Any]) -> dict[str, str]:
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


class TestGetCallerIdentity:
    @pytest.mark.node_only
    def test_the_nodes_account(self, sts: Any) -> None:
        who = sts.get_caller_identity()
        assert (who["UserId"], who["Account"], who["Arn"]) == (
            "000000000000",
            "000000000000",
            "arn:aws:iam::000000000000:root",
        )

    @pytest.mark.node_only
    def test_a_key_of_twelve_digits_is_an_account(self, client: Callable[..., Any]) -> None:
        assert (
            client("sts", aws_access_key_id="123456789012").get_caller_identity()["Account"] == "123456789012"
        )


class TestAssumeRole:
    def test_one_acts_as_the_role(self, sts: Any, role: str, client: Callable[..., Any]) -> None:
        made = sts.assume_role(RoleArn=role, RoleSessionName="me", DurationSeconds=900)
        account, name = role.split(":")[4], role.rpartition("/")[2]
        assert made["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{account}:assumed-role/{name}/me"
        assert made["Credentials"]["AccessKeyId"].startswith("ASIA")
        assert made["Credentials"]["Expiration"] > datetime.now(UTC)
        who = client("sts", **options(made["Credentials"])).get_caller_identity()
        assert who["Arn"] == made["AssumedRoleUser"]["Arn"]
        assert who["UserId"] == made["AssumedRoleUser"]["AssumedRoleId"]

    @pytest.mark.node_only
    def test_expired(self, fresh_node: Callable[..., Any]) -> None:
        node = fresh_node()
        arn = node.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        made = node.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
        node.kill()
        node.restart()
        assert node.client("sts", **options(made)).get_caller_identity()["Arn"].endswith("/r/me")
        node.advance(3601)
        with pytest.raises(ClientError) as error:
            node.client("sts", **options(made)).get_caller_identity()
        assert code(error) == "ExpiredToken"
        with pytest.raises(ClientError) as error:
            node.client("dynamodb", **options(made)).list_tables()
        assert code(error) == "ExpiredTokenException"

    def test_a_role_that_is_not_there(self, sts: Any) -> None:
        arn = "arn:aws:iam::000000000000:role/nobody"
        with pytest.raises(
            ClientError, match=f"is not authorized to perform: sts:AssumeRole on resource: {arn}"
        ):
            sts.assume_role(RoleArn=arn, RoleSessionName="me")

    def test_longer_than_the_role_allows(self, sts: Any, role: str) -> None:
        with pytest.raises(ClientError, match="exceeds the MaxSessionDuration set for this role") as error:
            sts.assume_role(RoleArn=role, RoleSessionName="me", DurationSeconds=3601)
        assert code(error) == "ValidationError"

    def test_what_is_malformed(self, sts: Any, role: str) -> None:
        for params, text in (
            ({"RoleArn": role, "RoleSessionName": "a b"}, "Value 'a b' at 'roleSessionName' failed"),
            (
                {"RoleArn": role, "RoleSessionName": "me", "DurationSeconds": 899},
                "greater than or equal to 900",
            ),
            ({"RoleArn": "arn:aws:iam::1:role/short", "RoleSessionName": "me"}, "is invalid"),
        ):
            with pytest.raises(ClientError, match=text) as error:
                sts.assume_role(**params)
            assert code(error) == "ValidationError"
        with pytest.raises(ClientError) as error:
            sts.assume_role(RoleArn=role, RoleSessionName="me", Policy="{")
        assert code(error) == "MalformedPolicyDocument"


class TestGetSessionToken:
    def test_one_stays_who_one_is(self, sts: Any, client: Callable[..., Any]) -> None:
        made = sts.get_session_token(DurationSeconds=900)["Credentials"]
        again = client("sts", **options(made))
        assert again.get_caller_identity()["Arn"] == sts.get_caller_identity()["Arn"]
        with pytest.raises(
            ClientError, match="Cannot call GetSessionToken with session credentials"
        ) as error:
            again.get_session_token()
        assert code(error) == "AccessDenied"


class TestGetAccessKeyInfo:
    def test_of_temporary_and_of_users_keys(self, sts: Any, client: Callable[..., Any], unique: Any) -> None:
        account = sts.get_caller_identity()["Account"]
        temporary = sts.get_session_token()["Credentials"]["AccessKeyId"]
        name = unique("user")
        client("iam").create_user(UserName=name)
        lasting = client("iam").create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        for key in (temporary, lasting):
            assert sts.get_access_key_info(AccessKeyId=key)["Account"] == account

    def test_of_none(self, sts: Any) -> None:
        with pytest.raises(ClientError, match="Invalid Access Key Id"):
            sts.get_access_key_info(AccessKeyId="AKIA0000000000000000")
