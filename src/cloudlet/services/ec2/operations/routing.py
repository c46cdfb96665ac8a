"""Route tables: their routes, and the subnets that go by them."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....errors import AwsError
from .. import model
from ..filters import describe
from ..network import association, change, look, make_route_table, parse_cidr, route
from ..storage import Network, Record, new_id
from .tags import given

Response = dict[str, Any]

_FILTERS = {
    "association.gateway-id": "Associations.GatewayId",
    "association.main": "Associations.Main",
    "association.route-table-association-id": "Associations.RouteTableAssociationId",
    "association.route-table-id": "Associations.RouteTableId",
    "association.subnet-id": "Associations.SubnetId",
    "owner-id": "OwnerId",
    "route-table-id": "RouteTableId",
    "route.destination-cidr-block": "Routes.DestinationCidrBlock",
    "route.destination-prefix-list-id": "Routes.DestinationPrefixListId",
    "route.gateway-id": "Routes.GatewayId",
    "route.nat-gateway-id": "Routes.NatGatewayId",
    "route.origin": "Routes.Origin",
    "route.state": "Routes.State",
    "vpc-id": "VpcId",
}
_TARGETS = {
    "NatGatewayId": "natgateway",
    "NetworkInterfaceId": "network-interface",
    "VpcEndpointId": "vpc-endpoint",
}
_NOT_HERE = (
    "CarrierGatewayId", "CoreNetworkArn", "EgressOnlyInternetGatewayId", "InstanceId", "LocalGatewayId",
    "OdbNetworkArn", "TransitGatewayId", "VpcPeeringConnectionId",
)  # fmt: skip


async def create_route_table(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        table = await make_route_table(net, await net.get("vpc", request["VpcId"]))
        table["Tags"] = given(request, "route-table")
        await net.put("route-table", table["RouteTableId"], table)
        return {"RouteTable": table}

    return await change(ctx, request, body)


async def describe_route_tables(ctx: Context, request: dict[str, Any]) -> Response:
    return await look(
        ctx, lambda net: describe(net, "route-table", request, "RouteTableIds", _FILTERS, "RouteTables")
    )


async def delete_route_table(ctx: Context, request: dict[str, Any]) -> Response:
    id = request["RouteTableId"]

    async def body(net: Network) -> Response:
        table = await net.get("route-table", id)
        if table["Associations"]:
            raise model.has_dependencies("route-table", id)
        await net.delete("route-table", id)
        return {}

    return await change(ctx, request, body)


# Associations


async def associate_route_table(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        table = await net.get("route-table", request["RouteTableId"])
        if "GatewayId" in request:
            await net.get("internet-gateway", request["GatewayId"])
            of = {"GatewayId": request["GatewayId"]}
        elif "SubnetId" in request:
            subnet = await net.get("subnet", request["SubnetId"])
            if subnet["VpcId"] != table["VpcId"]:
                raise model.invalid(
                    f"Route table {table['RouteTableId']} and subnet {subnet['SubnetId']} belong to different networks"
                )
            of = {"SubnetId": subnet["SubnetId"]}
        else:
            raise model.missing("subnetId")
        for other in await net.all("route-table", VpcId=table["VpcId"]):
            if any(of.items() <= known.items() for known in other["Associations"]):
                raise AwsError(
                    "Resource.AlreadyAssociated",
                    f"the specified association for route table {table['RouteTableId']} conflicts with an existing "
                    "association",
                )
        made = association(table["RouteTableId"], **of)
        table["Associations"].append(made)
        await net.put("route-table", table["RouteTableId"], table)
        return {
            "AssociationId": made["RouteTableAssociationId"],
            "AssociationState": made["AssociationState"],
        }

    return await change(ctx, request, body)


async def _associated(net: Network, id: str) -> tuple[Record, Record]:
    """The table that has the association, and the association."""
    for table in await net.all("route-table"):
        for known in table["Associations"]:
            if known["RouteTableAssociationId"] == id:
                return table, known
    raise model.no_association(id)


async def disassociate_route_table(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        table, known = await _associated(net, request["AssociationId"])
        if known["Main"]:
            raise model.invalid(
                f"cannot disassociate the main route table association {request['AssociationId']}"
            )
        table["Associations"].remove(known)
        await net.put("route-table", table["RouteTableId"], table)
        return {}

    return await change(ctx, request, body)


async def replace_route_table_association(ctx: Context, request: dict[str, Any]) -> Response:
    """The association moves to another table, under a new id; the main one makes that table the main one."""

    async def body(net: Network) -> Response:
        table, known = await _associated(net, request["AssociationId"])
        target = await net.get("route-table", request["RouteTableId"])
        if target["VpcId"] != table["VpcId"]:
            raise model.invalid(
                f"Route table {target['RouteTableId']} and network {table['VpcId']} belong to different networks"
            )
        table["Associations"].remove(known)
        await net.put("route-table", table["RouteTableId"], table)
        target = await net.get("route-table", request["RouteTableId"])
        moved = {
            **known, "RouteTableId": target["RouteTableId"], "RouteTableAssociationId": new_id("rtbassoc")
        }  # fmt: skip
        target["Associations"].append(moved)
        await net.put("route-table", target["RouteTableId"], target)
        return {
            "NewAssociationId": moved["RouteTableAssociationId"],
            "AssociationState": moved["AssociationState"],
        }

    return await change(ctx, request, body)


# Routes


def _destination(request: dict[str, Any]) -> tuple[str, str]:
    """The member that says where a route leads to, and its value."""
    if "DestinationIpv6CidrBlock" in request:
        raise model.no_ipv6()
    if "DestinationPrefixListId" in request:
        return "DestinationPrefixListId", request["DestinationPrefixListId"]
    if "DestinationCidrBlock" not in request:
        raise model.missing("destinationCidrBlock")
    text = request["DestinationCidrBlock"]
    return "DestinationCidrBlock", str(parse_cidr(text, model.no_cidr(text, "destinationCidrBlock")))


async def _target(net: Network, table: Record, request: dict[str, Any]) -> dict[str, str]:
    """What a route leads through, which must be of the table's network."""
    for member in _NOT_HERE:
        if member in request:
            raise AwsError("UnsupportedOperation", f"Cloudlet's networks have no routes by {member}.")
    for member, kind in _TARGETS.items():
        if member in request:
            await net.get(kind, request[member])
            return {"GatewayId" if member == "VpcEndpointId" else member: request[member]}
    if "GatewayId" not in request:
        raise model.missing("gatewayId")
    id = request["GatewayId"]
    gateway = await net.get("internet-gateway", id)
    if not any(known["VpcId"] == table["VpcId"] for known in gateway["Attachments"]):
        raise model.invalid(
            f"route table {table['RouteTableId']} and network gateway {id} belong to different networks"
        )
    return {"GatewayId": id}


async def create_route(ctx: Context, request: dict[str, Any]) -> Response:
    member, destination = _destination(request)

    async def body(net: Network) -> Response:
        table = await net.get("route-table", request["RouteTableId"])
        target = await _target(net, table, request)
        if any(known.get(member) == destination for known in table["Routes"]):
            raise AwsError("RouteAlreadyExists", f"The route identified by {destination} already exists.")
        if len(table["Routes"]) >= model.MAX_ROUTES:
            raise AwsError(
                "RouteLimitExceeded",
                f"The maximum number of routes has been reached for {table['RouteTableId']}.",
            )
        made = route(destination, **target)
        made[member] = made.pop("DestinationCidrBlock")
        table["Routes"].append(made)
        await net.put("route-table", table["RouteTableId"], table)
        return {"Return": True}

    return await change(ctx, request, body)


def _find(table: Record, member: str, destination: str) -> Record:
    for known in table["Routes"]:
        if known.get(member) == destination:
            return dict(known)
    kind = "destination-prefix-list-id" if "Prefix" in member else "destination-cidr-block"
    raise AwsError(
        "InvalidRoute.NotFound", f"no route with {kind} {destination} in route table {table['RouteTableId']}"
    )


async def replace_route(ctx: Context, request: dict[str, Any]) -> Response:
    member, destination = _destination(request)

    async def body(net: Network) -> Response:
        table = await net.get("route-table", request["RouteTableId"])
        known = _find(table, member, destination)
        target = await _target(net, table, request)
        at = table["Routes"].index(known)
        table["Routes"][at] = {
            member: destination, "State": "active", "Origin": known["Origin"], **target
        }  # fmt: skip
        await net.put("route-table", table["RouteTableId"], table)
        return {}

    return await change(ctx, request, body)


async def delete_route(ctx: Context, request: dict[str, Any]) -> Response:
    member, destination = _destination(request)

    async def body(net: Network) -> Response:
        table = await net.get("route-table", request["RouteTableId"])
        known = _find(table, member, destination)
        if known.get("GatewayId") == "local":
            raise model.invalid(
                f"cannot remove local route {destination} in route table {table['RouteTableId']}"
            )
        table["Routes"].remove(known)
        await net.put("route-table", table["RouteTableId"], table)
        return {}

    return await change(ctx, request, body)
