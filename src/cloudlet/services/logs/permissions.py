"""What CloudWatch Logs' operations need: "CloudWatch Logs permissions reference". A log group's ARN ends in what
follows it, so that policies name it with `:*`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need
from ...names import arn


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    group = request.get("logGroupName")
    resource = request.get("logGroupIdentifier") or request.get("resourceArn") or "*"
    if group is not None:
        inside = f"log-group:{group}:log-stream:{request.get('logStreamName', '')}"
        resource = arn("logs", ctx.region, ctx.account, inside)
    elif resource == "*" or not resource.startswith("arn:"):
        resource = arn("logs", ctx.region, ctx.account, f"log-group:{resource.removeprefix('*')}:log-stream:")
    return (Need(f"logs:{operation}", resource),)
