"""Parameter groups: settings that servers get, beside the groups that every engine family has."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import launch, model, parameters, storage
from ..names import arn_of, named, tags
from ..pages import by_marker
from ..storage import Name, Record

Response = dict[str, Any]
KIND = "parametergroup"


def _default(name: str) -> Record | None:
    family = parameters.default_groups().get(name)
    if family is None:
        return None
    text = f"Default parameter group for {family}" + (
        " cluster" if name.endswith(parameters.CLUSTER_ON) else ""
    )
    return {"name": name, "family": family, "description": text, "values": {}, "tags": {}}


async def need(tx: Transaction, name: Name) -> Record:
    return _default(name.name) or await storage.need(tx, name)


async def _own(tx: Transaction, name: Name) -> Record:
    if _default(name.name):
        raise model.is_default(KIND, name.name)
    return await storage.need(tx, name)


def _described(ctx: Context, group: Record) -> Response:
    return {
        "CacheParameterGroupName": group["name"],
        "CacheParameterGroupFamily": group["family"],
        "Description": group["description"],
        "IsGlobal": False,
        "ARN": arn_of(named(ctx, KIND, group["name"])),
    }


async def create_cache_parameter_group(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["CacheParameterGroupName"])
    family = request["CacheParameterGroupFamily"]
    if family not in parameters.FAMILIES:
        raise model.invalid(f"CacheParameterGroupFamily {family} is not a valid parameter group family.")
    group = {
        "name": name.name,
        "family": family,
        "description": request["Description"],
        "values": {},
        "tags": tags(request),
    }

    async def body(tx: Transaction) -> None:
        if len(await storage.every(tx, ctx.account, ctx.region, KIND)) >= model.MAX_PARAMETER_GROUPS:
            raise model.too_many(KIND, "CacheParameterGroupQuotaExceededFault", model.MAX_PARAMETER_GROUPS)
        await storage.add(tx, name, group)

    await ctx.store.transact(body)
    return {"CacheParameterGroup": _described(ctx, group)}


async def modify_cache_parameter_group(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["CacheParameterGroupName"])
    values = {
        each["ParameterName"]: each.get("ParameterValue", "") for each in request["ParameterNameValues"]
    }
    for parameter, value in values.items():
        parameters.check(parameter, value)
    await ctx.store.transact(lambda tx: _set(ctx, tx, name, lambda old: old | values))
    return {"CacheParameterGroupName": name.name}


async def reset_cache_parameter_group(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["CacheParameterGroupName"])
    named_ones = {each["ParameterName"] for each in request.get("ParameterNameValues", [])}
    if not named_ones and not request.get("ResetAllParameters"):
        raise model.combination("ParameterNameValues or ResetAllParameters must be given.")

    def left(old: dict[str, str]) -> dict[str, str]:
        if request.get("ResetAllParameters"):
            return {}
        return {parameter: value for parameter, value in old.items() if parameter not in named_ones}

    await ctx.store.transact(lambda tx: _set(ctx, tx, name, left))
    return {"CacheParameterGroupName": name.name}


async def _set(ctx: Context, tx: Transaction, name: Name, change: Any) -> None:
    group = await _own(tx, name)
    group = group | {"values": change(group["values"])}
    await storage.put(tx, name, group)
    for cache in await _users(ctx, tx, name.name):
        memory = parameters.memory(group, model.NODE_TYPES[cache["node_type"]])
        settings, databases = parameters.settings(group), parameters.databases(group)
        await launch.change(tx, cache, settings=settings, memory=memory, databases=databases)


async def _users(ctx: Context, tx: Transaction, name: str) -> list[Record]:
    found = []
    for kind in ("cluster", "group"):
        caches = await storage.every(tx, ctx.account, ctx.region, kind)
        found += [cache for cache in caches if cache["parameter_group"] == name]
    return found


async def delete_cache_parameter_group(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["CacheParameterGroupName"])

    async def body(tx: Transaction) -> None:
        await _own(tx, name)
        users = await _users(ctx, tx, name.name)
        if users:
            raise model.in_use(KIND, name.name, users[0]["name"])
        await storage.delete(tx, name)

    await ctx.store.transact(body)
    return {}


async def describe_cache_parameter_groups(ctx: Context, request: dict[str, Any]) -> Response:
    wanted = request.get("CacheParameterGroupName")

    async def body(tx: Transaction) -> list[Record]:
        if wanted is not None:
            return [await need(tx, named(ctx, KIND, wanted))]
        defaults = [_default(name) for name in parameters.default_groups()]
        own = await storage.every(tx, ctx.account, ctx.region, KIND)
        return [group for group in defaults if group is not None] + own

    groups = [_described(ctx, group) for group in await ctx.store.read(body)]
    return by_marker(request, "CacheParameterGroups", groups)


def _listed(values: dict[str, str], own: dict[str, str]) -> list[Response]:
    return [
        {
            "ParameterName": name,
            "ParameterValue": values[name],
            "Source": "user" if name in own else "system",
            "DataType": parameter.type,
            "AllowedValues": parameter.allowed,
            "IsModifiable": parameter.modifiable,
            "MinimumEngineVersion": "6.0.0",
            "ChangeType": "requires-reboot" if parameter.reboot else "immediate",
        }
        for name, parameter in parameters.PARAMETERS.items()
    ]


async def describe_cache_parameters(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["CacheParameterGroupName"])
    group = await ctx.store.read(lambda tx: need(tx, name))
    found = _listed(parameters.values(group), group["values"])
    source = request.get("Source")
    found = [each for each in found if not source or each["Source"] == source]
    return by_marker(request, "Parameters", found)


async def describe_engine_default_parameters(ctx: Context, request: dict[str, Any]) -> Response:
    family = request["CacheParameterGroupFamily"]
    if family not in parameters.FAMILIES:
        raise model.invalid(f"CacheParameterGroupFamily {family} is not a valid parameter group family.")
    defaults = {name: parameter.default for name, parameter in parameters.PARAMETERS.items()}
    found = by_marker(request, "Parameters", _listed(defaults, {}))
    return {"EngineDefaults": {"CacheParameterGroupFamily": family, **found}}
