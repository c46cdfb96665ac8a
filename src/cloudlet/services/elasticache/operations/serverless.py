"""Serverless caches: one server each, in cluster mode with all slots, behind TLS."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....names import arn
from ....store.interface import Transaction
from .. import launch, model, network, storage, waiting
from ..pages import page
from ..storage import Name, Record

Response = dict[str, Any]
KIND = "serverless"


def _name(ctx: Context, name: str) -> Name:
    return Name(ctx.account, ctx.region, KIND, name)


def cache_arn(name: Name) -> str:
    return arn("elasticache", name.region, name.account, f"serverlesscache:{name.name}")


async def create_serverless_cache(ctx: Context, request: dict[str, Any]) -> Response:
    launch.check_program()
    name = _name(ctx, request["ServerlessCacheName"])
    engine = request["Engine"]
    major = request.get("MajorEngineVersion", model.DEFAULT_MAJOR[engine])
    subnets = await network.subnets(ctx, request.get("SubnetIds", [])) or await network.default_subnets(ctx)
    groups = request.get("SecurityGroupIds", [])
    await network.check_groups(ctx, groups)
    if not groups and subnets:
        groups = await network.default_group(ctx, subnets[0]["VpcId"])
    server = launch.new_server(
        name, cluster=True, tls="required", memory=_memory(request.get("CacheUsageLimits", {}))
    )
    cache = {
        "name": name.name,
        "status": "creating",
        "created": ctx.clock.now_ms() / 1000,
        "description": request.get("Description", ""),
        "engine": engine,
        "major": major,
        "limits": request.get("CacheUsageLimits", {}),
        "key": request.get("KmsKeyId"),
        "groups": groups,
        "subnets": [subnet["SubnetId"] for subnet in subnets] or request.get("SubnetIds", []),
        "user_group": request.get("UserGroupId"),
        "retention": request.get("SnapshotRetentionLimit", 0),
        "daily": request.get("DailySnapshotTime", model.DAILY_TIME),
        "network": request.get("NetworkType", "ipv4"),
        "tags": {tag["Key"]: tag.get("Value") or "" for tag in request.get("Tags", [])},
        "servers": [server["uid"]],
    }

    async def body(tx: Transaction, servers: list[Record]) -> None:
        if await storage.find(tx, name) is not None:
            raise model.exists(KIND, name.name)
        if len(await storage.caches(tx, name.account, name.region, KIND)) >= model.MAX_SERVERLESS:
            raise model.too_many_serverless()
        await storage.put_cache(tx, name, cache)
        server["port"] = servers[0]["port"]

    await launch.transact(ctx, [server], body)
    return {"ServerlessCache": _described(name, cache, server)}


def _memory(limits: dict[str, Any]) -> int:
    """Bytes of data; 0 is as much as the machine has."""
    return int(limits.get("DataStorage", {}).get("Maximum", 0)) * model.GB


def _described(name: Name, cache: Record, server: Record | None) -> Response:
    described = {
        "ServerlessCacheName": cache["name"],
        "Description": cache["description"],
        "CreateTime": cache["created"],
        "Status": cache["status"],
        "Engine": cache["engine"],
        "MajorEngineVersion": cache["major"],
        "FullEngineVersion": model.MAJORS[cache["engine"]][cache["major"]],
        "KmsKeyId": cache["key"],
        "StorageEncryptionType": "sse-kms" if cache["key"] else "sse-elasticache",
        "SecurityGroupIds": cache["groups"],
        "SubnetIds": cache["subnets"],
        "ARN": cache_arn(name),
        "UserGroupId": cache["user_group"],
        "SnapshotRetentionLimit": cache["retention"],
        "DailySnapshotTime": cache["daily"],
        "NetworkType": cache["network"],
        "CacheUsageLimits": cache["limits"] or None,
    }
    if server is not None:
        endpoint = {"Address": launch.ADDRESS, "Port": server["port"]}
        described |= {"Endpoint": endpoint, "ReaderEndpoint": endpoint}
    return {name: value for name, value in described.items() if value is not None}


async def describe_serverless_caches(ctx: Context, request: dict[str, Any]) -> Response:
    wanted = request.get("ServerlessCacheName")
    if wanted is not None:
        caches = [await waiting.settled(ctx, _name(ctx, wanted))]
    else:
        caches = await ctx.store.read(lambda tx: storage.caches(tx, ctx.account, ctx.region, KIND))
    caches, token = page(caches, request.get("MaxResults", model.MAX_RESULTS), request.get("NextToken"))

    async def body(tx: Transaction) -> list[Record | None]:
        return [
            await storage.server(tx, cache["servers"][0]) if cache["servers"] else None for cache in caches
        ]

    servers = await ctx.store.read(body)
    response: Response = {
        "ServerlessCaches": [
            _described(_name(ctx, cache["name"]), waiting.seen(ctx, cache), server)
            for cache, server in zip(caches, servers, strict=True)
        ]
    }
    return response | ({"NextToken": token} if token else {})


async def modify_serverless_cache(ctx: Context, request: dict[str, Any]) -> Response:
    name = _name(ctx, request["ServerlessCacheName"])
    groups = request.get("SecurityGroupIds")
    await network.check_groups(ctx, groups or [])

    async def body(tx: Transaction) -> Response:
        old = await storage.cache(tx, name)
        if old["status"] != "available":
            raise model.wrong_state(KIND, name.name, old["status"])
        changes = {
            "status": "modifying",
            "description": request.get("Description", old["description"]),
            "limits": old["limits"] | request.get("CacheUsageLimits", {}),
            "groups": groups if groups is not None else old["groups"],
            "retention": request.get("SnapshotRetentionLimit", old["retention"]),
            "daily": request.get("DailySnapshotTime", old["daily"]),
            **_upgraded(old, request),
        }
        new = old | changes
        await storage.put_cache(tx, name, new)
        await launch.change(tx, new, memory=_memory(new["limits"]))
        return _described(name, new, await storage.server(tx, new["servers"][0]))

    return {"ServerlessCache": await ctx.store.transact(body)}


def _upgraded(old: Record, request: dict[str, Any]) -> Record:
    """Engine and version after a change: from redis to valkey, and from older to newer."""
    engine: str = request.get("Engine", old["engine"])
    if old["engine"] == "valkey" and engine == "redis":
        raise model.invalid("A cache with the engine valkey can't be changed to redis.")
    given = old["major"] if engine == old["engine"] else model.DEFAULT_MAJOR[engine]
    major: str = request.get("MajorEngineVersion", given)
    if major not in model.MAJORS[engine] or (engine == old["engine"] and major < old["major"]):
        raise model.invalid(f"The cache can't be changed to version {major} of {engine}.")
    return {"engine": engine, "major": major}


async def delete_serverless_cache(ctx: Context, request: dict[str, Any]) -> Response:
    name = _name(ctx, request["ServerlessCacheName"])

    async def body(tx: Transaction) -> Response:
        cache = await storage.cache(tx, name)
        if cache["status"] == "deleting":
            raise model.wrong_state(KIND, name.name, cache["status"])
        server = await storage.server(tx, cache["servers"][0])
        cache = cache | {"status": "deleting"}
        await storage.put_cache(tx, name, cache)
        await launch.delete(tx, cache, [])
        return _described(name, cache, server)

    return {"ServerlessCache": await ctx.store.transact(body)}
