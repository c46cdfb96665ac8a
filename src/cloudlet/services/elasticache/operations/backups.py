"""Snapshots: of serverless caches, and of clusters and replication groups."""

from __future__ import annotations

import asyncio
from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, snapshots, storage, waiting
from ..names import arn_of, given, named, tags
from ..pages import by_marker, by_token
from ..storage import Name, Record
from . import groups, nodes
from .shared import available

Response = dict[str, Any]
SERVERLESS = "serverlesssnapshot"
NODES = "snapshot"


async def _ordered(ctx: Context, name: Name, source: Name, request: dict[str, Any]) -> Record:
    async def body(tx: Transaction) -> Record:
        owner = await groups.with_member(tx, source) if source.kind == "cluster" else None
        cache = await available(tx, owner or source)
        if owner is not None and cache["cluster"]:
            raise model.is_member(source.name, owner.name)
        more = {
            "tags": tags(request),
            "key": request.get("KmsKeyId"),
            "owner": list(owner or source),
        }
        snapshot = snapshots.new(name, source, cache, ctx.clock.now_ms() / 1000, **more)
        await snapshots.order(tx, ctx.node, name, snapshot)
        return snapshot

    return await ctx.store.transact(body)


async def _copied(ctx: Context, source: Name, target: Name, request: dict[str, Any]) -> Record:
    """Another name for the same files; a file that no record has is swept at the next start."""

    async def available(tx: Transaction) -> Record:
        snapshot = await storage.need(tx, source)
        if snapshot["status"] != "available":
            raise model.wrong_state(source.kind, source.name, snapshot["status"])
        if await storage.find(tx, target) is not None:
            raise model.exists(target.kind, target.name)
        return snapshot

    snapshot = await ctx.store.read(available)
    files = await asyncio.to_thread(snapshots.link, ctx.node.data, snapshot["files"])
    copy = snapshot | {
        "name": target.name,
        "type": "manual",
        "created": ctx.clock.now_ms() / 1000,
        "files": files,
        "expires": None,
        "key": request.get("KmsKeyId", snapshot["key"]),
        "tags": tags(request) or snapshot["tags"],
    }
    await ctx.store.transact(lambda tx: storage.add(tx, target, copy))
    return copy


async def _deleted(ctx: Context, name: Name) -> Record:
    async def body(tx: Transaction) -> Record:
        snapshot = await storage.need(tx, name)
        if snapshot["status"] == "creating":
            raise model.wrong_state(name.kind, name.name, snapshot["status"])
        await storage.delete(tx, name)
        return snapshot | {"status": "deleting"}

    snapshot = await ctx.store.transact(body)
    await asyncio.to_thread(snapshots.remove, ctx.node.data, snapshot["files"])
    return snapshot


async def _found(ctx: Context, kind: str, wanted: str | None) -> list[Record]:
    if wanted is None:
        return await ctx.store.read(lambda tx: storage.every(tx, ctx.account, ctx.region, kind))
    name = named(ctx, kind, wanted)
    await waiting.settled(ctx, name)
    return [await ctx.store.read(lambda tx: storage.need(tx, name))]


# --- serverless


def _serverless(ctx: Context, snapshot: Record) -> Response:
    facts = snapshot["facts"]
    return given(
        {
            "ServerlessCacheSnapshotName": snapshot["name"],
            "ARN": arn_of(named(ctx, SERVERLESS, snapshot["name"])),
            "KmsKeyId": snapshot["key"],
            "SnapshotType": snapshot["type"],
            "Status": snapshot["status"],
            "CreateTime": snapshot["created"],
            "ExpiryTime": snapshot["expires"],
            "BytesUsedForCache": str(snapshot["size"]),
            "ServerlessCacheConfiguration": {
                "ServerlessCacheName": facts["name"],
                "Engine": facts["engine"],
                "MajorEngineVersion": facts["major"],
            },
        }
    )


async def create_serverless_cache_snapshot(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, SERVERLESS, request["ServerlessCacheSnapshotName"])
    source = named(ctx, "serverless", request["ServerlessCacheName"])
    return {"ServerlessCacheSnapshot": _serverless(ctx, await _ordered(ctx, name, source, request))}


async def copy_serverless_cache_snapshot(ctx: Context, request: dict[str, Any]) -> Response:
    source = named(ctx, SERVERLESS, request["SourceServerlessCacheSnapshotName"])
    target = named(ctx, SERVERLESS, request["TargetServerlessCacheSnapshotName"])
    return {"ServerlessCacheSnapshot": _serverless(ctx, await _copied(ctx, source, target, request))}


async def delete_serverless_cache_snapshot(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, SERVERLESS, request["ServerlessCacheSnapshotName"])
    return {"ServerlessCacheSnapshot": _serverless(ctx, await _deleted(ctx, name))}


async def describe_serverless_cache_snapshots(ctx: Context, request: dict[str, Any]) -> Response:
    found = await _found(ctx, SERVERLESS, request.get("ServerlessCacheSnapshotName"))
    if "ServerlessCacheName" in request:
        found = [each for each in found if each["facts"]["name"] == request["ServerlessCacheName"]]
    kind = {"user": "manual", "manual": "manual", "system": "automated", "automated": "automated"}
    if "SnapshotType" in request:
        found = [each for each in found if each["type"] == kind.get(request["SnapshotType"])]
    return by_token(request, "ServerlessCacheSnapshots", [_serverless(ctx, each) for each in found])


# --- nodes


def _nodes(ctx: Context, snapshot: Record) -> Response:
    facts = snapshot["facts"]
    source = Name(*snapshot["source"])
    whose = (
        {"ReplicationGroupId": source.name, "ReplicationGroupDescription": facts["description"]}
        if source.kind == "group"
        else {"CacheClusterId": source.name, "NumCacheNodes": 1}
    )
    return whose | given(
        {
            "SnapshotName": snapshot["name"],
            "SnapshotStatus": snapshot["status"],
            "SnapshotSource": snapshot["type"],
            "CacheNodeType": facts["node_type"],
            "Engine": facts["engine"],
            "EngineVersion": f"{facts['version']}.0",
            "PreferredAvailabilityZone": nodes.zone(facts),
            "CacheClusterCreateTime": facts["created"],
            "PreferredMaintenanceWindow": facts["maintenance"],
            "CacheParameterGroupName": facts["parameter_group"],
            "CacheSubnetGroupName": facts["subnet_group"],
            "AutoMinorVersionUpgrade": facts["auto_minor"],
            "SnapshotRetentionLimit": facts["retention"],
            "SnapshotWindow": facts["window"],
            "NumNodeGroups": len(snapshot["files"]) if source.kind == "group" else None,
            "NodeSnapshots": [
                {"CacheNodeId": f"{number:04}", "SnapshotCreateTime": snapshot["created"]}
                for number in range(1, len(snapshot["files"]) + 1)
            ],
            "KmsKeyId": snapshot["key"],
            "ARN": arn_of(named(ctx, NODES, snapshot["name"])),
            "DataTiering": "disabled",
        }
    )


async def create_snapshot(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, NODES, request["SnapshotName"])
    if ("CacheClusterId" in request) == ("ReplicationGroupId" in request):
        raise model.combination("Either CacheClusterId or ReplicationGroupId must be given.")
    source = (
        named(ctx, "cluster", request["CacheClusterId"])
        if "CacheClusterId" in request
        else named(ctx, "group", request["ReplicationGroupId"])
    )
    return {"Snapshot": _nodes(ctx, await _ordered(ctx, name, source, request))}


async def copy_snapshot(ctx: Context, request: dict[str, Any]) -> Response:
    if request.get("TargetBucket"):
        raise model.invalid("Cloudlet exports no snapshots to S3.")
    source = named(ctx, NODES, request["SourceSnapshotName"])
    target = named(ctx, NODES, request["TargetSnapshotName"])
    return {"Snapshot": _nodes(ctx, await _copied(ctx, source, target, request))}


async def delete_snapshot(ctx: Context, request: dict[str, Any]) -> Response:
    return {"Snapshot": _nodes(ctx, await _deleted(ctx, named(ctx, NODES, request["SnapshotName"])))}


async def describe_snapshots(ctx: Context, request: dict[str, Any]) -> Response:
    found = await _found(ctx, NODES, request.get("SnapshotName"))
    for member, kind in (("CacheClusterId", "cluster"), ("ReplicationGroupId", "group")):
        if member in request:
            source = list(named(ctx, kind, request[member]))
            found = [each for each in found if each["source"] == source]
    wanted = {"user": "manual", "system": "automated"}.get(request.get("SnapshotSource", ""))
    found = [each for each in found if wanted in (None, each["type"])]
    request = {"MaxRecords": model.MAX_RESULTS, **request}
    return by_marker(request, "Snapshots", [_nodes(ctx, each) for each in found])
