"""How many replicas a replication group has, and which node types a cache may have."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import launch, model, storage
from ..names import named
from ..storage import Record
from . import groups
from .shared import available

Response = dict[str, Any]


async def increase_replica_count(ctx: Context, request: dict[str, Any]) -> Response:
    return await _scale(ctx, request, 1)


async def decrease_replica_count(ctx: Context, request: dict[str, Any]) -> Response:
    return await _scale(ctx, request, -1)


async def _scale(ctx: Context, request: dict[str, Any], way: int) -> Response:
    name = named(ctx, groups.KIND, request["ReplicationGroupId"])
    if not request.get("ApplyImmediately"):
        raise model.invalid("ApplyImmediately=False is not currently supported.")

    async def body(tx: Transaction) -> Response:
        group = await available(tx, name)
        count = _wanted(request, group)
        low = 1 if group["multi_az"] or (group["failover"] and not group["cluster"]) else 0
        if not low <= count <= model.MAX_REPLICAS:
            raise model.invalid(
                f"The number of replicas per node group must be within {low} and {model.MAX_REPLICAS}."
            )
        if (count - group["replicas"]) * way <= 0:
            more = "more" if way > 0 else "fewer"
            raise model.invalid(f"The replication group has {group['replicas']} replicas; ask for {more}.")
        group = group | {"replicas": count, "status": "modifying"}
        await groups.check_names(tx, name, group)
        await storage.put(tx, name, group)
        await launch.change(tx, group)
        return groups.described(name, group, await storage.servers_of(tx, group))

    return {"ReplicationGroup": await ctx.store.transact(body)}


def _wanted(request: dict[str, Any], group: Record) -> int:
    """All node groups have as many replicas, and those with the highest numbers go."""
    if request.get("ReplicasToRemove"):
        raise model.invalid("Cloudlet removes the last replicas: give NewReplicaCount.")
    shards = request.get("ReplicaConfiguration", [])
    counts = {request["NewReplicaCount"]} if "NewReplicaCount" in request else set()
    counts |= {shard["NewReplicaCount"] for shard in shards}
    if len(counts) != 1 or (shards and len(shards) != len(group["servers"])):
        raise model.combination("Cloudlet's node groups have one number of replicas: give NewReplicaCount.")
    return int(counts.pop())


async def list_allowed_node_type_modifications(ctx: Context, request: dict[str, Any]) -> Response:
    if ("CacheClusterId" in request) == ("ReplicationGroupId" in request):
        raise model.combination("Either CacheClusterId or ReplicationGroupId must be given.")
    kind = "group" if "ReplicationGroupId" in request else "cluster"
    name = named(ctx, kind, request.get("ReplicationGroupId") or request["CacheClusterId"])

    async def body(tx: Transaction) -> Record:
        owner = await groups.with_member(tx, name) if kind == "cluster" else None
        return await storage.need(tx, owner or name)

    size = model.NODE_TYPES[(await ctx.store.read(body))["node_type"]]
    return {
        "ScaleUpModifications": sorted(type for type, gib in model.NODE_TYPES.items() if gib > size),
        "ScaleDownModifications": sorted(type for type, gib in model.NODE_TYPES.items() if gib < size),
    }
