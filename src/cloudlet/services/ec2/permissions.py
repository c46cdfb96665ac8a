"""What EC2's operations need: "Actions, resources, and condition keys for Amazon EC2".

What describes is about everything; what makes something, about the new resource and all that the request names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...context import Context, Need
from ...names import arn

TYPES = {
    "eipalloc": "elastic-ip", "igw": "internet-gateway", "nat": "natgateway", "pl": "prefix-list", "rtb": "route-table",
    "sg": "security-group", "sgr": "security-group-rule", "subnet": "subnet", "vpc": "vpc", "vpce": "vpc-endpoint",
}  # fmt: skip
"""By what ids begin with."""
NEW = {
    "AllocateAddress": "elastic-ip", "CreateInternetGateway": "internet-gateway", "CreateNatGateway": "natgateway",
    "CreateRouteTable": "route-table", "CreateSecurityGroup": "security-group", "CreateSubnet": "subnet",
    "CreateVpc": "vpc", "CreateVpcEndpoint": "vpc-endpoint",
}  # fmt: skip


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    action = f"ec2:{operation}"
    if operation.startswith("Describe"):
        return (Need(action, "*"),)
    named = [f"{TYPES[prefix]}/{id}" for id in _ids(request) if (prefix := id.partition("-")[0]) in TYPES]
    if operation in NEW:
        named.insert(0, f"{NEW[operation]}/*")
    if not named:
        return (Need(action, "*"),)
    facts = {"ec2:region": (ctx.region,)}
    return [Need(action, arn("ec2", ctx.region, ctx.account, name), facts) for name in dict.fromkeys(named)]


def _ids(request: dict[str, Any]) -> Iterator[str]:
    for member, value in request.items():
        if member.endswith("Id") and isinstance(value, str):
            yield value
        elif member.endswith(("Ids", "Resources")) and isinstance(value, list):
            yield from (one for one in value if isinstance(one, str))
