"""VPC endpoints: routes to a service's addresses (gateway), or interfaces of the service in the subnets."""

from __future__ import annotations

from typing import Any

import orjson

from ....context import Context
from ....errors import AwsError
from .. import model
from ..filters import describe, page, select
from ..interfaces import make_interface
from ..network import change, look
from ..storage import Network, Record, new_id
from .tags import given

Response = dict[str, Any]

_FILTERS = {
    "ip-address-type": "IpAddressType",
    "service-name": "ServiceName",
    "vpc-endpoint-id": "VpcEndpointId",
    "vpc-endpoint-state": "State",
    "vpc-endpoint-type": "VpcEndpointType",
    "vpc-id": "VpcId",
}
_OPEN = orjson.dumps(
    {
        "Version": "2008-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    }
).decode()


def _service(net: Network, name: str, kind: str) -> str:
    """The short name of a service that has endpoints of the kind."""
    start = f"com.amazonaws.{net.region}."
    short = name.removeprefix(start)
    known = model.GATEWAY_SERVICES if kind == "Gateway" else model.INTERFACE_SERVICES
    if not name.startswith(start) or short not in known:
        raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")
    return short


async def create_vpc_endpoint(ctx: Context, request: dict[str, Any]) -> Response:
    kind = request.get("VpcEndpointType", "Gateway")
    if kind not in ("Gateway", "Interface"):
        raise AwsError("UnsupportedOperation", f"Cloudlet has no endpoints of the type {kind}.")
    if "ServiceName" not in request:
        raise model.missing("serviceName")

    async def body(net: Network) -> Response:
        vpc = await net.get("vpc", request["VpcId"])
        service = _service(net, request["ServiceName"], kind)
        id = new_id("vpce")
        endpoint: Record = {
            "VpcEndpointId": id,
            "VpcEndpointType": kind,
            "VpcId": vpc["VpcId"],
            "ServiceName": request["ServiceName"],
            "State": "available",
            "PolicyDocument": request.get("PolicyDocument", _OPEN),
            "RouteTableIds": [],
            "SubnetIds": [],
            "Groups": [],
            "NetworkInterfaceIds": [],
            "DnsEntries": [],
            "PrivateDnsEnabled": kind == "Interface" and request.get("PrivateDnsEnabled", True),
            "RequesterManaged": False,
            "CreationTimestamp": net.now,
            "OwnerId": net.account,
            "IpAddressType": "ipv4",
            "Tags": given(request, "vpc-endpoint"),
            "service": service,
        }
        if kind == "Interface":
            await _fill_interface(net, endpoint, request)
        else:
            await _route(net, endpoint, request.get("RouteTableIds", []), [])
        await net.put("vpc-endpoint", id, endpoint)
        return {"VpcEndpoint": endpoint, "ClientToken": request.get("ClientToken")}

    return await change(ctx, request, body)


async def _fill_interface(net: Network, endpoint: Record, request: dict[str, Any]) -> None:
    groups = [await net.get("security-group", id) for id in request.get("SecurityGroupIds", ())]
    if not groups:
        groups = await net.all("security-group", VpcId=endpoint["VpcId"], GroupName="default")
    if any(group["VpcId"] != endpoint["VpcId"] for group in groups):
        raise model.invalid("Security groups and endpoint belong to different networks")
    endpoint["Groups"] = [{"GroupId": g["GroupId"], "GroupName": g["GroupName"]} for g in groups]
    for id in request.get("SubnetIds", ()):
        await _add_subnet(net, endpoint, id)
    suffix = f"{endpoint['service']}.{net.region}"
    names = [f"{endpoint['VpcEndpointId']}-{endpoint['VpcEndpointId'][-8:]}.{suffix}.vpce.amazonaws.com"]
    if endpoint["PrivateDnsEnabled"]:
        names.append(f"{suffix}.amazonaws.com")
    endpoint["DnsEntries"] = [{"DnsName": name, "HostedZoneId": "Z7HUB22UULQXV"} for name in names]


async def _add_subnet(net: Network, endpoint: Record, id: str) -> None:
    subnet = await net.get("subnet", id)
    if subnet["VpcId"] != endpoint["VpcId"]:
        raise model.invalid(f"Subnet {id} and endpoint belong to different networks")
    interface = await make_interface(
        net,
        subnet,
        "vpc_endpoint",
        f"VPC Endpoint Interface {endpoint['VpcEndpointId']}",
        groups=endpoint["Groups"],
    )
    endpoint["SubnetIds"].append(id)
    endpoint["NetworkInterfaceIds"].append(interface["NetworkInterfaceId"])


async def _remove_subnet(net: Network, endpoint: Record, id: str) -> None:
    if id not in endpoint["SubnetIds"]:
        raise model.not_found("subnet", id)
    at = endpoint["SubnetIds"].index(id)
    del endpoint["SubnetIds"][at]
    await net.delete("network-interface", endpoint["NetworkInterfaceIds"].pop(at))


async def _route(net: Network, endpoint: Record, add: list[str], remove: list[str]) -> None:
    """Put the way to the service into route tables, and take it out of others."""
    prefix, id = model.GATEWAY_SERVICES[endpoint["service"]], endpoint["VpcEndpointId"]
    for table_id in [*add, *remove]:
        table = await net.get("route-table", table_id)
        if table["VpcId"] != endpoint["VpcId"]:
            raise model.invalid(f"Route table {table_id} and endpoint belong to different networks")
        routes = [known for known in table["Routes"] if known.get("GatewayId") != id]
        if table_id in add:
            if any(known.get("DestinationPrefixListId") == prefix for known in routes):
                raise AwsError(
                    "RouteAlreadyExists",
                    f"route table {table_id} already has a route with destination-prefix-list-id {prefix}",
                )
            routes.append(
                {
                    "DestinationPrefixListId": prefix,
                    "GatewayId": id,
                    "Origin": "CreateRoute",
                    "State": "active",
                }
            )
        await net.put("route-table", table_id, {**table, "Routes": routes})
    kept = [known for known in endpoint["RouteTableIds"] if known not in remove]
    endpoint["RouteTableIds"] = [*kept, *(known for known in add if known not in kept)]


async def describe_vpc_endpoints(ctx: Context, request: dict[str, Any]) -> Response:
    return await look(
        ctx, lambda net: describe(net, "vpc-endpoint", request, "VpcEndpointIds", _FILTERS, "VpcEndpoints")
    )


async def modify_vpc_endpoint(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        endpoint = await net.get("vpc-endpoint", request["VpcEndpointId"])
        if endpoint["VpcEndpointType"] == "Gateway":
            await _route(
                net, endpoint, request.get("AddRouteTableIds", []), request.get("RemoveRouteTableIds", [])
            )
        for id in request.get("AddSubnetIds", ()):
            await _add_subnet(net, endpoint, id)
        for id in request.get("RemoveSubnetIds", ()):
            await _remove_subnet(net, endpoint, id)
        gone = request.get("RemoveSecurityGroupIds", ())
        endpoint["Groups"] = [known for known in endpoint["Groups"] if known["GroupId"] not in gone]
        for id in request.get("AddSecurityGroupIds", ()):
            group = await net.get("security-group", id)
            endpoint["Groups"].append({"GroupId": id, "GroupName": group["GroupName"]})
        if request.get("ResetPolicy"):
            endpoint["PolicyDocument"] = _OPEN
        if "PolicyDocument" in request:
            endpoint["PolicyDocument"] = request["PolicyDocument"]
        if "PrivateDnsEnabled" in request:
            endpoint["PrivateDnsEnabled"] = request["PrivateDnsEnabled"]
        await net.put("vpc-endpoint", endpoint["VpcEndpointId"], endpoint)
        return {"Return": True}

    return await change(ctx, request, body)


async def delete_vpc_endpoints(ctx: Context, request: dict[str, Any]) -> Response:
    """What isn't there is told in the answer, not as an error."""

    async def body(net: Network) -> Response:
        unsuccessful = []
        for id in request["VpcEndpointIds"]:
            endpoint = await net.find("vpc-endpoint", id)
            if endpoint is None:
                error = model.not_found("vpc-endpoint", id)
                told = {"Code": error.code, "Message": error.message}
                unsuccessful.append({"ResourceId": id, "Error": told})
                continue
            if endpoint["VpcEndpointType"] == "Gateway":
                await _route(net, endpoint, [], endpoint["RouteTableIds"])
            for interface in endpoint["NetworkInterfaceIds"]:
                await net.delete("network-interface", interface)
            await net.delete("vpc-endpoint", id)
        return {"Unsuccessful": unsuccessful}

    return await change(ctx, request, body)


async def describe_vpc_endpoint_services(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        kinds: dict[str, list[str]] = {}
        for short in model.GATEWAY_SERVICES:
            kinds.setdefault(short, []).append("Gateway")
        for short in model.INTERFACE_SERVICES:
            kinds.setdefault(short, []).append("Interface")
        services = [
            {
                "ServiceName": f"com.amazonaws.{net.region}.{short}",
                "ServiceType": [{"ServiceType": kind} for kind in has],
                "AvailabilityZones": model.zones(net.region),
                "Owner": "amazon",
                "AcceptanceRequired": False,
                "ManagesVpcEndpoints": False,
                "VpcEndpointPolicySupported": True,
                "Tags": [],
            }
            for short, has in sorted(kinds.items())
        ]
        for name in request.get("ServiceNames", ()):
            if name not in {service["ServiceName"] for service in services}:
                raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")
        wanted = request.get("ServiceNames") or [service["ServiceName"] for service in services]
        services = [service for service in services if service["ServiceName"] in wanted]
        filters = {"service-name": "ServiceName", "service-type": "ServiceType.ServiceType"}
        found, more = page(select(services, request, filters), request)
        names = [service["ServiceName"] for service in found]
        return {"ServiceNames": names, "ServiceDetails": found, **more}

    return await look(ctx, body)


async def describe_prefix_lists(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(net: Network) -> Response:
        lists = [
            {
                "PrefixListId": id,
                "PrefixListName": f"com.amazonaws.{net.region}.{short}",
                "Cidrs": model.PREFIX_CIDRS[short],
            }
            for short, id in model.GATEWAY_SERVICES.items()
        ]
        wanted = request.get("PrefixListIds") or list(model.GATEWAY_SERVICES.values())
        chosen = [known for known in lists if known["PrefixListId"] in wanted]
        filters = {"prefix-list-id": "PrefixListId", "prefix-list-name": "PrefixListName"}
        found, more = page(select(chosen, request, filters), request)
        return {"PrefixLists": found, **more}

    return await look(ctx, body)
