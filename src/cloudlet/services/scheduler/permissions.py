"""What the scheduler's operations need: "Actions, resources, and condition keys for Amazon EventBridge Scheduler".

Whoever gives a schedule a role needs `iam:PassRole` for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need
from . import model, storage
from .storage import Name, Place


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    found = [Need(f"scheduler:{operation}", _resource(ctx, operation, request))]
    role = request.get("Target", {}).get("RoleArn")
    if role is not None and ctx.principal.kind != "service":
        found.append(Need("iam:PassRole", role, {"iam:passedtoservice": (model.SERVICE_PRINCIPAL,)}))
    return found


def _resource(ctx: Context, operation: str, request: dict[str, Any]) -> str:
    if "ResourceArn" in request:
        arn: str = request["ResourceArn"]
        return arn
    if operation.startswith("List"):
        return "*"
    place, name = Place(ctx.account, ctx.region), request.get("Name", "")
    if operation.endswith("Group"):
        return storage.group_arn(place, name)
    return Name(*place, request.get("GroupName", model.DEFAULT_GROUP), name).arn
