"""AWS's order of deciding: "Policy evaluation logic" in the IAM User Guide.

An explicit Deny anywhere ends it. Then, within one account, a resource policy that names the principal is enough;
otherwise an identity policy has to allow, and the permissions boundary and the session's policies, where there are
any, have to allow as well. From another account both the resource and the principal's own policies have to allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .conditions import Facts
from .documents import Policy, Statement, Who


class Reason(StrEnum):
    """Why not, in the words of AWS's messages."""

    IDENTITY = "no identity-based policy allows the {action} action"
    BOUNDARY = "no permissions boundary allows the {action} action"
    SESSION = "no session policy allows the {action} action"
    RESOURCE = "no resource-based policy allows the {action} action"
    DENIED_BY_IDENTITY = "with an explicit deny in an identity-based policy"
    DENIED_BY_BOUNDARY = "with an explicit deny in a permissions boundary"
    DENIED_BY_SESSION = "with an explicit deny in a session policy"
    DENIED_BY_RESOURCE = "with an explicit deny in a resource-based policy"


@dataclass(slots=True, frozen=True)
class Verdict:
    allowed: bool
    reason: Reason | None = None
    statement: Statement | None = None
    """The statement that denies, or that allows."""


@dataclass(slots=True)
class Holdings:
    """The policies of a principal. `boundary` and `session` are None where there are none, which limits nothing."""

    identity: Sequence[Policy] = ()
    boundary: Policy | None = None
    session: Sequence[Policy] | None = None
    cache: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    """Verdicts that hang on action and resource alone."""

    @property
    def fixed(self) -> bool:
        every = (*self.identity, *(self.session or ()), *((self.boundary,) if self.boundary else ()))
        return all(policy.fixed for policy in every)


REMEMBERED = 1024
OF_SOURCE = frozenset({"aws:sourcearn", "aws:sourceaccount"})
"""Conditions on these alone are decided by who asks."""
ALLOWED = Verdict(True)


def decide(
    who: Who,
    holdings: Holdings | None,
    action: str,
    resource: str,
    facts: Facts,
    *,
    owner: str = "",
    resource_policy: Policy | None = None,
) -> Verdict:
    """Whether `who` may do `action` on `resource`, which belongs to the account `owner` ("" is the principal's own).

    `holdings` is None for those that have no identity policies: the root of an account, services, anonymous ones.
    """
    if who.kind == "service" and resource_policy is not None and resource_policy.keys <= OF_SOURCE:
        key = who, action, resource
        found: Verdict | None = resource_policy.verdicts.get(key)
        if found is None:
            found = _weigh(who, None, action, resource, facts, owner, resource_policy)
            if len(resource_policy.verdicts) >= REMEMBERED:
                resource_policy.verdicts.clear()
            resource_policy.verdicts[key] = found
        return found
    if resource_policy is None and holdings is not None and (not owner or owner == who.account):
        known = holdings.cache.get((action, resource))
        if known is not None:
            return known
        verdict = _weigh(who, holdings, action, resource, facts, owner, None)
        if holdings.fixed:
            if len(holdings.cache) >= REMEMBERED:
                holdings.cache.clear()
            holdings.cache[action, resource] = verdict
        return verdict
    return _weigh(who, holdings, action, resource, facts, owner, resource_policy)


def _weigh(
    who: Who,
    holdings: Holdings | None,
    action: str,
    resource: str,
    facts: Facts,
    owner: str,
    resource_policy: Policy | None,
) -> Verdict:
    denied = _denied(who, holdings, action, resource, facts, resource_policy)
    if denied is not None:
        return denied
    named, granting = _granted(who, resource_policy, action, resource, facts)
    own = not owner or owner == who.account
    if who.kind in ("service", "anonymous", "identity"):
        return Verdict(True, None, granting) if named else Verdict(False, Reason.RESOURCE)
    if who.kind == "root":
        return ALLOWED if own or named else Verdict(False, Reason.RESOURCE)
    if own and named == "principal":
        return Verdict(True, None, granting)
    if not own and not named:
        return Verdict(False, Reason.RESOURCE)
    return _own_policies(holdings or Holdings(), action, resource, facts, named == "role" and own)


def _own_policies(holdings: Holdings, action: str, resource: str, facts: Facts, by_resource: bool) -> Verdict:
    """What the principal's own policies say; `by_resource`: its role is named by the resource's policy, which stands
    for the identity policies and leaves the limits."""
    allowing = None
    if not by_resource:
        allowing = _find(holdings.identity, "Allow", action, resource, facts)
        if allowing is None:
            return Verdict(False, Reason.IDENTITY)
    if holdings.boundary is not None and not _find((holdings.boundary,), "Allow", action, resource, facts):
        return Verdict(False, Reason.BOUNDARY)
    if holdings.session is not None and not _find(holdings.session, "Allow", action, resource, facts):
        return Verdict(False, Reason.SESSION)
    return Verdict(True, None, allowing)


def _denied(
    who: Who,
    holdings: Holdings | None,
    action: str,
    resource: str,
    facts: Facts,
    resource_policy: Policy | None,
) -> Verdict | None:
    if resource_policy is not None:
        for statement in resource_policy.about("Deny", action):
            if statement.reaches(resource, facts) and statement.names(who):
                return Verdict(False, Reason.DENIED_BY_RESOURCE, statement)
    if holdings is None:
        return None
    boundary = (holdings.boundary,) if holdings.boundary is not None else ()
    for policies, reason in (
        (holdings.identity, Reason.DENIED_BY_IDENTITY),
        (boundary, Reason.DENIED_BY_BOUNDARY),
        (holdings.session or (), Reason.DENIED_BY_SESSION),
    ):
        denying = _find(policies, "Deny", action, resource, facts)
        if denying is not None:
            return Verdict(False, reason, denying)
    return None


def _granted(
    who: Who, policy: Policy | None, action: str, resource: str, facts: Facts
) -> tuple[str, Statement | None]:
    """How the resource's policy names the principal in what it allows; the strongest of "principal", "role",
    "account" and ""."""
    best: tuple[str, Statement | None] = ("", None)
    for statement in policy.about("Allow", action) if policy is not None else ():
        if statement.reaches(resource, facts):
            named = statement.names(who)
            if named == "principal":
                return named, statement
            if named and best[0] != "role":
                best = named, statement
    return best


def _find(
    policies: Iterable[Policy], effect: str, action: str, resource: str, facts: Facts
) -> Statement | None:
    return next(
        (
            statement
            for policy in policies
            for statement in policy.about(effect, action)
            if statement.reaches(resource, facts)
        ),
        None,
    )
