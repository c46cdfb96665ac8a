"""What clusters and replication groups have in common: engine, node type, parameters, network, encryption, a token."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import access, model, network, parameters, storage
from ..names import named
from ..storage import Record
from . import parameter_groups, subnet_groups


def engine_version(engine: str, given: str | None) -> str:
    """The full version for what a request says: "7", "7.x" and "7.1.0" will do."""
    if given is None:
        return model.DEFAULT_VERSION[engine]
    wanted = given.removesuffix(".x").split(".")[:2]
    fitting = [each for each in model.VERSIONS[engine] if each.split(".")[: len(wanted)] == wanted]
    if not fitting:
        raise model.combination(f"Cannot find version {given} for {engine}")
    return fitting[-1]


async def common(ctx: Context, request: dict[str, Any], cluster: bool, snapshot: Record | None) -> Record:
    """The members of a record that both have."""
    facts = snapshot["facts"] if snapshot is not None else {}
    engine = request.get("Engine") or facts.get("engine", "redis")
    version = engine_version(engine, request.get("EngineVersion"))
    node_type = request.get("CacheNodeType") or facts.get("node_type", model.DEFAULT_NODE_TYPE)
    if node_type not in model.NODE_TYPES:
        raise model.invalid(f"Invalid cache node type: {node_type}")
    family = parameters.family_of(engine, version)
    default = f"default.{family}" + (parameters.CLUSTER_ON if cluster else "")
    groups = request.get("SecurityGroupIds", [])
    subnet_group = await subnet_groups.placed(ctx, request.get("CacheSubnetGroupName"))
    await network.check_groups(ctx, groups, subnet_group["vpc"])
    tls = transit(request, "off")
    token = request.get("AuthToken")
    if token is not None and tls == "off":
        raise model.combination("AuthToken can be used only when TransitEncryptionEnabled is true.")
    now = ctx.clock.now_ms() / 1000
    return {
        "status": "creating",
        "created": now,
        "engine": engine,
        "version": version,
        "node_type": node_type,
        "parameter_group": request.get("CacheParameterGroupName", default),
        "subnet_group": subnet_group["name"],
        "groups": groups,
        "tls": tls,
        "at_rest": bool(request.get("AtRestEncryptionEnabled", engine == "valkey")),
        "key": request.get("KmsKeyId"),
        "digests": [access.digest(token)] if token is not None else [],
        "token_changed": now if token is not None else None,
        "retention": request.get("SnapshotRetentionLimit", 0),
        "window": request.get("SnapshotWindow", model.SNAPSHOT_WINDOW),
        "maintenance": request.get("PreferredMaintenanceWindow", model.MAINTENANCE_WINDOW),
        "auto_minor": request.get("AutoMinorVersionUpgrade", True),
        "network": request.get("NetworkType", "ipv4"),
        "zones": network.zones(ctx, _wanted_zones(request), subnet_group),
        "tags": {tag["Key"]: tag.get("Value") or "" for tag in request.get("Tags", [])},
        "servers": [],
    }


def _wanted_zones(request: dict[str, Any]) -> list[str]:
    one = request.get("PreferredAvailabilityZone")
    return [one] if one else request.get("PreferredCacheClusterAZs", [])


def zone(cache: Record, number: int = 0) -> str:
    """The availability zone of the member with that number."""
    zones: list[str] = cache.get("zones") or [cache["zone"]]  # older records have one
    return zones[number % len(zones)]


def transit(request: dict[str, Any], old: str) -> str:
    """Whether a server is behind TLS: "off", "preferred" or "required"."""
    enabled = request.get("TransitEncryptionEnabled", old != "off")
    if not enabled:
        return "off"
    return str(request.get("TransitEncryptionMode") or (old if old != "off" else "required"))


async def settings(tx: Transaction, ctx: Context, cache: Record, cluster: bool) -> dict[str, Any]:
    """What servers of this node type and parameter group are to go by."""
    group = await parameter_groups.need(tx, named(ctx, "parametergroup", cache["parameter_group"]))
    family = parameters.family_of(cache["engine"], cache["version"])
    if group["family"] != family:
        raise model.combination(
            f"Expected a parameter group of family {family} but found one of family {group['family']}"
        )
    if parameters.is_cluster(group) and not cluster:
        raise model.combination(f"The parameter group {group['name']} is for cluster mode enabled.")
    return {
        "settings": parameters.settings(group),
        "databases": parameters.databases(group),
        "memory": parameters.memory(group, model.NODE_TYPES[cache["node_type"]]),
        "tls": cache["tls"],
    }


async def changed(ctx: Context, request: dict[str, Any], old: Record) -> Record:
    """A record after the changes that both may have."""
    groups = request.get("SecurityGroupIds")
    if groups:
        place = await subnet_groups.placed(ctx, old["subnet_group"])
        await network.check_groups(ctx, groups, place["vpc"])
    engine = str(request.get("Engine", old["engine"]))
    version = old["version"]
    if "EngineVersion" in request or engine != old["engine"]:
        version = engine_version(engine, request.get("EngineVersion"))
        _check_upgrade((old["engine"], old["version"]), (engine, version))
    _check_transit(request, old["tls"])
    node_type = request.get("CacheNodeType", old["node_type"])
    if node_type not in model.NODE_TYPES:
        raise model.invalid(f"Invalid cache node type: {node_type}")
    parameter_group = str(request.get("CacheParameterGroupName", old["parameter_group"]))
    before = parameters.family_of(old["engine"], old["version"])
    if "CacheParameterGroupName" not in request and parameter_group.startswith(f"default.{before}"):
        parameter_group = parameter_group.replace(before, parameters.family_of(engine, version))
    new = old | {
        "engine": engine,
        "version": version,
        "node_type": node_type,
        "parameter_group": parameter_group,
        "groups": groups if groups is not None else old["groups"],
        "tls": transit(request, old["tls"]),
        "retention": request.get("SnapshotRetentionLimit", old["retention"]),
        "window": request.get("SnapshotWindow", old["window"]),
        "maintenance": request.get("PreferredMaintenanceWindow", old["maintenance"]),
        "auto_minor": request.get("AutoMinorVersionUpgrade", old["auto_minor"]),
    }
    return new | _token(ctx, request, new)


def kept(now: Record) -> Record:
    """What a modification that was made ready before leaves as it is by now."""
    return {name: now[name] for name in ("replicas", "servers", "tags") if name in now}


def _check_upgrade(before: tuple[str, str], after: tuple[str, str]) -> None:
    """From redis to valkey, and from older to newer versions."""
    versions = model.VERSIONS[before[0]]
    if before[0] == after[0]:
        if versions.index(after[1]) < versions.index(before[1]):
            raise model.combination(f"A cache can't be downgraded from version {before[1]} to {after[1]}.")
    elif after[0] == "redis":
        raise model.combination("A cache with the engine valkey can't be changed to redis.")


def _check_transit(request: dict[str, Any], old: str) -> None:
    """Encryption in transit comes and goes in two steps."""
    new = transit(request, old)
    if (old, new) == ("off", "required"):
        raise model.combination(
            "To enable encryption in transit set TransitEncryptionMode to preferred first."
        )
    if (old, new) == ("required", "off"):
        raise model.combination(
            "To disable encryption in transit set TransitEncryptionMode to preferred first."
        )


def _token(ctx: Context, request: dict[str, Any], cache: Record) -> Record:
    token, strategy = request.get("AuthToken"), request.get("AuthTokenUpdateStrategy", "ROTATE")
    if strategy == "DELETE":
        return {"digests": [], "token_changed": None}
    if token is None:
        return {}
    if cache["tls"] == "off":
        raise model.combination("AuthToken can be used only when TransitEncryptionEnabled is true.")
    before = (cache["digests"] or [access.NO_TOKEN])[-1:] if strategy == "ROTATE" else []
    return {"digests": [*before, access.digest(token)], "token_changed": ctx.clock.now_ms() / 1000}


async def snapshot_of(tx: Transaction, ctx: Context, request: dict[str, Any]) -> Record | None:
    """The snapshot that a request wants to begin with."""
    if request.get("SnapshotArns"):
        raise model.no_files()
    for member, kind in (("SnapshotName", "snapshot"), ("ServerlessCacheSnapshotName", "serverlesssnapshot")):
        if request.get(member):
            return await available_snapshot(tx, named(ctx, kind, request[member].lower()))
    return None


async def available_snapshot(tx: Transaction, name: storage.Name) -> Record:
    snapshot = await storage.need(tx, name)
    if snapshot["status"] != "available":
        raise model.wrong_state(name.kind, name.name, snapshot["status"])
    return snapshot


def restored(snapshot: Record | None, servers: list[Record]) -> list[Record]:
    """The servers, each with the part of the snapshot that is to be its data."""
    if snapshot is None:
        return servers
    if len(snapshot["files"]) != len(servers):
        raise model.combination(
            f"Cloudlet restores a snapshot into as many shards as it was taken of: {len(snapshot['files'])}."
        )
    return [server | {"restore": file} for server, file in zip(servers, snapshot["files"], strict=True)]
