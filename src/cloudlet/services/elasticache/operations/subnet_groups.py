"""Subnet groups: the subnets of a VPC in which nodes may lie."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, network, storage
from ..names import arn_of, named, tags
from ..pages import by_marker
from ..storage import Record

Response = dict[str, Any]
KIND = "subnetgroup"
DEFAULT = "default"


def _placed(subnets: list[dict[str, Any]]) -> Record:
    return {
        "vpc": subnets[0]["VpcId"] if subnets else "",
        "subnets": [[subnet["SubnetId"], subnet.get("AvailabilityZone", "")] for subnet in subnets],
    }


async def find(ctx: Context, name: str) -> Record:
    """The group; the default one is made of the default VPC."""
    found = await ctx.store.read(lambda tx: storage.find(tx, named(ctx, KIND, name)))
    if found is not None:
        return found
    default = await placed(ctx, None) if name == DEFAULT else None
    if default is None or not default["subnets"]:
        raise model.not_found(KIND, name)
    return default


async def placed(ctx: Context, name: str | None) -> Record:
    """The subnet group that a request names, or the default one, which may have no subnets."""
    if name is not None:
        return await find(ctx, name)
    subnets = _placed(await network.default_subnets(ctx))
    return {"name": DEFAULT, "description": "Default CacheSubnetGroup", "tags": {}, **subnets}


def _described(ctx: Context, group: Record) -> Response:
    return {
        "CacheSubnetGroupName": group["name"],
        "CacheSubnetGroupDescription": group["description"],
        "VpcId": group["vpc"],
        "Subnets": [
            {
                "SubnetIdentifier": id,
                "SubnetAvailabilityZone": {"Name": zone},
                "SupportedNetworkTypes": ["ipv4"],
            }
            for id, zone in group["subnets"]
        ],
        "ARN": arn_of(named(ctx, KIND, group["name"])),
        "SupportedNetworkTypes": ["ipv4"],
    }


async def create_cache_subnet_group(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["CacheSubnetGroupName"])
    group = {
        "name": name.name,
        "description": request["CacheSubnetGroupDescription"],
        "tags": tags(request),
        **_placed(await network.subnets(ctx, request["SubnetIds"])),
    }

    async def body(tx: Transaction) -> None:
        if name.name == DEFAULT:
            raise model.exists(KIND, DEFAULT)
        if len(await storage.every(tx, ctx.account, ctx.region, KIND)) >= model.MAX_SUBNET_GROUPS:
            raise model.too_many(KIND, "CacheSubnetGroupQuotaExceededFault", model.MAX_SUBNET_GROUPS)
        await storage.add(tx, name, group)

    await ctx.store.transact(body)
    return {"CacheSubnetGroup": _described(ctx, group)}


async def modify_cache_subnet_group(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["CacheSubnetGroupName"])
    changes: Record = {}
    if "CacheSubnetGroupDescription" in request:
        changes["description"] = request["CacheSubnetGroupDescription"]
    if request.get("SubnetIds"):
        changes |= _placed(await network.subnets(ctx, request["SubnetIds"]))

    async def body(tx: Transaction) -> Record:
        group = await storage.need(tx, name)
        if changes.get("vpc", group["vpc"]) != group["vpc"]:
            raise model.invalid("The new subnets are not in the VPC of the subnet group.")
        group = group | changes
        await storage.put(tx, name, group)
        return group

    return {"CacheSubnetGroup": _described(ctx, await ctx.store.transact(body))}


async def delete_cache_subnet_group(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, KIND, request["CacheSubnetGroupName"])
    if name.name == DEFAULT:
        raise model.is_default(KIND, DEFAULT)

    async def body(tx: Transaction) -> None:
        await storage.need(tx, name)
        for kind in ("cluster", "group"):
            for cache in await storage.every(tx, ctx.account, ctx.region, kind):
                if cache["subnet_group"] == name.name:
                    raise model.in_use(KIND, name.name, cache["name"])
        await storage.delete(tx, name)

    await ctx.store.transact(body)
    return {}


async def describe_cache_subnet_groups(ctx: Context, request: dict[str, Any]) -> Response:
    wanted = request.get("CacheSubnetGroupName")
    if wanted is not None:
        groups = [await find(ctx, wanted)]
    else:
        groups = await ctx.store.read(lambda tx: storage.every(tx, ctx.account, ctx.region, KIND))
        default = await placed(ctx, None)
        groups = [default, *groups] if default["subnets"] else groups
    return by_marker(request, "CacheSubnetGroups", [_described(ctx, group) for group in groups])
