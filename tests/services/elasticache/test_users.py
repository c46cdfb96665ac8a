"""Users and user groups, and what they may do in a cache."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from botocore.exceptions import ClientError

from tests.services.elasticache import kit

pytestmark = pytest.mark.node_only
PASSWORD, OTHER = "a-password-of-length", "another-password-here"


@pytest.fixture
def caches(client: Any) -> Any:
    return client("elasticache")


def user(caches: Any, id: str, rules: str, name: str = "", **options: Any) -> str:
    if "NoPasswordRequired" not in options:
        options = {"Passwords": [PASSWORD], **options}
    options = {"Engine": "valkey", **options}
    caches.create_user(UserId=id, UserName=name or id, AccessString=rules, **options)
    return id


class TestAccess:
    def test_users_may_do_what_they_are_given(self, node: Any, caches: Any, unique: Any) -> None:
        reader = user(caches, unique("reader"), "on ~public:* +@read")
        writer = user(caches, unique("writer"), "on ~* &* +@all")
        group = unique("staff")
        caches.create_user_group(UserGroupId=group, Engine="valkey", UserIds=[reader, writer])
        with kit.serverless(caches, unique("guarded"), UserGroupId=group) as cache:
            login = {"password": PASSWORD}
            with kit.connect(node, cache["Endpoint"]) as nobody, pytest.raises(redis.AuthenticationError):
                nobody.get("public:a")
            with kit.connect(node, cache["Endpoint"], username=writer, **login) as client:
                assert client.set("public:a", 1)
                assert client.set("secret", 2)
            with kit.connect(node, cache["Endpoint"], username=reader, **login) as client:
                assert client.get("public:a") == b"1"
                with pytest.raises(redis.exceptions.NoPermissionError):
                    client.get("secret")
                with pytest.raises(redis.exceptions.NoPermissionError):
                    client.set("public:a", 3)
            groups = caches.describe_user_groups(UserGroupId=group)["UserGroups"]
            assert groups[0]["ServerlessCaches"] == [cache["ServerlessCacheName"]]

    def test_a_change_reaches_caches_that_run(self, node: Any, caches: Any, unique: Any) -> None:
        name, group = user(caches, unique("changing"), "on ~* +@all"), unique("changing-staff")
        caches.create_user_group(UserGroupId=group, Engine="valkey", UserIds=[name])
        with kit.serverless(caches, unique("changed"), UserGroupId=group) as cache:
            caches.modify_user(UserId=name, Passwords=[OTHER])
            kit.eventually_connects(node, cache["Endpoint"], username=name, password=OTHER)
            with (
                kit.connect(node, cache["Endpoint"], username=name, password=PASSWORD) as client,
                pytest.raises(redis.AuthenticationError),
            ):
                client.ping()
            caches.modify_serverless_cache(
                ServerlessCacheName=cache["ServerlessCacheName"], RemoveUserGroup=True
            )
            assert kit.described(caches, cache["ServerlessCacheName"])["Status"] == "available"
            with kit.connect(node, cache["Endpoint"]) as client:
                assert client.ping()

    def test_the_user_named_default_is_who_says_no_name(self, node: Any, caches: Any, unique: Any) -> None:
        rules, group = "on ~* +get", unique("open")
        id = user(caches, unique("anybody"), rules, name="default", Engine="redis")
        caches.create_user_group(UserGroupId=group, Engine="redis", UserIds=[id])
        with (
            kit.serverless(caches, unique("opened"), UserGroupId=group) as cache,
            kit.connect(node, cache["Endpoint"], password=PASSWORD) as client,
        ):
            assert client.get("a") is None
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.set("a", 1)

    def test_selectors_and_odd_patterns_come_through(self, node: Any, caches: Any, unique: Any) -> None:
        rules = """on ~it's:* +@read (~both:* +@all) (%R~plain\\* +get)"""
        id, group = user(caches, unique("selective"), rules), unique("selectors")
        caches.create_user_group(UserGroupId=group, Engine="valkey", UserIds=[id])
        with (
            kit.serverless(caches, unique("selected"), UserGroupId=group) as cache,
            kit.connect(node, cache["Endpoint"], username=id, password=PASSWORD) as client,
        ):
            assert client.get("it's:a") is None
            assert client.set("both:a", 1)
            assert client.get("plain*") is None
            for forbidden in (["SET", "it's:a", "1"], ["CONFIG", "GET", "*"], ["SHUTDOWN"]):
                with pytest.raises(redis.exceptions.NoPermissionError):
                    client.execute_command(*forbidden)


class TestCreateUser:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"AccessString": "on ~* +fly"},
            {"AccessString": "on ~* +@nothing"},
            {"AccessString": "on >password ~*"},
            {"AccessString": "on ~* (+get"},
            {"AccessString": "on ~* ~more +@all"},
            {"AccessString": "on nopass ~* +@all"},
            {"Passwords": ["short"]},
            {"Passwords": [PASSWORD], "NoPasswordRequired": True},
            {"AuthenticationMode": {"Type": "iam"}},
            {"UserName": "two words"},
        ],
    )
    def test_wrong_values_are_refused(self, caches: Any, unique: Any, wrong: dict[str, Any]) -> None:
        options = {"UserName": "someone", "Engine": "valkey", "AccessString": "on ~* +@all", **wrong}
        with pytest.raises(ClientError) as failed:
            caches.create_user(UserId=unique("wrong"), **options)
        assert failed.value.response["Error"]["Code"] in (
            "InvalidParameterValue",
            "InvalidParameterCombination",
        )

    def test_an_id_is_given_once(self, caches: Any, unique: Any) -> None:
        id = user(caches, unique("once"), "on ~* +@all")
        with pytest.raises(ClientError) as failed:
            user(caches, id, "on ~* +@all")
        assert failed.value.response["Error"]["Code"] == "UserAlreadyExists"

    def test_the_default_user_is_there(self, caches: Any) -> None:
        (found,) = caches.describe_users(UserId="default")["Users"]
        assert (found["UserName"], found["AccessString"]) == ("default", "on ~* +@all")


class TestUserGroups:
    def test_redis_needs_a_default_user(self, caches: Any, unique: Any) -> None:
        with pytest.raises(ClientError) as failed:
            caches.create_user_group(UserGroupId=unique("none"), Engine="redis")
        assert failed.value.response["Error"]["Code"] == "DefaultUserRequired"

    def test_user_names_are_different(self, caches: Any, unique: Any) -> None:
        ids = [user(caches, unique("same"), "on ~* +@all", name="same") for _ in range(2)]
        with pytest.raises(ClientError) as failed:
            caches.create_user_group(UserGroupId=unique("twins"), Engine="valkey", UserIds=ids)
        assert failed.value.response["Error"]["Code"] == "DuplicateUserName"

    def test_who_is_deleted_leaves_groups_and_caches(self, node: Any, caches: Any, unique: Any) -> None:
        one, other = (user(caches, unique("member"), "on ~* +@all") for _ in range(2))
        group = unique("club")
        caches.create_user_group(UserGroupId=group, Engine="valkey", UserIds=[one, other])
        with kit.serverless(caches, unique("clubbed"), UserGroupId=group) as cache:
            with kit.connect(node, cache["Endpoint"], username=one, password=PASSWORD) as client:
                assert client.ping()
            assert caches.delete_user(UserId=one)["Status"] == "deleting"
            assert caches.describe_user_groups(UserGroupId=group)["UserGroups"][0]["UserIds"] == [other]
            kit.eventually_refuses(node, cache["Endpoint"], username=one, password=PASSWORD)
            kit.eventually_connects(node, cache["Endpoint"], username=other, password=PASSWORD)

    def test_the_default_user_of_a_redis_group_stays(self, caches: Any, unique: Any) -> None:
        id, group = user(caches, unique("d"), "on ~* +@all", name="default", Engine="redis"), unique("g")
        caches.create_user_group(UserGroupId=group, Engine="redis", UserIds=[id])
        with pytest.raises(ClientError) as failed:
            caches.delete_user(UserId=id)
        assert failed.value.response["Error"]["Code"] == "DefaultUserAssociatedToUserGroup"

    @pytest.mark.parametrize(("engine", "member"), [("valkey", "redis"), ("redis", "valkey")])
    def test_engines_have_their_users(self, caches: Any, unique: Any, engine: str, member: str) -> None:
        """Users of valkey groups have passwords; users of the engine valkey aren't for redis groups."""
        options: dict[str, Any] = {"Engine": member}
        if engine == "valkey":
            options |= {"NoPasswordRequired": True}
        ids = [user(caches, unique("u"), "on ~* +@all", **options)]
        if engine == "redis":
            ids.append("default")
        with pytest.raises(ClientError) as failed:
            caches.create_user_group(UserGroupId=unique("g"), Engine=engine, UserIds=ids)
        assert failed.value.response["Error"]["Code"] == "InvalidParameterValue"

    def test_a_member_of_a_valkey_group_keeps_a_password(self, caches: Any, unique: Any) -> None:
        id = user(caches, unique("u"), "on ~* +@all")
        caches.create_user_group(UserGroupId=unique("g"), Engine="valkey", UserIds=[id])
        with pytest.raises(ClientError) as failed:
            caches.modify_user(UserId=id, NoPasswordRequired=True)
        assert failed.value.response["Error"]["Code"] == "InvalidParameterValue"

    def test_a_redis_cache_has_a_redis_group(self, caches: Any, unique: Any) -> None:
        group = unique("g")
        caches.create_user_group(UserGroupId=group, Engine="valkey")
        with pytest.raises(ClientError) as failed:
            caches.create_serverless_cache(ServerlessCacheName=unique("c"), Engine="redis", UserGroupId=group)
        assert failed.value.response["Error"]["Code"] == "InvalidParameterCombination"
