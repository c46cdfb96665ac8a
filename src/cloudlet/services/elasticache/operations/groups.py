"""Replication groups: one server for each node group. Replicas are members by name and share their primary's server."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import access, daily, launch, model, parameters, storage
from ..names import arn_of, given, named
from ..pages import by_marker
from ..storage import Name, Record
from . import clusters, nodes, parameter_groups, users
from .shared import available, end, keep, look

Response = dict[str, Any]
KIND = "group"


async def create_replication_group(ctx: Context, request: dict[str, Any]) -> Response:
    _refuse(request)
    launch.check_program()
    name = named(ctx, KIND, request["ReplicationGroupId"])
    snapshot = await ctx.store.read(lambda tx: nodes.snapshot_of(tx, ctx, request))
    shards = _shards(request, snapshot)
    cluster = await _is_cluster(ctx, request, shards)
    user_group = next(iter(request.get("UserGroupIds", [])), None)
    cache: Record = {
        "name": name.name,
        "description": request["ReplicationGroupDescription"],
        "cluster": cluster,
        "mode": request.get("ClusterMode", "enabled" if cluster else "disabled"),
        "replicas": _replicas(request),
        "failover": bool(request.get("AutomaticFailoverEnabled", cluster)),
        "multi_az": bool(request.get("MultiAZEnabled", False)),
        "user_group": user_group.lower() if user_group else None,
        **await nodes.common(ctx, request, cluster, snapshot),
    }
    _check_failover(request, cache)
    if cache["user_group"] and cache["tls"] == "off":
        raise model.combination("UserGroupIds can be used only when TransitEncryptionEnabled is true.")

    async def prepared(tx: Transaction) -> list[Record]:
        settings = await nodes.settings(tx, ctx, cache, cluster)
        lines = await _users(tx, ctx, cache)
        slots = [[launch.SLOTS * n // shards, launch.SLOTS * (n + 1) // shards - 1] for n in range(shards)]
        return [
            launch.new_server(name, cluster=cluster, slots=each, users=lines, **settings) for each in slots
        ]

    servers = nodes.restored(snapshot, await ctx.store.read(prepared))
    cache["servers"] = [server["uid"] for server in servers]

    async def body(tx: Transaction, complete: list[Record]) -> Response:
        await storage.add(tx, name, cache)
        await check_names(tx, name, cache)
        await daily.schedule(tx, ctx.node, name, cache)
        return described(name, cache, complete)

    return {"ReplicationGroup": await launch.transact(ctx, servers, body, first=request.get("Port"))}


def _refuse(request: dict[str, Any]) -> None:
    if request.get("ClusterMode") == "compatible":
        raise model.invalid("Cloudlet has no cluster mode between disabled and enabled.")
    if request.get("PrimaryClusterId"):
        raise model.invalid("Cloudlet makes no replication group of a cluster that is there: make a new one.")
    if request.get("GlobalReplicationGroupId"):
        raise model.invalid("Cloudlet has no global datastores.")
    if request.get("UserGroupIds") and request.get("AuthToken"):
        raise model.combination("AuthToken and UserGroupIds can't be used together.")


def _check_failover(request: dict[str, Any], group: Record) -> None:
    if group["cluster"] and not request.get("AutomaticFailoverEnabled", True):
        raise model.invalid(
            "Redis with cluster mode enabled cannot be created with auto failover turned off."
        )
    if group["multi_az"] and not group["failover"]:
        raise model.combination("Several availability zones need AutomaticFailoverEnabled.")


def _shards(request: dict[str, Any], snapshot: Record | None) -> int:
    configured = len(request.get("NodeGroupConfiguration", []))
    kept = len(snapshot["files"]) if snapshot is not None else 1
    shards = int(request.get("NumNodeGroups") or configured or kept)
    if not 1 <= shards <= model.MAX_SHARDS:
        raise model.invalid(f"The number of node groups must be between 1 and {model.MAX_SHARDS} here.")
    return shards


def _replicas(request: dict[str, Any]) -> int:
    configured = [each.get("ReplicaCount", 0) for each in request.get("NodeGroupConfiguration", [])]
    replicas = request.get("ReplicasPerNodeGroup")
    if replicas is None:
        replicas = (
            request["NumCacheClusters"] - 1 if "NumCacheClusters" in request else max(configured, default=0)
        )
    if not 0 <= replicas <= model.MAX_REPLICAS:
        raise model.invalid("The number of replicas per node group must be within 0 and 5.")
    if request.get("AutomaticFailoverEnabled") and replicas == 0 and "NumCacheClusters" in request:
        raise model.invalid("Automatic failover needs a replica: NumCacheClusters must be at least 2.")
    return int(replicas)


async def _is_cluster(ctx: Context, request: dict[str, Any], shards: int) -> bool:
    if "CacheParameterGroupName" in request:
        name = named(ctx, "parametergroup", request["CacheParameterGroupName"])
        group = await ctx.store.read(lambda tx: parameter_groups.need(tx, name))
        enabled = parameters.is_cluster(group)
    else:
        enabled = shards > 1 or request.get("ClusterMode") == "enabled"
    if shards > 1 and not enabled:
        raise model.combination("Use a parameter group with cluster mode enabled for several node groups.")
    return enabled or request.get("ClusterMode") == "enabled"


def _member_names(group: Record) -> list[str]:
    return [member for member, _ in members(group, [{}] * len(group["servers"]))]


async def with_member(tx: Transaction, name: Name) -> Name | None:
    """The group that has a cluster of that name."""
    for group in await storage.every(tx, name.account, name.region, KIND):
        if name.name in _member_names(group):
            return name._replace(kind=KIND, name=group["name"])
    return None


async def check_names(tx: Transaction, name: Name, group: Record) -> None:
    """No cluster of its own may have the name of a member."""
    for member in _member_names(group):
        if await storage.find(tx, name._replace(kind=clusters.KIND, name=member)) is not None:
            raise model.exists(clusters.KIND, member)


async def _users(tx: Transaction, ctx: Context, cache: Record) -> list[str]:
    if cache["user_group"]:
        return await users.lines(tx, ctx, cache)
    return access.by_token(cache["digests"])


def members(group: Record, servers: list[Record]) -> list[tuple[str, Record]]:
    """The clusters of a group by name, primaries first among those of a shard, with the server of each."""
    found = []
    for shard, server in enumerate(servers, 1):
        begin = f"{group['name']}-{shard:04}" if group["cluster"] else group["name"]
        found += [(f"{begin}-{number:03}", server) for number in range(1, group["replicas"] + 2)]
    return found


def _node_groups(group: Record, servers: list[Record]) -> list[Response]:
    named_ones = members(group, servers)
    size, found = group["replicas"] + 1, []
    for shard, server in enumerate(servers):
        endpoint = launch.endpoint(server)
        clusters_of_it = named_ones[shard * size : (shard + 1) * size]
        shown: Response = {"NodeGroupId": f"{shard + 1:04}", "Status": group["status"]}
        if group["cluster"]:
            shown["Slots"] = f"{server['slots'][0]}-{server['slots'][1]}"
        else:
            shown |= {"PrimaryEndpoint": endpoint, "ReaderEndpoint": endpoint}
        shown["NodeGroupMembers"] = [
            {
                "CacheClusterId": name,
                "CacheNodeId": clusters.NODE_ID,
                "PreferredAvailabilityZone": nodes.zone(group, index),
            }
            | (
                {}
                if group["cluster"]
                else {"ReadEndpoint": endpoint, "CurrentRole": "replica" if index else "primary"}
            )
            for index, (name, _) in enumerate(clusters_of_it)
        ]
        found.append(shown)
    return found


def _snapshotting(group: Record, servers: list[Record]) -> str | None:
    """The member of which daily snapshots are taken."""
    if group["cluster"] or not group["retention"] or not servers:
        return None
    return members(group, servers)[-1][0]


def described(name: Name, group: Record, servers: list[Record]) -> Response:
    return given(
        {
            "ReplicationGroupId": group["name"],
            "Description": group["description"],
            "GlobalReplicationGroupInfo": {},
            "Status": group["status"],
            "PendingModifiedValues": {},
            "MemberClusters": [member for member, _ in members(group, servers)],
            "NodeGroups": _node_groups(group, servers),
            "SnapshottingClusterId": _snapshotting(group, servers),
            "AutomaticFailover": "enabled" if group["failover"] else "disabled",
            "MultiAZ": "enabled" if group["multi_az"] else "disabled",
            "ConfigurationEndpoint": launch.endpoint(servers[0]) if group["cluster"] and servers else None,
            "SnapshotRetentionLimit": group["retention"],
            "SnapshotWindow": group["window"],
            "ClusterEnabled": group["cluster"],
            "ClusterMode": group["mode"],
            "CacheNodeType": group["node_type"],
            "AuthTokenEnabled": bool(group["digests"]),
            "AuthTokenLastModifiedDate": group["token_changed"],
            "TransitEncryptionEnabled": group["tls"] != "off",
            "TransitEncryptionMode": group["tls"] if group["tls"] != "off" else None,
            "AtRestEncryptionEnabled": group["at_rest"],
            "KmsKeyId": group["key"],
            "ARN": arn_of(name),
            "UserGroupIds": [group["user_group"]] if group["user_group"] else None,
            "LogDeliveryConfigurations": [],
            "ReplicationGroupCreateTime": group["created"],
            "DataTiering": "disabled",
            "AutoMinorVersionUpgrade": group["auto_minor"],
            "NetworkType": group["network"],
            "IpDiscovery": "ipv4",
            "Engine": group["engine"],
        }
    )


async def describe_replication_groups(ctx: Context, request: dict[str, Any]) -> Response:
    found = await look(ctx, KIND, request.get("ReplicationGroupId"), described)
    return by_marker(request, "ReplicationGroups", found)


async def modify_replication_group(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["ReplicationGroupId"])
    old = await ctx.store.read(lambda tx: storage.need(tx, name))
    if request.get("ClusterMode", old["mode"]) != old["mode"]:
        raise model.invalid(
            "Cloudlet doesn't change a group's cluster mode: restore a snapshot into a new one."
        )
    new = await nodes.changed(ctx, request, old)

    async def body(tx: Transaction) -> Response:
        now = await available(tx, name)
        group = new | {
            **nodes.kept(now),
            "status": "modifying",
            "description": request.get("ReplicationGroupDescription", old["description"]),
            "failover": request.get("AutomaticFailoverEnabled", old["failover"]),
            "multi_az": request.get("MultiAZEnabled", old["multi_az"]),
            "user_group": _user_group(request, old["user_group"]),
        }
        if group["cluster"] and not group["failover"]:
            raise model.combination(
                "Turning off automatic failover for replication group with cluster mode enabled is not supported."
            )
        _check_failover({}, group)
        await keep(ctx, tx, name, group)
        settings = await nodes.settings(tx, ctx, group, group["cluster"])
        await launch.change(tx, group, users=await _users(tx, ctx, group), **settings)
        return described(name, group, await storage.servers_of(tx, group))

    return {"ReplicationGroup": await ctx.store.transact(body)}


def _user_group(request: dict[str, Any], old: str | None) -> str | None:
    if request.get("RemoveUserGroups") or old in request.get("UserGroupIdsToRemove", []):
        old = None
    added = request.get("UserGroupIdsToAdd", [])
    if added and old is not None:
        raise model.invalid(
            "A replication group can have one user group: remove the other in the same request."
        )
    return added[0].lower() if added else old


async def delete_replication_group(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["ReplicationGroupId"])
    if request.get("RetainPrimaryCluster"):
        raise model.invalid("Cloudlet does not keep a group's primary as a cluster: take a final snapshot.")
    return {"ReplicationGroup": await end(ctx, name, request.get("FinalSnapshotIdentifier"), described)}
