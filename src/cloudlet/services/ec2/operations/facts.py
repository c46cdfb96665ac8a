"""What is so without anybody's doing: regions, zones; and what only can be looked at: network ACLs, interfaces."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ....context import Context
from ....errors import AwsError
from .. import model
from ..filters import describe, page, select
from ..interfaces import of_others, placed
from ..network import look
from ..storage import Network, Record

Response = dict[str, Any]

_ZONES = {
    "group-name": "GroupName",
    "message": "Messages.Message",
    "opt-in-status": "OptInStatus",
    "region-name": "RegionName",
    "state": "State",
    "zone-id": "ZoneId",
    "zone-name": "ZoneName",
    "zone-type": "ZoneType",
}
_REGIONS = {"endpoint": "Endpoint", "opt-in-status": "OptInStatus", "region-name": "RegionName"}
_ACLS = {
    "association.association-id": "Associations.NetworkAclAssociationId",
    "association.network-acl-id": "Associations.NetworkAclId",
    "association.subnet-id": "Associations.SubnetId",
    "default": "IsDefault",
    "network-acl-id": "NetworkAclId",
    "owner-id": "OwnerId",
    "vpc-id": "VpcId",
}
_INTERFACES = {
    "addresses.private-ip-address": "PrivateIpAddresses.PrivateIpAddress",
    "association.allocation-id": "Association.AllocationId",
    "association.public-ip": "Association.PublicIp",
    "availability-zone": "AvailabilityZone",
    "description": "Description",
    "group-id": "Groups.GroupId",
    "group-name": "Groups.GroupName",
    "interface-type": "InterfaceType",
    "network-interface-id": "NetworkInterfaceId",
    "owner-id": "OwnerId",
    "private-ip-address": "PrivateIpAddress",
    "requester-managed": "RequesterManaged",
    "status": "Status",
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
}


async def describe_availability_zones(ctx: Context, request: dict[str, Any]) -> Response:
    _refuse_dry_run(request)
    zones: list[Record] = [
        {
            "ZoneName": zone,
            "ZoneId": model.zone_id(zone),
            "RegionName": ctx.region,
            "GroupName": f"{ctx.region}-zg-1",
            "NetworkBorderGroup": ctx.region,
            "State": "available",
            "ZoneType": "availability-zone",
            "OptInStatus": "opt-in-not-required",
            "Messages": [],
        }
        for zone in model.zones(ctx.region)
    ]
    for member, wanted in (("ZoneName", "ZoneNames"), ("ZoneId", "ZoneIds")):
        for name in request.get(wanted, ()):
            if name not in {zone[member] for zone in zones}:
                raise model.invalid(f"Invalid availability zone: [{name}]")
        if request.get(wanted):
            zones = [zone for zone in zones if zone[member] in request[wanted]]
    return {"AvailabilityZones": select(zones, request, _ZONES)}


async def describe_regions(ctx: Context, request: dict[str, Any]) -> Response:
    _refuse_dry_run(request)
    for name in request.get("RegionNames", ()):
        if name not in model.REGIONS:
            raise model.invalid(f"Invalid region(s): [{name}]")
    regions = [
        {
            "RegionName": name,
            "Endpoint": f"ec2.{name}.amazonaws.com",
            "OptInStatus": "opt-in-not-required",
        }
        for name in request.get("RegionNames") or model.REGIONS
    ]
    return {"Regions": select(regions, request, _REGIONS)}


def _refuse_dry_run(request: dict[str, Any]) -> None:
    if request.get("DryRun"):
        raise model.dry_run()


async def describe_network_acls(ctx: Context, request: dict[str, Any]) -> Response:
    return await look(
        ctx, lambda net: describe(net, "network-acl", request, "NetworkAclIds", _ACLS, "NetworkAcls")
    )


async def describe_network_interfaces(ctx: Context, request: dict[str, Any]) -> Response:
    shared = await of_others(ctx)

    async def body(net: Network) -> Response:
        wanted = request.get("NetworkInterfaceIds")
        others = [await placed(net, interface) for interface in shared]
        known = {i["NetworkInterfaceId"]: i for i in [*await net.all("network-interface"), *others]}
        for id in wanted or ():
            if id not in known:
                raise model.not_found("network-interface", id)
        chosen = [known[id] for id in wanted or known]
        found, more = page(select(chosen, request, _INTERFACES), request, "NetworkInterfaceIds")
        return {"NetworkInterfaces": found, **more}

    return await look(ctx, body)


# What there is none of, and tools ask for all the same.


def _none(ids: str, kind: str, result: str) -> Callable[[Context, dict[str, Any]], Awaitable[Response]]:
    async def describe_none(ctx: Context, request: dict[str, Any]) -> Response:
        for id in request.get(ids, ()):
            raise AwsError(
                f"Invalid{kind}ID.NotFound", f"The {kind[0].lower()}{kind[1:]} ID '{id}' does not exist"
            )
        return {result: []}

    return describe_none


describe_egress_only_internet_gateways = _none(
    "EgressOnlyInternetGatewayIds", "EgressOnlyInternetGateway", "EgressOnlyInternetGateways"
)
describe_vpc_peering_connections = _none(
    "VpcPeeringConnectionIds", "VpcPeeringConnection", "VpcPeeringConnections"
)
describe_vpn_gateways = _none("VpnGatewayIds", "VpnGateway", "VpnGateways")
