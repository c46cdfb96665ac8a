"""What can be told of a request without looking at anything else: above all, whether policies have the right form.

The texts are IAM's own, as its callers report them.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from . import model

ACTION = re.compile(r"\*\Z|[a-zA-Z0-9*-]+:[\w*?-]+\Z", re.ASCII)
VERSIONS = ("2012-10-17", "2008-10-17")
ELEMENTS = {
    "Action", "Condition", "Effect", "NotAction", "NotPrincipal", "NotResource", "Principal", "Resource", "Sid",
}  # fmt: skip


def create_role(request: dict[str, Any]) -> dict[str, Any]:
    trust_policy(request["AssumeRolePolicyDocument"])
    return _tags(request)


def update_assume_role_policy(request: dict[str, Any]) -> dict[str, Any]:
    trust_policy(request["PolicyDocument"])
    return request


def put_role_policy(request: dict[str, Any]) -> dict[str, Any]:
    identity_policy(request["PolicyDocument"])
    return request


put_user_policy = put_group_policy = put_role_policy
create_policy_version = put_role_policy


def create_policy(request: dict[str, Any]) -> dict[str, Any]:
    identity_policy(request["PolicyDocument"])
    _size(request["PolicyDocument"], "PolicySize", model.MANAGED_SIZE)
    return _tags(request)


def _tags(request: dict[str, Any]) -> dict[str, Any]:
    keys = [tag["Key"].lower() for tag in request.get("Tags", ())]
    if len(keys) != len(set(keys)):
        raise model.duplicate_tags()
    return request


create_user = tag_role = tag_user = tag_policy = _tags


def _size(document: str, quota: str, limit: int) -> None:
    """White space doesn't count."""
    if len(re.sub(r"\s", "", document)) > limit:
        raise model.too_large(quota, limit)


def trust_policy(document: str) -> None:
    _size(document, "ACLSizePerRole", model.TRUST_SIZE)
    for statement in _statements(document):
        if "Resource" in statement or "NotResource" in statement:
            raise model.malformed("Has prohibited field Resource")
        if not statement.get("Principal") and not statement.get("NotPrincipal"):
            raise model.malformed("Missing required field Principal")
        if not statement.get("Action"):
            raise model.malformed("Missing required field Action")
        for action in _texts(statement["Action"]):
            _action(action)
            if not action.lower().startswith("sts:") and action != "*":
                raise model.malformed("AssumeRole policy may only specify STS AssumeRole actions.")


def identity_policy(document: str) -> None:
    for statement in _statements(document):
        if "Principal" in statement or "NotPrincipal" in statement:
            raise model.malformed("Policy document should not specify a principal.")
        actions = _either(statement, "Action", "NotAction")
        if not actions:
            raise model.malformed("Policy statement must contain actions.")
        for action in actions:
            _action(action)
        resources = _either(statement, "Resource", "NotResource")
        if not resources:
            raise model.malformed("Policy statement must contain resources.")
        for resource in resources:
            if resource != "*" and resource.count(":") < 5:
                raise model.malformed(f'Resource {resource} must be in ARN format or "*".')


def _statements(document: str) -> list[dict[str, Any]]:
    try:
        policy = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise model.malformed("This policy contains invalid Json") from error
    syntax = model.malformed("Syntax errors in policy.")
    if not isinstance(policy, dict) or not policy.keys() <= {"Version", "Id", "Statement"}:
        raise syntax
    if policy.get("Version", VERSIONS[0]) not in VERSIONS:
        raise model.malformed("The policy must contain a valid version string")
    statements = policy.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise syntax
    sids = []
    for statement in statements:
        if not isinstance(statement, dict) or not statement.keys() <= ELEMENTS:
            raise syntax
        if statement.get("Effect") not in ("Allow", "Deny"):
            raise syntax
        if statement.get("Sid"):
            sids.append(statement["Sid"])
    if len(sids) != len(set(sids)):
        raise model.malformed("Statement IDs (SID) in a single policy must be unique.")
    return statements


def _either(statement: dict[str, Any], name: str, inverse: str) -> list[str]:
    if name in statement and inverse in statement:
        raise model.malformed("Syntax errors in policy.")
    return _texts(statement.get(name, statement.get(inverse, [])))


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in values):
        raise model.malformed("Syntax errors in policy.")
    return values


def _action(action: str) -> None:
    if ACTION.match(action):
        return
    if ":" not in action:
        raise model.malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    raise model.malformed("Actions/Condition can contain only one colon.")
