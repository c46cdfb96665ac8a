"""The policy simulator: what policies would say, asked without doing it; the evaluator is the one that decides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from ....context import Context
from ....policies.decision import Holdings, Reason, Verdict, decide
from ....policies.documents import BadPolicy, Policy, Who, parsed
from ....store.interface import Transaction
from .. import model
from ..holdings import documents, sources
from .common import existing, page

VARIABLE = re.compile(r"\$\{\s*([\w-]+:[^},\s]+)")
DENIES = (
    Reason.DENIED_BY_IDENTITY,
    Reason.DENIED_BY_BOUNDARY,
    Reason.DENIED_BY_RESOURCE,
    Reason.DENIED_BY_SESSION,
)


class Given(NamedTuple):
    """The policies of one simulation: identity policies by their names, the boundary, the resource's."""

    identity: list[tuple[str, Policy]]
    boundary: Policy | None
    resource: Policy | None
    who: Who


async def simulate_custom_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return _simulated(request, _given(ctx, request, [], []))


async def simulate_principal_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    named, bounds = await _of_principal(ctx, request["PolicySourceArn"])
    return _simulated(request, _given(ctx, request, named, bounds))


async def get_context_keys_for_custom_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {"ContextKeyNames": _keys(request["PolicyInputList"])}


async def get_context_keys_for_principal_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    named, _ = await _of_principal(ctx, request["PolicySourceArn"])
    return {"ContextKeyNames": _keys([*(text for _, text in named), *request.get("PolicyInputList", ())])}


async def _of_principal(ctx: Context, source: str) -> tuple[list[tuple[str, str]], list[str]]:
    """The policies of a user, role or group by their names, and what bounds it."""
    kind, _, path = source.split(":", 5)[-1].partition("/")
    if kind not in ("user", "role", "group") or source.count(":") < 5:
        raise model.invalid_arn(source)
    name = path.rpartition("/")[2]

    async def body(tx: Transaction) -> tuple[list[tuple[str, str]], list[str]]:
        entity = await existing(tx, ctx.account, kind, name)
        bound = entity.get("PermissionsBoundary")
        unknown: set[str] = set()
        bounds = await documents(tx, ctx.account, bound["PermissionsBoundaryArn"], unknown) if bound else []
        return await sources(tx, ctx.account, kind, name, unknown), bounds

    return await ctx.store.read(body)


def _given(ctx: Context, request: dict[str, Any], named: list[tuple[str, str]], bounds: list[str]) -> Given:
    more = [(f"PolicyInputList.{at}", text) for at, text in enumerate(request.get("PolicyInputList", ()), 1)]
    bounds = request.get("PermissionsBoundaryPolicyInputList") or bounds
    caller = request.get("CallerArn") or request.get("PolicySourceArn") or ctx.principal.arn
    who = Who("user", ctx.account, caller)
    resource = request.get("ResourcePolicy")
    return Given(
        [(name, _compiled(text)) for name, text in (*named, *more)],
        _compiled(bounds[0]) if bounds else None,
        _compiled(resource) if resource else None,
        who,
    )


def _compiled(text: str) -> Policy:
    try:
        return parsed(text)
    except BadPolicy as error:
        raise model.invalid_input(f"Invalid input document: {error}") from error


def _simulated(request: dict[str, Any], given: Given) -> dict[str, Any]:
    known = {
        entry["ContextKeyName"].lower(): entry.get("ContextKeyValues", [])
        for entry in request.get("ContextEntries", ())
    }
    results = [
        _result(given, known, action, resource, request.get("ResourceOwner", ""))
        for action in request["ActionNames"]
        for resource in request.get("ResourceArns") or ["*"]
    ]
    numbered = [{**result, "at": f"{at:06}"} for at, result in enumerate(results)]
    answer = page(request, numbered, "EvaluationResults", "at")
    for result in answer["EvaluationResults"]:
        del result["at"]
    return answer


def _result(
    given: Given, known: Mapping[str, Sequence[str]], action: str, resource: str, owner: str
) -> dict[str, Any]:
    missing: dict[str, None] = {}

    def facts(key: str) -> Sequence[str] | None:
        if key not in known:
            missing[key] = None
        return known.get(key)

    holdings = Holdings([policy for _, policy in given.identity], given.boundary)
    account = owner.split(":")[4] if owner.startswith("arn:") else owner
    verdict = decide(
        given.who, holdings, action, resource, facts, owner=account, resource_policy=given.resource
    )
    denied = verdict.reason in DENIES
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": "allowed" if verdict.allowed else "explicitDeny" if denied else "implicitDeny",
        "MatchedStatements": _matched(given, verdict),
        "MissingContextValues": list(missing),
    }
    if given.boundary is not None:
        bounded = verdict.reason in (Reason.BOUNDARY, Reason.DENIED_BY_BOUNDARY)
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": not bounded}
    return result


def _matched(given: Given, verdict: Verdict) -> list[dict[str, Any]]:
    """The statement that decided, by the policy that it stands in."""
    named = [*given.identity]
    if given.boundary is not None:
        named.append(("PermissionsBoundaryPolicyInputList.1", given.boundary))
    if given.resource is not None:
        named.append(("ResourcePolicy", given.resource))
    for name, policy in named:
        if any(statement is verdict.statement for statement in policy.statements):
            kind = "Resource Policy" if policy is given.resource else "IAM Policy"
            return [{"SourcePolicyId": name, "SourcePolicyType": kind}]
    return []


def _keys(texts: Sequence[str]) -> list[str]:
    """The context keys that policies ask for, in conditions and in variables."""
    found: dict[str, None] = {}
    for text in texts:
        for statement in _compiled(text).statements:
            for pairs in (statement.source.get("Condition") or {}).values():
                found.update(dict.fromkeys(pairs))
            found.update(dict.fromkeys(VARIABLE.findall(orjson.dumps(statement.source).decode())))
    return list(found)
