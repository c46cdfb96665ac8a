"""The clusters of a replication group, asked for by their own names; and the group's number of replicas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from botocore.exceptions import ClientError

from tests.services.elasticache.test_replication_groups import described, group, primary

pytestmark = pytest.mark.node_only


@pytest.fixture
def caches(client: Any) -> Any:
    return client("elasticache")


@pytest.fixture
def id(caches: Any, unique: Any) -> Iterator[str]:
    name: str = unique("members")
    with group(caches, name, NumCacheClusters=2):
        yield name


def refused(failed: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    error = failed.value.response["Error"]
    return error["Code"], error["Message"]


class TestMembers:
    def test_a_snapshot_can_be_taken_of_one(self, caches: Any, unique: Any, id: str) -> None:
        endpoint, name = primary(described(caches, id)), unique("of-member")
        with redis.Redis(host=endpoint["Address"], port=endpoint["Port"]) as cache:
            cache.set("a", "then")
        caches.create_snapshot(CacheClusterId=f"{id}-002", SnapshotName=name)
        (found,) = caches.describe_snapshots(SnapshotName=name)["Snapshots"]
        assert (found["SnapshotStatus"], found["CacheClusterId"]) == ("available", f"{id}-002")
        with group(caches, unique("restored"), SnapshotName=name) as restored:
            endpoint = primary(restored)
            with redis.Redis(host=endpoint["Address"], port=endpoint["Port"]) as cache:
                assert cache.get("a") == b"then"

    def test_one_can_be_rebooted(self, caches: Any, id: str) -> None:
        endpoint = primary(described(caches, id))
        with redis.Redis(host=endpoint["Address"], port=endpoint["Port"]) as cache:
            before = cache.info("server")["run_id"]
            made = caches.reboot_cache_cluster(CacheClusterId=f"{id}-001", CacheNodeIdsToReboot=["0001"])
            assert made["CacheCluster"]["CacheClusterStatus"] == "rebooting cluster nodes"
            assert described(caches, id)["Status"] == "available"
            assert cache.info("server")["run_id"] != before

    def test_the_group_is_what_is_changed_and_deleted(self, caches: Any, unique: Any, id: str) -> None:
        with pytest.raises(ClientError) as failed:
            caches.modify_cache_cluster(CacheClusterId=f"{id}-001", SnapshotRetentionLimit=1)
        assert refused(failed)[0] == "InvalidCacheClusterState"
        with group(caches, unique("alone")) as alone, pytest.raises(ClientError) as failed:
            caches.delete_cache_cluster(CacheClusterId=alone["MemberClusters"][0])
        code, text = refused(failed)
        assert code == "InvalidCacheClusterState"
        assert text.startswith("Cannot delete the cache cluster since it is the only member of a replication")

    def test_a_replica_that_is_deleted_is_gone(self, caches: Any, id: str) -> None:
        made = caches.delete_cache_cluster(CacheClusterId=f"{id}-002")["CacheCluster"]
        assert made["CacheClusterStatus"] == "deleting"
        assert described(caches, id)["MemberClusters"] == [f"{id}-001"]

    def test_has_the_tags_of_its_group(self, caches: Any, id: str) -> None:
        arn = described(caches, id)["ARN"]
        caches.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "team", "Value": "a"}])
        member = caches.describe_cache_clusters(CacheClusterId=f"{id}-001")["CacheClusters"][0]["ARN"]
        found = caches.list_tags_for_resource(ResourceName=member)["TagList"]
        assert found == [{"Key": "team", "Value": "a"}]

    def test_no_cluster_has_its_name(self, caches: Any, unique: Any, id: str) -> None:
        other, options = unique("other"), {"Engine": "redis", "CacheNodeType": "cache.t3.micro"}
        for name in (f"{id}-003", f"{other}-001"):
            caches.create_cache_cluster(CacheClusterId=name, **options)
        with pytest.raises(ClientError) as failed:
            caches.increase_replica_count(ReplicationGroupId=id, NewReplicaCount=2, ApplyImmediately=True)
        assert refused(failed)[0] == "CacheClusterAlreadyExists"
        with pytest.raises(ClientError) as failed:
            caches.create_replication_group(
                ReplicationGroupId=other, ReplicationGroupDescription="other", Engine="valkey"
            )
        assert refused(failed)[0] == "CacheClusterAlreadyExists"
        for name in (f"{id}-003", f"{other}-001"):
            caches.delete_cache_cluster(CacheClusterId=name)

    def test_its_name_is_taken(self, caches: Any, id: str) -> None:
        with pytest.raises(ClientError) as failed:
            caches.create_cache_cluster(
                CacheClusterId=f"{id}-002", Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1
            )
        assert refused(failed)[0] == "CacheClusterAlreadyExists"


class TestReplicas:
    def test_become_more_and_fewer(self, caches: Any, id: str) -> None:
        scale = {"ReplicationGroupId": id, "ApplyImmediately": True}
        made = caches.increase_replica_count(NewReplicaCount=3, **scale)["ReplicationGroup"]
        assert made["Status"] == "modifying"
        found = described(caches, id)
        assert (found["Status"], len(found["MemberClusters"])) == ("available", 4)
        caches.decrease_replica_count(NewReplicaCount=1, **scale)
        assert described(caches, id)["MemberClusters"] == [f"{id}-001", f"{id}-002"]

    @pytest.mark.parametrize(
        ("way", "count", "code"),
        [
            ("increase", 1, "InvalidParameterValue"),
            ("increase", 6, "InvalidParameterValue"),
            ("decrease", 1, "InvalidParameterValue"),
            ("decrease", -1, "InvalidParameterValue"),
        ],
    )
    def test_wrong_numbers_are_refused(self, caches: Any, id: str, way: str, count: int, code: str) -> None:
        change = getattr(caches, f"{way}_replica_count")
        with pytest.raises(ClientError) as failed:
            change(ReplicationGroupId=id, NewReplicaCount=count, ApplyImmediately=True)
        assert refused(failed)[0] == code

    def test_several_zones_need_one(self, caches: Any, unique: Any) -> None:
        name = unique("zones")
        options = {"NumCacheClusters": 2, "AutomaticFailoverEnabled": True, "MultiAZEnabled": True}
        with group(caches, name, **options), pytest.raises(ClientError) as failed:
            caches.decrease_replica_count(ReplicationGroupId=name, NewReplicaCount=0, ApplyImmediately=True)
        assert refused(failed)[0] == "InvalidParameterValue"


class TestNodeTypes:
    def test_those_that_it_may_become_are_told(self, caches: Any, id: str) -> None:
        found = caches.list_allowed_node_type_modifications(ReplicationGroupId=id)
        assert "cache.r7g.large" in found["ScaleUpModifications"]
        assert "cache.t4g.micro" not in found["ScaleUpModifications"]
        assert "cache.r4.16xlarge" in found["ScaleUpModifications"]
        assert not {"cache.m5.8xlarge", "cache.r7g.24xlarge"} & set(found["ScaleUpModifications"])
        of_one = caches.list_allowed_node_type_modifications(CacheClusterId=f"{id}-001")
        assert of_one["ScaleUpModifications"] == found["ScaleUpModifications"]
