"""Network interfaces, which NAT gateways, endpoints, functions and caches have in their subnets.

Those of functions and caches aren't kept. They are told from the functions that there are, one for each subnet and set
of security groups, as AWS shares them; and from the caches, one for each node, or for each subnet of a serverless one.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from typing import Any

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


async def of_others(ctx: Context) -> list[Record]:
    """The interfaces that other services have, as far as they can be told without their subnets."""
    asking = ctx.node.context(account=ctx.account, region=ctx.region)
    return [*await _of_functions(asking), *await _of_caches(asking)]


async def placed(net: Network, interface: Record) -> Record:
    """An interface of another service, with what its subnet and its groups tell."""
    subnet = await net.find("subnet", interface["SubnetId"]) or {}
    place = {name: subnet[name] for name in ("AvailabilityZone", "VpcId") if name in subnet}
    groups = []
    for known in interface["Groups"]:
        group = await net.find("security-group", known["GroupId"]) or {}
        groups.append(known | ({"GroupName": group["GroupName"]} if group else {}))
    return interface | place | {"Groups": groups}


async def _listed(
    ctx: Context, service: str, operation: str, member: str, tokens: tuple[str, str], **wish: Any
) -> list[Record]:
    """All pages of a list; `tokens` are the members of the answer and of the request that go on with it."""
    found: list[Record] = []
    while True:
        answer = await ctx.call(service, operation, wish)
        found += answer.get(member, [])
        if tokens[0] not in answer:
            return found
        wish[tokens[1]] = answer[tokens[0]]


async def _of_functions(ctx: Context) -> list[Record]:
    wish = {"FunctionVersion": "ALL"}
    functions = await _listed(ctx, "lambda", "ListFunctions", "Functions", ("NextMarker", "Marker"), **wish)
    found: dict[str, Record] = {}
    for function in functions:
        config = function.get("VpcConfig", {})
        for subnet in config.get("SubnetIds", ()):
            groups = sorted(config["SecurityGroupIds"])
            digest = _digest(ctx, subnet, *groups)
            text = f"AWS Lambda VPC ENI-{function['FunctionName']}-{digest[17:25]}"
            found.setdefault(digest, _told(ctx, digest, "lambda", text, subnet, groups))
    return list(found.values())


async def _of_caches(ctx: Context) -> list[Record]:
    found: list[Record] = []
    caches = await _listed(
        ctx, "elasticache", "DescribeServerlessCaches", "ServerlessCaches", ("NextToken", "NextToken")
    )
    for cache in caches:
        for subnet in cache.get("SubnetIds", ()):
            text = f"VPC Endpoint Interface of ElastiCache {cache['ServerlessCacheName']}"
            digest = _digest(ctx, cache["ARN"], subnet)
            found.append(_told(ctx, digest, "vpc_endpoint", text, subnet, cache["SecurityGroupIds"]))
    marker = ("Marker", "Marker")
    clusters = await _listed(ctx, "elasticache", "DescribeCacheClusters", "CacheClusters", marker)
    if clusters:
        groups = await _listed(ctx, "elasticache", "DescribeCacheSubnetGroups", "CacheSubnetGroups", marker)
        subnets = {
            (group["CacheSubnetGroupName"], subnet["SubnetAvailabilityZone"]["Name"]): subnet
            for group in groups
            for subnet in reversed(group["Subnets"])
        }
        for cluster in clusters:
            place = subnets.get((cluster["CacheSubnetGroupName"], cluster["PreferredAvailabilityZone"]))
            if place is not None:
                text, subnet = f"ElastiCache {cluster['CacheClusterId']}", place["SubnetIdentifier"]
                groups_of_it = [group["SecurityGroupId"] for group in cluster["SecurityGroups"]]
                digest = _digest(ctx, cluster["ARN"], subnet)
                found.append(_told(ctx, digest, "interface", text, subnet, groups_of_it))
    return found


def _digest(ctx: Context, *parts: str) -> str:
    return hashlib.sha256("/".join([ctx.account, *parts]).encode()).hexdigest()


def _told(
    ctx: Context, digest: str, kind: str, description: str, subnet: str, groups: Sequence[str]
) -> Record:
    return {
        "NetworkInterfaceId": f"eni-{digest[:17]}",
        "SubnetId": subnet,
        "OwnerId": ctx.account,
        "Description": description,
        "InterfaceType": kind,
        "Status": "in-use",
        "RequesterManaged": True,
        "SourceDestCheck": True,
        "Groups": [{"GroupId": group} for group in groups],
        "Tags": [],
    }
