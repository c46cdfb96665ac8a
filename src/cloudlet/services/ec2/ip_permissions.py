"""Security group rules in their two forms: one by one (SecurityGroupRule), and by protocol and ports (IpPermission)."""

from __future__ import annotations

import ipaddress
from typing import Any

from ...errors import AwsError
from . import model
from .network import new_rule, parse_cidr
from .storage import Network, Record

_PEERS = ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupInfo")


def permissions(group: Record, *, egress: bool) -> list[Record]:
    """A group's rules of one direction, as DescribeSecurityGroups shows them."""
    found: dict[tuple[str, int, int], Record] = {}
    for rule in group["rules"]:
        if rule["IsEgress"] != egress:
            continue
        key = rule["IpProtocol"], rule["FromPort"], rule["ToPort"]
        permission = found.get(key)
        if permission is None:
            permission = found[key] = {
                "IpProtocol": key[0], "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": [],
            }  # fmt: skip
            if key[0] != "-1":
                permission |= {"FromPort": key[1], "ToPort": key[2]}
        said = {"Description": rule["Description"]} if "Description" in rule else {}
        if "CidrIpv4" in rule:
            permission["IpRanges"].append({"CidrIp": rule["CidrIpv4"], **said})
        elif "CidrIpv6" in rule:
            permission["Ipv6Ranges"].append({"CidrIpv6": rule["CidrIpv6"], **said})
        elif "PrefixListId" in rule:
            permission["PrefixListIds"].append({"PrefixListId": rule["PrefixListId"], **said})
        else:
            permission["UserIdGroupPairs"].append({**rule["ReferencedGroupInfo"], **said})
    return list(found.values())


async def rules_of(net: Network, group: Record, request: dict[str, Any], *, egress: bool) -> list[Record]:
    """The rules that an Authorize or Revoke request speaks of."""
    asked = list(request.get("IpPermissions", ()))
    if not asked and ("IpProtocol" in request or "SourceSecurityGroupName" in request):
        asked = [_flat(request)]
    if not asked:
        raise AwsError(
            "MissingParameter", "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided."
        )
    rules: list[Record] = []
    for permission in asked:
        protocol, first, last = _ports(permission)
        for peer in await _peers(net, group, permission):
            rules.append(
                new_rule(group, egress=egress, IpProtocol=protocol, FromPort=first, ToPort=last, **peer)
            )
    return rules


def _flat(request: dict[str, Any]) -> dict[str, Any]:
    """The short form of a permission, as members of the request itself."""
    permission: dict[str, Any] = {
        name: request[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in request
    }
    if "CidrIp" in request:
        permission["IpRanges"] = [{"CidrIp": request["CidrIp"]}]
    if "SourceSecurityGroupName" in request:
        permission["UserIdGroupPairs"] = [{"GroupName": request["SourceSecurityGroupName"]}]
        permission.setdefault("IpProtocol", "-1")
    return permission


def _ports(permission: dict[str, Any]) -> tuple[str, int, int]:
    protocol = str(permission.get("IpProtocol", "")).lower()
    protocol = model.PROTOCOLS.get(protocol, protocol)
    if not protocol:
        raise model.missing("ipProtocol")
    if protocol not in model.PROTOCOLS.values() and not (protocol.isdigit() and int(protocol) <= 255):
        raise AwsError(
            "InvalidPermission.Malformed",
            f'Unsupported IP protocol "{protocol}"  - supported: [tcp, udp, icmp]',
        )
    first, last = permission.get("FromPort"), permission.get("ToPort")
    if protocol in ("tcp", "udp"):
        if first is None or last is None:
            raise model.invalid(
                "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."
            )
        if not 0 <= first <= 65535 or not 0 <= last <= 65535 or first > last:
            raise model.invalid(f"Invalid TCP/UDP port range ({first}:{last})")
    if protocol in ("tcp", "udp", "icmp", "icmpv6"):
        return protocol, -1 if first is None else first, -1 if last is None else last
    return protocol, -1, -1


async def _peers(net: Network, group: Record, permission: dict[str, Any]) -> list[Record]:
    """Whom a permission lets through, one by one."""
    peers: list[Record] = []
    for item in permission.get("IpRanges", ()):
        peers.append({"CidrIpv4": _cidr(item["CidrIp"]), **_said(item)})
    for item in permission.get("Ipv6Ranges", ()):
        peers.append({"CidrIpv6": _cidr6(item["CidrIpv6"]), **_said(item)})
    for item in permission.get("PrefixListIds", ()):
        peers.append({"PrefixListId": item["PrefixListId"], **_said(item)})
    for item in permission.get("UserIdGroupPairs", ()):
        other = await _other(net, group, item)
        reference = {"GroupId": other["GroupId"], "UserId": item.get("UserId", net.account)}
        peers.append({"ReferencedGroupInfo": reference, **_said(item)})
    return peers


async def _other(net: Network, group: Record, pair: Record) -> Record:
    if pair.get("GroupId"):
        other = await net.get("security-group", pair["GroupId"])
        if other["VpcId"] != group["VpcId"]:
            raise AwsError(
                "InvalidGroup.NotFound",
                "You have specified two resources that belong to different networks.",
            )
        return other
    for known in await net.all("security-group", VpcId=group["VpcId"], GroupName=pair.get("GroupName")):
        return known
    raise model.not_found("security-group", str(pair.get("GroupName")))


def _said(item: Record) -> Record:
    return {"Description": item["Description"]} if item.get("Description") else {}


def _cidr(text: str) -> str:
    error = model.invalid(f"CIDR block {text} is malformed")
    return str(parse_cidr(text if "/" in text else f"{text}/32", error))


def _cidr6(text: str) -> str:
    try:
        return str(ipaddress.IPv6Network(text, strict=False))
    except ValueError:
        raise model.invalid(f"CIDR block {text} is malformed") from None


def same(one: Record, other: Record) -> bool:
    """Whether two rules let the same through; their descriptions don't count."""
    members = ("IsEgress", "IpProtocol", "FromPort", "ToPort", *_PEERS)
    return all(one.get(member) == other.get(member) for member in members)


def in_words(rule: Record) -> str:
    """`peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW`, as errors tell a rule."""
    reference = rule.get("ReferencedGroupInfo", {}).get("GroupId")
    peer = rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule.get("PrefixListId") or reference
    if rule["IpProtocol"] == "-1":
        return f"peer: {peer}, ALL, ALLOW"
    start = f"peer: {peer}, {rule['IpProtocol'].upper()}"
    if rule["IpProtocol"].startswith("icmp"):
        return f"{start}, type: {rule['FromPort']}, code: {rule['ToPort']}, ALLOW"
    return f"{start}, from port: {rule['FromPort']}, to port: {rule['ToPort']}, ALLOW"
