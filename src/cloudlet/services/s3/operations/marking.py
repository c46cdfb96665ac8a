"""What is put on an object that is there: its tags and its ACL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import access, grants, model, scope, storage, validation

Request = dict[str, Any]
Record = dict[str, Any]


async def _read(ctx: Context, request: Request, action: str) -> tuple[Record, Record]:
    async def body(tx: Transaction) -> tuple[Record, Record]:
        bucket = await scope.found(tx, request)
        return bucket, await scope.version(tx, ctx, bucket, request, action)

    return await ctx.store.read(body)


async def _change(
    ctx: Context, request: Request, action: str, change: Callable[[Record, Record], None]
) -> dict[str, Any]:
    async def body(tx: Transaction) -> tuple[Record, Record]:
        bucket = await scope.found(tx, request)
        record = dict(await scope.version(tx, ctx, bucket, request, action))
        change(bucket, record)
        await storage.put_version(tx, bucket["uid"], request["Key"], record)
        return bucket, record

    bucket, record = await ctx.store.transact(body)
    return scope.shown(bucket, record["v"])


async def get_object_tagging(ctx: Context, request: Request) -> dict[str, Any]:
    bucket, record = await _read(ctx, request, "GetObjectTagging")
    tags = [{"Key": name, "Value": value} for name, value in record.get("tags", {}).items()]
    return {"TagSet": tags, **scope.shown(bucket, record["v"])}


async def put_object_tagging(ctx: Context, request: Request) -> dict[str, Any]:
    tags = validation.tags(request.get("Tagging", {}).get("TagSet", []), model.MAX_OBJECT_TAGS)
    return await _change(ctx, request, "PutObjectTagging", lambda _, record: record.update(tags=tags))


async def delete_object_tagging(ctx: Context, request: Request) -> dict[str, Any]:
    return await _change(ctx, request, "DeleteObjectTagging", lambda _, record: record.update(tags={}))


async def get_object_acl(ctx: Context, request: Request) -> dict[str, Any]:
    _, record = await _read(ctx, request, "GetObjectAcl")
    return grants.shown(record["owner"], access.acl_of(record))


async def put_object_acl(ctx: Context, request: Request) -> dict[str, Any]:
    def change(bucket: Record, record: Record) -> None:
        acl = grants.wanted(ctx, request, bucket, record["owner"], "PutObjectAcl")
        if acl is None:
            raise model.error("MissingSecurityHeader")
        record["acl"] = acl

    await _change(ctx, request, "PutObjectAcl", change)
    return {}
