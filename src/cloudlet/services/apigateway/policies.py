"""The policies that authorizers return, evaluated for one `execute-api:Invoke`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

ALLOWED, DENIED, EXPLICITLY_DENIED = "allowed", "denied", "explicitly denied"
ACTION = "execute-api:Invoke"


class BadPolicy(ValueError):
    """Not a policy document."""


def decide(policy: Any, resource: str, values: Mapping[str, str]) -> str:
    """`values` are the condition keys that are known, e.g. "aws:SourceIp"."""
    if not isinstance(policy, dict):
        raise BadPolicy("a policyDocument is an object")
    statements = policy.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not all(isinstance(item, dict) for item in statements):
        raise BadPolicy("a policyDocument has a list of statements")
    verdict = DENIED
    for statement in statements:
        effect = statement.get("Effect")
        if effect not in ("Allow", "Deny"):
            raise BadPolicy(f"a statement's Effect is Allow or Deny, not {effect}")
        if _applies(statement, resource, values):
            if effect == "Deny":
                return EXPLICITLY_DENIED
            verdict = ALLOWED
    return verdict


def _applies(statement: dict[str, Any], resource: str, values: Mapping[str, str]) -> bool:
    if not _named(statement, "Action", ACTION, ignore_case=True):
        return False
    if not _named(statement, "Resource", resource, ignore_case=False):
        return False
    conditions = statement.get("Condition") or {}
    return all(
        _holds(operator, key, _list(wanted), values)
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _named(statement: dict[str, Any], member: str, name: str, *, ignore_case: bool) -> bool:
    """Whether the statement's Action (NotAction, Resource, NotResource) covers the name."""
    if member in statement:
        return any(matches(pattern, name, ignore_case) for pattern in _list(statement[member]))
    if f"Not{member}" in statement:
        return not any(matches(pattern, name, ignore_case) for pattern in _list(statement[f"Not{member}"]))
    raise BadPolicy(f"a statement needs {member}")


def _list(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(item) for item in values]


def matches(pattern: str, text: str, ignore_case: bool = False) -> bool:
    """`*` is any run of characters, `?` any one."""
    return _compiled(pattern, ignore_case).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _holds(operator: str, key: str, wanted: list[str], values: Mapping[str, str]) -> bool:
    value = {name.lower(): value for name, value in values.items()}.get(key.lower())
    if operator == "Null":
        return (value is None) == (wanted[0].lower() == "true")
    if operator.endswith("IfExists"):
        if value is None:
            return True
        operator = operator.removesuffix("IfExists")
    if value is None:
        return operator.startswith("Not") or "Not" in operator
    if operator in ("StringEquals", "StringNotEquals"):
        return (value in wanted) == (operator == "StringEquals")
    if operator in ("StringLike", "StringNotLike", "ArnLike", "ArnNotLike"):
        return any(matches(pattern, value) for pattern in wanted) == ("Not" not in operator)
    if operator in ("IpAddress", "NotIpAddress"):
        inside = any(_inside(value, network) for network in wanted)
        return inside == (operator == "IpAddress")
    raise BadPolicy(
        f"the condition operator {operator} is not supported by Cloudlet in authorizers' policies"
    )


def _inside(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        raise BadPolicy(f"{network} is no IP network") from None
