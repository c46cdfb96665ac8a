"""Encryption, as far as records and headers go: which kind an object has, what requests may ask for, buckets' defaults.

Nothing is encrypted here beyond what the disk does. Keys of KMS are kept as names. Keys of one's own (SSE-C) are
blocked, as they are by default in every bucket that was made since April 2026.
"""

from __future__ import annotations

import uuid
from typing import Any

from ...context import Context
from ...names import arn
from . import model

Record = dict[str, Any]
Request = dict[str, Any]

S3_MANAGED: dict[str, Any] = {"ServerSideEncryption": "AES256"}
"""What every answer says of an object that nobody wanted otherwise."""
HEADER = "x-amz-server-side-encryption"
WITH_KEYS = ("aws:kms", "aws:kms:dsse")
ALGORITHMS = ("AES256", *WITH_KEYS)
OWN_KEY = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")
_ASKED = frozenset(("ServerSideEncryption", "SSEKMSKeyId", *OWN_KEY))
DEFAULT_RULE: dict[str, Any] = {
    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
    "BucketKeyEnabled": False,
    "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
}
"""Of a bucket that was never told."""


def check_asked(request: Request) -> None:
    """What a request that makes an object says of its encryption."""
    if _ASKED.isdisjoint(request):
        return
    kind = request.get("ServerSideEncryption")
    own = [member for member in OWN_KEY if member in request]
    if own and own[0] != OWN_KEY[0]:
        text = (
            "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption "
            "algorithm."
        )
        raise model.invalid(HEADER, "null", text)
    if kind is None:
        if "SSEKMSKeyId" in request:
            raise _needs_kms(None)
        return
    if own:
        text = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
        raise model.invalid(HEADER, kind, text)
    if kind not in ALGORITHMS:
        raise model.invalid(HEADER, kind, "The encryption method specified is not supported")
    if kind == "AES256" and "SSEKMSKeyId" in request:
        raise _needs_kms(kind)


def _needs_kms(kind: str | None) -> Exception:
    text = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms"
    return model.invalid(HEADER, kind or "null", text)


def _own_key_refused(ctx: Context, bucket: Record, request: Request) -> Exception:
    action = "CopyObject" if "CopySource" in request else "PutObject"
    return model.error(
        "AccessDenied",
        f"User: {ctx.principal.arn} is not authorized to perform: s3:{action} on resource: "
        f'"arn:aws:s3:::{bucket["name"]}/{request["Key"]}" because this bucket has blocked upload requests that '
        "specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side "
        "encryption type",
    )


def chosen(ctx: Context, bucket: Record, request: Request) -> Record | None:
    """Of a new object, what its answers say of its encryption; None is S3's own, the usual one."""
    rule = bucket.get("encryption")
    asked = request.get("ServerSideEncryption")
    if "SSECustomerAlgorithm" in request:
        raise _own_key_refused(ctx, bucket, request)
    if rule is None and asked is None:
        return None
    default = rule["ApplyServerSideEncryptionByDefault"] if rule is not None else {}
    kind = asked or default.get("SSEAlgorithm", "AES256")
    if kind == "AES256":
        return None
    key = request.get("SSEKMSKeyId") or (
        default.get("KMSMasterKeyID") if kind == default.get("SSEAlgorithm") else None
    )
    made: Record = {"ServerSideEncryption": kind, "SSEKMSKeyId": _key_arn(bucket, key)}
    bucket_key = request.get("BucketKeyEnabled", rule["BucketKeyEnabled"] if rule is not None else False)
    if bucket_key and kind == "aws:kms":
        made["BucketKeyEnabled"] = True
    return made


def shown_context(request: Request) -> Record:
    """The encryption context, which only the answer to the request that gave it repeats."""
    context = request.get("SSEKMSEncryptionContext")
    return {"SSEKMSEncryptionContext": context} if context is not None else {}


def _key_arn(bucket: Record, key: str | None) -> str:
    """The key's ARN. If none was named it is the one that AWS makes for S3 in each account and region."""
    account, region = bucket["owner"], bucket["region"]
    if key is None:
        key = str(uuid.uuid5(uuid.NAMESPACE_OID, f"aws/s3 of {account} in {region}"))
    if key.startswith("arn:"):
        return key
    return arn("kms", region, account, key if key.startswith("alias/") else f"key/{key}")


def rule(configuration: Record) -> Record:
    """A bucket's rule as it is kept, from what PutBucketEncryption gives."""
    rules = configuration.get("Rules", [])
    if len(rules) != 1:
        raise model.error("MalformedXML")
    given = rules[0]
    default = given.get("ApplyServerSideEncryptionByDefault", {"SSEAlgorithm": "AES256"})
    if default.get("SSEAlgorithm") not in ALGORITHMS:
        raise model.error("MalformedXML")
    if "KMSMasterKeyID" in default and default["SSEAlgorithm"] == "AES256":
        text = (
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        )
        raise model.error("InvalidArgument", text, ArgumentName="ApplyServerSideEncryptionByDefault")
    blocked = given.get("BlockedEncryptionTypes", {}).get("EncryptionType", [])
    if not {"NONE", "SSE-C"}.issuperset(blocked):
        raise model.error("MalformedXML")
    if "NONE" in blocked:
        raise model.error(
            "NotImplemented", "Cloudlet does not have encryption with customer provided keys (SSE-C)"
        )
    return DEFAULT_RULE | {
        "ApplyServerSideEncryptionByDefault": default,
        "BucketKeyEnabled": bool(given.get("BucketKeyEnabled", False)),
    }
