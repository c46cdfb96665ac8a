"""Who may: bucket policies, ACLs and the public access block.

The bucket's own account may what the policy does not deny. Others, and anonymous ones, may what the policy allows or an
ACL grants; what opens the bucket to everybody counts only where the public access block lets it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import orjson

from ...context import Context, Need
from ...permissions import tell, weigh, wording
from ...policies.decision import ALLOWED, Reason, Verdict
from ...policies.documents import parsed_or_none
from . import model, permissions

Record = dict[str, Any]

GRANTED: dict[str, tuple[str, str]] = {
    "s3:GetObject": ("object", "READ"),
    "s3:GetObjectVersion": ("object", "READ"),
    "s3:GetObjectAcl": ("object", "READ_ACP"),
    "s3:PutObjectAcl": ("object", "WRITE_ACP"),
    "s3:ListBucket": ("bucket", "READ"),
    "s3:ListBucketVersions": ("bucket", "READ"),
    "s3:ListBucketMultipartUploads": ("bucket", "READ"),
    "s3:PutObject": ("bucket", "WRITE"),
    "s3:DeleteObject": ("bucket", "WRITE"),
    "s3:GetBucketAcl": ("bucket", "READ_ACP"),
    "s3:PutBucketAcl": ("bucket", "WRITE_ACP"),
}
"""What an ACL's permission lets one do, on which of the two."""


def check(
    ctx: Context, bucket: Record, action: str, key: str | None = None, target: Record | None = None
) -> None:
    """Raises AccessDenied. `target` is the object's record, whose ACL may grant what the bucket's doesn't."""
    need, verdict = _weighed(ctx, bucket, action, key, target)
    if verdict.allowed:
        return
    if ctx.principal.kind not in ("user", "role"):
        raise model.error("AccessDenied")
    tell(ctx, need, verdict)
    raise model.error("AccessDenied", wording(ctx, action, f'"{need.resource}"', verdict))


def may(
    ctx: Context, bucket: Record, action: str, key: str | None = None, target: Record | None = None
) -> bool:
    return _weighed(ctx, bucket, action, key, target)[1].allowed


def _weighed(
    ctx: Context, bucket: Record, action: str, key: str | None, target: Record | None
) -> tuple[Need, Verdict]:
    who = ctx.principal
    owns = who.account == bucket["owner"] and who.kind != "service"
    text = bucket.get("policy")
    arn = f"arn:aws:s3:::{bucket['name']}" + (f"/{key}" if key is not None else "")
    seen = ctx.facts
    if text is not None and target is not None and target.get("tags"):
        seen = {**seen, **permissions.existing(target["tags"])}
    need = Need(action, arn, seen, bucket["owner"])
    if text is None and owns and who.kind == "root":
        return need, ALLOWED
    policy = parsed_or_none(text)
    if policy is not None and not owns and bucket.get("block", {}).get("RestrictPublicBuckets"):
        private = (statement for statement in policy.statements if not _is_public(statement.source))
        policy = replace(policy, statements=tuple(private))
    canonical = model.canonical_id(who.account) if who.account and who.kind != "service" else ""
    verdict = weigh(ctx, need, policy, canonical=canonical)
    if verdict.reason is Reason.DENIED_BY_RESOURCE:
        # The root of the account can always get out of a policy that locks everybody out.
        freed = owns and who.kind == "root" and action.endswith("BucketPolicy")
        return need, ALLOWED if freed else verdict
    if not verdict.allowed and verdict.statement is None and _granted(ctx, bucket, action, target):
        return need, ALLOWED
    return need, verdict


def _granted(ctx: Context, bucket: Record, action: str, target: Record | None) -> bool:
    where, permission = GRANTED.get(action, ("", ""))
    if not where or bucket.get("ownership") == "BucketOwnerEnforced":
        return False
    record = target if where == "object" else bucket
    who = ctx.principal
    account = who.account if who.kind != "service" else ""  # a service has no grants of its customer's
    groups = {model.canonical_id(account)} if account and account != bucket["owner"] else set()
    if not bucket.get("block", {}).get("IgnorePublicAcls"):
        groups |= {model.ALL_USERS} | ({model.AUTHENTICATED} if account else set())
    grants = acl_of(record) if record is not None and not record.get("marker") else ()
    return any(grantee in groups and given in (permission, "FULL_CONTROL") for grantee, given in grants)


def acl_of(record: Record) -> list[list[str]]:
    """A bucket's or an object's ACL: if nobody asked for one, its owner may do everything."""
    grants: list[list[str]] | None = record.get("acl")
    return [[model.canonical_id(record["owner"]), "FULL_CONTROL"]] if grants is None else grants


def is_public_acl(grants: list[list[str]]) -> bool:
    return any(who in (model.ALL_USERS, model.AUTHENTICATED) for who, _ in grants)


# --- policies ------------------------------------------------------------


@lru_cache(maxsize=256)
def parsed(text: str) -> tuple[Record, ...]:
    """A policy's statements. Raises MalformedPolicy."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise model.error("MalformedPolicy") from error
    if not isinstance(document, dict):
        raise model.error("MalformedPolicy")
    statements = document.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    if not statements:
        raise model.error("MalformedPolicy", "Missing required field Statement")
    for one in statements:
        if not isinstance(one, dict) or "Effect" not in one:
            raise model.error("MalformedPolicy", "Missing required field Effect")
        if one["Effect"] not in ("Allow", "Deny"):
            raise model.error("MalformedPolicy", f"Invalid effect: {one['Effect']}")
        for names in (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")):
            if not any(name in one for name in names):
                raise model.error("MalformedPolicy", f"Missing required field {names[0]}")
    return tuple(statements)


def is_public_policy(text: str) -> bool:
    return any(_is_public(statement) for statement in parsed(text))


def _is_public(statement: Record) -> bool:
    """Allows everybody something, whatever their network."""
    principal = statement.get("Principal")
    everybody = principal == "*" or (isinstance(principal, dict) and "*" in listed(principal.get("AWS")))
    if statement["Effect"] != "Allow" or not everybody:
        return False
    fixed = {
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:principalarn",
        "aws:principalaccount",
        "aws:sourcevpc",
        "aws:sourceip",
    }
    names = {name.lower() for condition in statement.get("Condition", {}).values() for name in condition}
    return not names & fixed


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
