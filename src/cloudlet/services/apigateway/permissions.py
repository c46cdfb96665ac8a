"""What API Gateway's operations need.

The control plane's actions are HTTP methods on paths, as `apigateway:POST` on `arn:aws:apigateway:us-east-1::/apis`;
who posts to a connection needs `execute-api:ManageConnections` on it. See "Actions, resources, and condition keys for
Amazon API Gateway Management V2" and "Control access to a WebSocket API with IAM".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need
from . import gateway

METHODS = {"DeleteConnection": "DELETE", "GetConnection": "GET", "PostToConnection": "POST"}


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    method = METHODS.get(operation)
    if method is not None:
        id = request["ConnectionId"]
        session = gateway.of(ctx).sessions.get(id)
        if session is None:
            return ()  # it is gone, and the answer says so
        resource = f"{session.stage.arn}/{method}/@connections/{id}"
        return (Need("execute-api:ManageConnections", resource, owner=session.stage.account),)
    described = ctx.node.dispatcher.models["apigatewayv2"].operations[operation]
    path = described.uri.removeprefix("/v2")
    for member in described.input.members.values():
        if member.location == "uri":
            path = path.replace(f"{{{member.wire}}}", str(request.get(member.name, "")))
    found = [Need(f"apigateway:{described.method}", f"arn:aws:apigateway:{ctx.region}::{path}")]
    if "CredentialsArn" in request and request["CredentialsArn"].startswith("arn:aws:iam::"):
        passed = {"iam:passedtoservice": ("apigateway.amazonaws.com",)}
        found.append(Need("iam:PassRole", request["CredentialsArn"], passed))
    return found
