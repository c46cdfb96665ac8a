"""What CloudFront's operations need: "Actions, resources, and condition keys for Amazon CloudFront"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need
from ...names import arn

ACTIONS = {"CreateDistributionWithTags": ("CreateDistribution", "TagResource")}
DISTRIBUTIONS = ("DistributionId", "PrimaryDistributionId", "TargetDistributionId")
NOUNS = (
    ("CachePolic", "cache-policy"), ("OriginRequestPolic", "origin-request-policy"),
    ("ResponseHeadersPolic", "response-headers-policy"), ("OriginAccessControl", "origin-access-control"),
    ("OriginAccessIdentit", "origin-access-identity"), ("Distribution", "distribution"),
)  # fmt: skip
"""What an operation is about, told by its name, and how ARNs call it."""


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    resource = _resource(ctx, operation, request)
    return [Need(f"cloudfront:{action}", resource) for action in ACTIONS.get(operation, (operation,))]


def _resource(ctx: Context, operation: str, request: dict[str, Any]) -> str:
    if "Resource" in request:
        return str(request["Resource"])
    distribution = next((request[member] for member in DISTRIBUTIONS if member in request), None)
    if distribution is not None:
        return arn("cloudfront", "", ctx.account, f"distribution/{distribution}")
    noun = next((noun for name, noun in NOUNS if name in operation), None)
    if noun is None or operation.startswith("List"):
        return "*"
    return arn("cloudfront", "", ctx.account, f"{noun}/{request.get('Id', '*')}")
