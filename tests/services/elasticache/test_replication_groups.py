"""Replication groups, in both cluster modes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from botocore.exceptions import ClientError
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.services.elasticache import kit

pytestmark = pytest.mark.node_only


@pytest.fixture
def caches(client: Any) -> Any:
    return client("elasticache")


def described(caches: Any, id: str) -> dict[str, Any]:
    found: dict[str, Any] = caches.describe_replication_groups(ReplicationGroupId=id)["ReplicationGroups"][0]
    return found


@contextmanager
def group(caches: Any, id: str, **options: Any) -> Iterator[dict[str, Any]]:
    options = {"ReplicationGroupDescription": "a group", "Engine": "valkey", **options}
    assert (
        caches.create_replication_group(ReplicationGroupId=id, **options)["ReplicationGroup"]["Status"]
        == "creating"
    )
    found = described(caches, id)
    assert found["Status"] == "available"
    try:
        yield found
    finally:
        caches.delete_replication_group(ReplicationGroupId=id)


def primary(found: dict[str, Any]) -> dict[str, Any]:
    endpoint: dict[str, Any] = found["NodeGroups"][0]["PrimaryEndpoint"]
    return endpoint


class TestClusterModeDisabled:
    def test_has_a_primary_and_members(self, caches: Any, unique: Any) -> None:
        id = unique("plain")
        with group(caches, id, NumCacheClusters=2) as found:
            assert found["ClusterEnabled"] is False
            assert found["MemberClusters"] == [f"{id}-001", f"{id}-002"]
            (shard,) = found["NodeGroups"]
            assert [member["CurrentRole"] for member in shard["NodeGroupMembers"]] == ["primary", "replica"]
            with redis.Redis(
                host=shard["PrimaryEndpoint"]["Address"], port=shard["PrimaryEndpoint"]["Port"]
            ) as cache:
                cache.mset({"a": 1, "b": 2})
                assert cache.mget("a", "b") == [b"1", b"2"]
                assert cache.select(1)
            (member,) = caches.describe_cache_clusters(CacheClusterId=f"{id}-002")["CacheClusters"]
            assert member["ReplicationGroupId"] == id

    def test_a_token_is_asked_for_and_can_be_rotated(self, node: Any, caches: Any, unique: Any) -> None:
        id, first, second = unique("token"), "first-token-1234567", "second-token-1234567"
        with group(caches, id, TransitEncryptionEnabled=True, AuthToken=first) as found:
            with kit.connect(node, primary(found)) as cache, pytest.raises(redis.AuthenticationError):
                cache.get("a")
            with kit.connect(node, primary(found), password=first) as cache:
                assert cache.set("a", 1)
            caches.modify_replication_group(ReplicationGroupId=id, AuthToken=second, ApplyImmediately=True)
            assert described(caches, id)["AuthTokenEnabled"] is True
            for token in (first, second):
                with kit.connect(node, primary(found), password=token) as cache:
                    assert cache.get("a") == b"1"
            caches.modify_replication_group(
                ReplicationGroupId=id, AuthToken=second, AuthTokenUpdateStrategy="SET", ApplyImmediately=True
            )
            described(caches, id)
            with (
                kit.connect(node, primary(found), password=first) as cache,
                pytest.raises(redis.AuthenticationError),
            ):
                cache.get("a")

    def test_a_token_comes_in_two_steps(self, node: Any, caches: Any, unique: Any) -> None:
        """Rotated in, it is welcome; set, it is required."""
        id, token = unique("tokens"), "first-token-1234567"
        change = {"ReplicationGroupId": id, "AuthToken": token, "ApplyImmediately": True}
        with group(caches, id, TransitEncryptionEnabled=True) as found:
            assert found["AuthTokenEnabled"] is False
            caches.modify_replication_group(**change)
            assert described(caches, id)["AuthTokenEnabled"] is True
            for options in ({}, {"password": token}):
                with kit.connect(node, primary(found), **options) as cache:
                    assert cache.ping()
            caches.modify_replication_group(AuthTokenUpdateStrategy="SET", **change)
            described(caches, id)
            with kit.connect(node, primary(found), password=token) as cache:
                assert cache.ping()
            with kit.connect(node, primary(found)) as cache, pytest.raises(redis.AuthenticationError):
                cache.get("a")

    def test_encryption_can_be_preferred_then_required(self, node: Any, caches: Any, unique: Any) -> None:
        id = unique("becoming")
        with group(caches, id) as found:
            endpoint = primary(found)
            plain = redis.Redis(host=endpoint["Address"], port=endpoint["Port"], retry=Retry(NoBackoff(), 0))
            plain.set("a", 1)
            modify = {"ReplicationGroupId": id, "TransitEncryptionEnabled": True, "ApplyImmediately": True}
            caches.modify_replication_group(TransitEncryptionMode="preferred", **modify)
            assert described(caches, id)["TransitEncryptionMode"] == "preferred"
            with kit.connect(node, endpoint) as secure:
                assert secure.get("a") == plain.get("a") == b"1"
            with socket.create_connection((endpoint["Address"], endpoint["Port"])) as half:
                half.sendall(b"PING\r\n")
                half.shutdown(socket.SHUT_WR)
                half.settimeout(10)
                assert half.recv(100) == b"+PONG\r\n"
                assert half.recv(100) == b""
            caches.modify_replication_group(TransitEncryptionMode="required", **modify)
            assert described(caches, id)["TransitEncryptionMode"] == "required"
            with kit.connect(node, endpoint) as secure:
                assert secure.get("a") == b"1"
            with pytest.raises(redis.ConnectionError):
                plain.get("a")
            plain.close()


class TestClusterModeEnabled:
    @pytest.mark.slow
    def test_shards_are_servers_of_one_cluster(self, node: Any, caches: Any, unique: Any) -> None:
        id = unique("sharded")
        options = {"NumNodeGroups": 2, "ReplicasPerNodeGroup": 1, "TransitEncryptionEnabled": True}
        with group(caches, id, **options) as found:
            assert found["ClusterEnabled"] is True
            assert [shard["Slots"] for shard in found["NodeGroups"]] == ["0-8191", "8192-16383"]
            assert len(found["MemberClusters"]) == 4
            with kit.connect(node, found["ConfigurationEndpoint"], redis.RedisCluster) as cache:
                for number in range(100):
                    cache.set(f"key{number}", number)
                assert [cache.get(f"key{number}") for number in range(100)] == [b"%d" % n for n in range(100)]
                assert len({owner.port for owner in cache.get_primaries()}) == 2

    def test_a_parameter_group_can_ask_for_it(self, caches: Any, unique: Any) -> None:
        with group(caches, unique("one"), CacheParameterGroupName="default.valkey8.cluster.on") as found:
            assert found["ClusterEnabled"] is True
            endpoint = found["ConfigurationEndpoint"]
            with redis.RedisCluster(host=endpoint["Address"], port=endpoint["Port"]) as cache:
                assert cache.set("a", 1)

    def test_failover_stays_on(self, caches: Any, unique: Any) -> None:
        id = unique("on")
        with (
            group(caches, id, CacheParameterGroupName="default.valkey8.cluster.on") as found,
            pytest.raises(ClientError, match="Turning off automatic failover") as failed,
        ):
            assert found["AutomaticFailover"] == "enabled"
            caches.modify_replication_group(
                ReplicationGroupId=id, AutomaticFailoverEnabled=False, ApplyImmediately=True
            )
        assert failed.value.response["Error"]["Code"] == "InvalidParameterCombination"


class TestModifyReplicationGroup:
    @pytest.mark.parametrize(
        ("code", "wrong"),
        [
            ("InvalidParameterCombination", {"EngineVersion": "7.2"}),
            ("InvalidParameterCombination", {"Engine": "redis", "EngineVersion": "7.1"}),
            ("InvalidParameterCombination", {"TransitEncryptionEnabled": True}),
            ("InvalidParameterCombination", {"MultiAZEnabled": True}),
            ("InvalidParameterValue", {"ClusterMode": "enabled"}),
        ],
    )
    def test_what_cannot_become_is_refused(self, caches: Any, unique: Any, code: str, wrong: Any) -> None:
        id = unique("same")
        with group(caches, id), pytest.raises(ClientError) as failed:
            caches.modify_replication_group(ReplicationGroupId=id, ApplyImmediately=True, **wrong)
        assert failed.value.response["Error"]["Code"] == code

    def test_a_group_of_redis_becomes_one_of_valkey(self, caches: Any, unique: Any) -> None:
        id = unique("moving")
        with group(caches, id, Engine="redis", EngineVersion="7.0"):
            change = {"ReplicationGroupId": id, "Engine": "valkey", "EngineVersion": "8.0"}
            caches.modify_replication_group(ApplyImmediately=True, **change)
            assert described(caches, id)["Engine"] == "valkey"

    def test_only_one_that_is_available_is_modified(self, caches: Any, unique: Any) -> None:
        id = unique("busy")
        change = {"ReplicationGroupId": id, "ApplyImmediately": True}
        with group(caches, id), pytest.raises(ClientError, match="must be in available state") as failed:
            for _ in range(100):
                caches.modify_replication_group(CacheNodeType="cache.t4g.small", **change)
        assert failed.value.response["Error"]["Code"] == "InvalidReplicationGroupState"

    def test_caches_of_valkey_are_encrypted_at_rest(self, caches: Any, unique: Any) -> None:
        kept = {"SnapshotRetentionLimit": 1}
        with (
            group(caches, unique("v"), **kept) as valkey,
            group(caches, unique("r"), Engine="redis") as other,
        ):
            assert valkey["AtRestEncryptionEnabled"] is True
            assert other["AtRestEncryptionEnabled"] is False
            assert valkey["SnapshottingClusterId"] == valkey["MemberClusters"][-1]


class TestErrors:
    def test_what_is_not_there(self, caches: Any) -> None:
        with pytest.raises(ClientError) as failed:
            caches.describe_replication_groups(ReplicationGroupId="nobody")
        assert failed.value.response["Error"]["Code"] == "ReplicationGroupNotFoundFault"
        assert failed.value.response["Error"]["Message"] == "ReplicationGroup nobody not found"

    @pytest.mark.parametrize(
        ("code", "wrong"),
        [
            ("InvalidParameterCombination", {"AuthToken": "long-enough-for-it-1"}),
            ("InvalidParameterValue", {"AuthToken": "short", "TransitEncryptionEnabled": True}),
            ("InvalidParameterValue", {"CacheNodeType": "cache.x9.huge"}),
            ("InvalidParameterCombination", {"EngineVersion": "3.0"}),
            ("InvalidParameterCombination", {"CacheParameterGroupName": "default.redis7"}),
            ("CacheParameterGroupNotFound", {"CacheParameterGroupName": "none"}),
            ("CacheSubnetGroupNotFoundFault", {"CacheSubnetGroupName": "none"}),
            ("InvalidParameterValue", {"NumNodeGroups": 501}),
            ("InvalidParameterValue", {"NumNodeGroups": 2, "AutomaticFailoverEnabled": False}),
            ("InvalidParameterCombination", {"MultiAZEnabled": True, "NumCacheClusters": 2}),
            ("InvalidParameterValue", {"AuthToken": "with*a+star-1234567", "TransitEncryptionEnabled": True}),
            ("InvalidParameterValue", {"PreferredMaintenanceWindow": "sometimes"}),
            ("InvalidParameterValue", {"PreferredMaintenanceWindow": "sun:23:00-sun:23:30"}),
            ("InvalidParameterValue", {"SnapshotWindow": "23:30-00:15"}),
            ("InvalidParameterValue", {"PreferredCacheClusterAZs": ["eu-west-1a"]}),
            ("InvalidParameterValue", {"ClusterMode": "compatible"}),
            ("SnapshotNotFoundFault", {"SnapshotName": "none"}),
        ],
    )  # fmt: skip
    def test_what_does_not_go_together(self, caches: Any, code: str, wrong: dict[str, Any]) -> None:
        options = {"ReplicationGroupDescription": "wrong", "Engine": "valkey", **wrong}
        with pytest.raises(ClientError) as failed:
            caches.create_replication_group(ReplicationGroupId="wrong", **options)
        assert failed.value.response["Error"]["Code"] == code
