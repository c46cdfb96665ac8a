"""The roles that functions are given."""

from __future__ import annotations

from ...context import Context
from ...permissions import trust_in
from . import model

SERVICE = "lambda.amazonaws.com"


async def check(ctx: Context, role: str) -> None:
    """Whether Lambda may take the role. One that isn't there is let pass: such a function runs with the rights of its
    account, and says so."""
    if await trust_in(ctx, role, SERVICE) is False:
        raise model.role_not_assumable()
