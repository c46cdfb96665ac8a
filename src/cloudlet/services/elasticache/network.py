"""Subnets and security groups that requests name are looked up with EC2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import names
from ...context import Context
from ...errors import AwsError
from . import model


async def subnets(ctx: Context, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The subnets, which must lie in one VPC."""
    if not ids:
        return []
    found = await _described(ctx, "DescribeSubnets", "SubnetIds", ids, "Subnets")
    for subnet in found:
        if subnet["VpcId"] != found[0]["VpcId"]:
            raise model.different_networks(found[0]["SubnetId"], subnet["SubnetId"])
    return found


async def serverless_subnets(ctx: Context, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Where a serverless cache is reached: two or three subnets, each in a zone of its own; those of the default VPC
    unless others are named."""
    if not ids:
        return (await default_subnets(ctx))[: model.ZONES_SERVERLESS[1]]
    found = await subnets(ctx, ids)
    low, high = model.ZONES_SERVERLESS
    if not low <= len(found) <= high or len({subnet["AvailabilityZone"] for subnet in found}) < len(found):
        raise model.invalid(
            f"The subnets of a serverless cache must lie in {low} or {high} different Availability Zones, one in each."
        )
    return found


async def default_subnets(ctx: Context) -> list[dict[str, Any]]:
    """Those of the default VPC."""
    answer = await ctx.call(
        "ec2", "DescribeSubnets", {"Filters": [{"Name": "default-for-az", "Values": ["true"]}]}
    )
    return sorted(answer.get("Subnets", []), key=lambda subnet: str(subnet["AvailabilityZone"]))


def zones(ctx: Context, wanted: Sequence[str], subnet_group: dict[str, Any]) -> list[str]:
    """The zones of a cache's nodes, in turn: those that are wanted, else those of its subnets."""
    has = list(dict.fromkeys(zone for _, zone in subnet_group["subnets"] if zone))
    for zone in wanted:
        if zone not in names.zones(ctx.region):
            raise model.invalid(f"{zone} is not a valid availability zone.")
        if has and zone not in has:
            raise model.no_subnet_in(zone)
    return list(wanted) or has or names.zones(ctx.region)[:1]


async def default_group(ctx: Context, vpc: str) -> list[str]:
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    answer = await ctx.call("ec2", "DescribeSecurityGroups", {"Filters": filters})
    return [group["GroupId"] for group in answer.get("SecurityGroups", [])]


async def check_groups(ctx: Context, ids: Sequence[str], vpc: str = "") -> None:
    """Whether the groups are there, and in the VPC, if that is known."""
    if not ids:
        return
    found = await _described(ctx, "DescribeSecurityGroups", "GroupIds", ids, "SecurityGroups")
    if vpc and any(group["VpcId"] != vpc for group in found):
        raise model.invalid("Security groups and subnets must be in the same VPC.")


async def _described(
    ctx: Context, operation: str, parameter: str, ids: Sequence[str], member: str
) -> list[dict[str, Any]]:
    try:
        answer = await ctx.call("ec2", operation, {parameter: list(ids)})
    except AwsError as error:
        if "NotFound" in error.code or "Malformed" in error.code:
            raise model.not_there(member_name(member), ids) from error
        raise
    found: list[dict[str, Any]] = answer.get(member, [])
    return found


def member_name(member: str) -> str:
    return "subnets" if member == "Subnets" else "security groups"
