"""What S3's operations need.

S3 asks for permission where bucket and object are at hand, with their policy and ACLs: see `access`. Here is what is
about no bucket yet, and what the conditions of a request see.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need

FACTS = {
    "s3:delimiter": "Delimiter",
    "s3:max-keys": "MaxKeys",
    "s3:prefix": "Prefix",
    "s3:versionid": "VersionId",
    "s3:x-amz-acl": "ACL",
    "s3:x-amz-copy-source": "CopySource",
    "s3:x-amz-metadata-directive": "MetadataDirective",
    "s3:x-amz-server-side-encryption": "ServerSideEncryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
    "s3:x-amz-server-side-encryption-customer-algorithm": "SSECustomerAlgorithm",
    "s3:x-amz-storage-class": "StorageClass",
}


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    ctx.facts = {
        key: (str(request[member]),)
        for key, member in FACTS.items()
        if isinstance(request.get(member), str | int)
    }
    if operation == "ListBuckets":
        return (Need("s3:ListAllMyBuckets", "*"),)
    if operation == "CreateBucket":
        return (Need("s3:CreateBucket", f"arn:aws:s3:::{request['Bucket']}", ctx.facts),)
    return ()
