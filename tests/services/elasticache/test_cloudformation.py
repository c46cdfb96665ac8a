"""Caches, and what belongs to them, from templates."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import redis

from tests.harness import eventually
from tests.services.elasticache import kit

pytestmark = [pytest.mark.node_only, pytest.mark.slow]


def outputs(**attributes: str) -> dict[str, Any]:
    return {
        name: {"Value": {"Fn::GetAtt": attribute.split(".", 1)}} for name, attribute in attributes.items()
    }


def endpoint(found: dict[str, str]) -> dict[str, Any]:
    return {"Address": found["Host"], "Port": int(found["Port"])}


class TestServerlessCache:
    def test_its_endpoint_is_there_for_others(self, node: Any, client: Any, stack: Any, unique: Any) -> None:
        properties: dict[str, Any] = {"ServerlessCacheName": unique("stacked"), "Engine": "valkey"}
        template = {
            "Resources": {"Cache": {"Type": "AWS::ElastiCache::ServerlessCache", "Properties": properties}},
            "Outputs": outputs(
                Host="Cache.Endpoint.Address",
                Port="Cache.Endpoint.Port",
                Arn="Cache.ARN",
                Made="Cache.CreateTime",
            ),
        }
        found = stack(template)
        with kit.connect(node, endpoint(found)) as cache:
            assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+Z", found["Made"])
            cache.set("kept", "yes")
            properties["CacheUsageLimits"] = {"DataStorage": {"Maximum": "3", "Unit": "GB"}}
            properties["Tags"] = [{"Key": "team", "Value": "a"}]
            assert stack(template) == found
            assert cache.get("kept") == b"yes"
            assert cache.info("memory")["maxmemory"] == 3 * 1024**3
            tags = client("elasticache").list_tags_for_resource(ResourceName=found["Arn"])["TagList"]
            assert {"Key": "team", "Value": "a"} in tags
        stack.delete()
        caches = client("elasticache").describe_serverless_caches()["ServerlessCaches"]
        assert found["Arn"] not in [cache["ARN"] for cache in caches]

    def test_what_goes_wrong_is_told_and_undone(self, client: Any, unique: Any) -> None:
        cfn, name = client("cloudformation"), unique("wrong")
        properties = {"ServerlessCacheName": name, "Engine": "valkey", "UserGroupId": "nobody"}
        cache = {"Type": "AWS::ElastiCache::ServerlessCache", "Properties": properties}
        cfn.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Cache": cache}}))
        eventually(
            lambda: cfn.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE"
        )
        events = cfn.describe_stack_events(StackName=name)["StackEvents"]
        (reason,) = [e["ResourceStatusReason"] for e in events if e["ResourceStatus"] == "CREATE_FAILED"]
        assert "User group nobody not found. (Service: ElastiCache, Status Code: 404, " in reason
        assert "HandlerErrorCode: NotFound" in reason
        cfn.delete_stack(StackName=name)

    def test_one_that_changes_already_is_waited_for(self, client: Any, stack: Any, unique: Any) -> None:
        name, caches = unique("changing"), client("elasticache")
        properties = {"ServerlessCacheName": name, "Engine": "valkey"}
        template = {
            "Resources": {"Cache": {"Type": "AWS::ElastiCache::ServerlessCache", "Properties": properties}}
        }
        stack(template)
        for number in range(3):
            caches.modify_serverless_cache(ServerlessCacheName=name, SnapshotRetentionLimit=number)
            properties["Description"] = str(number)
            stack(template)
            assert kit.described(caches, name)["Description"] == str(number)

    def test_one_that_goes_already_is_waited_for(self, client: Any, stack: Any, unique: Any) -> None:
        name, caches = unique("going"), client("elasticache")
        properties = {"ServerlessCacheName": name, "Engine": "valkey"}
        stack(
            {"Resources": {"Cache": {"Type": "AWS::ElastiCache::ServerlessCache", "Properties": properties}}}
        )
        caches.delete_serverless_cache(ServerlessCacheName=name, FinalSnapshotName=unique("last"))
        stack.delete()
        kit.wait_until_gone(caches, name)

    def test_users_come_from_templates_too(self, node: Any, stack: Any, unique: Any) -> None:
        password = "a-password-of-length"
        user = {"UserId": unique("u"), "UserName": "app", "Engine": "valkey", "AccessString": "on ~* +@all"}
        template = {
            "Resources": {
                "User": {"Type": "AWS::ElastiCache::User", "Properties": {**user, "Passwords": [password]}},
                "Users": {
                    "Type": "AWS::ElastiCache::UserGroup",
                    "Properties": {
                        "UserGroupId": unique("g"),
                        "Engine": "valkey",
                        "UserIds": [{"Ref": "User"}],
                    },
                },
                "Cache": {
                    "Type": "AWS::ElastiCache::ServerlessCache",
                    "Properties": {
                        "ServerlessCacheName": unique("guarded"),
                        "Engine": "valkey",
                        "UserGroupId": {"Ref": "Users"},
                    },
                },
            },
            "Outputs": outputs(Host="Cache.Endpoint.Address", Port="Cache.Endpoint.Port"),
        }
        found = stack(template)
        with kit.connect(node, endpoint(found), username="app", password=password) as cache:
            assert cache.set("a", 1)
        with kit.connect(node, endpoint(found)) as nobody, pytest.raises(redis.AuthenticationError):
            nobody.get("a")


class TestNodes:
    def test_a_cluster_in_subnets_with_parameters(self, stack: Any) -> None:
        vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}}
        subnet = {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.9.1.0/24"},
        }
        template = {
            "Resources": {
                "Vpc": vpc,
                "Subnet": subnet,
                "Subnets": {
                    "Type": "AWS::ElastiCache::SubnetGroup",
                    "Properties": {"Description": "private", "SubnetIds": [{"Ref": "Subnet"}]},
                },
                "Parameters": {
                    "Type": "AWS::ElastiCache::ParameterGroup",
                    "Properties": {
                        "CacheParameterGroupFamily": "redis7",
                        "Description": "tuned",
                        "Properties": {"maxmemory-policy": "allkeys-lru", "timeout": 20},
                    },
                },
                "Cluster": {
                    "Type": "AWS::ElastiCache::CacheCluster",
                    "Properties": {
                        "Engine": "redis",
                        "CacheNodeType": "cache.t3.micro",
                        "NumCacheNodes": 1,
                        "CacheSubnetGroupName": {"Ref": "Subnets"},
                        "CacheParameterGroupName": {"Ref": "Parameters"},
                    },
                },
            },
            "Outputs": outputs(Host="Cluster.RedisEndpoint.Address", Port="Cluster.RedisEndpoint.Port"),
        }
        found = stack(template)
        with redis.Redis(host=found["Host"], port=int(found["Port"])) as cache:
            assert cache.info("memory")["maxmemory_policy"] == "allkeys-lru"

    def test_a_replication_group_has_a_primary(self, node: Any, stack: Any) -> None:
        properties = {
            "ReplicationGroupDescription": "one",
            "Engine": "valkey",
            "CacheNodeType": "cache.t4g.micro",
            "NumCacheClusters": 2,
            "AutomaticFailoverEnabled": True,
            "TransitEncryptionEnabled": True,
        }
        template = {
            "Resources": {"Group": {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": properties}},
            "Outputs": outputs(Host="Group.PrimaryEndPoint.Address", Port="Group.PrimaryEndPoint.Port"),
        }
        found = stack(template)
        with kit.connect(node, endpoint(found)) as cache:
            assert cache.set("a", 1)

    def test_replicas_come_without_a_new_group(self, client: Any, stack: Any) -> None:
        properties: dict[str, Any] = {
            "ReplicationGroupDescription": "one",
            "Engine": "valkey",
            "CacheNodeType": "cache.t4g.micro",
            "NumCacheClusters": 1,
        }
        template = {
            "Resources": {"Group": {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": properties}},
            "Outputs": {
                **outputs(Host="Group.PrimaryEndPoint.Address", Port="Group.PrimaryEndPoint.Port"),
                "Id": {"Value": {"Ref": "Group"}},
                "Read": {
                    "Value": {"Fn::Join": [",", {"Fn::GetAtt": ["Group", "ReadEndPoint.Addresses.List"]}]}
                },
            },
        }
        found = stack(template)
        assert found["Read"] == "localhost"
        for count in (3, 2):
            properties["NumCacheClusters"] = count
            assert stack(template)["Id"] == found["Id"]
            (group,) = client("elasticache").describe_replication_groups(ReplicationGroupId=found["Id"])[
                "ReplicationGroups"
            ]
            assert len(group["MemberClusters"]) == count

    def test_another_engine_is_another_cluster(self, client: Any, stack: Any) -> None:
        """What it replaces leaves a snapshot, if the policy says so."""
        properties: dict[str, Any] = {
            "Engine": "redis",
            "CacheNodeType": "cache.t3.micro",
            "NumCacheNodes": 1,
        }
        cluster = {
            "Type": "AWS::ElastiCache::CacheCluster",
            "UpdateReplacePolicy": "Snapshot",
            "Properties": properties,
        }
        template = {"Resources": {"Cluster": cluster}, "Outputs": {"Id": {"Value": {"Ref": "Cluster"}}}}
        before = stack(template)
        properties["Engine"] = "valkey"
        assert stack(template)["Id"] != before["Id"]
        made = client("elasticache").describe_snapshots(CacheClusterId=before["Id"])["Snapshots"]
        assert [each["SnapshotStatus"] for each in made] == ["available"]

    @pytest.mark.parametrize("kind", ["CacheCluster", "ReplicationGroup"])
    def test_a_snapshot_stays_of_what_is_deleted(
        self, client: Any, stack: Any, unique: Any, kind: str
    ) -> None:
        caches = client("elasticache")
        properties = {"Engine": "redis", "CacheNodeType": "cache.t3.micro"}
        if kind == "CacheCluster":
            properties |= {"NumCacheNodes": 1}
        else:
            properties |= {"ReplicationGroupDescription": "kept"}
        resource = {
            "Type": f"AWS::ElastiCache::{kind}",
            "DeletionPolicy": "Snapshot",
            "Properties": properties,
        }
        prefix = "Cache.RedisEndpoint" if kind == "CacheCluster" else "Cache.PrimaryEndPoint"
        found = stack(
            {
                "Resources": {"Cache": resource},
                "Outputs": outputs(Host=f"{prefix}.Address", Port=f"{prefix}.Port"),
            }
        )
        with redis.Redis(host=found["Host"], port=int(found["Port"])) as cache:
            cache.set("a", "kept")
        stack.delete()
        made = caches.describe_snapshots()["Snapshots"]
        (name,) = [each["SnapshotName"] for each in made if each["SnapshotName"].startswith(stack.name)]
        assert f"{stack.name}-snapshot-cache-" in name
        id = unique("again")
        caches.create_cache_cluster(
            CacheClusterId=id, Engine="redis", CacheNodeType="cache.t3.micro", SnapshotName=name
        )
        answer = caches.describe_cache_clusters(CacheClusterId=id, ShowCacheNodeInfo=True)
        place = answer["CacheClusters"][0]["CacheNodes"][0]["Endpoint"]
        with redis.Redis(host=place["Address"], port=place["Port"]) as cache:
            assert cache.get("a") == b"kept"
        caches.delete_cache_cluster(CacheClusterId=id)
