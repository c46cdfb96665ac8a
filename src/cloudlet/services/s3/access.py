"""Who may: bucket policies, ACLs and the public access block.

The bucket's own account may what the policy does not deny. Others, and anonymous ones, may what the policy allows or an
ACL grants; what opens the bucket to everybody counts only where the public access block lets it.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Any

import orjson

from ...context import Context
from . import model

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
    if not may(ctx, bucket, action, key, target):
        raise model.error("AccessDenied")


def may(
    ctx: Context, bucket: Record, action: str, key: str | None = None, target: Record | None = None
) -> bool:
    who = ctx.principal
    owns = who.account == bucket["owner"] and who.kind != "service"
    policy = bucket.get("policy")
    if policy is None and owns:
        return True
    block = bucket.get("block", {})
    if policy is not None:
        arn = f"arn:aws:s3:::{bucket['name']}" + (f"/{key}" if key is not None else "")
        verdict, public = _evaluate(policy, ctx, action, arn)
        if verdict == "Deny":
            # The root of the account can always get out of a policy that locks everybody out.
            return owns and who.kind == "root" and action.endswith("BucketPolicy")
        if owns or (verdict == "Allow" and not (public and block.get("RestrictPublicBuckets"))):
            return True
    return _granted(ctx, bucket, action, target)


def _granted(ctx: Context, bucket: Record, action: str, target: Record | None) -> bool:
    where, permission = GRANTED.get(action, ("", ""))
    if not where or bucket.get("ownership") == "BucketOwnerEnforced":
        return False
    record = target if where == "object" else bucket
    who = ctx.principal
    account = who.account if who.kind != "service" else ""  # a service has no grants of its customer's
    groups = {model.canonical_id(account)} if account else set()
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
        if not isinstance(one, dict) or one.get("Effect") not in ("Allow", "Deny"):
            raise model.error(
                "MalformedPolicy", f"Invalid effect: {one.get('Effect') if isinstance(one, dict) else one}"
            )
        for names in (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")):
            if not any(name in one for name in names):
                raise model.error("MalformedPolicy", f"Missing required field {names[0]}")
    return tuple(statements)


def check_policy(text: str, bucket: str) -> None:
    """What PutBucketPolicy asks of a policy."""
    if len(text) > model.MAX_POLICY:
        raise model.error("InvalidRequest", "The policy exceeds the maximum allowed document size.")
    for statement in parsed(text):
        for resource in _listed(statement.get("Resource", statement.get("NotResource"))):
            name = str(resource).removeprefix("arn:aws:s3:::").partition("/")[0]
            if not _pattern(name).fullmatch(bucket):
                raise model.error("MalformedPolicy", "Policy has invalid resource")
        for action in _listed(statement.get("Action", statement.get("NotAction"))):
            if action != "*" and not str(action).lower().startswith("s3:"):
                raise model.error("MalformedPolicy", "Policy has invalid action")


def is_public_policy(text: str) -> bool:
    return any(_is_public(statement) for statement in parsed(text))


def _is_public(statement: Record) -> bool:
    """Allows everybody something, whatever their network."""
    principal = statement.get("Principal")
    everybody = principal == "*" or (isinstance(principal, dict) and "*" in _listed(principal.get("AWS")))
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


def _evaluate(text: str, ctx: Context, action: str, arn: str) -> tuple[str, bool]:
    """The verdict, and whether what allows is public."""
    allowed, public = "", True
    for statement in parsed(text):
        if not _applies(statement, ctx, action, arn):
            continue
        if statement["Effect"] == "Deny":
            return "Deny", False
        allowed = "Allow"
        public = public and _is_public(statement)
    return allowed, public


def _applies(statement: Record, ctx: Context, action: str, arn: str) -> bool:
    if "Principal" in statement:
        if not _is_principal(statement["Principal"], ctx):
            return False
    elif _is_principal(statement["NotPrincipal"], ctx):
        return False
    for name, value, ignore_case in (("Action", action, True), ("Resource", arn, False)):
        patterns = _listed(statement.get(name, statement.get(f"Not{name}")))
        matched = any(_pattern(str(p), ignore_case).fullmatch(value) for p in patterns)
        if matched != (name in statement):
            return False
    conditions = statement.get("Condition", {})
    return all(
        _holds(operator, key, _listed(values), ctx)
        for operator, pairs in conditions.items()
        for key, values in pairs.items()
    )


def _is_principal(principal: Any, ctx: Context) -> bool:
    who = ctx.principal
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        return False
    for kind, values in principal.items():
        for value in _listed(values):
            if kind == "Service" and who.kind == "service" and value == who.arn:
                return True
            if kind == "CanonicalUser" and who.account and value == model.canonical_id(who.account):
                return True
            if kind == "AWS" and (
                value == "*"
                or (who.account and value in (who.arn, who.account, f"arn:aws:iam::{who.account}:root"))
                or (who.kind == "role" and value == _role(who.arn))
            ):
                return True
    return False


def _role(arn: str) -> str:
    """The role of an assumed role's session."""
    account = arn.split(":")[4]
    return f"arn:aws:iam::{account}:role/{arn.split('/')[1]}" if "/" in arn else arn


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


@lru_cache(maxsize=4096)
def _pattern(text: str, ignore_case: bool = False) -> re.Pattern[str]:
    source = re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(source, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _secure(ctx: Context) -> bool:
    """What doesn't leave the machine counts as encrypted: the policies of SAM's and CDK's buckets deny all else."""
    return ctx.origin.startswith("https") or ipaddress.ip_address(ctx.source_ip).is_loopback


def _facts(ctx: Context) -> dict[str, str]:
    who = ctx.principal
    facts = {
        "aws:sourceip": ctx.source_ip,
        "aws:useragent": ctx.user_agent,
        "aws:securetransport": "true" if _secure(ctx) else "false",
        "aws:epochtime": str(int(ctx.clock.now())),
    }
    if who.kind == "service":
        facts |= {
            "aws:sourceaccount": who.account,
            "aws:sourcearn": who.user_id,
            "aws:principalisawsservice": "true",
        }
    elif who.account:
        facts |= {"aws:principalarn": who.arn, "aws:principalaccount": who.account, "aws:userid": who.user_id}
    return facts


def _holds(operator: str, key: str, values: list[Any], ctx: Context) -> bool:
    name = operator.rpartition(":")[2].removesuffix("IfExists")
    lenient = operator.endswith("IfExists")
    fact = _facts(ctx).get(key.lower())
    wanted = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    if name == "Null":
        return (fact is None) == (wanted == ["true"])
    negative = "Not" in name
    if fact is None:
        return lenient or negative
    return any(_fits(name.replace("Not", ""), fact, one) for one in wanted) != negative


def _fits(name: str, fact: str, wanted: str) -> bool:
    if name in ("StringLike", "ArnLike", "ArnEquals"):
        return _pattern(wanted).fullmatch(fact) is not None
    if name == "StringEqualsIgnoreCase":
        return fact.lower() == wanted.lower()
    if name == "Bool":
        return fact.lower() == wanted.lower()
    if name == "IpAddress":
        try:
            return ipaddress.ip_address(fact) in ipaddress.ip_network(wanted, strict=False)
        except ValueError:
            return False
    return name in ("StringEquals", "NumericEquals") and fact == wanted
