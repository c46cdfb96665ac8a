"""What Lambda's operations need, and the functions' own policies: "Actions, resources, and condition keys for AWS
Lambda". Whoever gives a function a role needs `iam:PassRole` for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need
from ...errors import AwsError
from ...names import arn
from ...policies.documents import Policy
from . import storage
from .arns import Reference, parse

ACTIONS = {
    "GetLayerVersionByArn": "lambda:GetLayerVersion",
    "Invoke": "lambda:InvokeFunction",
    "InvokeAsync": "lambda:InvokeFunction",
    "InvokeWithResponseStream": "lambda:InvokeFunction",
}
POLICY = ("Invoke", "InvokeAsync", "InvokeWithResponseStream")


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    action = ACTIONS.get(operation, f"lambda:{operation}")
    resource, owner, facts = _resource(ctx, operation, request)
    if resource is None:
        return ()
    found = [Need(action, resource, facts, owner)]
    if ctx.principal.kind != "service" and "Role" in request:
        passed = {"iam:passedtoservice": ("lambda.amazonaws.com",)}
        found.append(Need("iam:PassRole", request["Role"], passed))
    return found


def _resource(
    ctx: Context, operation: str, request: dict[str, Any]
) -> tuple[str | None, str, dict[str, Sequence[str]]]:
    """ARN, account and facts; None where the operation itself will say that the name is none."""
    if "UUID" in request:
        return arn("lambda", ctx.region, ctx.account, f"event-source-mapping:{request['UUID']}"), "", {}
    if "Resource" in request:
        return request["Resource"], "", {}
    if "LayerName" in request:
        layer = request["LayerName"]
        layer = (
            layer if layer.startswith("arn:") else arn("lambda", ctx.region, ctx.account, f"layer:{layer}")
        )
        number = request.get("VersionNumber")
        return f"{layer}:{number}" if number is not None else layer, layer.split(":")[4], {}
    if "FunctionName" not in request:
        return "*", "", {}
    try:
        ref = parse(ctx, request["FunctionName"], request.get("Qualifier", ""))
    except AwsError:
        return None, "", {}
    if operation.endswith("EventSourceMapping") or operation == "ListEventSourceMappings":
        return "*", "", {"lambda:functionarn": (ref.arn,)}
    return ref.qualified if operation in POLICY else ref.arn, ref.account, {}


async def policy(ctx: Context, resource: str) -> Policy | None:
    """The policy of the function, version or alias; one without a policy of its own has that of nobody."""
    parts = resource.split(":")
    if len(parts) < 7 or parts[5] != "function":
        return None
    ref = Reference(parts[4], parts[3], parts[6], parts[7] if len(parts) > 7 else "")

    return await ctx.store.read(lambda tx: storage.compiled_policy(tx, ref))
