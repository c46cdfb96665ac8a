"""Internet gateways, elastic IP addresses, NAT gateways."""

from __future__ import annotations

import random
from typing import Any

from ....context import Context
from ....errors import AwsError
from .. import model
from ..filters import describe
from ..interfaces import make_interface
from ..network import change, look
from ..storage import Network, Record, new_id
from .tags import given

Response = dict[str, Any]

_INTERNET = {
    "attachment.state": "Attachments.State",
    "attachment.vpc-id": "Attachments.VpcId",
    "internet-gateway-id": "InternetGatewayId",
    "owner-id": "OwnerId",
}
_NAT = {
    "nat-gateway-id": "NatGatewayId",
    "state": "State",
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
}
_ADDRESSES = {
    "allocation-id": "AllocationId",
    "association-id": "AssociationId",
    "domain": "Domain",
    "network-border-group": "NetworkBorderGroup",
    "network-interface-id": "NetworkInterfaceId",
    "private-ip-address": "PrivateIpAddress",
    "public-ip": "PublicIp",
}


# Internet gateways


async def create_internet_gateway(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        id = new_id("igw")
        gateway: Record = {
            "InternetGatewayId": id,
            "OwnerId": net.account,
            "Attachments": [],
            "Tags": given(request, "internet-gateway"),
        }
        await net.put("internet-gateway", id, gateway)
        return {"InternetGateway": gateway}

    return await change(ctx, request, body)


async def describe_internet_gateways(ctx: Context, request: dict[str, Any]) -> Response:
    def body(net: Network) -> Any:
        return describe(net, "internet-gateway", request, "InternetGatewayIds", _INTERNET, "InternetGateways")

    return await look(ctx, body)


async def attach_internet_gateway(ctx: Context, request: dict[str, Any]) -> Response:
    id, vpc = request["InternetGatewayId"], request["VpcId"]

    async def body(net: Network) -> Response:
        gateway = await net.get("internet-gateway", id)
        await net.get("vpc", vpc)
        for known in gateway["Attachments"]:
            raise AwsError(
                "Resource.AlreadyAssociated", f"resource {id} is already attached to network {known['VpcId']}"
            )
        for other in await net.all("internet-gateway"):
            if any(known["VpcId"] == vpc for known in other["Attachments"]):
                raise model.invalid(f"Network {vpc} already has an internet gateway attached")
        gateway["Attachments"] = [{"State": "available", "VpcId": vpc}]
        await net.put("internet-gateway", id, gateway)
        return {}

    return await change(ctx, request, body)


async def detach_internet_gateway(ctx: Context, request: dict[str, Any]) -> Response:
    id, vpc = request["InternetGatewayId"], request["VpcId"]

    async def body(net: Network) -> Response:
        gateway = await net.get("internet-gateway", id)
        if not any(known["VpcId"] == vpc for known in gateway["Attachments"]):
            raise AwsError("Gateway.NotAttached", f"resource {id} is not attached to network {vpc}")
        if any("Association" in interface for interface in await net.all("network-interface", VpcId=vpc)):
            raise AwsError(
                "DependencyViolation",
                f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before "
                "detaching the gateway.",
            )
        await net.put("internet-gateway", id, {**gateway, "Attachments": []})
        return {}

    return await change(ctx, request, body)


async def delete_internet_gateway(ctx: Context, request: dict[str, Any]) -> Response:
    id = request["InternetGatewayId"]

    async def body(net: Network) -> Response:
        if (await net.get("internet-gateway", id))["Attachments"]:
            raise model.has_dependencies("internet-gateway", id)
        await net.delete("internet-gateway", id)
        return {}

    return await change(ctx, request, body)


# Elastic IP addresses


async def allocate_address(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        taken = {known["PublicIp"] for known in await net.all("elastic-ip")}
        # 198.18.0.0/15 is for benchmarks (RFC 2544): nobody's address on any network.
        ip = next(
            ip
            for _ in range(1000)
            if (ip := f"198.{random.randint(18, 19)}.{random.randint(0, 255)}.{random.randint(1, 254)}") not in taken
        )  # fmt: skip
        address: Record = {
            "AllocationId": new_id("eipalloc"),
            "PublicIp": ip,
            "Domain": "vpc",
            "PublicIpv4Pool": "amazon",
            "NetworkBorderGroup": request.get("NetworkBorderGroup", net.region),
            "Tags": given(request, "elastic-ip"),
        }
        await net.put("elastic-ip", address["AllocationId"], address)
        return address

    return await change(ctx, request, body)


async def describe_addresses(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        found = await describe(net, "elastic-ip", request, "AllocationIds", _ADDRESSES, "Addresses")
        wanted = request.get("PublicIps")
        if wanted:
            found["Addresses"] = [a for a in found["Addresses"] if a["PublicIp"] in wanted]
            for ip in set(wanted) - {a["PublicIp"] for a in found["Addresses"]}:
                raise AwsError("InvalidAddress.NotFound", f"Address '{ip}' not found.")
        return {"Addresses": found["Addresses"]}

    return await look(ctx, body)


async def release_address(ctx: Context, request: dict[str, Any]) -> Response:
    if "AllocationId" not in request:
        raise model.missing("allocationId")

    async def body(net: Network) -> Response:
        address = await net.get("elastic-ip", request["AllocationId"])
        if "AssociationId" in address:
            raise AwsError("InvalidIPAddress.InUse", f"Address {address['PublicIp']} is in use.")
        await net.delete("elastic-ip", address["AllocationId"])
        return {}

    return await change(ctx, request, body)


# NAT gateways


async def create_nat_gateway(ctx: Context, request: dict[str, Any]) -> Response:
    public = request.get("ConnectivityType", "public") == "public"
    if "SubnetId" not in request:
        raise model.missing("subnetId")
    if public and "AllocationId" not in request:
        raise model.missing("allocationId")
    if not public and "AllocationId" in request:
        raise model.invalid("The AllocationId parameter is not supported for private NAT gateways.")

    async def body(net: Network) -> Response:
        subnet = await net.get("subnet", request["SubnetId"])
        address = await net.get("elastic-ip", request["AllocationId"]) if public else None
        if address is not None and "AssociationId" in address:
            raise AwsError(
                "Resource.AlreadyAssociated",
                f"Elastic IP address [{address['AllocationId']}] is already associated",
            )
        id = new_id("nat")
        interface = await make_interface(
            net,
            subnet,
            "nat_gateway",
            f"Interface for NAT Gateway {id}",
            ip=request.get("PrivateIpAddress", ""),
        )
        place: Record = {
            "NetworkInterfaceId": interface["NetworkInterfaceId"],
            "PrivateIp": interface["PrivateIpAddress"],
            "IsPrimary": True,
            "Status": "succeeded",
        }
        if address is not None:
            place |= await _associate(net, address, interface)
        gateway: Record = {
            "NatGatewayId": id,
            "SubnetId": subnet["SubnetId"],
            "VpcId": subnet["VpcId"],
            "State": "available",
            "ConnectivityType": "public" if public else "private",
            "CreateTime": net.now,
            "NatGatewayAddresses": [place],
            "Tags": given(request, "natgateway"),
        }
        await net.put("natgateway", id, gateway)
        return {"NatGateway": gateway, "ClientToken": request.get("ClientToken")}

    return await change(ctx, request, body)


async def _associate(net: Network, address: Record, interface: Record) -> Record:
    """Give an interface the address; what the gateway says of it."""
    id = new_id("eipassoc")
    address |= {
        "AssociationId": id,
        "NetworkInterfaceId": interface["NetworkInterfaceId"],
        "NetworkInterfaceOwnerId": net.account,
        "PrivateIpAddress": interface["PrivateIpAddress"],
    }
    await net.put("elastic-ip", address["AllocationId"], address)
    said = {"AllocationId": address["AllocationId"], "AssociationId": id, "PublicIp": address["PublicIp"]}
    interface["Association"] = {**said, "IpOwnerId": net.account}
    await net.put("network-interface", interface["NetworkInterfaceId"], interface)
    return said


async def describe_nat_gateways(ctx: Context, request: dict[str, Any]) -> Response:
    wish = {**request, "Filters": request.get("Filter", [])}
    return await look(
        ctx, lambda net: describe(net, "natgateway", wish, "NatGatewayIds", _NAT, "NatGateways")
    )


async def delete_nat_gateway(ctx: Context, request: dict[str, Any]) -> Response:
    """It is gone at once, with its interface; its address is free."""
    id = request["NatGatewayId"]

    async def body(net: Network) -> Response:
        gateway = await net.get("natgateway", id)
        for place in gateway["NatGatewayAddresses"]:
            await net.delete("network-interface", place["NetworkInterfaceId"])
            if "AllocationId" in place:
                address = await net.get("elastic-ip", place["AllocationId"])
                for member in (
                    "AssociationId",
                    "NetworkInterfaceId",
                    "NetworkInterfaceOwnerId",
                    "PrivateIpAddress",
                ):
                    address.pop(member, None)
                await net.put("elastic-ip", place["AllocationId"], address)
        for table in await net.all("route-table", VpcId=gateway["VpcId"]):
            for known in table["Routes"]:
                if known.get("NatGatewayId") == id:
                    known["State"] = "blackhole"
                    await net.put("route-table", table["RouteTableId"], table)
        await net.delete("natgateway", id)
        return {"NatGatewayId": id}

    return await change(ctx, request, body)
