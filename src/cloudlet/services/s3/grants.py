"""ACLs: canned ones, grant headers and whole documents become pairs of grantee and permission, and back.

A grantee is a group's URI or a canonical user's id.
"""

from __future__ import annotations

import re
from typing import Any

from ...context import Context
from . import access, model

Record = dict[str, Any]

HEADERS = {
    "GrantFullControl": "FULL_CONTROL",
    "GrantRead": "READ",
    "GrantReadACP": "READ_ACP",
    "GrantWrite": "WRITE",
    "GrantWriteACP": "WRITE_ACP",
}
_ASKED = frozenset(("ACL", "AccessControlPolicy", *HEADERS))
_CANONICAL = re.compile(r"[0-9a-f]{64}")
_GRANTEE = re.compile(r'\s*(id|uri|emailAddress)\s*=\s*"?([^",]+)"?\s*', re.IGNORECASE)


def asked(request: dict[str, Any]) -> bool:
    return not _ASKED.isdisjoint(request)


def wanted(
    ctx: Context, request: dict[str, Any], bucket: Record, owner: str, action: str
) -> list[list[str]] | None:
    """The ACL that a request asks for, or None. Raises where the bucket allows none, or no public one."""
    if not asked(request):
        return None
    grants = given(request, bucket, owner)
    if bucket.get("ownership") == "BucketOwnerEnforced":
        harmless = "Key" in request and request.get("ACL") == "bucket-owner-full-control"
        if not harmless and ("ACL" in request or grants != private(bucket["owner"])):
            raise model.error("AccessControlListNotSupported")
    if access.is_public_acl(grants) and bucket.get("block", {}).get("BlockPublicAcls"):
        name = bucket["name"] + (f"/{request['Key']}" if "Key" in request else "")
        raise model.error(
            "AccessDenied",
            f"User: {ctx.principal.arn} is not authorized to perform: s3:{action} on resource: "
            f'"arn:aws:s3:::{name}" because public ACLs are prevented by the BlockPublicAcls setting in S3 Block '
            "Public Access.",
        )
    return grants


def private(owner: str) -> list[list[str]]:
    return [[model.canonical_id(owner), "FULL_CONTROL"]]


def given(request: dict[str, Any], bucket: Record, owner: str) -> list[list[str]]:
    """The grants that a request names, whether or not they may be."""
    if "AccessControlPolicy" in request:
        return _document(request["AccessControlPolicy"])
    if "ACL" in request:
        if not request.keys().isdisjoint(HEADERS):
            text = "Specifying both Canned ACLs and Header Grants is not allowed"
            raise model.error("InvalidRequest", text)
        name = request["ACL"]
        if name not in model.CANNED:
            raise model.invalid("x-amz-acl", name, "")
        grants = private(owner) + [list(grant) for grant in model.CANNED[name]]
        other = bucket["owner"]
        if other != owner and name in ("bucket-owner-read", "bucket-owner-full-control"):
            grants.append([model.canonical_id(other), "READ" if name.endswith("read") else "FULL_CONTROL"])
        return grants
    grants = []
    for header, permission in HEADERS.items():
        for piece in request[header].split(",") if header in request else ():
            found = _GRANTEE.fullmatch(piece)
            if found is None or found[1].lower() == "emailaddress":
                raise model.invalid(
                    f"x-amz-grant-{permission.lower().replace('_', '-')}",
                    piece,
                    "Argument format not recognized",
                )
            grants.append([_known(found[2], "id"), permission])
    return grants


def _known(grantee: str, name: str) -> str:
    """`name` is what the request calls a canonical user's id."""
    if not grantee.startswith("http") and not _CANONICAL.fullmatch(grantee):
        raise model.invalid(name, grantee, "Invalid id")
    if grantee.startswith("http") and grantee not in (
        model.ALL_USERS,
        model.AUTHENTICATED,
        model.LOG_DELIVERY,
    ):
        raise model.invalid("uri", grantee, "Invalid group uri")
    return grantee


def _document(policy: Record) -> list[list[str]]:
    grants = []
    for grant in policy.get("Grants", []):
        grantee = grant.get("Grantee", {})
        name = grantee.get("URI") or grantee.get("ID")
        if not name or grant.get("Permission") not in model.PERMISSIONS:
            raise model.error("MalformedACLError")
        grants.append([_known(name, "CanonicalUser/ID"), grant["Permission"]])
    if "Owner" not in policy:
        raise model.error("MalformedACLError")
    return grants


def shown(owner: str, grants: list[list[str]]) -> Record:
    """An ACL as GetBucketAcl and GetObjectAcl answer it."""
    return {"Owner": {"ID": model.canonical_id(owner)}, "Grants": [_shown(*grant) for grant in grants]}


def _shown(grantee: str, permission: str) -> Record:
    who = (
        {"Type": "Group", "URI": grantee}
        if grantee.startswith("http")
        else {"Type": "CanonicalUser", "ID": grantee}
    )
    return {"Grantee": who, "Permission": permission}
