"""Snapshots: taken, copied, deleted, restored; the daily ones."""

from __future__ import annotations

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


def snapshot(caches: Any, name: str) -> dict[str, Any]:
    answer = caches.describe_serverless_cache_snapshots(ServerlessCacheSnapshotName=name)
    found: dict[str, Any] = answer["ServerlessCacheSnapshots"][0]
    return found


class TestServerlessSnapshots:
    def test_a_new_cache_begins_with_one(self, node: Any, caches: Any, unique: Any) -> None:
        name, taken, copied = unique("source"), unique("taken"), unique("copied")
        with kit.serverless(caches, name) as cache, kit.connect(node, cache["Endpoint"]) as client:
            client.set("a", "then")
            client.lpush("list", *range(1000))
            made = caches.create_serverless_cache_snapshot(
                ServerlessCacheSnapshotName=taken, ServerlessCacheName=name
            )
            assert made["ServerlessCacheSnapshot"]["Status"] == "creating"
            assert snapshot(caches, taken)["Status"] == "available"
            client.set("a", "later")
        caches.copy_serverless_cache_snapshot(
            SourceServerlessCacheSnapshotName=taken, TargetServerlessCacheSnapshotName=copied
        )
        caches.delete_serverless_cache_snapshot(ServerlessCacheSnapshotName=taken)
        arn = snapshot(caches, copied)["ARN"]
        with (
            kit.serverless(caches, unique("target"), SnapshotArnsToRestore=[arn]) as cache,
            kit.connect(node, cache["Endpoint"]) as client,
        ):
            assert client.get("a") == b"then"
            assert client.llen("list") == 1000
        with pytest.raises(ClientError) as failed:
            snapshot(caches, taken)
        assert failed.value.response["Error"]["Code"] == "ServerlessCacheSnapshotNotFoundFault"

    def test_the_last_act_of_a_cache_can_be_one(self, node: Any, caches: Any, unique: Any) -> None:
        name, final = unique("ending"), unique("final")
        caches.create_serverless_cache(ServerlessCacheName=name, Engine="valkey")
        with kit.connect(node, kit.described(caches, name)["Endpoint"]) as client:
            client.set("a", "last words")
        caches.delete_serverless_cache(ServerlessCacheName=name, FinalSnapshotName=final)
        kit.wait_until_gone(caches, name)
        found = snapshot(caches, final)
        assert found["Status"] == "available"
        assert int(found["BytesUsedForCache"]) > 0
        with (
            kit.serverless(caches, name, SnapshotArnsToRestore=[found["ARN"]]) as cache,
            kit.connect(node, cache["Endpoint"]) as client,
        ):
            assert client.get("a") == b"last words"

    def test_daily_ones_are_taken_and_go_when_their_days_are_over(self, fresh_node: Any) -> None:
        node = fresh_node()
        caches = node.client("elasticache")
        caches.create_serverless_cache(ServerlessCacheName="daily", Engine="valkey", SnapshotRetentionLimit=2)
        assert kit.described(caches, "daily")["Status"] == "available"

        def taken() -> list[str]:
            found = caches.describe_serverless_cache_snapshots(ServerlessCacheName="daily")
            assert all(each["SnapshotType"] == "automated" for each in found["ServerlessCacheSnapshots"])
            return [
                each["ServerlessCacheSnapshotName"]
                for each in found["ServerlessCacheSnapshots"]
                if each["Status"] == "available"
            ]

        newest = ""
        for _ in range(4):
            node.advance(86_400)
            newest = eventually(lambda last=newest: max(taken(), default="") > last and max(taken()))
        assert eventually(lambda: len(taken()) == 2)


class TestNodeSnapshots:
    def test_a_group_begins_with_one(self, caches: Any, unique: Any) -> None:
        cluster, name, group = unique("from"), unique("nodes"), unique("to")
        caches.create_cache_cluster(CacheClusterId=cluster, Engine="redis", CacheNodeType="cache.t3.micro")
        answer = caches.describe_cache_clusters(CacheClusterId=cluster, ShowCacheNodeInfo=True)
        with self.connect(answer["CacheClusters"][0]["CacheNodes"][0]["Endpoint"]) as client:
            client.set("a", 1)
            caches.create_snapshot(CacheClusterId=cluster, SnapshotName=name)
            (found,) = caches.describe_snapshots(SnapshotName=name)["Snapshots"]
            assert (found["SnapshotStatus"], found["CacheNodeType"]) == ("available", "cache.t3.micro")
        caches.delete_cache_cluster(CacheClusterId=cluster)
        caches.create_replication_group(
            ReplicationGroupId=group, ReplicationGroupDescription="restored", SnapshotName=name
        )
        answer = caches.describe_replication_groups(ReplicationGroupId=group)["ReplicationGroups"][0]
        with self.connect(answer["NodeGroups"][0]["PrimaryEndpoint"]) as client:
            assert client.get("a") == b"1"
        caches.delete_replication_group(ReplicationGroupId=group)
        caches.delete_snapshot(SnapshotName=name)

    def connect(self, endpoint: dict[str, Any]) -> redis.Redis:
        return redis.Redis(host=endpoint["Address"], port=endpoint["Port"])


class TestStatus:
    def test_a_cluster_of_which_one_is_taken_says_so(self, caches: Any, unique: Any) -> None:
        cluster, name = unique("busy"), unique("taken")
        caches.create_cache_cluster(CacheClusterId=cluster, Engine="redis", CacheNodeType="cache.t3.micro")
        caches.describe_cache_clusters(CacheClusterId=cluster)
        caches.create_snapshot(CacheClusterId=cluster, SnapshotName=name)
        found = {each["CacheClusterId"]: each for each in caches.describe_cache_clusters()["CacheClusters"]}
        assert found[cluster]["CacheClusterStatus"] == "snapshotting"
        answer = caches.describe_cache_clusters(CacheClusterId=cluster)
        assert answer["CacheClusters"][0]["CacheClusterStatus"] == "available"
        (made,) = caches.describe_snapshots(SnapshotName=name)["Snapshots"]
        assert made["SnapshotStatus"] == "available"
        caches.delete_cache_cluster(CacheClusterId=cluster)

    @pytest.mark.slow
    def test_one_that_cannot_be_written_fails_in_the_end(self, fresh_node: Any) -> None:
        node = fresh_node()
        caches = node.client("elasticache")
        caches.create_cache_cluster(CacheClusterId="full", Engine="redis", CacheNodeType="cache.t3.micro")
        caches.describe_cache_clusters(CacheClusterId="full")
        (server,) = (node.data / "elasticache" / "servers").iterdir()
        (server / "dump.rdb" / "in-the-way").mkdir(parents=True)
        caches.create_snapshot(CacheClusterId="full", SnapshotName="never")

        def is_failed() -> bool:
            node.advance(60)
            (made,) = caches.describe_snapshots(MaxRecords=20)["Snapshots"]
            return bool(made["SnapshotStatus"] == "failed")

        eventually(is_failed)
        answer = caches.describe_cache_clusters(CacheClusterId="full")
        assert answer["CacheClusters"][0]["CacheClusterStatus"] == "available"
        caches.delete_snapshot(SnapshotName="never")
