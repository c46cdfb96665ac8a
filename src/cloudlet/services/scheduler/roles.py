"""The role of a target: whether its trust policy lets the scheduler assume it, and assuming it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import orjson

from ...context import Context, Node, Principal
from ...errors import AwsError
from . import model

SESSION = "scheduler"
_EQUAL = ("StringEquals", "ArnEquals")
_LIKE = ("StringLike", "ArnLike", "ArnEquals")

Statement = dict[str, Any]


class Roles:
    """The scheduler's runtime: the roles that it has assumed, by ARN, until their credentials end."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._known: dict[tuple[str, str], tuple[Principal, float]] = {}

    async def start(self) -> None:
        """Roles are assumed when a schedule fires."""

    async def stop(self) -> None:
        """Nothing is held."""

    async def context(self, account: str, region: str, role: str) -> Context:
        """A context that acts as the role. Raises AwsError if it can't be assumed."""
        now = self._node.clock.now()
        known = self._known.get((account, role))
        if known is None or known[1] < now + model.ROLE_MARGIN:
            self._known = {key: one for key, one in self._known.items() if one[1] > now}
            known = self._known[account, role] = await self._assume(account, region, role)
        return self._node.context(known[0], account=account, region=region)

    async def _assume(self, account: str, region: str, role: str) -> tuple[Principal, float]:
        asking = self._node.context(
            Principal("service", account, model.SERVICE_PRINCIPAL), account=account, region=region
        )
        answer = await asking.call("sts", "AssumeRole", {"RoleArn": role, "RoleSessionName": SESSION})
        who, keys = answer["AssumedRoleUser"], answer["Credentials"]
        principal = Principal("role", account, who["Arn"], who["AssumedRoleId"], keys["AccessKeyId"])
        return principal, float(keys["Expiration"])


async def check_trust(ctx: Context, role: str, group_arn: str) -> None:
    """Whether the role is there and trusts the scheduler, on behalf of the schedule's group, as AWS asks it."""
    there = ctx.node.context(account=role.split(":")[4], region=ctx.region)
    try:
        found = (await there.call("iam", "GetRole", {"RoleName": role.rpartition("/")[2]}))["Role"]
    except AwsError as error:
        raise model.bad_role() from error
    facts = {"aws:sourceaccount": ctx.account, "aws:sourcearn": group_arn}
    if found["Arn"] != role or not trusts(unquote(found["AssumeRolePolicyDocument"]), facts):
        raise model.bad_role()


def trusts(policy: str, facts: dict[str, str]) -> bool:
    effects = {statement.get("Effect") for statement in _statements(policy) if _is_meant(statement, facts)}
    return "Allow" in effects and "Deny" not in effects


@lru_cache(maxsize=256)
def _statements(policy: str) -> tuple[Statement, ...]:
    try:
        found = orjson.loads(policy)["Statement"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ()
    return tuple(one for one in _listed(found) if isinstance(one, dict))


def _is_meant(statement: Statement, facts: dict[str, str]) -> bool:
    principal = statement.get("Principal", {})
    services = _listed(principal.get("Service", [])) if isinstance(principal, dict) else [principal]
    actions = [str(action).lower() for action in _listed(statement.get("Action", []))]
    return (
        any(service in (model.SERVICE_PRINCIPAL, "*") for service in services)
        and any(_like(action, "sts:assumerole") for action in actions)
        and all(
            _holds(operator, str(key).lower(), _listed(values), facts)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _holds(operator: str, key: str, values: list[Any], facts: dict[str, str]) -> bool:
    fact = facts.get(key)
    kind = operator.removesuffix("IfExists")
    if fact is None:
        return kind != operator
    if kind in _LIKE:
        return any(_like(str(value), fact) for value in values)
    return kind in _EQUAL and fact in map(str, values)


def _like(pattern: str, text: str) -> bool:
    words = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(words, text, re.DOTALL) is not None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
