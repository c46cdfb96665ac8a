"""Network interfaces, which NAT gateways and endpoints have in their subnets."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

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
