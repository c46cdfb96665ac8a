"""Cache clusters: one node each. Those of a replication group are shown, and belong to it."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import access, daily, launch, model, snapshots, storage, waiting
from ..names import arn_of, given, named
from ..pages import page
from ..storage import Name, Record
from . import groups, nodes

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
        await storage.add(tx, name, cache)
        await daily.schedule(tx, ctx.node, name, cache)
        return described(name, cache, complete, False)

    answer = await launch.transact(ctx, servers, body, first=request.get("Port"))
    return {"CacheCluster": answer}


def described(name: Name, cache: Record, servers: list[Record], nodes_too: bool) -> Response:
    """A cluster; `cache` may be the group that it is a member of."""
    return given(
        {
            "CacheClusterId": name.name,
            "CacheNodeType": cache["node_type"],
            "Engine": cache["engine"],
            "EngineVersion": f"{cache['version']}.0",
            "CacheClusterStatus": cache["status"],
            "NumCacheNodes": 1,
            "PreferredAvailabilityZone": cache["zone"],
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
            "CacheNodes": [_node(cache, server) for server in servers] if nodes_too else None,
        }
    )


def _node(cache: Record, server: Record) -> Response:
    return {
        "CacheNodeId": NODE_ID,
        "CacheNodeStatus": cache["status"],
        "CacheNodeCreateTime": cache["created"],
        "Endpoint": launch.endpoint(server),
        "ParameterGroupStatus": "in-sync",
        "CustomerAvailabilityZone": cache["zone"],
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
            for member, server in groups.members(group, await storage.servers_of(tx, group)):
                name = named(ctx, KIND, member)
                shown = described(name, waiting.seen(ctx, group), [server], nodes_too)
                found.append(shown | {"ReplicationGroupId": group["name"]})
        return found

    if wanted is not None:
        await waiting.settled(ctx, named(ctx, KIND, wanted))
    clusters = await ctx.store.read(body)
    if wanted is not None:
        clusters = [cluster for cluster in clusters if cluster["CacheClusterId"] == wanted]
        if not clusters:
            raise model.not_found(KIND, wanted)
    clusters, marker = page(clusters, request.get("MaxRecords", model.MAX_RECORDS), request.get("Marker"))
    return given({"CacheClusters": clusters, "Marker": marker or None})


async def modify_cache_cluster(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["CacheClusterId"])
    if request.get("NumCacheNodes", 1) != 1:
        raise model.invalid("A cluster of the engines valkey and redis has one node.")
    old = await ctx.store.read(lambda tx: storage.need(tx, name))
    new = await nodes.changed(ctx, request, old)

    async def body(tx: Transaction) -> Response:
        now = await storage.need(tx, name)
        if now["status"] != "available":
            raise model.wrong_state(KIND, name.name, now["status"])
        cache = new | {"status": "modifying", "servers": now["servers"]}
        await storage.put(tx, name, cache)
        await daily.schedule(tx, ctx.node, name, cache)
        settings = await nodes.settings(tx, ctx, cache, False)
        await launch.change(tx, cache, users=access.by_token(cache["digests"]), **settings)
        return described(name, cache, await storage.servers_of(tx, cache), False)

    return {"CacheCluster": await ctx.store.transact(body)}


async def reboot_cache_cluster(ctx: Context, request: dict[str, Any]) -> Response:
    """A new start of the server; with the append-only file the data stay, other than on AWS."""
    name = named(ctx, KIND, request["CacheClusterId"])
    if set(request["CacheNodeIdsToReboot"]) - {NODE_ID}:
        raise model.invalid("The cluster has no such node.")

    async def body(tx: Transaction) -> Response:
        cache = await storage.need(tx, name)
        if cache["status"] != "available":
            raise model.wrong_state(KIND, name.name, cache["status"])
        cache = cache | {"status": "rebooting cluster nodes"}
        await storage.put(tx, name, cache)
        await daily.schedule(tx, ctx.node, name, cache)
        servers = await storage.servers_of(tx, cache)
        await launch.change(tx, cache, starts=servers[0]["starts"] + 1)
        return described(name, cache, servers, False)

    return {"CacheCluster": await ctx.store.transact(body)}


async def delete_cache_cluster(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["CacheClusterId"])
    final = request.get("FinalSnapshotIdentifier")

    async def body(tx: Transaction) -> Response:
        cache = await storage.need(tx, name)
        if cache["status"] == "deleting":
            raise model.wrong_state(KIND, name.name, cache["status"])
        servers = await storage.servers_of(tx, cache)
        cache = cache | {"status": "deleting"}
        await storage.put(tx, name, cache)
        await daily.schedule(tx, ctx.node, name, cache)
        await launch.delete(tx, cache, await final_snapshot(ctx, tx, name, cache, "snapshot", final))
        return described(name, cache, servers, False)

    return {"CacheCluster": await ctx.store.transact(body)}


async def final_snapshot(
    ctx: Context, tx: Transaction, source: Name, cache: Record, kind: str, wanted: str | None
) -> list[str]:
    """Write down the snapshot that the last act of a cache is to be."""
    if not wanted:
        return []
    name = named(ctx, kind, wanted.lower())
    await storage.add(tx, name, snapshots.new(name, source, cache, ctx.clock.now_ms() / 1000))
    return list(name)
