"""Names of ElastiCache's resources: their ARNs, and what an ARN means; tags as requests have them."""

from __future__ import annotations

from typing import Any

from ...context import Context
from ...names import arn
from . import model
from .storage import Name


def named(ctx: Context, kind: str, name: str) -> Name:
    return Name(ctx.account, ctx.region, kind, name)


def arn_of(name: Name) -> str:
    return arn("elasticache", name.region, name.account, f"{model.ARN_TYPES[name.kind]}:{name.name}")


def name_of(text: str) -> Name:
    """Raises that it is no ARN of ElastiCache's."""
    parts = text.split(":")
    if len(parts) != 7 or parts[2] != "elasticache" or parts[5] not in model.KINDS:
        raise model.bad_arn(text)
    return Name(parts[4], parts[3], model.KINDS[parts[5]], parts[6].lower())


def tags(request: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value") or "" for tag in request.get("Tags", [])}


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Without the members that have no value."""
    return {name: value for name, value in values.items() if value is not None}
