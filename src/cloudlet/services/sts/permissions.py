"""What STS's operations need. A role's trust policy is its resource policy: it says who may assume it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need
from ...policies.documents import Policy, parsed_or_none

FREE = ("GetCallerIdentity", "GetSessionToken")
"""What needs no permission."""


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    if operation in FREE:
        return ()
    if operation != "AssumeRole":
        return (Need(f"sts:{operation}", "*"),)
    role = request["RoleArn"]
    facts: dict[str, Sequence[str]] = {"sts:rolesessionname": (request["RoleSessionName"],)}
    for key, member in (("sts:externalid", "ExternalId"), ("sts:sourceidentity", "SourceIdentity")):
        if member in request:
            facts[key] = (request[member],)
    parts = role.split(":")
    return (Need("sts:AssumeRole", role, facts, parts[4] if len(parts) > 4 else ""),)


async def policy(ctx: Context, resource: str) -> Policy | None:
    """The trust policy of the role."""
    return parsed_or_none(await ctx.node.runtimes["iam"].trust(resource))
