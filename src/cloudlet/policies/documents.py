"""Policy documents, compiled: statements that know whether they speak of an action, a resource and a principal.

The text of a document is the key of a bounded cache, so a policy is compiled once however often it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from .conditions import BadCondition, Condition, Facts, compiled, fits_arn, has_variables, pattern, substitute

ACTIONS_REMEMBERED = 256
VERSION_WITH_VARIABLES = "2012-10-17"


class BadPolicy(ValueError):
    """Not a policy document; the text says why."""


class Who(NamedTuple):
    """A principal as policies name it. `kind` is that of `context.Principal`."""

    kind: str
    account: str
    arn: str
    """Of a session `arn:aws:sts::…:assumed-role/…`, of a service its host name."""
    role: str = ""
    """Of a session: the ARN of its role."""
    canonical: str = ""
    """S3's canonical id of the account."""
    source: str = ""
    """Of a service: the ARN of what it acts for."""


@dataclass(slots=True, frozen=True)
class Statement:
    effect: str
    sid: str
    actions: tuple[bool, Callable[[str], bool]]
    resources: tuple[bool, tuple[str, ...]]
    principals: tuple[bool, Any] | None
    conditions: tuple[Condition, ...]
    names_everybody: bool
    fixed: bool
    """Whether nothing but action and resource decides: no condition, no variable."""
    source: dict[str, Any]

    def is_about(self, action: str) -> bool:
        """The principal is asked for apart."""
        positive, covers = self.actions
        return covers(action) == positive

    def reaches(self, resource: str, facts: Facts) -> bool:
        """Whether resource and conditions fit."""
        positive, resources = self.resources
        if resources and any(_covers(one, resource, facts) for one in resources) != positive:
            return False
        return all(condition(facts) for condition in self.conditions)

    def names(self, who: Who) -> str:
        """How the statement names the principal: "" not at all, "account" by its account as a whole, "role" by the
        role of its session, "principal" itself (or everybody)."""
        if self.principals is None:
            return "principal"
        positive, principals = self.principals
        found = _named(principals, who)
        if positive:
            return found
        return "" if found else "principal"


@dataclass(slots=True, frozen=True)
class Policy:
    statements: tuple[Statement, ...]
    fixed: bool
    keys: frozenset[str] = frozenset()
    """The condition keys that it asks for, in lower case."""
    verdicts: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What was decided for services, by all that it hangs on."""
    _by_action: dict[tuple[str, str], tuple[Statement, ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def about(self, effect: str, action: str) -> tuple[Statement, ...]:
        """The statements with that effect that are about the action."""
        found = self._by_action.get((effect, action))
        if found is None:
            found = tuple(one for one in self.statements if one.effect == effect and one.is_about(action))
            if len(self._by_action) >= ACTIONS_REMEMBERED:
                self._by_action.clear()
            self._by_action[effect, action] = found
        return found


@lru_cache(maxsize=2048)
def parsed(text: str) -> Policy:
    """Compile a document. Raises `BadPolicy`."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadPolicy("This policy contains invalid Json") from error
    return policy_of(document)


def parsed_or_none(text: str | None) -> Policy | None:
    """A resource's policy, if it has one. One that can't be read says nothing, and so allows nothing."""
    try:
        return parsed(text) if text is not None else None
    except BadPolicy:
        return None


def policy_of(document: Any) -> Policy:
    """The same, of a document that is read already."""
    if not isinstance(document, dict):
        raise BadPolicy("a policy document is an object")
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not all(isinstance(one, dict) for one in statements):
        raise BadPolicy("a policy document has a list of statements")
    variables = document.get("Version") == VERSION_WITH_VARIABLES
    made = tuple(_statement(one, variables) for one in statements)
    keys = {
        key.lower() for one in made for pairs in (one.source.get("Condition") or {}).values() for key in pairs
    }
    return Policy(made, all(one.fixed and one.principals is None for one in made), frozenset(keys))


def _statement(source: dict[str, Any], variables: bool) -> Statement:
    effect = source.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise BadPolicy(f"a statement's Effect is Allow or Deny, not {effect}")
    actions = _member(source, "Action")
    if actions is None:
        raise BadPolicy("a statement needs Action")
    resources = _member(source, "Resource") or (True, ())
    conditions = _conditions(source.get("Condition") or {})
    principals = next(
        ((n == "Principal", source[n]) for n in ("Principal", "NotPrincipal") if n in source), None
    )
    return Statement(
        effect=effect,
        sid=str(source.get("Sid", "")),
        actions=(actions[0], _action_test(actions[1])),
        resources=resources,
        principals=principals,
        conditions=conditions,
        names_everybody=principals is not None and principals[0] and _is_everybody(principals[1]),
        fixed=not conditions and not (variables and any(map(has_variables, resources[1]))),
        source=source,
    )


def _member(source: dict[str, Any], name: str) -> tuple[bool, tuple[str, ...]] | None:
    """Whether it is the positive form, and its values; None where the statement has neither."""
    for positive, member in ((True, name), (False, f"Not{name}")):
        if member in source:
            return positive, tuple(str(value) for value in _listed(source[member]))
    return None


def _action_test(patterns: Sequence[str]) -> Callable[[str], bool]:
    if "*" in patterns:
        return lambda action: True
    compiled_patterns = [pattern(text, ignore_case=True) for text in patterns]
    return lambda action: any(one.fullmatch(action) is not None for one in compiled_patterns)


def _conditions(block: Any) -> tuple[Condition, ...]:
    if not isinstance(block, dict) or not all(isinstance(keys, dict) for keys in block.values()):
        raise BadPolicy("a Condition is an object of objects")
    try:
        return tuple(
            compiled(operator, key, values)
            for operator, keys in block.items()
            for key, values in keys.items()
        )
    except BadCondition as error:
        raise BadPolicy(str(error)) from error


def _covers(wanted: str, resource: str, facts: Facts) -> bool:
    if wanted == "*":
        return True
    if has_variables(wanted):
        filled = substitute(wanted, facts)
        return filled is not None and fits_arn(filled, resource)
    return fits_arn(wanted, resource)


def _is_everybody(principal: Any) -> bool:
    return principal == "*" or (isinstance(principal, dict) and "*" in _listed(principal.get("AWS")))


def _named(principal: Any, who: Who) -> str:
    if _is_everybody(principal):
        return "principal"
    if not isinstance(principal, dict):
        return ""
    if who.kind == "service":
        return "principal" if who.arn in _listed(principal.get("Service")) else ""
    if not who.account:
        return ""
    if who.canonical and who.canonical in _listed(principal.get("CanonicalUser")):
        return "account"
    named = _listed(principal.get("AWS"))
    if who.arn in named:
        return "principal"
    if who.role and who.role in named:
        return "role"
    return "account" if who.account in named or f"arn:aws:iam::{who.account}:root" in named else ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
