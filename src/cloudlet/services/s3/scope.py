"""What most operations begin with: the bucket that is meant, whether the caller may, the version that is meant."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ...context import Context
from ...store.interface import Transaction
from . import access, model, permissions, storage, validation

Record = dict[str, Any]
Request = dict[str, Any]


async def found(tx: Transaction, request: Request) -> Record:
    """The bucket's record, shared. Raises NoSuchBucket."""
    bucket = await storage.bucket(tx, request["Bucket"])
    if bucket is None:
        validation.could_be_bucket(request["Bucket"])
        raise model.error("NoSuchBucket", BucketName=request["Bucket"])
    expected = request.get("ExpectedBucketOwner")
    if expected is not None and expected != bucket["owner"]:
        raise model.error("AccessDenied")
    return bucket


async def bucket(
    tx: Transaction, ctx: Context, request: Request, action: str, key: str | None = None
) -> Record:
    """The bucket's record, shared, of a caller who may."""
    record = await found(tx, request)
    look(ctx, record, request)
    access.check(ctx, record, f"s3:{action}", key)
    return record


def look(ctx: Context, bucket: Record, request: Request) -> None:
    """The pipeline doesn't ask the administrator for permission, but a bucket's policy may deny him something, too: its
    conditions need to see the request."""
    if ctx.principal.kind == "root" and "policy" in bucket:
        ctx.facts = permissions.facts(request)


async def version(tx: Transaction, ctx: Context, record: Record, request: Request, action: str) -> Record:
    """The version that a request means, which may be read; shared. Raises what S3 says of markers and absences."""
    key, id = request["Key"], request.get("VersionId")
    look(ctx, record, request)
    if id is None:
        newest = await storage.current(tx, record["uid"], key)
        if newest is None or newest.get("marker"):
            _check_absent(ctx, record, action, key)
            validation.key(key)
            fields: dict[str, Any] = {"Key": key}
            if newest is not None:
                fields |= {"x-amz-delete-marker": "true", "x-amz-version-id": newest["v"]}
            raise model.error("NoSuchKey", **fields)
        access.check(ctx, record, f"s3:{action}", key, newest)
        return newest
    one = await storage.version(tx, record["uid"], key, id)
    versioned = action.replace("Object", "ObjectVersion", 1)
    if one is None:
        _check_absent(ctx, record, versioned, key)
        if not id:
            raise model.invalid("versionId", id, "Version id cannot be the empty string")
        if id != storage.NULL and len(id) != 32:
            raise model.invalid("versionId", id, "Invalid version id specified")
        raise model.error("NoSuchVersion", Key=key, VersionId=id)
    access.check(ctx, record, f"s3:{versioned}", key, one)
    if one.get("marker"):
        fields = {"Method": "GET", "ResourceType": "DeleteMarker"}
        raise model.error(
            "MethodNotAllowed",
            **fields,
            **{"x-amz-delete-marker": "true", "x-amz-version-id": id, "Allow": "DELETE"},
        )
    return one


def _check_absent(ctx: Context, record: Record, action: str, key: str) -> None:
    """Who may not list is not told what isn't there. An object that isn't there has no ACL that could let others in,
    so of them nothing more is asked."""
    if ctx.principal.kind in ("user", "role"):
        access.check(ctx, record, f"s3:{action}", key)
    access.check(ctx, record, "s3:ListBucket")


def place(ctx: Context, bucket: str, key: str) -> str:
    """An object's address, as the client names the bucket: in the path or in the host."""
    origin = ctx.origin or ctx.node.url
    named = origin.partition("://")[2].startswith(f"{bucket}.")
    return f"{origin}{'' if named else f'/{bucket}'}/{quote(key, safe='')}"


def shown(record: Record, id: str) -> dict[str, str]:
    """The version id as an answer has it: not at all in a bucket that never had versions."""
    return {"VersionId": id} if record.get("versioning") else {}
