"""What IAM's operations need: "Actions, resources, and condition keys for AWS Identity and Access Management"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need
from ...names import arn
from ...store.interface import Transaction
from . import storage

KINDS = {
    "InstanceProfileName": "instance-profile",
    "RoleName": "role",
    "UserName": "user",
    "GroupName": "group",
    "PolicyName": "policy",
}
"""By the member that names it, in the order in which an operation with several means them."""
OF_OWN = frozenset(
    {"GetUser", "CreateAccessKey", "ListAccessKeys", "UpdateAccessKey", "DeleteAccessKey", "UpdateUser"}
)
"""Operations that mean the one who asks where they name no user."""


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    facts = {
        key: (request[member],)
        for key, member in (
            ("iam:policyarn", "PolicyArn"),
            ("iam:permissionsboundary", "PermissionsBoundary"),
        )
        if member in request
    }
    return (Need(f"iam:{operation}", await _resource(ctx, operation, request), facts),)


async def _resource(ctx: Context, operation: str, request: dict[str, Any]) -> str:
    for member, kind in KINDS.items():
        if member in request:
            return await _named(ctx, kind, request[member], request.get("Path", "/"))
    if "PolicyArn" in request:
        return str(request["PolicyArn"])
    if operation in OF_OWN and ctx.principal.kind == "user":
        return ctx.principal.arn
    return "*"


async def _named(ctx: Context, kind: str, name: str, path: str) -> str:
    """The ARN with the path that it was made with; of one that is not there yet, as it is to be made."""

    async def body(tx: Transaction) -> dict[str, Any] | None:
        if kind == "policy":
            return await storage.policy(tx, ctx.account, name)
        return await storage.entity(tx, ctx.account, kind, name)

    found = await ctx.store.read(body)
    return found["Arn"] if found is not None else arn("iam", "", ctx.account, f"{kind}{path}{name}")
