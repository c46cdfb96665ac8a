"""Permission to do one thing: weighed against the policies that bear on it, told to whoever watches when it lacks.

The pipeline asks for what an operation needs; a service asks by itself where more than the request has to be known, as
S3 with a bucket's policy.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson

from .context import Context, Need, Principal
from .policies.decision import Verdict, decide
from .policies.documents import Policy, Who, parsed_or_none

TYPES = {"user": "User", "role": "AssumedRole", "root": "Account", "anonymous": "Anonymous"}
"""`aws:PrincipalType`."""


def weigh(
    ctx: Context, need: Need, policy: Policy | None = None, params: Any = None, canonical: str = ""
) -> Verdict:
    """What the policies say of one need; the context must `hold` its principal's. `canonical` is the principal's
    account as S3 names it."""
    facts = partial(_fact, ctx, need, params, {})
    return decide(
        who_of(ctx.principal, canonical),
        ctx.holdings,
        need.action,
        need.resource,
        facts,
        owner=need.owner,
        resource_policy=policy,
    )


async def trust_in(ctx: Context, role: str, service: str, source: str = "") -> bool | None:
    """Whether the role of that ARN trusts a service that acts for the resource `source`; None if there is no such role.
    For services that refuse a role when they are given it."""
    document = await ctx.node.runtimes["iam"].trust(role)
    if document is None:
        return None
    asked = ctx.as_service(service, source)
    need = Need("sts:AssumeRole", role, owner=role.split(":")[4])
    return weigh(asked, need, parsed_or_none(document)).allowed


def who_of(principal: Principal, canonical: str = "") -> Who:
    source = principal.user_id if principal.kind == "service" else ""
    return Who(principal.kind, principal.account, principal.arn, principal.role, canonical, source)


def wording(ctx: Context, action: str, resource: str, verdict: Verdict) -> str:
    """Why not, as AWS's services say it."""
    assert verdict.reason is not None
    reason = verdict.reason.format(action=action)
    text = f"User: {ctx.principal.arn} is not authorized to perform: {action} on resource: {resource}"
    return f"{text} {reason}" if verdict.statement is not None else f"{text} because {reason}"


def tell(ctx: Context, need: Need, verdict: Verdict) -> None:
    """Say to whoever watches who was refused what, and which statement is missing or in the way."""
    missing = {"Effect": "Allow", "Action": need.action, "Resource": need.resource}
    ctx.node.events.emit(
        "iam.denied",
        who=ctx.principal.arn,
        role=ctx.principal.role,
        action=need.action,
        resource=need.resource,
        reason=(verdict.reason or "").format(action=need.action),
        statement=orjson.dumps(
            verdict.statement.source if verdict.statement is not None else missing
        ).decode(),
    )


# --- condition keys


def _fact(
    ctx: Context, need: Need, params: Any, memory: dict[str, Sequence[str] | None], key: str
) -> Sequence[str] | None:
    """The value of a condition key; worked out only when a condition asks for it."""
    if key not in memory:
        memory[key] = _find(ctx, need, params, key)
    return memory[key]


def _find(ctx: Context, need: Need, params: Any, key: str) -> Sequence[str] | None:
    own = need.facts.get(key)
    if own is not None:
        return own
    known = GLOBAL.get(key)
    if known is not None:
        value = known(ctx)
        return None if value is None else (value,)
    prefix, slash, name = key.partition("/")
    if prefix == "aws:principaltag" and slash:
        return next(((value,) for tag, value in ctx.principal.tags if tag.lower() == name), None)
    if prefix in ("aws:requesttag", "aws:tagkeys"):
        tags = _tags(params)
        if prefix == "aws:tagkeys":
            return tuple(tags) or None
        return next(((value,) for tag, value in tags.items() if tag.lower() == name), None)
    if key == "aws:resourceaccount":
        return (need.owner or ctx.account,)
    return None


def _tags(params: Any) -> dict[str, str]:
    """The tags that a request gives, whichever way its service writes them."""
    given = params if isinstance(params, dict) else {}
    tags = next((given[name] for name in ("Tags", "tags", "TagSet", "TagList") if name in given), None)
    if isinstance(tags, dict):
        return {str(key): str(value) for key, value in tags.items()}
    listed = tags if isinstance(tags, list) else []
    pairs = [one for one in listed if isinstance(one, dict)]
    return {str(one.get("Key", one.get("key"))): str(one.get("Value", one.get("value", ""))) for one in pairs}


def _secure(ctx: Context) -> str:
    """What doesn't leave the machine counts as encrypted: the policies of SAM's and CDK's buckets deny all else."""
    local = ipaddress.ip_address(ctx.source_ip).is_loopback
    return "true" if local or ctx.origin.startswith("https") else "false"


def _arn(ctx: Context) -> str | None:
    who = ctx.principal
    return who.role or who.arn if who.account and who.kind != "service" else None


def _service(ctx: Context) -> bool:
    return ctx.principal.kind == "service"


GLOBAL: Mapping[str, Callable[[Context], str | None]] = {
    "aws:currenttime": lambda ctx: datetime.fromtimestamp(ctx.clock.now(), UTC).isoformat(),
    "aws:epochtime": lambda ctx: str(int(ctx.clock.now())),
    "aws:principalaccount": lambda ctx: None if _service(ctx) else ctx.principal.account or None,
    "aws:principalarn": _arn,
    "aws:principalisawsservice": lambda ctx: "true" if _service(ctx) else "false",
    "aws:principalservicename": lambda ctx: ctx.principal.arn if _service(ctx) else None,
    "aws:principaltype": lambda ctx: TYPES.get(ctx.principal.kind),
    "aws:requestedregion": lambda ctx: ctx.region,
    "aws:securetransport": _secure,
    "aws:sourceaccount": lambda ctx: ctx.principal.account if _service(ctx) else None,
    "aws:sourcearn": lambda ctx: ctx.principal.user_id or None if _service(ctx) else None,
    "aws:sourceip": lambda ctx: ctx.source_ip,
    "aws:useragent": lambda ctx: ctx.user_agent or None,
    "aws:userid": lambda ctx: ctx.principal.user_id or None,
    "aws:username": lambda ctx: (
        ctx.principal.arn.rpartition("/")[2] if ctx.principal.kind == "user" else None
    ),
    "aws:viaawsservice": lambda ctx: "false",
}
"""The keys of "AWS global condition context keys" that can be known here."""
