"""Subnets: parts of a VPC's blocks, each in a zone."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ....context import Context
from .. import model
from ..filters import describe
from ..interfaces import of_others
from ..network import change, look, make_subnet, parse_cidr
from ..storage import Network
from .tags import given

Response = dict[str, Any]

_FILTERS = {
    "availability-zone": "AvailabilityZone",
    "availabilityZone": "AvailabilityZone",
    "availability-zone-id": "AvailabilityZoneId",
    "available-ip-address-count": "AvailableIpAddressCount",
    "cidr": "CidrBlock",
    "cidr-block": "CidrBlock",
    "cidrBlock": "CidrBlock",
    "default-for-az": "DefaultForAz",
    "defaultForAz": "DefaultForAz",
    "map-public-ip-on-launch": "MapPublicIpOnLaunch",
    "owner-id": "OwnerId",
    "state": "State",
    "subnet-arn": "SubnetArn",
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
}


async def create_subnet(ctx: Context, request: dict[str, Any]) -> Response:
    text = request["CidrBlock"]
    block = parse_cidr(text, model.no_cidr(text))
    if not model.MIN_PREFIX <= block.prefixlen <= model.MAX_PREFIX:
        raise model.subnet_range(text)
    zones = model.zones(ctx.region)
    by_id = {model.zone_id(zone): zone for zone in zones}
    zone = request.get("AvailabilityZone") or by_id.get(request.get("AvailabilityZoneId", ""))
    if zone is None and "AvailabilityZoneId" in request:
        raise model.no_zone(request["AvailabilityZoneId"], ctx.region)
    if zone is not None and zone not in zones:
        raise model.no_zone(zone, ctx.region)

    async def body(net: Network) -> Response:
        vpc = await net.get("vpc", request["VpcId"])
        blocks = [parse_cidr(k["CidrBlock"], model.no_cidr("")) for k in vpc["CidrBlockAssociationSet"]]
        if not any(block.subnet_of(known) for known in blocks):
            raise model.subnet_range(text)
        for other in await net.all("subnet", VpcId=vpc["VpcId"]):
            if block.overlaps(parse_cidr(other["CidrBlock"], model.no_cidr(""))):
                raise model.subnet_conflict(text)
        subnet = await make_subnet(net, vpc["VpcId"], str(block), zone or zones[0])
        subnet["Tags"] = given(request, "subnet")
        await net.put("subnet", subnet["SubnetId"], subnet)
        return {"Subnet": subnet}

    return await change(ctx, request, body)


async def describe_subnets(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        found = await describe(net, "subnet", request, "SubnetIds", _FILTERS, "Subnets")
        used = Counter(interface["SubnetId"] for interface in await net.all("network-interface"))
        for subnet in found["Subnets"]:
            subnet["AvailableIpAddressCount"] -= used[subnet["SubnetId"]]
        return found

    return await look(ctx, body)


async def delete_subnet(ctx: Context, request: dict[str, Any]) -> Response:
    id = request["SubnetId"]
    of_other = any(interface["SubnetId"] == id for interface in await of_others(ctx))

    async def body(net: Network) -> Response:
        subnet = await net.get("subnet", id)
        if of_other or await net.all("network-interface", SubnetId=id):
            raise model.has_dependencies("subnet", id)
        for table in await net.all("route-table", VpcId=subnet["VpcId"]):
            kept = [a for a in table["Associations"] if a.get("SubnetId") != id]
            if len(kept) < len(table["Associations"]):
                await net.put("route-table", table["RouteTableId"], {**table, "Associations": kept})
        for acl in await net.all("network-acl", VpcId=subnet["VpcId"]):
            kept = [a for a in acl["Associations"] if a["SubnetId"] != id]
            await net.put("network-acl", acl["NetworkAclId"], {**acl, "Associations": kept})
        await net.delete("subnet", id)
        return {}

    return await change(ctx, request, body)


async def modify_subnet_attribute(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        subnet = await net.get("subnet", request["SubnetId"])
        for member in ("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64"):
            if member in request:
                subnet[member] = request[member].get("Value", False)
        options = subnet["PrivateDnsNameOptionsOnLaunch"]
        if "PrivateDnsHostnameTypeOnLaunch" in request:
            options["HostnameType"] = request["PrivateDnsHostnameTypeOnLaunch"]
        for option in ("EnableResourceNameDnsARecord", "EnableResourceNameDnsAAAARecord"):
            if f"{option}OnLaunch" in request:
                options[option] = request[f"{option}OnLaunch"].get("Value", False)
        await net.put("subnet", subnet["SubnetId"], subnet)
        return {}

    return await change(ctx, request, body)
