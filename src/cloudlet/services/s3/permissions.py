"""What S3's operations need.

S3 asks for permission where bucket and object are at hand, with their policy and ACLs: see `access`. Here is what is
about no bucket yet, and what the conditions of a request see.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from ...context import Context, Need

FACTS = {
    "s3:delimiter": "Delimiter",
    "s3:if-match": "IfMatch",
    "s3:if-none-match": "IfNoneMatch",
    "s3:max-keys": "MaxKeys",
    "s3:prefix": "Prefix",
    "s3:versionid": "VersionId",
    "s3:x-amz-acl": "ACL",
    "s3:x-amz-grant-full-control": "GrantFullControl",
    "s3:x-amz-grant-read": "GrantRead",
    "s3:x-amz-grant-read-acp": "GrantReadACP",
    "s3:x-amz-grant-write": "GrantWrite",
    "s3:x-amz-grant-write-acp": "GrantWriteACP",
    "s3:x-amz-website-redirect-location": "WebsiteRedirectLocation",
    "s3:x-amz-copy-source": "CopySource",
    "s3:x-amz-metadata-directive": "MetadataDirective",
    "s3:x-amz-server-side-encryption": "ServerSideEncryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
    "s3:x-amz-server-side-encryption-customer-algorithm": "SSECustomerAlgorithm",
    "s3:x-amz-storage-class": "StorageClass",
}


def facts(request: dict[str, Any]) -> dict[str, Sequence[str]]:
    """What conditions see of a request."""
    found: dict[str, Sequence[str]] = {
        key: (str(request[member]),)
        for key, member in FACTS.items()
        if isinstance(request.get(member), str | int)
    }
    given = request.get("Tagging")
    if given is not None:
        pairs = parse_qsl(given, keep_blank_values=True) if isinstance(given, str) else _pairs(given)
        found |= {f"s3:requestobjecttag/{name}".lower(): (value,) for name, value in pairs}
        found["s3:requestobjecttagkeys"] = [name for name, _ in pairs]
    return found


def _pairs(tagging: dict[str, Any]) -> list[tuple[str, str]]:
    return [(str(tag.get("Key", "")), str(tag.get("Value", ""))) for tag in tagging.get("TagSet", ())]


def existing(tags: dict[str, str]) -> dict[str, Sequence[str]]:
    """What conditions see of an object that is there."""
    return {f"s3:existingobjecttag/{name}".lower(): (value,) for name, value in tags.items()}


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    ctx.facts = facts(request)
    if operation == "ListBuckets":
        return (Need("s3:ListAllMyBuckets", "*"),)
    if operation == "CreateBucket":
        return (Need("s3:CreateBucket", f"arn:aws:s3:::{request['Bucket']}", ctx.facts),)
    return ()
