"""Cache clusters: one node each. Those of a replication group are shown, and belong to it."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import access, daily, launch, model, storage, waiting
from ..names import arn_of, given, named
from ..pages import by_marker
from ..storage import Name, Record
from . import groups, nodes
from .shared import available, end, keep

Response = dict[str, Any]
KIND = "cluster"
NODE_ID = "0001"


async def create_cache_cluster(ctx: Context, request: dict[str, Any]) -> Response:
    if "ReplicationGroupId" in request:
        raise model.invalid(
            "Cloudlet adds no replicas to a replication group: make the group with its replicas."
        )
    launch.check_program()
    name = named(ctx, KIND, request["CacheClusterId"])
    snapshot = await ctx.store.read(lambda tx: nodes.snapshot_of(tx, ctx, request))
    cache: Record = {"name": name.name, **await nodes.common(ctx, request, False, snapshot)}
    users = access.by_token(cache["digests"])
    settings = await ctx.store.read(lambda tx: nodes.settings(tx, ctx, cache, False))
    servers = nodes.restored(snapshot, [launch.new_server(name, users=users, **settings)])
    cache["servers"] = [server["uid"] for server in servers]

    async def body(tx: Transaction, complete: list[Record]) -> Response:
        if await groups.with_member(tx, name) is not None:
            raise model.exists(KIND, name.name)
        await storage.add(tx, name, cache)
        await daily.schedule(tx, ctx.node, name, cache)
        return described(name, cache, complete)

    answer = await launch.transact(ctx, servers, body, first=request.get("Port"))
    return {"CacheCluster": answer}


def described(
    name: Name, cache: Record, servers: list[Record], nodes_too: bool = False, number: int = 0
) -> Response:
    """A cluster; `cache` may be the group that it is a member of, and this its number in it."""
    return given(
        {
            "CacheClusterId": name.name,
            "CacheNodeType": cache["node_type"],
            "Engine": cache["engine"],
            "EngineVersion": f"{cache['version']}.0",
            "CacheClusterStatus": cache["status"],
            "NumCacheNodes": 1,
            "PreferredAvailabilityZone": nodes.zone(cache, number),
            "CacheClusterCreateTime": cache["created"],
            "PreferredMaintenanceWindow": cache["maintenance"],
            "PendingModifiedValues": {},
            "CacheSecurityGroups": [],
            "CacheParameterGroup": {
                "CacheParameterGroupName": cache["parameter_group"],
                "ParameterApplyStatus": "in-sync",
                "CacheNodeIdsToReboot": [],
            },
            "CacheSubnetGroupName": cache["subnet_group"],
            "AutoMinorVersionUpgrade": cache["auto_minor"],
            "SecurityGroups": [{"SecurityGroupId": id, "Status": "active"} for id in cache["groups"]],
            "SnapshotRetentionLimit": cache["retention"],
            "SnapshotWindow": cache["window"],
            "AuthTokenEnabled": bool(cache["digests"]),
            "AuthTokenLastModifiedDate": cache["token_changed"],
            "TransitEncryptionEnabled": cache["tls"] != "off",
            "TransitEncryptionMode": cache["tls"] if cache["tls"] != "off" else None,
            "AtRestEncryptionEnabled": cache["at_rest"],
            "ARN": arn_of(name._replace(kind=KIND)),
            "ReplicationGroupLogDeliveryEnabled": False,
            "LogDeliveryConfigurations": [],
            "NetworkType": cache["network"],
            "IpDiscovery": "ipv4",
            "CacheNodes": [_node(cache, server, number) for server in servers] if nodes_too else None,
        }
    )


def _node(cache: Record, server: Record, number: int) -> Response:
    return {
        "CacheNodeId": NODE_ID,
        "CacheNodeStatus": cache["status"],
        "CacheNodeCreateTime": cache["created"],
        "Endpoint": launch.endpoint(server),
        "ParameterGroupStatus": "in-sync",
        "CustomerAvailabilityZone": nodes.zone(cache, number),
    }


async def describe_cache_clusters(ctx: Context, request: dict[str, Any]) -> Response:
    wanted = request.get("CacheClusterId")
    nodes_too = bool(request.get("ShowCacheNodeInfo"))
    alone = bool(request.get("ShowCacheClustersNotInReplicationGroups"))

    async def body(tx: Transaction) -> list[Response]:
        found = []
        for cache in await storage.every(tx, ctx.account, ctx.region, KIND):
            name = named(ctx, KIND, cache["name"])
            servers = await storage.servers_of(tx, cache)
            found.append(described(name, waiting.seen(ctx, cache), servers, nodes_too))
        for group in [] if alone else await storage.every(tx, ctx.account, ctx.region, groups.KIND):
            found += _members(ctx, group, await storage.servers_of(tx, group), nodes_too)
        return found

    if wanted is not None:
        await waiting.settled(ctx, await _owner(ctx, named(ctx, KIND, wanted)))
    clusters = await ctx.store.read(body)
    if wanted is not None:
        clusters = [cluster for cluster in clusters if cluster["CacheClusterId"] == wanted]
        if not clusters:
            raise model.not_found(KIND, wanted)
    return by_marker(request, "CacheClusters", clusters)


def _members(ctx: Context, group: Record, servers: list[Record], nodes_too: bool = False) -> list[Response]:
    """The clusters of a replication group."""
    seen = waiting.seen(ctx, group)
    return [
        described(named(ctx, KIND, member), seen, [server], nodes_too, number)
        | {"ReplicationGroupId": group["name"]}
        for number, (member, server) in enumerate(groups.members(group, servers))
    ]


async def _owner(ctx: Context, name: Name) -> Name:
    """What has the cluster's status: itself, or the group that it is a member of."""
    return await ctx.store.read(lambda tx: groups.with_member(tx, name)) or name


async def modify_cache_cluster(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["CacheClusterId"])
    if request.get("NumCacheNodes", 1) != 1:
        raise model.invalid("A cluster of the engines valkey and redis has one node.")
    if (group := await _owner(ctx, name)) != name:
        raise model.is_member(name.name, group.name)
    old = await ctx.store.read(lambda tx: storage.need(tx, name))
    new = await nodes.changed(ctx, request, old)

    async def body(tx: Transaction) -> Response:
        now = await available(tx, name)
        cache = new | nodes.kept(now) | {"status": "modifying"}
        await keep(ctx, tx, name, cache)
        settings = await nodes.settings(tx, ctx, cache, False)
        await launch.change(tx, cache, users=access.by_token(cache["digests"]), **settings)
        return described(name, cache, await storage.servers_of(tx, cache))

    return {"CacheCluster": await ctx.store.transact(body)}


async def reboot_cache_cluster(ctx: Context, request: dict[str, Any]) -> Response:
    """A new start of the server; with the append-only file the data stay, other than on AWS."""
    name = named(ctx, KIND, request["CacheClusterId"])
    owner = await _owner(ctx, name)
    if set(request["CacheNodeIdsToReboot"]) - {NODE_ID}:
        raise model.invalid("The cluster has no such node.")

    async def body(tx: Transaction) -> Response:
        cache = await available(tx, owner)
        if cache.get("cluster"):
            raise model.invalid("Nodes of a replication group with cluster mode enabled can't be rebooted.")
        cache = cache | {"status": "rebooting cluster nodes"}
        await keep(ctx, tx, owner, cache)
        servers = await storage.servers_of(tx, cache)
        await launch.change(tx, cache, starts=servers[0]["starts"] + 1)
        return described(name, cache, servers)

    return {"CacheCluster": await ctx.store.transact(body)}


async def delete_cache_cluster(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["CacheClusterId"])
    final = request.get("FinalSnapshotIdentifier")
    if (owner := await _owner(ctx, name)) != name:
        return {"CacheCluster": await _delete_replica(ctx, owner, name)}
    return {"CacheCluster": await end(ctx, name, final, described)}


async def _delete_replica(ctx: Context, owner: Name, name: Name) -> Response:
    async def body(tx: Transaction) -> Response:
        group = await available(tx, owner)
        if not group["replicas"]:
            raise model.only_member()
        servers = await storage.servers_of(tx, group)
        told = {member["CacheClusterId"]: member for member in _members(ctx, group, servers)}
        if group["cluster"] or name.name != list(told)[-1]:
            raise model.is_member(name.name, owner.name)
        await storage.put(tx, owner, group | {"replicas": group["replicas"] - 1})
        return told[name.name] | {"CacheClusterStatus": "deleting"}

    return await ctx.store.transact(body)
