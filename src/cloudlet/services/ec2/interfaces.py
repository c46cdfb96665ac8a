"""Network interfaces, which NAT gateways, endpoints and functions have in their subnets.

Those of functions aren't kept: they are told from the functions that there are, one for each subnet and set of security
groups, as AWS shares them.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence

from ...context import Context
from ...errors import AwsError
from . import model
from .storage import Network, Record, new_id


async def make_interface(
    net: Network, subnet: Record, kind: str, description: str, *, groups: Sequence[Record] = (), ip: str = ""
) -> Record:
    """An interface with an address of its subnet: the one asked for, or the first that is free."""
    block = ipaddress.IPv4Network(subnet["CidrBlock"])
    others = await net.all("network-interface", SubnetId=subnet["SubnetId"])
    taken = {other["PrivateIpAddress"] for other in others}
    # The first four addresses and the last belong to the network itself.
    free = (str(block[n]) for n in range(4, block.num_addresses - 1) if str(block[n]) not in taken)
    chosen = ip or next(free, "")
    if not chosen:
        raise AwsError(
            "InsufficientFreeAddressesInSubnet",
            f"There are not enough free addresses in subnet '{subnet['SubnetId']}' to satisfy the request.",
        )
    if chosen in taken or ipaddress.IPv4Address(chosen) not in block:
        raise model.invalid(f"Address {chosen} is in use or does not fall within the subnet's address range")
    id = new_id("eni")
    interface: Record = {
        "NetworkInterfaceId": id,
        "SubnetId": subnet["SubnetId"],
        "VpcId": subnet["VpcId"],
        "AvailabilityZone": subnet["AvailabilityZone"],
        "OwnerId": net.account,
        "Description": description,
        "InterfaceType": kind,
        "Status": "in-use",
        "RequesterManaged": True,
        "SourceDestCheck": kind != "nat_gateway",
        "PrivateIpAddress": chosen,
        "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": chosen}],
        "Groups": [{"GroupId": group["GroupId"], "GroupName": group["GroupName"]} for group in groups],
        "Tags": [],
    }
    await net.put("network-interface", id, interface)
    return interface


async def of_functions(ctx: Context) -> list[Record]:
    """The interfaces of functions that have a VPC, as far as they can be told without their subnets."""
    asking = ctx.node.context(account=ctx.account, region=ctx.region)
    found: dict[str, Record] = {}
    wish: dict[str, str] = {"FunctionVersion": "ALL"}
    while True:
        answer = await asking.call("lambda", "ListFunctions", wish)
        for function in answer["Functions"]:
            config = function.get("VpcConfig", {})
            for subnet in config.get("SubnetIds", ()):
                interface = _of_function(ctx, function["FunctionName"], subnet, config)
                found.setdefault(interface["NetworkInterfaceId"], interface)
        if "NextMarker" not in answer:
            return list(found.values())
        wish["Marker"] = answer["NextMarker"]


def _of_function(ctx: Context, name: str, subnet: str, config: Record) -> Record:
    groups = sorted(config["SecurityGroupIds"])
    digest = hashlib.sha256("/".join([ctx.account, subnet, *groups]).encode()).hexdigest()
    return {
        "NetworkInterfaceId": f"eni-{digest[:17]}",
        "SubnetId": subnet,
        "VpcId": config["VpcId"],
        "OwnerId": ctx.account,
        "Description": f"AWS Lambda VPC ENI-{name}-{digest[17:25]}",
        "InterfaceType": "lambda",
        "Status": "in-use",
        "RequesterManaged": True,
        "SourceDestCheck": True,
        "Groups": [{"GroupId": group} for group in groups],
        "Tags": [],
    }
