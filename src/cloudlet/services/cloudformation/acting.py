"""As whom a stack's resources are made: as the role that the stack was given, else as whoever asked for the operation.

The administrator's stacks are the account's. A role that isn't there stands for the account, too, as a function's does.
"""

from __future__ import annotations

from typing import Any

from ...context import Context, Node, Principal
from ...errors import AwsError
from ...permissions import trust_in
from . import model
from .storage import Record

SERVICE = "cloudformation.amazonaws.com"
SESSION = "AWSCloudFormation"


def kept(who: Principal) -> list[Any] | None:
    """A principal as a stack's record keeps it; None: the account."""
    if who.kind == "root":
        return None
    return [who.kind, who.account, who.arn, who.user_id, who.access_key, who.role, who.session, who.tags]


async def check_role(ctx: Context, role: str) -> None:
    """Raises ValidationError for a role that doesn't trust CloudFormation."""
    if role and await trust_in(ctx, role, SERVICE) is False:
        raise model.validation_error(f"Role {role} is invalid or cannot be assumed")


async def context(node: Node, stack: Record, account: str, region: str) -> Context:
    """For the work on the stack's resources."""
    ctx = node.context(_principal(stack.get("asked_by")), account=account, region=region)
    role = (stack.get("target") or stack).get("role", "")
    if not role or await trust_in(ctx, role, SERVICE) is None:
        return ctx
    try:
        return await ctx.as_role(SERVICE, role, SESSION, stack["id"])
    except AwsError:  # it has stopped trusting: nobody of that name has any rights
        return node.context(Principal("user", account, f"{role}/"), account=account, region=region)


def _principal(kept: list[Any] | None) -> Principal | None:
    if kept is None:
        return None
    kind, account, arn, user_id, access_key, role, session, tags = kept
    own_tags = tuple((key, value) for key, value in tags)
    return Principal(kind, account, arn, user_id, access_key, role, tuple(session), own_tags)
