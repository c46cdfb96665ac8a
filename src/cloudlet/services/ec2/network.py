"""How EC2's operations work on a network: in one transaction, over a region that has its default VPC.

A region gets its default VPC, with a subnet in each zone, when it is first looked at. An operation's body is given the
`Network`; what it answers are records, of which only the members that Describe shows leave the house.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any

from ...context import Context
from ...errors import AwsError
from ...store.interface import Transaction
from . import model
from .storage import Network, Record, new_id

Body = Callable[[Network], Awaitable[dict[str, Any]]]
Cidr = ipaddress.IPv4Network


async def look(ctx: Context, body: Body) -> dict[str, Any]:
    """Run a body that only reads."""

    async def known(tx: Transaction) -> bool:
        return await Network(ctx, tx).has_defaults()

    if not await ctx.store.read(known):
        await ctx.store.transact(lambda tx: _settle(Network(ctx, tx)))
    found: dict[str, Any] = shown(await ctx.store.read(lambda tx: body(Network(ctx, tx))))
    return found


async def change(ctx: Context, request: dict[str, Any], body: Body) -> dict[str, Any]:
    """Run a body that writes. With DryRun it runs, too, and nothing of it is kept."""

    async def run(tx: Transaction) -> dict[str, Any]:
        network = Network(ctx, tx)
        await _settle(network)
        result = await body(network)
        if request.get("DryRun"):
            raise model.dry_run()
        return result

    made: dict[str, Any] = shown(await ctx.store.transact(run))
    return made


def shown(value: Any) -> Any:
    """A record without what is only for the house."""
    if isinstance(value, dict):
        return {name: shown(item) for name, item in value.items() if name[0].isupper()}
    return [shown(item) for item in value] if isinstance(value, list) else value


async def _settle(net: Network) -> None:
    if not await net.has_defaults():
        await net.defaults_made()
        await make_default_vpc(net)


async def make_default_vpc(net: Network) -> Record:
    """172.31.0.0/16 with a /20 in each zone, an internet gateway, and a route to it."""
    vpc = await make_vpc(net, model.DEFAULT_VPC, default=True)
    gateway = new_id("igw")
    attachment = {"State": "available", "VpcId": vpc["VpcId"]}
    await net.put(
        "internet-gateway",
        gateway,
        {"InternetGatewayId": gateway, "OwnerId": net.account, "Attachments": [attachment], "Tags": []},
    )
    table = (await net.all("route-table", VpcId=vpc["VpcId"]))[0]
    table["Routes"].append(route(model.ALL_IPV4, GatewayId=gateway))
    await net.put("route-table", table["RouteTableId"], table)
    blocks = ipaddress.ip_network(model.DEFAULT_VPC).subnets(new_prefix=20)
    for zone, block in zip(model.zones(net.region), blocks, strict=False):
        await make_subnet(net, vpc["VpcId"], str(block), zone, default=True)
    return vpc


async def make_vpc(net: Network, cidr: str, *, default: bool = False, tenancy: str = "default") -> Record:
    """A VPC with what each has from the start: a main route table, a network ACL, the group "default"."""
    id = new_id("vpc")
    vpc: Record = {
        "VpcId": id,
        "OwnerId": net.account,
        "CidrBlock": cidr,
        "DhcpOptionsId": "default",
        "State": "available",
        "InstanceTenancy": tenancy,
        "IsDefault": default,
        "CidrBlockAssociationSet": [cidr_association(cidr)],
        "Ipv6CidrBlockAssociationSet": [],
        "Tags": [],
        "attributes": {"enableDnsSupport": True, "enableDnsHostnames": default},
    }
    await net.put("vpc", id, vpc)
    await make_route_table(net, vpc, main=True)
    acl = new_id("acl")
    await net.put("network-acl", acl, _network_acl(net, acl, id))
    group = new_group(net, id, "default", "default VPC security group")
    own = {"ReferencedGroupInfo": {"GroupId": group["GroupId"], "UserId": net.account}}
    group["rules"].append(new_rule(group, egress=False, IpProtocol="-1", FromPort=-1, ToPort=-1, **own))
    await net.put("security-group", group["GroupId"], group)
    return vpc


def cidr_association(cidr: str) -> Record:
    id = new_id("vpc-cidr-assoc")
    return {"AssociationId": id, "CidrBlock": cidr, "CidrBlockState": {"State": "associated"}}


async def make_route_table(net: Network, vpc: Record, *, main: bool = False) -> Record:
    id = new_id("rtb")
    blocks = [known["CidrBlock"] for known in vpc["CidrBlockAssociationSet"]]
    table: Record = {
        "RouteTableId": id,
        "VpcId": vpc["VpcId"],
        "OwnerId": net.account,
        "Routes": [{**route(block, GatewayId="local"), "Origin": "CreateRouteTable"} for block in blocks],
        "Associations": [],
        "PropagatingVgws": [],
        "Tags": [],
    }
    if main:
        table["Associations"].append(association(id, Main=True))
    await net.put("route-table", id, table)
    return table


def route(destination: str, **target: str) -> Record:
    return {"DestinationCidrBlock": destination, "State": "active", "Origin": "CreateRoute", **target}


def association(table: str, **of: Any) -> Record:
    return {
        "RouteTableAssociationId": new_id("rtbassoc"),
        "RouteTableId": table,
        "Main": False,
        "AssociationState": {"State": "associated"},
        **of,
    }


def _network_acl(net: Network, id: str, vpc: str) -> Record:
    def entry(number: int, action: str, egress: bool) -> Record:
        said = {"RuleNumber": number, "Protocol": "-1", "RuleAction": action, "Egress": egress}
        return {**said, "CidrBlock": model.ALL_IPV4}

    entries = [entry(number, action, egress) for egress in (True, False)
               for number, action in ((100, "allow"), (32767, "deny"))]  # fmt: skip
    return {
        "NetworkAclId": id,
        "VpcId": vpc,
        "OwnerId": net.account,
        "IsDefault": True,
        "Entries": entries,
        "Associations": [],
        "Tags": [],
    }


async def make_subnet(net: Network, vpc: str, cidr: str, zone: str, *, default: bool = False) -> Record:
    id = new_id("subnet")
    subnet: Record = {
        "SubnetId": id,
        "SubnetArn": f"arn:aws:ec2:{net.region}:{net.account}:subnet/{id}",
        "VpcId": vpc,
        "OwnerId": net.account,
        "CidrBlock": cidr,
        "AvailabilityZone": zone,
        "AvailabilityZoneId": model.zone_id(zone),
        "AvailableIpAddressCount": ipaddress.ip_network(cidr).num_addresses - model.RESERVED_ADDRESSES,
        "State": "available",
        "DefaultForAz": default,
        "MapPublicIpOnLaunch": default,
        "AssignIpv6AddressOnCreation": False,
        "Ipv6CidrBlockAssociationSet": [],
        "MapCustomerOwnedIpOnLaunch": False,
        "EnableDns64": False,
        "Ipv6Native": False,
        "PrivateDnsNameOptionsOnLaunch": {
            "HostnameType": "ip-name",
            "EnableResourceNameDnsARecord": False,
            "EnableResourceNameDnsAAAARecord": False,
        },
        "Tags": [],
    }
    await net.put("subnet", id, subnet)
    acl = (await net.all("network-acl", VpcId=vpc))[0]
    acl["Associations"].append(
        {"NetworkAclAssociationId": new_id("aclassoc"), "NetworkAclId": acl["NetworkAclId"], "SubnetId": id}
    )
    await net.put("network-acl", acl["NetworkAclId"], acl)
    return subnet


def new_group(net: Network, vpc: str, name: str, description: str) -> Record:
    """A security group, which may send anywhere until it is told otherwise."""
    id = new_id("sg")
    group: Record = {
        "GroupId": id,
        "GroupName": name,
        "Description": description,
        "VpcId": vpc,
        "OwnerId": net.account,
        "SecurityGroupArn": f"arn:aws:ec2:{net.region}:{net.account}:security-group/{id}",
        "Tags": [],
        "rules": [],
    }
    anywhere = new_rule(group, egress=True, IpProtocol="-1", FromPort=-1, ToPort=-1, CidrIpv4=model.ALL_IPV4)
    group["rules"].append(anywhere)
    return group


def new_rule(group: Record, *, egress: bool, **said: Any) -> Record:
    id = new_id("sgr")
    start = group["SecurityGroupArn"].rpartition(":")[0]
    return {
        "SecurityGroupRuleId": id,
        "SecurityGroupRuleArn": f"{start}:security-group-rule/{id}",
        "GroupId": group["GroupId"],
        "GroupOwnerId": group["OwnerId"],
        "IsEgress": egress,
        **said,
        "Tags": [],
    }


def parse_cidr(text: str, error: AwsError) -> Cidr:
    """An IPv4 block in its canonical form (10.0.0.1/16 is 10.0.0.0/16, as EC2 takes it)."""
    if "/" not in text:
        raise error
    try:
        return ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise error from None
