"""Cache clusters, their parameters and their subnets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from botocore.exceptions import ClientError

from tests.harness import eventually
from tests.services.elasticache import kit

pytestmark = pytest.mark.node_only


@pytest.fixture
def caches(client: Any) -> Any:
    return client("elasticache")


def described(caches: Any, id: str) -> dict[str, Any]:
    answer = caches.describe_cache_clusters(CacheClusterId=id, ShowCacheNodeInfo=True)
    found: dict[str, Any] = answer["CacheClusters"][0]
    return found


@contextmanager
def cluster(caches: Any, id: str, **options: Any) -> Iterator[redis.Redis]:
    options = {"Engine": "redis", "CacheNodeType": "cache.t3.micro", "NumCacheNodes": 1, **options}
    caches.create_cache_cluster(CacheClusterId=id, **options)
    found = described(caches, id)
    assert found["CacheClusterStatus"] == "available"
    endpoint = found["CacheNodes"][0]["Endpoint"]
    try:
        with redis.Redis(host=endpoint["Address"], port=endpoint["Port"]) as connected:
            yield connected
    finally:
        caches.delete_cache_cluster(CacheClusterId=id)


class TestCreateCacheCluster:
    def test_serves_on_its_node(self, caches: Any, unique: Any) -> None:
        with cluster(caches, unique("single")) as cache:
            assert cache.set("a", 1)
            assert cache.info("memory")["maxmemory_policy"] == "volatile-lru"

    def test_its_memory_is_that_of_the_node_type(self, caches: Any, unique: Any) -> None:
        with cluster(caches, unique("sized"), CacheNodeType="cache.t3.small") as cache:
            assert cache.info("memory")["maxmemory"] == int(1.37 * 1024**3 * 0.75)

    def test_it_gets_the_port_it_asks_for_if_nobody_has_it(self, caches: Any, unique: Any) -> None:
        first, second = unique("ported"), unique("late")
        with cluster(caches, first, Port=7700), cluster(caches, second, Port=7700):
            ports = [described(caches, id)["CacheNodes"][0]["Endpoint"]["Port"] for id in (first, second)]
        assert 7700 <= ports[0] < ports[1]

    @pytest.mark.parametrize(
        ("code", "wrong"),
        [
            ("InvalidParameterValue", {"Engine": "memcached"}),
            ("InvalidParameterValue", {"NumCacheNodes": 2}),
            ("InvalidParameterValue", {"CacheClusterId": "9lives"}),
            ("InvalidParameterValue", {"SnapshotArns": ["arn:aws:s3:::bucket/dump.rdb"]}),
        ],
    )
    def test_wrong_values_are_refused(self, caches: Any, code: str, wrong: dict[str, Any]) -> None:
        with pytest.raises(ClientError) as failed:
            caches.create_cache_cluster(**{"CacheClusterId": "wrong", "Engine": "redis", **wrong})
        assert failed.value.response["Error"]["Code"] == code

    def test_one_that_is_not_there_is_named(self, caches: Any) -> None:
        with pytest.raises(ClientError) as failed:
            caches.describe_cache_clusters(CacheClusterId="nobody")
        assert failed.value.response["Error"]["Code"] == "CacheClusterNotFound"
        assert failed.value.response["Error"]["Message"] == "CacheCluster not found: nobody"


class TestMemory:
    @pytest.fixture
    def small(self, caches: Any, unique: Any) -> Iterator[redis.Redis]:
        """A cluster with room for 5 MB."""
        name = unique("reserved")
        caches.create_cache_parameter_group(
            CacheParameterGroupName=name, CacheParameterGroupFamily="redis7", Description="reserved"
        )
        values = [{"ParameterName": "reserved-memory-percent", "ParameterValue": "99"}]
        caches.modify_cache_parameter_group(CacheParameterGroupName=name, ParameterNameValues=values)
        with cluster(caches, unique("small"), CacheParameterGroupName=name) as cache:
            yield cache

    def test_writes_are_refused_when_it_is_full(self, small: redis.Redis) -> None:
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            for number in range(100):
                small.set(f"kept{number}", b"x" * 100_000)
        assert small.get("kept0") == b"x" * 100_000

    def test_what_expires_makes_room(self, small: redis.Redis) -> None:
        for number in range(100):
            small.set(f"brief{number}", b"x" * 100_000, ex=3600)
        assert small.get("brief99") is not None
        assert 10 < small.dbsize() < 60


class TestRebootCacheCluster:
    def test_the_data_stay(self, caches: Any, unique: Any) -> None:
        id = unique("rebooted")
        with cluster(caches, id) as cache:
            cache.set("a", 1)
            before = cache.info("server")["run_id"]
            caches.reboot_cache_cluster(CacheClusterId=id, CacheNodeIdsToReboot=["0001"])
            assert described(caches, id)["CacheClusterStatus"] == "available"
            assert cache.get("a") == b"1"
            assert cache.info("server")["run_id"] != before


class TestParameterGroups:
    def test_a_change_reaches_the_servers(self, caches: Any, unique: Any) -> None:
        name, id = unique("params"), unique("tuned")
        caches.create_cache_parameter_group(
            CacheParameterGroupName=name, CacheParameterGroupFamily="redis7", Description="tuned"
        )
        with cluster(caches, id, CacheParameterGroupName=name) as cache:
            with cache.pubsub() as listener:
                listener.psubscribe("__keyevent@0__:*")
                assert listener.get_message(timeout=10)
                caches.modify_cache_parameter_group(
                    CacheParameterGroupName=name,
                    ParameterNameValues=[
                        {"ParameterName": "notify-keyspace-events", "ParameterValue": "KEA"},
                        {"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lfu"},
                    ],
                )
                self.wait_for_policy(cache, "allkeys-lfu")
                cache.set("watched", 1)
                assert listener.get_message(timeout=10)["channel"] == b"__keyevent@0__:set"
            with pytest.raises(ClientError) as failed:
                caches.delete_cache_parameter_group(CacheParameterGroupName=name)
            assert failed.value.response["Error"]["Code"] == "InvalidCacheParameterGroupState"
            caches.reset_cache_parameter_group(CacheParameterGroupName=name, ResetAllParameters=True)
            self.wait_for_policy(cache, "volatile-lru")

    def test_one_that_needs_a_reboot_waits_for_it(self, caches: Any, unique: Any) -> None:
        name, id = unique("params"), unique("tuned")
        caches.create_cache_parameter_group(
            CacheParameterGroupName=name, CacheParameterGroupFamily="redis7", Description="tuned"
        )
        values = [{"ParameterName": "databases", "ParameterValue": "20"}]
        with cluster(caches, id, CacheParameterGroupName=name) as cache:
            cache.set("a", 1)
            caches.modify_cache_parameter_group(CacheParameterGroupName=name, ParameterNameValues=values)
            with pytest.raises(redis.ResponseError, match="out of range"):
                cache.select(19)
            caches.reboot_cache_cluster(CacheClusterId=id, CacheNodeIdsToReboot=["0001"])
            assert described(caches, id)["CacheClusterStatus"] == "available"
            assert cache.select(19)
            assert cache.select(0)
            assert cache.get("a") == b"1"

    def wait_for_policy(self, cache: redis.Redis, policy: str) -> None:
        eventually(lambda: cache.info("memory")["maxmemory_policy"] == policy)

    def test_parameters_have_their_sources(self, caches: Any, unique: Any) -> None:
        name = unique("sourced")
        caches.create_cache_parameter_group(
            CacheParameterGroupName=name, CacheParameterGroupFamily="valkey8", Description="sourced"
        )
        values = [{"ParameterName": "timeout", "ParameterValue": "30"}]
        caches.modify_cache_parameter_group(CacheParameterGroupName=name, ParameterNameValues=values)
        (own,) = caches.describe_cache_parameters(CacheParameterGroupName=name, Source="user")["Parameters"]
        assert (own["ParameterName"], own["ParameterValue"]) == ("timeout", "30")

    def test_every_parameter_takes_its_default(self, caches: Any, unique: Any) -> None:
        """And a server that is told all of them starts."""
        name = unique("whole")
        caches.create_cache_parameter_group(
            CacheParameterGroupName=name, CacheParameterGroupFamily="redis7", Description="whole"
        )
        found = caches.get_paginator("describe_cache_parameters").paginate(CacheParameterGroupName=name)
        values = [
            {member: each[member] for member in ("ParameterName", "ParameterValue")}
            for page in found
            for each in page["Parameters"]
            if each["IsModifiable"] and each["ParameterValue"]
        ]
        for begin in range(0, len(values), 20):
            caches.modify_cache_parameter_group(
                CacheParameterGroupName=name, ParameterNameValues=values[begin : begin + 20]
            )
        with cluster(caches, unique("all"), CacheParameterGroupName=name) as cache:
            assert cache.ping()

    @pytest.mark.parametrize(
        ("name", "value"),
        [("maxmemory-policy", "never"), ("timeout", "5"), ("maxclients", "10"), ("nothing", "1")],
    )
    def test_wrong_values_are_refused(self, caches: Any, unique: Any, name: str, value: str) -> None:
        group = unique("strict")
        caches.create_cache_parameter_group(
            CacheParameterGroupName=group, CacheParameterGroupFamily="redis7", Description="strict"
        )
        values = [{"ParameterName": name, "ParameterValue": value}]
        with pytest.raises(ClientError) as failed:
            caches.modify_cache_parameter_group(CacheParameterGroupName=group, ParameterNameValues=values)
        assert failed.value.response["Error"]["Code"] == "InvalidParameterValue"

    def test_values_have_names(self, caches: Any) -> None:
        group = {"CacheParameterGroupName": "any"}
        for change in (caches.modify_cache_parameter_group, caches.reset_cache_parameter_group):
            with pytest.raises(ClientError) as failed:
                change(ParameterNameValues=[{"ParameterValue": "1"}], **group)
            assert failed.value.response["Error"]["Code"] == "InvalidParameterValue"

    def test_default_groups_are_there_and_stay_as_they_are(self, caches: Any) -> None:
        found = caches.describe_cache_parameter_groups()["CacheParameterGroups"]
        assert {"default.redis7", "default.valkey8.cluster.on"} <= {
            g["CacheParameterGroupName"] for g in found
        }
        with pytest.raises(ClientError):
            caches.delete_cache_parameter_group(CacheParameterGroupName="default.redis7")


class TestSubnetGroups:
    def test_the_default_one_is_that_of_the_default_vpc(self, caches: Any) -> None:
        found = caches.describe_cache_subnet_groups()["CacheSubnetGroups"]
        assert found[0]["CacheSubnetGroupName"] == "default"
        named = caches.describe_cache_subnet_groups(CacheSubnetGroupName="default")["CacheSubnetGroups"]
        assert named == found[:1]

    def test_is_made_of_subnets_that_are_there(self, client: Any, caches: Any, unique: Any) -> None:
        ec2, name = client("ec2"), unique("subnets")
        vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
        made = caches.create_cache_subnet_group(
            CacheSubnetGroupName=name, CacheSubnetGroupDescription="private", SubnetIds=[subnet]
        )["CacheSubnetGroup"]
        assert made["VpcId"] == vpc
        assert [each["SubnetIdentifier"] for each in made["Subnets"]] == [subnet]
        elsewhere = kit.subnets(ec2, "a")[0]
        vpc = ec2.describe_subnets(SubnetIds=[elsewhere])["Subnets"][0]["VpcId"]
        group = ec2.create_security_group(GroupName=name, Description="x", VpcId=vpc)["GroupId"]
        for code, wrong in (
            ("InvalidParameterValue", {"SecurityGroupIds": [group]}),
            ("InvalidVPCNetworkStateFault", {"PreferredAvailabilityZone": "us-east-1f"}),
        ):
            with pytest.raises(ClientError) as failed:
                options = {"CacheClusterId": unique("outside"), "CacheNodeType": "cache.t3.micro"}
                caches.create_cache_cluster(Engine="redis", CacheSubnetGroupName=name, **options, **wrong)
            assert failed.value.response["Error"]["Code"] == code
        with cluster(caches, unique("inside"), CacheSubnetGroupName=name):
            with pytest.raises(ClientError) as failed:
                caches.delete_cache_subnet_group(CacheSubnetGroupName=name)
            assert failed.value.response["Error"]["Code"] == "CacheSubnetGroupInUse"

    def test_subnets_that_are_not_there_are_refused(self, client: Any, caches: Any, unique: Any) -> None:
        options = {"CacheSubnetGroupName": unique("none"), "CacheSubnetGroupDescription": "x"}
        with pytest.raises(ClientError) as failed:
            caches.create_cache_subnet_group(SubnetIds=["subnet-0123456789abcdef0"], **options)
        assert failed.value.response["Error"]["Code"] == "InvalidParameterValue"
        told = "Some input subnets in :[subnet-0123456789abcdef0] are invalid."
        assert failed.value.response["Error"]["Message"] == told
        apart = [kit.subnets(client("ec2"), "a")[0] for _ in range(2)]
        with pytest.raises(ClientError, match="are not in the same VPC") as failed:
            caches.create_cache_subnet_group(SubnetIds=apart, **options)
        assert failed.value.response["Error"]["Code"] == "InvalidSubnet"
        with pytest.raises(ClientError) as failed:
            caches.describe_cache_subnet_groups(CacheSubnetGroupName="nobody")
        assert failed.value.response["Error"]["Code"] == "CacheSubnetGroupNotFoundFault"
