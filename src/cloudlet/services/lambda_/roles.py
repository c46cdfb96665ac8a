"""Functions act as their roles, and Lambda acts as them, too, when it reads queues and writes logs for them."""

from __future__ import annotations

from ...context import Context, Node
from ...errors import AwsError
from ...permissions import trust_in
from . import model

SERVICE = "lambda.amazonaws.com"
SESSION = 64


async def check(ctx: Context, role: str) -> None:
    """Whether Lambda may take the role. One that isn't there is let pass: such a function runs with the rights of its
    account, and says so."""
    if await trust_in(ctx, role, SERVICE) is False:
        raise model.role_not_assumable()


async def acting(node: Node, account: str, region: str, role: str, name: str) -> Context:
    """What Lambda does for the function `name`: as its role, or as its account where that can't be."""
    ctx = node.context(account=account, region=region)
    try:
        return await ctx.as_role(SERVICE, role, name[:SESSION])
    except AwsError:
        return ctx
