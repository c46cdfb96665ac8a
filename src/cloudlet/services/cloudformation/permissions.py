"""What CloudFormation's operations need. What a stack's resources need is asked of the one who deploys it, or of the
role that he gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need
from ...names import arn


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    stack = request.get("StackName")
    resource = "*"
    if stack is not None:
        resource = (
            stack
            if stack.startswith("arn:")
            else arn("cloudformation", ctx.region, ctx.account, f"stack/{stack}/*")
        )
    found = [Need(f"cloudformation:{operation}", resource)]
    if "RoleARN" in request:
        passed = {"iam:passedtoservice": ("cloudformation.amazonaws.com",)}
        found.append(Need("iam:PassRole", request["RoleARN"], passed))
    return found
