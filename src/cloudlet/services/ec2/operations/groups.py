"""Security groups."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import Any

from ....context import Context
from ....errors import AwsError
from .. import model
from ..filters import page, select
from ..interfaces import of_others
from ..ip_permissions import permissions
from ..network import change, look, new_group
from ..storage import Network, Record
from .tags import given

Response = dict[str, Any]

_NAME = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")


def _of_rules(member: str, egress: bool, record: Record) -> Iterable[Any]:
    return [
        value
        for rule in record["rules"]
        if rule["IsEgress"] == egress and (value := _member(rule, member)) is not None
    ]


def _member(rule: Record, member: str) -> Any:
    if member in ("GroupId", "UserId"):
        return rule.get("ReferencedGroupInfo", {}).get(member)
    return rule.get(member)


_FILTERS: dict[str, Any] = {
    "description": "Description",
    "group-id": "GroupId",
    "group-name": "GroupName",
    "owner-id": "OwnerId",
    "vpc-id": "VpcId",
}
for _start, _egress in (("", False), ("egress.", True)):
    for _name, _said in (
        ("cidr", "CidrIpv4"),
        ("from-port", "FromPort"),
        ("group-id", "GroupId"),
        ("ipv6-cidr", "CidrIpv6"),
        ("prefix-list-id", "PrefixListId"),
        ("protocol", "IpProtocol"),
        ("to-port", "ToPort"),
        ("user-id", "UserId"),
    ):
        _FILTERS[f"{_start}ip-permission.{_name}"] = partial(_of_rules, _said, _egress)


def described(group: Record) -> Record:
    return {
        **group,
        "IpPermissions": permissions(group, egress=False),
        "IpPermissionsEgress": permissions(group, egress=True),
    }


async def create_security_group(ctx: Context, request: dict[str, Any]) -> Response:
    name, description = request["GroupName"], request["Description"]
    if name.startswith("sg-"):
        raise model.invalid(
            f"Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*"
        )
    for what, text in (("groupName", name), ("GroupDescription", description)):
        if not _NAME.fullmatch(text):
            raise model.invalid(
                f"Value ({text}) for parameter {what} is invalid. Character sets beyond ASCII are not supported."
                if not text.isascii()
                else "Invalid security group description. Valid descriptions are strings less than 256 characters from "
                "the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
            )

    async def body(net: Network) -> Response:
        vpc = await _vpc(net, request.get("VpcId", ""))
        if name == "default":
            raise AwsError("InvalidGroup.Reserved", "The security group 'default' is reserved")
        if await net.all("security-group", VpcId=vpc, GroupName=name):
            raise AwsError(
                "InvalidGroup.Duplicate", f"The security group '{name}' already exists for VPC '{vpc}'"
            )
        group = new_group(net, vpc, name, description)
        group["Tags"] = given(request, "security-group")
        await net.put("security-group", group["GroupId"], group)
        return {member: group[member] for member in ("GroupId", "SecurityGroupArn", "Tags")}

    return await change(ctx, request, body)


async def _vpc(net: Network, id: str) -> str:
    """The VPC that is asked for, else the default one."""
    if id:
        return str((await net.get("vpc", id))["VpcId"])
    for vpc in await net.all("vpc", IsDefault=True):
        return str(vpc["VpcId"])
    raise AwsError("VPCIdNotSpecified", "No default VPC for this user")


async def describe_security_groups(ctx: Context, request: dict[str, Any]) -> Response:
    ids, names = request.get("GroupIds", []), request.get("GroupNames", [])

    async def body(net: Network) -> Response:
        for id in ids:
            if not id.startswith("sg-"):
                raise model.malformed("security-group", id)
        groups = [await net.get("security-group", id) for id in ids]
        if names:
            groups += await _by_name(net, names)
        elif not ids:
            groups = await net.all("security-group")
        found, more = page(select(groups, request, _FILTERS), request, "GroupIds")
        return {"SecurityGroups": [described(group) for group in found], **more}

    return await look(ctx, body)


async def _by_name(net: Network, names: list[str]) -> list[Record]:
    """Names are those of the default VPC."""
    vpc = await _vpc(net, "")
    known = {group["GroupName"]: group for group in await net.all("security-group", VpcId=vpc)}
    for name in names:
        if name not in known:
            raise AwsError(
                "InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC '{vpc}'"
            )
    return [known[name] for name in names]


async def find_group(net: Network, request: dict[str, Any]) -> Record:
    """The group that a request names by its id, or by its name in the default VPC."""
    if request.get("GroupId"):
        return await net.get("security-group", request["GroupId"])
    if request.get("GroupName"):
        return (await _by_name(net, [request["GroupName"]]))[0]
    raise AwsError("MissingParameter", "The request must contain the parameter groupName or groupId")


async def delete_security_group(ctx: Context, request: dict[str, Any]) -> Response:
    shared = await of_others(ctx)

    async def body(net: Network) -> Response:
        group = await find_group(net, request)
        id = group["GroupId"]
        if group["GroupName"] == "default":
            raise AwsError(
                "CannotDelete", f'the specified group: "{id}" name: "default" cannot be deleted by a user'
            )
        for other in await net.all("security-group", VpcId=group["VpcId"]):
            if other["GroupId"] != id and any(_member(rule, "GroupId") == id for rule in other["rules"]):
                raise model.has_dependencies("security-group", id)
        for interface in [*await net.all("network-interface", VpcId=group["VpcId"]), *shared]:
            if any(known["GroupId"] == id for known in interface["Groups"]):
                raise model.has_dependencies("security-group", id)
        await net.delete("security-group", id)
        return {"Return": True, "GroupId": id}

    return await change(ctx, request, body)
