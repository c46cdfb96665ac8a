"""Permission: what a request needs, weighed against the policies that bear on it, and the refusal in AWS's words.

The root of an account is not asked: `test`/`test` on this machine stays the administrator. Users and sessions of roles
need what their policies allow; services need the policy of the resource that they touch, where such resources have one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from ..context import Context, Need, Node, Principal
from ..errors import AwsError
from ..permissions import tell, weigh, wording
from ..policies.decision import Holdings, Verdict
from .model import Model

PEOPLE = ("user", "role")


class Holder(Protocol):
    """IAM's runtime, as it is needed here."""

    async def holdings(self, principal: Principal) -> Holdings: ...


class Authorizer:
    def __init__(self, node: Node) -> None:
        self._node = node

    async def hold(self, ctx: Context) -> None:
        """Let the context know its principal's policies."""
        iam: Holder | None = self._node.runtimes.get("iam")
        if ctx.holdings is None and ctx.principal.kind in PEOPLE and iam is not None:
            ctx.holdings = await iam.holdings(ctx.principal)

    async def check(self, ctx: Context, model: Model, operation: str, permissions: Any, params: Any) -> None:
        """Raises the service's AccessDenied."""
        who = ctx.principal
        if who.kind == "anonymous":  # known only to services that ask by themselves
            await permissions.needs(ctx, operation, params)
            return
        policy_of = getattr(permissions, "policy", None)
        if who.kind == "service" and policy_of is None:
            return
        needs: Iterable[Need]
        if permissions is None:
            needs = (Need(f"{model.signing_name}:{operation}", "*"),)
        else:
            needs = await permissions.needs(ctx, operation, params)
        for need in needs:
            policy = await policy_of(ctx, need.resource) if policy_of is not None else None
            verdict = weigh(ctx, need, policy, params)
            if not verdict.allowed:
                raise refusal(ctx, model, need, verdict)


def refusal(ctx: Context, model: Model, need: Need, verdict: Verdict) -> AwsError:
    """The error as the service words it: `denial` in its patch."""
    tell(ctx, need, verdict)
    style: Mapping[str, Any] = model.patch.get("denial", {})
    service, _, name = need.action.partition(":")
    action = need.action
    if style.get("action") == "lower":
        action = f"{service}:{name.lower()}"
    elif style.get("action") == "upper":
        action = f"{service.upper()}:{name}"
    resource = f'"{need.resource}"' if style.get("quoted") else need.resource
    text = wording(ctx, action, resource, verdict)
    if style.get("plain"):
        text = text.partition(" because ")[0]
    status = style.get("status", 400 if model.protocol == "json" else 403)
    return model.failure("access_denied", style.get("prefix", "") + text, status=status)
