"""A function's VPC: its subnets and security groups are looked up in EC2, and are of one network.

Packets aren't filtered: a function with a VPC reaches what this machine reaches.
"""

from __future__ import annotations

from typing import Any

from ...context import Context
from ...errors import AwsError
from . import model


async def resolved(ctx: Context, request: dict[str, Any], operation: str) -> dict[str, Any]:
    """The request with the VpcId of its VpcConfig. Raises when EC2 doesn't have what it names."""
    config = request.get("VpcConfig")
    if config is None:
        return request
    subnets, groups = config.get("SubnetIds", []), config.get("SecurityGroupIds", [])
    if bool(subnets) != bool(groups):
        raise model.half_a_vpc(operation)
    vpc = ""
    if subnets:
        networks = await _networks(ctx, "DescribeSubnets", "SubnetIds", subnets, "Subnets")
        if len(networks) > 1:
            raise model.invalid("Subnets are required to be in the same VPC.")
        if networks != await _networks(ctx, "DescribeSecurityGroups", "GroupIds", groups, "SecurityGroups"):
            raise model.invalid("Security Groups are required to be in the same VPC.")
        [vpc] = networks
    return {**request, "VpcConfig": {**config, "VpcId": vpc}}


async def _networks(ctx: Context, operation: str, member: str, ids: list[str], result: str) -> set[str]:
    """The VPCs of what EC2 has under these ids."""
    try:
        found = await ctx.as_service("lambda.amazonaws.com").call("ec2", operation, {member: ids})
    except AwsError as error:
        raise model.ec2_error(operation, error.code, error.message) from error
    return {item["VpcId"] for item in found[result]}
