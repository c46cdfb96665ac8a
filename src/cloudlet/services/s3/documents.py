"""What PutBucketPolicy asks of a policy, in S3's words."""

from __future__ import annotations

import re
from typing import Any

import orjson

from ...policies.conditions import OPERATORS, pattern
from . import access, model

Record = dict[str, Any]

FIELDS = frozenset(("Version", "Id", "Statement"))
STATEMENT = frozenset((
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
))  # fmt: skip
VERSIONS = ("2008-10-17", "2012-10-17")
OF_BUCKETS = frozenset((
    "createbucket", "deletebucket", "deletebucketpolicy", "deletebucketwebsite", "getbucketacl", "getbucketcors",
    "getbucketlocation", "getbucketlogging", "getbucketnotification", "getbucketownershipcontrols",
    "getbucketpolicy", "getbucketpolicystatus", "getbucketpublicaccessblock", "getbucketrequestpayment",
    "getbuckettagging", "getbucketversioning", "getbucketwebsite", "getencryptionconfiguration",
    "getlifecycleconfiguration", "getreplicationconfiguration", "listbucket", "listbucketmultipartuploads",
    "listbucketversions", "putbucketacl", "putbucketcors", "putbucketlogging", "putbucketnotification",
    "putbucketownershipcontrols", "putbucketpolicy", "putbucketpublicaccessblock", "putbuckettagging",
    "putbucketversioning", "putbucketwebsite", "putencryptionconfiguration", "putlifecycleconfiguration",
    "putreplicationconfiguration",
))  # fmt: skip
OF_OBJECTS = frozenset((
    "abortmultipartupload", "bypassgovernanceretention", "deleteobject", "deleteobjecttagging", "deleteobjectversion",
    "deleteobjectversiontagging", "getobject", "getobjectacl", "getobjectattributes", "getobjectlegalhold",
    "getobjectretention", "getobjecttagging", "getobjectversion", "getobjectversionacl",
    "getobjectversionattributes", "getobjectversiontagging", "listmultipartuploadparts", "putobject", "putobjectacl",
    "putobjectlegalhold", "putobjectretention", "putobjecttagging", "putobjectversionacl",
    "putobjectversiontagging", "restoreobject",
))  # fmt: skip
"""Actions whose resource is known to be the one or the other; of those in neither nothing is said."""
_ACCOUNT = re.compile(
    r"\*|\d{12}|A[A-Z]{3}[A-Z0-9]{12,}"
    r"|arn:aws[\w-]*:(iam|sts)::(\d{12}|cloudfront):(root|(user|role|assumed-role|federated-user)/.+)"
)
_SERVICE = re.compile(r"[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)")
_CONDITION = re.compile(r"((ForAnyValue|ForAllValues):)?(\w+?)(IfExists)?", re.IGNORECASE)
_OPERATORS = frozenset(name.lower() for name in (*OPERATORS, "Null"))


def _malformed(text: str, **more: Any) -> Exception:
    return model.error("MalformedPolicy", text, **more)


def check(text: str, bucket: str) -> None:
    if len(text) > model.MAX_POLICY:
        raise model.error("InvalidRequest", "The policy exceeds the maximum allowed document size.")
    _check_form(text)
    for statement in access.parsed(text):
        _check_principal(statement.get("Principal", statement.get("NotPrincipal")))
        resources = [
            str(one) for one in access.listed(statement.get("Resource", statement.get("NotResource")))
        ]
        for resource in resources:
            name = resource.removeprefix("arn:aws:s3:::").partition("/")[0]
            if not resource.startswith(("arn:aws:s3:::", "*")) or not pattern(name).fullmatch(bucket):
                raise _malformed("Policy has invalid resource")
        for action in access.listed(statement.get("Action", statement.get("NotAction"))):
            if action != "*" and not str(action).lower().startswith("s3:"):
                raise _malformed("Policy has invalid action")
            if "Action" in statement and "Resource" in statement:
                _check_fit(str(action).lower().removeprefix("s3:"), resources)
        for operator in statement.get("Condition") or ():
            found = _CONDITION.fullmatch(operator)
            if found is None or found[3].lower() not in _OPERATORS:
                raise _malformed(f"Invalid Condition type : {operator}")


def _check_form(text: str) -> None:
    """Fields and version, before their meaning."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise model.error("MalformedPolicy") from error
    if not isinstance(document, dict):
        raise model.error("MalformedPolicy")
    for field in document:
        if field not in FIELDS:
            raise _malformed(f"Unknown field {field}")
    if document.get("Version", VERSIONS[0]) not in VERSIONS:
        raise _malformed("The policy must contain a valid version string")
    names = set()
    for statement in access.listed(document.get("Statement")):
        for field in statement if isinstance(statement, dict) else ():
            if field not in STATEMENT:
                raise _malformed(f"Unknown field {field}")
        name = statement.get("Sid") if isinstance(statement, dict) else None
        if name is not None and name in names:
            raise _malformed("Statement IDs (SID) in a single policy must be unique.")
        names.add(name)


def _check_principal(principal: Any) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        raise _malformed("Invalid principal in policy")
    for kind, given in principal.items():
        for one in access.listed(given):
            fits = {"AWS": _ACCOUNT, "Service": _SERVICE}.get(kind)
            known = kind in ("AWS", "Service", "Federated", "CanonicalUser") and isinstance(one, str | int)
            if not known or (fits is not None and not fits.fullmatch(str(one))):
                raise _malformed("Invalid principal in policy", Detail=f'"{kind}" : "{one}"')


def _check_fit(action: str, resources: list[str]) -> None:
    """An action on objects wants a resource with a key, one on the bucket one without."""
    if action in OF_OBJECTS:
        fits = any("/" in resource or resource.endswith("*") for resource in resources)
    elif action in OF_BUCKETS:
        fits = any("/" not in resource for resource in resources)
    else:
        return
    if not fits:
        raise _malformed("Action does not apply to any resource(s) in statement")
