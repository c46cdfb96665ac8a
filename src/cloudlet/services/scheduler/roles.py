"""The role of a target: whether its trust policy lets the scheduler assume it."""

from __future__ import annotations

from ...context import Context
from ...permissions import trust_in
from . import model

SESSION = "scheduler"


async def check_trust(ctx: Context, role: str, group_arn: str) -> None:
    """Whether the role is there and trusts the scheduler, on behalf of the schedule's group, as AWS asks it."""
    if not await trust_in(ctx, role, model.SERVICE_PRINCIPAL, group_arn):
        raise model.bad_role()
