"""Permission to connect: the policies that authorizers return, and those of who signs, for `execute-api:Invoke`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...context import Context, Need, Principal
from ...net.messages import Request
from ...permissions import tell, weigh, wording
from ...policies.decision import Holdings, Reason
from ...policies.decision import decide as weighed
from ...policies.documents import BadPolicy as BadPolicy
from ...policies.documents import Who, policy_of
from . import model

if TYPE_CHECKING:
    from .session import Session

ALLOWED, DENIED, EXPLICITLY_DENIED = "allowed", "denied", "explicitly denied"
ACTION = "execute-api:Invoke"
_NOBODY = Who("user", "", "")


def decide(policy: Any, resource: str, values: Mapping[str, str]) -> str:
    """What an authorizer's policy says. `values` are the condition keys that are known, e.g. "aws:SourceIp"."""
    known = {name.lower(): (value,) for name, value in values.items()}

    def facts(key: str) -> Sequence[str] | None:
        return known.get(key)

    verdict = weighed(_NOBODY, Holdings([policy_of(policy)]), ACTION, resource, facts)
    if verdict.allowed:
        return ALLOWED
    return EXPLICITLY_DENIED if verdict.reason is Reason.DENIED_BY_IDENTITY else DENIED


async def signer(request: Request, session: Session) -> Principal:
    """Who signed a handshake. Raises sigv4's `Unauthenticated` for a signature that isn't his."""
    identities = session.gateway.node.dispatcher.identities
    identity = identities.of(request)
    who = identity.principal or await identities.principal(identity, request)
    if who.kind == "root":
        identities.refuse_strangers(request)
    return who


async def refusal(who: Principal, request: Request, session: Session) -> str | None:
    """Why he may not connect; None if he may."""
    stage, node = session.stage, session.gateway.node
    ctx = Context(node, who, who.account, stage.region, request=request)
    await node.dispatcher.authorizer.hold(ctx)
    need = Need(ACTION, f"{stage.arn}/$connect", owner=stage.account)
    verdict = weigh(ctx, need)
    if verdict.allowed:
        return None
    tell(ctx, need, verdict)
    shown = need.resource.replace(stage.account, f"{model.MASK}{stage.account[-4:]}")
    return wording(ctx, ACTION, shown, verdict)
