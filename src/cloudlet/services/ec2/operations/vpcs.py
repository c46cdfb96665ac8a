"""VPCs and their CIDR blocks and attributes."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....errors import AwsError
from .. import model
from ..filters import describe
from ..network import (
    Cidr,
    change,
    cidr_association,
    look,
    make_default_vpc,
    make_vpc,
    parse_cidr,
    route,
)
from ..storage import Network, Record
from .tags import given

Response = dict[str, Any]

_FILTERS = {
    "cidr": "CidrBlock",
    "cidr-block-association.association-id": "CidrBlockAssociationSet.AssociationId",
    "cidr-block-association.cidr-block": "CidrBlockAssociationSet.CidrBlock",
    "cidr-block-association.state": "CidrBlockAssociationSet.CidrBlockState.State",
    "dhcp-options-id": "DhcpOptionsId",
    "is-default": "IsDefault",
    "isDefault": "IsDefault",
    "owner-id": "OwnerId",
    "state": "State",
    "vpc-id": "VpcId",
}
_ATTRIBUTES = {
    "EnableDnsHostnames": "enableDnsHostnames",
    "EnableDnsSupport": "enableDnsSupport",
    "EnableNetworkAddressUsageMetrics": "enableNetworkAddressUsageMetrics",
}


def _block(text: str) -> Cidr:
    block = parse_cidr(text, model.no_cidr(text))
    if not model.MIN_PREFIX <= block.prefixlen <= model.MAX_PREFIX:
        raise model.vpc_range(text)
    return block


async def create_vpc(ctx: Context, request: dict[str, Any]) -> Response:
    block = _block(request["CidrBlock"])

    async def body(net: Network) -> Response:
        vpc = await make_vpc(net, str(block), tenancy=request.get("InstanceTenancy", "default"))
        vpc["Tags"] = given(request, "vpc")
        await net.put("vpc", vpc["VpcId"], vpc)
        return {"Vpc": vpc}

    return await change(ctx, request, body)


async def create_default_vpc(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        for vpc in await net.all("vpc", IsDefault=True):
            raise AwsError(
                "DefaultVpcAlreadyExists",
                f"A Default VPC already exists for this account in this region. ({vpc['VpcId']})",
            )
        return {"Vpc": await make_default_vpc(net)}

    return await change(ctx, request, body)


async def describe_vpcs(ctx: Context, request: dict[str, Any]) -> Response:
    return await look(ctx, lambda net: describe(net, "vpc", request, "VpcIds", _FILTERS, "Vpcs"))


async def delete_vpc(ctx: Context, request: dict[str, Any]) -> Response:
    id = request["VpcId"]

    async def body(net: Network) -> Response:
        await net.get("vpc", id)
        groups = await net.all("security-group", VpcId=id)
        tables = await net.all("route-table", VpcId=id)
        gateways = [
            gateway
            for gateway in await net.all("internet-gateway")
            if any(known["VpcId"] == id for known in gateway["Attachments"])
        ]
        own_groups = [group for group in groups if group["GroupName"] != "default"]
        own_tables = [table for table in tables if not any(a["Main"] for a in table["Associations"])]
        endpoints = await net.all("vpc-endpoint", VpcId=id)
        if await net.all("subnet", VpcId=id) or gateways or own_groups or own_tables or endpoints:
            raise model.has_dependencies("vpc", id)
        for group in groups:
            await net.delete("security-group", group["GroupId"])
        for table in tables:
            await net.delete("route-table", table["RouteTableId"])
        for acl in await net.all("network-acl", VpcId=id):
            await net.delete("network-acl", acl["NetworkAclId"])
        await net.delete("vpc", id)
        return {}

    return await change(ctx, request, body)


async def describe_vpc_attribute(ctx: Context, request: dict[str, Any]) -> Response:
    name = request["Attribute"]

    async def body(net: Network) -> Response:
        vpc = await net.get("vpc", request["VpcId"])
        member = name[0].upper() + name[1:]
        return {"VpcId": vpc["VpcId"], member: {"Value": vpc["attributes"].get(name, False)}}

    return await look(ctx, body)


async def modify_vpc_attribute(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        vpc = await net.get("vpc", request["VpcId"])
        for member, name in _ATTRIBUTES.items():
            if member in request:
                vpc["attributes"][name] = request[member].get("Value", False)
        await net.put("vpc", vpc["VpcId"], vpc)
        return {}

    return await change(ctx, request, body)


async def associate_vpc_cidr_block(ctx: Context, request: dict[str, Any]) -> Response:
    block = _block(request["CidrBlock"])

    async def body(net: Network) -> Response:
        vpc = await net.get("vpc", request["VpcId"])
        known = vpc["CidrBlockAssociationSet"]
        if any(block.overlaps(parse_cidr(k["CidrBlock"], model.no_cidr(""))) for k in known):
            raise model.vpc_range(str(block))
        if len(known) >= model.MAX_CIDR_BLOCKS:
            raise AwsError(
                "CidrLimitExceeded", f"This network '{vpc['VpcId']}' has met its maximum number of allowed CIDRs: "
                f"{model.MAX_CIDR_BLOCKS}"
            )  # fmt: skip
        made = cidr_association(str(block))
        known.append(made)
        await net.put("vpc", vpc["VpcId"], vpc)
        for table in await net.all("route-table", VpcId=vpc["VpcId"]):
            table["Routes"].insert(
                len(known) - 1, {**route(str(block), GatewayId="local"), "Origin": "CreateRouteTable"}
            )
            await net.put("route-table", table["RouteTableId"], table)
        return {"VpcId": vpc["VpcId"], "CidrBlockAssociation": made}

    return await change(ctx, request, body)


async def disassociate_vpc_cidr_block(ctx: Context, request: dict[str, Any]) -> Response:
    id = request["AssociationId"]

    async def body(net: Network) -> Response:
        vpc, known = await _with_association(net, id)
        if known["CidrBlock"] == vpc["CidrBlock"]:
            raise AwsError(
                "OperationNotPermitted",
                f"The vpc CIDR block with association ID {id} may not be disassociated. "
                "It is the primary IPv4 CIDR block of the VPC",
            )
        block = parse_cidr(known["CidrBlock"], model.no_cidr(""))
        for subnet in await net.all("subnet", VpcId=vpc["VpcId"]):
            if block.overlaps(parse_cidr(subnet["CidrBlock"], model.no_cidr(""))):
                raise AwsError(
                    "DependencyViolation",
                    f"The vpc CIDR block '{known['CidrBlock']}' has dependencies and cannot be disassociated.",
                )
        vpc["CidrBlockAssociationSet"].remove(known)
        await net.put("vpc", vpc["VpcId"], vpc)
        for table in await net.all("route-table", VpcId=vpc["VpcId"]):
            gone = known["CidrBlock"], "local"
            table["Routes"] = [
                r for r in table["Routes"] if (r.get("DestinationCidrBlock"), r.get("GatewayId")) != gone
            ]
            await net.put("route-table", table["RouteTableId"], table)
        return {"VpcId": vpc["VpcId"], "CidrBlockAssociation": known}

    return await change(ctx, request, body)


async def _with_association(net: Network, id: str) -> tuple[Record, Record]:
    for vpc in await net.all("vpc"):
        for known in vpc["CidrBlockAssociationSet"]:
            if known["AssociationId"] == id:
                return vpc, known
    raise model.no_cidr_association(id)
