"""Serverless caches: one server each, in cluster mode with all slots, behind TLS."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import daily, launch, model, network, storage
from ..names import arn_of, given, name_of, named, tags
from ..pages import by_token
from ..storage import Name, Record
from . import nodes, users
from .shared import available, end, keep, look

Response = dict[str, Any]
KIND = "serverless"


async def create_serverless_cache(ctx: Context, request: dict[str, Any]) -> Response:
    launch.check_program()
    name = named(ctx, KIND, request["ServerlessCacheName"])
    cache = await _new(ctx, name, request)
    restored = request.get("SnapshotArnsToRestore", [])

    async def prepared(tx: Transaction) -> list[Record]:
        snapshot = await nodes.available_snapshot(tx, name_of(restored[0])) if restored else None
        lines = await users.lines(tx, ctx, cache)
        server = launch.new_server(
            name, cluster=True, tls="required", memory=_memory(cache["limits"]), users=lines
        )
        return nodes.restored(snapshot, [server])

    servers = await ctx.store.read(prepared)
    cache["servers"] = [server["uid"] for server in servers]

    async def body(tx: Transaction, complete: list[Record]) -> Response:
        if len(await storage.every(tx, name.account, name.region, KIND)) >= model.MAX_SERVERLESS:
            code = "ServerlessCacheQuotaForCustomerExceededFault"
            raise model.too_many(KIND, code, model.MAX_SERVERLESS)
        await storage.add(tx, name, cache)
        await daily.schedule(tx, ctx.node, name, cache)
        return _described(name, cache, complete)

    return {"ServerlessCache": await launch.transact(ctx, servers, body)}


async def _new(ctx: Context, name: Name, request: dict[str, Any]) -> Record:
    engine = request["Engine"]
    subnets = await network.serverless_subnets(ctx, request.get("SubnetIds", []))
    groups = request.get("SecurityGroupIds", [])
    await network.check_groups(ctx, groups, subnets[0]["VpcId"] if subnets else "")
    if not groups and subnets:
        groups = await network.default_group(ctx, subnets[0]["VpcId"])
    return {
        "name": name.name,
        "status": "creating",
        "created": ctx.clock.now_ms() / 1000,
        "description": request.get("Description", ""),
        "engine": engine,
        "major": request.get("MajorEngineVersion", model.DEFAULT_MAJOR[engine]),
        "limits": request.get("CacheUsageLimits", {}),
        "key": request.get("KmsKeyId"),
        "groups": groups,
        "subnets": [subnet["SubnetId"] for subnet in subnets],
        "user_group": request.get("UserGroupId"),
        "retention": request.get("SnapshotRetentionLimit", 0),
        "daily": request.get("DailySnapshotTime", model.DAILY_TIME),
        "network": request.get("NetworkType", "ipv4"),
        "tags": tags(request),
        "servers": [],
    }


def _memory(limits: dict[str, Any]) -> int:
    """Bytes of data; 0 is as much as the machine has."""
    return int(limits.get("DataStorage", {}).get("Maximum", 0)) * model.GB


def _described(name: Name, cache: Record, servers: list[Record]) -> Response:
    endpoint = launch.endpoint(servers[0]) if servers else None
    return given(
        {
            "ServerlessCacheName": cache["name"],
            "Description": cache["description"],
            "CreateTime": cache["created"],
            "Status": cache["status"],
            "Engine": cache["engine"],
            "MajorEngineVersion": cache["major"],
            "FullEngineVersion": model.MAJORS[cache["engine"]][cache["major"]],
            "CacheUsageLimits": cache["limits"] or None,
            "KmsKeyId": cache["key"],
            "StorageEncryptionType": "sse-kms" if cache["key"] else "sse-elasticache",
            "SecurityGroupIds": cache["groups"],
            "Endpoint": endpoint,
            "ReaderEndpoint": endpoint,
            "ARN": arn_of(name),
            "UserGroupId": cache["user_group"],
            "SubnetIds": cache["subnets"],
            "SnapshotRetentionLimit": cache["retention"],
            "DailySnapshotTime": cache["daily"],
            "NetworkType": cache["network"],
            "ConnectionType": "vpc",
        }
    )


async def describe_serverless_caches(ctx: Context, request: dict[str, Any]) -> Response:
    found = await look(ctx, KIND, request.get("ServerlessCacheName"), _described)
    return by_token(request, "ServerlessCaches", found)


async def modify_serverless_cache(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["ServerlessCacheName"])
    groups = request.get("SecurityGroupIds")
    await network.check_groups(ctx, groups or [])

    async def body(tx: Transaction) -> Response:
        old = await available(tx, name)
        user_group = None if request.get("RemoveUserGroup") else old["user_group"]
        new = old | {
            "status": "modifying",
            "description": request.get("Description", old["description"]),
            "limits": old["limits"] | request.get("CacheUsageLimits", {}),
            "groups": groups if groups is not None else old["groups"],
            "retention": request.get("SnapshotRetentionLimit", old["retention"]),
            "daily": request.get("DailySnapshotTime", old["daily"]),
            "user_group": request.get("UserGroupId", user_group),
            **_upgraded(old, request),
        }
        await keep(ctx, tx, name, new)
        lines = await users.lines(tx, ctx, new)
        await launch.change(tx, new, memory=_memory(new["limits"]), users=lines)
        return _described(name, new, await storage.servers_of(tx, new))

    return {"ServerlessCache": await ctx.store.transact(body)}


def _upgraded(old: Record, request: dict[str, Any]) -> Record:
    """Engine and version after a change: from redis to valkey, and from older to newer."""
    engine = str(request.get("Engine", old["engine"]))
    if old["engine"] == "valkey" and engine == "redis":
        raise model.invalid("A cache with the engine valkey can't be changed to redis.")
    before = str(old["major"]) if engine == old["engine"] else model.DEFAULT_MAJOR[engine]
    major = str(request.get("MajorEngineVersion", before))
    if major not in model.MAJORS[engine] or (engine == old["engine"] and major < before):
        raise model.invalid(f"The cache can't be changed to version {major} of {engine}.")
    return {"engine": engine, "major": major}


async def delete_serverless_cache(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["ServerlessCacheName"])
    return {"ServerlessCache": await end(ctx, name, request.get("FinalSnapshotName"), _described)}
