"""Serverless caches through the API: what is answered, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.elasticache import kit

pytestmark = pytest.mark.node_only


@pytest.fixture
def caches(client: Any) -> Any:
    return client("elasticache")


def code(failed: pytest.ExceptionInfo[ClientError]) -> str:
    found: str = failed.value.response["Error"]["Code"]
    return found


class TestCreateServerlessCache:
    def test_is_creating_and_soon_available(self, caches: Any, unique: Any) -> None:
        name = unique("Mine")
        answer = caches.create_serverless_cache(
            ServerlessCacheName=name, Engine="valkey", Description="a cache"
        )
        assert answer["ServerlessCache"]["Status"] == "creating"
        cache = kit.described(caches, name)
        assert cache["ServerlessCacheName"] == name.lower()
        assert cache["Status"] == "available"
        assert cache["Engine"] == "valkey"
        assert (cache["MajorEngineVersion"], cache["FullEngineVersion"]) == ("8", "8.1")
        assert cache["ARN"].endswith(f":serverlesscache:{name.lower()}")
        assert cache["Endpoint"]["Address"] == "localhost"
        assert cache["Endpoint"]["Port"] >= 6379
        caches.delete_serverless_cache(ServerlessCacheName=name)

    def test_a_name_is_given_once(self, caches: Any, unique: Any) -> None:
        name = unique("twice")
        with kit.serverless(caches, name), pytest.raises(ClientError) as failed:
            caches.create_serverless_cache(ServerlessCacheName=name, Engine="valkey")
        assert code(failed) == "ServerlessCacheAlreadyExistsFault"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"ServerlessCacheName": "1st"},
            {"ServerlessCacheName": "a--b"},
            {"ServerlessCacheName": "x" * 41},
            {"Engine": "mongo"},
            {"Engine": "memcached"},
            {"MajorEngineVersion": "5"},
            {"DailySnapshotTime": "25:00"},
            {"SnapshotRetentionLimit": 36},
            {"CacheUsageLimits": {"DataStorage": {"Maximum": 0, "Unit": "GB"}}},
            {"CacheUsageLimits": {"ECPUPerSecond": {"Maximum": 999}}},
            {"Description": "x" * 256},
            {"ConnectionType": "public"},
            {"Integrations": [{"IntegrationType": "dynamodb"}], "MajorEngineVersion": "9"},
        ],
        ids=lambda wrong: "-".join(wrong),
    )
    def test_wrong_values_are_refused(self, caches: Any, wrong: dict[str, Any]) -> None:
        with pytest.raises(ClientError) as failed:
            caches.create_serverless_cache(**{"ServerlessCacheName": "wrong", "Engine": "valkey", **wrong})
        assert code(failed) == "InvalidParameterValue"

    def test_groups_and_subnets_lie_in_one_network(self, client: Any, caches: Any, unique: Any) -> None:
        ec2 = client("ec2")
        subnets = kit.subnets(ec2, "a", "b")
        elsewhere = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        group = ec2.create_security_group(GroupName="caches", Description="x", VpcId=elsewhere)["GroupId"]
        with pytest.raises(ClientError, match="the same VPC") as failed:
            caches.create_serverless_cache(
                ServerlessCacheName=unique("cache"),
                Engine="valkey",
                SubnetIds=subnets,
                SecurityGroupIds=[group],
            )
        assert code(failed) == "InvalidParameterValue"

    @pytest.mark.parametrize("zones", ["a", "aa", "abcd"])
    def test_subnets_lie_in_two_or_three_zones(
        self, client: Any, caches: Any, unique: Any, zones: str
    ) -> None:
        subnets = kit.subnets(client("ec2"), *zones)
        with pytest.raises(ClientError, match="Availability Zone") as failed:
            caches.create_serverless_cache(
                ServerlessCacheName=unique("cache"), Engine="valkey", SubnetIds=subnets
            )
        assert code(failed) == "InvalidParameterValue"

    def test_without_subnets_it_lies_in_three_of_the_default_vpc(
        self, client: Any, caches: Any, unique: Any
    ) -> None:
        with kit.serverless(caches, unique("cache")) as cache:
            found = client("ec2").describe_subnets(SubnetIds=cache["SubnetIds"])["Subnets"]
        assert len({subnet["AvailabilityZone"] for subnet in found}) == 3
        assert all(subnet["DefaultForAz"] for subnet in found)


class TestModifyServerlessCache:
    def test_the_memory_limit_changes_while_it_runs(self, node: Any, caches: Any, unique: Any) -> None:
        name = unique("limits")
        with kit.serverless(caches, name) as cache, kit.connect(node, cache["Endpoint"]) as client:
            client.set("kept", "yes")
            limits = {"DataStorage": {"Maximum": 2, "Unit": "GB"}}
            changed = caches.modify_serverless_cache(ServerlessCacheName=name, CacheUsageLimits=limits)
            assert changed["ServerlessCache"]["Status"] == "modifying"
            assert kit.described(caches, name)["CacheUsageLimits"]["DataStorage"]["Maximum"] == 2
            assert kit.described(caches, name)["Status"] == "available"
            assert client.info("memory")["maxmemory"] == 2 * 1024**3
            assert client.get("kept") == b"yes"


class TestDeleteServerlessCache:
    def test_what_is_deleted_is_gone_and_its_name_free(self, caches: Any, unique: Any) -> None:
        name = unique("brief")
        with kit.serverless(caches, name):
            pass
        with pytest.raises(ClientError) as failed:
            kit.described(caches, name)
        assert code(failed) == "ServerlessCacheNotFoundFault"
        assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
        with kit.serverless(caches, name) as again:
            assert again["Status"] == "available"


class TestDescribeServerlessCaches:
    def test_gives_pages(self, caches: Any, unique: Any) -> None:
        names = sorted(unique("page") for _ in range(2))
        with kit.serverless(caches, names[0]), kit.serverless(caches, names[1]):
            pages = caches.get_paginator("describe_serverless_caches").paginate(
                PaginationConfig={"PageSize": 1}
            )
            found = [cache["ServerlessCacheName"] for page in pages for cache in page["ServerlessCaches"]]
        assert set(names) <= set(found)
        assert len(found) == len(set(found))
