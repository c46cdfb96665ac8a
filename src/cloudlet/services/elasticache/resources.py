"""ElastiCache's CloudFormation types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...resources import Call, Params, Resource, View

SERVICE = "elasticache"


def _gone(word: str) -> frozenset[str]:
    return frozenset({f"{word}NotFoundFault"})


def _named(member: str, property: str = "") -> Callable[[View], Params]:
    """The name alone, of what is there or is being made."""
    return lambda view: {member: view.id or view.new[property or member]}


def _changed(view: View, settings: Sequence[str]) -> dict[str, Any]:
    """The settings that changed and have a value."""
    return {name: view.new[name] for name in settings if name in view.new and view.changed(name)}


def _tag(type: str) -> list[Call]:
    """The calls that bring the tags of a resource up to date."""

    def arn(view: View) -> str:
        env = view.env
        return f"arn:{env['partition']}:elasticache:{env['region']}:{env['account']}:{type}:{view.id}"

    def left(view: View) -> Sequence[Params]:
        now = {tag["Key"] for tag in view.new.get("Tags", [])}
        keys = [tag["Key"] for tag in view.old.get("Tags", []) if tag["Key"] not in now]
        return [{"ResourceName": arn(view), "TagKeys": keys}] if keys else []

    def added(view: View) -> Sequence[Params]:
        tags = view.new.get("Tags")
        return [{"ResourceName": arn(view), "Tags": tags}] if tags else []

    return [
        Call(SERVICE, "RemoveTagsFromResource", left, when={"Tags"}),
        Call(SERVICE, "AddTagsToResource", added, when={"Tags"}),
    ]


# --- serverless caches

_SERVERLESS = (
    "CacheUsageLimits", "DailySnapshotTime", "Description", "Engine", "MajorEngineVersion", "SecurityGroupIds",
    "SnapshotRetentionLimit", "UserGroupId",
)  # fmt: skip


def _modify_serverless(view: View) -> Sequence[Params]:
    call = _changed(view, _SERVERLESS)
    if "UserGroupId" in view.old and "UserGroupId" not in view.new:
        call["RemoveUserGroup"] = True
    return [{"ServerlessCacheName": view.id, **call}] if call else []


def _delete_serverless(view: View) -> Params:
    final = view.new.get("FinalSnapshotName")
    return {"ServerlessCacheName": view.id} | ({"FinalSnapshotName": final} if final else {})


_SERVERLESS_GONE = _gone("ServerlessCache")
_SERVERLESS_GOING = _SERVERLESS_GONE | {"InvalidServerlessCacheStateFault"}
_SERVERLESS_NAME = _named("ServerlessCacheName")
_SERVERLESS_SETTLED = Call(SERVICE, "DescribeServerlessCaches", _SERVERLESS_NAME)


# --- nodes

_NODES = (
    "AutoMinorVersionUpgrade", "CacheNodeType", "CacheParameterGroupName", "Engine", "EngineVersion",
    "PreferredMaintenanceWindow", "SnapshotRetentionLimit", "SnapshotWindow",
)  # fmt: skip
_GROUP = (
    *_NODES, "AuthToken", "AutomaticFailoverEnabled", "MultiAZEnabled", "ReplicationGroupDescription",
    "SecurityGroupIds", "TransitEncryptionEnabled", "TransitEncryptionMode",
)  # fmt: skip


def _create_cluster(view: View) -> Params:
    params = dict(view.new)
    params["CacheClusterId"] = params.pop("ClusterName")
    if "VpcSecurityGroupIds" in params:
        params["SecurityGroupIds"] = params.pop("VpcSecurityGroupIds")
    params.pop("CacheSecurityGroupNames", None)
    return params


def _modify_cluster(view: View) -> Sequence[Params]:
    call = _changed(view, _NODES)
    if "VpcSecurityGroupIds" in view.new and view.changed("VpcSecurityGroupIds"):
        call["SecurityGroupIds"] = view.new["VpcSecurityGroupIds"]
    return [{"CacheClusterId": view.id, "ApplyImmediately": True, **call}] if call else []


def _modify_group(view: View) -> Sequence[Params]:
    call = _changed(view, _GROUP)
    old, new = view.old.get("UserGroupIds", []), view.new.get("UserGroupIds", [])
    if removed := [id for id in old if id not in new]:
        call["UserGroupIdsToRemove"] = removed
    if added := [id for id in new if id not in old]:
        call["UserGroupIdsToAdd"] = added
    return [{"ReplicationGroupId": view.id, "ApplyImmediately": True, **call}] if call else []


def _look_at_cluster(view: View) -> Params:
    return {"CacheClusterId": view.id or view.new["ClusterName"], "ShowCacheNodeInfo": True}


def _delete_nodes(named: Callable[[View], Params]) -> Callable[[View], Params]:
    """With the policy Snapshot the last act is one."""

    def params(view: View) -> Params:
        final = view.env.get("snapshot")
        return {**named(view), **({"FinalSnapshotIdentifier": final} if final else {})}

    return params


def _scale(way: int) -> Callable[[View], Sequence[Params]]:
    """A change of the number of members, if it goes this way."""

    def params(view: View) -> Sequence[Params]:
        new, old = (_replicas(properties) for properties in (view.new, view.old))
        if (new - old) * way <= 0:
            return []
        return [{"ReplicationGroupId": view.id, "NewReplicaCount": new, "ApplyImmediately": True}]

    return params


def _replicas(properties: dict[str, Any]) -> int:
    if "ReplicasPerNodeGroup" in properties:
        return int(properties["ReplicasPerNodeGroup"])
    return int(properties.get("NumCacheClusters", 1)) - 1


_CLUSTER_GONE = _gone("CacheCluster")
_CLUSTER_GOING = _CLUSTER_GONE | {"InvalidCacheClusterStateFault"}
_CLUSTER_SETTLED = Call(SERVICE, "DescribeCacheClusters", _look_at_cluster)
_CLUSTER_NAME = _named("CacheClusterId", "ClusterName")
_GROUP_GONE = _gone("ReplicationGroup")
_GROUP_GOING = _GROUP_GONE | {"InvalidReplicationGroupStateFault"}
_GROUP_NAME = _named("ReplicationGroupId")
_GROUP_SETTLED = Call(SERVICE, "DescribeReplicationGroups", _GROUP_NAME)
_NODE = "{CacheClusters.0.CacheNodes.0.Endpoint."
_PRIMARY = "{ReplicationGroups.0.NodeGroups.0.PrimaryEndpoint."
_READER = "{ReplicationGroups.0.NodeGroups.0.ReaderEndpoint."
_READ = "{ReplicationGroups.0.NodeGroups.0.NodeGroupMembers.*.ReadEndpoint."
_CONFIGURATION = "{ReplicationGroups.0.ConfigurationEndpoint."


# --- subnets, parameters, users


def _subnet_group(view: View) -> Params:
    return {
        "CacheSubnetGroupName": view.id or view.new["CacheSubnetGroupName"],
        "CacheSubnetGroupDescription": view.new["Description"],
        "SubnetIds": view.new["SubnetIds"],
    }


def _create_subnet_group(view: View) -> Params:
    return {**_subnet_group(view), "Tags": view.new.get("Tags", [])}


def _parameters(view: View) -> Sequence[Params]:
    """In calls of twenty, as many as one takes."""
    old = view.old.get("Properties", {})
    values = [
        {"ParameterName": name, "ParameterValue": str(value)}
        for name, value in view.new.get("Properties", {}).items()
        if old.get(name) != value
    ]
    name = view.id or view.new["CacheParameterGroupName"]
    return [
        {"CacheParameterGroupName": name, "ParameterNameValues": values[begin : begin + 20]}
        for begin in range(0, len(values), 20)
    ]


def _reset(view: View) -> Sequence[Params]:
    names = view.old.get("Properties", {}).keys() - view.new.get("Properties", {}).keys()
    values = [{"ParameterName": name} for name in sorted(names)]
    return [{"CacheParameterGroupName": view.id, "ParameterNameValues": values}] if values else []


_USER = ("AccessString", "AuthenticationMode", "Engine", "NoPasswordRequired", "Passwords")


def _create_user(view: View) -> Params:
    return {"AccessString": "off ~* -@all", **view.new}


def _modify_user(view: View) -> Sequence[Params]:
    call = _changed(view, _USER)
    return [{"UserId": view.id, **call}] if call else []


def _modify_user_group(view: View) -> Sequence[Params]:
    old, new = view.old.get("UserIds", []), view.new.get("UserIds", [])
    call = _changed(view, ("Engine",))
    if added := [id for id in new if id not in old]:
        call["UserIdsToAdd"] = added
    if removed := [id for id in old if id not in new]:
        call["UserIdsToRemove"] = removed
    return [{"UserGroupId": view.id, **call}] if call else []


RESOURCES: dict[str, Resource] = {
    "AWS::ElastiCache::ServerlessCache": Resource(
        name="ServerlessCacheName",
        name_max=40,
        lower_case=True,
        required={"Engine", "ServerlessCacheName"},
        create=[
            Call(SERVICE, "CreateServerlessCache", drop={"FinalSnapshotName"}, result="ServerlessCache"),
            _SERVERLESS_SETTLED,
        ],
        update=[
            _SERVERLESS_SETTLED,
            Call(SERVICE, "ModifyServerlessCache", _modify_serverless),
            _SERVERLESS_SETTLED,
            *_tag("serverlesscache"),
        ],
        delete=[
            Call(SERVICE, "DeleteServerlessCache", _delete_serverless, gone=_SERVERLESS_GOING),
            Call(SERVICE, "DescribeServerlessCaches", _SERVERLESS_NAME, gone=_SERVERLESS_GONE),
        ],
        id="{ServerlessCacheName}",
        attributes={
            "ARN": "{ARN}",
            "CreateTime": "{CreateTime:time}",
            "Endpoint.Address": "{ServerlessCaches.0.Endpoint.Address}",
            "Endpoint.Port": "{ServerlessCaches.0.Endpoint.Port}",
            "FullEngineVersion": "{ServerlessCaches.0.FullEngineVersion}",
            "ReaderEndpoint.Address": "{ServerlessCaches.0.ReaderEndpoint.Address}",
            "ReaderEndpoint.Port": "{ServerlessCaches.0.ReaderEndpoint.Port}",
            "Status": "{ServerlessCaches.0.Status}",
        },
        replace={
            "ServerlessCacheName",
            "ConnectionType",
            "KmsKeyId",
            "NetworkType",
            "SnapshotArnsToRestore",
            "SubnetIds",
        },
    ),
    "AWS::ElastiCache::CacheCluster": Resource(
        name="ClusterName",
        name_max=50,
        lower_case=True,
        required={"CacheNodeType", "Engine", "NumCacheNodes"},
        create=[Call(SERVICE, "CreateCacheCluster", _create_cluster), _CLUSTER_SETTLED],
        update=[
            _CLUSTER_SETTLED,
            Call(SERVICE, "ModifyCacheCluster", _modify_cluster),
            _CLUSTER_SETTLED,
            *_tag("cluster"),
        ],
        delete=[
            Call(SERVICE, "DeleteCacheCluster", _delete_nodes(_CLUSTER_NAME), gone=_CLUSTER_GOING),
            Call(SERVICE, "DescribeCacheClusters", _CLUSTER_NAME, gone=_CLUSTER_GONE),
        ],
        id="{CacheCluster.CacheClusterId}",
        attributes={
            "RedisEndpoint.Address": _NODE + "Address}",
            "RedisEndpoint.Port": _NODE + "Port}",
        },
        replace={
            "ClusterName",
            "CacheSubnetGroupName",
            "Engine",
            "NetworkType",
            "Port",
            "SnapshotArns",
            "SnapshotName",
            "TransitEncryptionEnabled",
        },
    ),
    "AWS::ElastiCache::ReplicationGroup": Resource(
        name="ReplicationGroupId",
        name_max=40,
        lower_case=True,
        required={"ReplicationGroupDescription"},
        ignore={"SnapshottingClusterId"},
        create=[
            Call(SERVICE, "CreateReplicationGroup", drop={"SnapshottingClusterId"}),
            _GROUP_SETTLED,
        ],
        update=[
            _GROUP_SETTLED,
            Call(SERVICE, "DecreaseReplicaCount", _scale(-1)),
            _GROUP_SETTLED,
            Call(SERVICE, "ModifyReplicationGroup", _modify_group),
            _GROUP_SETTLED,
            Call(SERVICE, "IncreaseReplicaCount", _scale(1)),
            _GROUP_SETTLED,
            *_tag("replicationgroup"),
        ],
        delete=[
            Call(SERVICE, "DeleteReplicationGroup", _delete_nodes(_GROUP_NAME), gone=_GROUP_GOING),
            Call(SERVICE, "DescribeReplicationGroups", _GROUP_NAME, gone=_GROUP_GONE),
        ],
        id="{ReplicationGroup.ReplicationGroupId}",
        attributes={
            "ConfigurationEndPoint.Address": _CONFIGURATION + "Address}",
            "ConfigurationEndPoint.Port": _CONFIGURATION + "Port}",
            "PrimaryEndPoint.Address": _PRIMARY + "Address}",
            "PrimaryEndPoint.Port": _PRIMARY + "Port}",
            "ReadEndPoint.Addresses": _READ + "Address}",
            "ReadEndPoint.Addresses.List": _READ + "Address}",
            "ReadEndPoint.Ports": _READ + "Port}",
            "ReadEndPoint.Ports.List": _READ + "Port}",
            "ReaderEndPoint.Address": _READER + "Address}",
            "ReaderEndPoint.Port": _READER + "Port}",
        },
        replace={
            "ReplicationGroupId",
            "AtRestEncryptionEnabled",
            "CacheSubnetGroupName",
            "ClusterMode",
            "DataTieringEnabled",
            "GlobalReplicationGroupId",
            "KmsKeyId",
            "NetworkType",
            "NodeGroupConfiguration",
            "NumNodeGroups",
            "Port",
            "PreferredCacheClusterAZs",
            "SnapshotArns",
            "SnapshotName",
        },
    ),
    "AWS::ElastiCache::SubnetGroup": Resource(
        name="CacheSubnetGroupName",
        name_max=255,
        lower_case=True,
        required={"Description", "SubnetIds"},
        create=[Call(SERVICE, "CreateCacheSubnetGroup", _create_subnet_group, result="CacheSubnetGroup")],
        update=[
            Call(SERVICE, "ModifyCacheSubnetGroup", _subnet_group, when={"Description", "SubnetIds"}),
            *_tag("subnetgroup"),
        ],
        delete=[
            Call(
                SERVICE,
                "DeleteCacheSubnetGroup",
                _named("CacheSubnetGroupName"),
                gone=_gone("CacheSubnetGroup"),
            )
        ],
        id="{CacheSubnetGroupName}",
        replace={"CacheSubnetGroupName"},
    ),
    "AWS::ElastiCache::ParameterGroup": Resource(
        name="CacheParameterGroupName",
        name_max=255,
        lower_case=True,
        required={"CacheParameterGroupFamily", "Description"},
        create=[
            Call(SERVICE, "CreateCacheParameterGroup", drop={"Properties"}, result="CacheParameterGroup"),
            Call(SERVICE, "ModifyCacheParameterGroup", _parameters),
        ],
        update=[
            Call(SERVICE, "ResetCacheParameterGroup", _reset, when={"Properties"}),
            Call(SERVICE, "ModifyCacheParameterGroup", _parameters, when={"Properties"}),
            *_tag("parametergroup"),
        ],
        delete=[
            Call(
                SERVICE,
                "DeleteCacheParameterGroup",
                _named("CacheParameterGroupName"),
                gone=_gone("CacheParameterGroup"),
            )
        ],
        id="{CacheParameterGroupName}",
        attributes={"CacheParameterGroupName": "{CacheParameterGroupName}"},
        replace={"CacheParameterGroupName", "CacheParameterGroupFamily", "Description"},
    ),
    "AWS::ElastiCache::User": Resource(
        name="UserId",
        name_max=40,
        lower_case=True,
        required={"Engine", "UserId", "UserName"},
        create=[Call(SERVICE, "CreateUser", _create_user)],
        update=[Call(SERVICE, "ModifyUser", _modify_user), *_tag("user")],
        delete=[Call(SERVICE, "DeleteUser", _named("UserId"), gone=_gone("User"))],
        id="{UserId}",
        attributes={"Arn": "{ARN}", "Status": "{Status}"},
        replace={"UserId", "UserName"},
    ),
    "AWS::ElastiCache::UserGroup": Resource(
        name="UserGroupId",
        name_max=40,
        lower_case=True,
        required={"Engine", "UserGroupId", "UserIds"},
        create=[Call(SERVICE, "CreateUserGroup")],
        update=[Call(SERVICE, "ModifyUserGroup", _modify_user_group), *_tag("usergroup")],
        delete=[Call(SERVICE, "DeleteUserGroup", _named("UserGroupId"), gone=_gone("UserGroup"))],
        id="{UserGroupId}",
        attributes={"Arn": "{ARN}", "Status": "{Status}"},
        replace={"UserGroupId"},
    ),
}
