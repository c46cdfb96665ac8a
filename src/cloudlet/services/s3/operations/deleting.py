"""Objects deleted, one or many: versions removed for good, or hidden behind a delete marker."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....errors import AwsError
from ....store.interface import Transaction
from .. import access, model, scope, storage
from . import writing

Request = dict[str, Any]
Record = dict[str, Any]


async def delete_object(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> dict[str, Any]:
        bucket = await scope.found(tx, request)
        return await _delete(tx, ctx, bucket, request)

    return await ctx.store.transact(body)


async def _delete(tx: Transaction, ctx: Context, bucket: Record, request: Request) -> dict[str, Any]:
    key, id = request["Key"], request.get("VersionId")
    scope.look(ctx, bucket, request)
    access.check(ctx, bucket, "s3:DeleteObject" if id is None else "s3:DeleteObjectVersion", key)
    uid, tasks = bucket["uid"], ctx.node.tasks
    newest = await storage.current(tx, uid, key)
    _check(request, newest)
    if id is not None:
        return await _delete_version(tx, ctx, bucket, key, id, newest)
    versioning = bucket.get("versioning", "")
    if not versioning:
        if newest is not None:
            await storage.drop_current(tx, tasks, uid, key, newest)
        return {}
    stamp = tx.stamp()
    marker = {
        "v": storage.new_version_id(stamp) if versioning == "Enabled" else storage.NULL,
        "stamp": stamp.hex(),
        "modified": int(ctx.clock.now()),
        "marker": True,
        "owner": bucket["owner"],
    }
    await writing.supersede(tx, ctx, bucket, key, newest)
    await storage.put_current(tx, uid, key, marker)
    return {"DeleteMarker": True, "VersionId": marker["v"]}


async def _delete_version(
    tx: Transaction, ctx: Context, bucket: Record, key: str, id: str, newest: Record | None
) -> dict[str, Any]:
    uid, tasks = bucket["uid"], ctx.node.tasks
    if id != storage.NULL and len(id) != 32:
        raise model.invalid("versionId", id, "Invalid version id specified")
    record = await storage.version(tx, uid, key, id)
    result: dict[str, Any] = {"VersionId": id}
    if record is None:
        return result
    if newest is not None and newest["v"] == id:
        await storage.drop_current(tx, tasks, uid, key, record)
    else:
        await storage.drop_older(tx, tasks, uid, key, record)
    if record.get("marker"):
        result["DeleteMarker"] = True
    return result


def _check(request: Request, newest: Record | None) -> None:
    expected = request.get("IfMatch") or request.get("ETag")
    if expected is None:
        return
    if newest is None:
        raise model.error("NoSuchKey", Key=request["Key"])
    if newest.get("marker"):
        raise model.precondition("If-Match")
    if expected != "*" and expected.strip('"') != newest["etag"].strip('"'):
        raise model.precondition("If-Match")


async def delete_objects(ctx: Context, request: Request) -> dict[str, Any]:
    given = request["Delete"]

    async def body(tx: Transaction) -> dict[str, Any]:
        bucket = await scope.found(tx, request)
        deleted: list[Record] = []
        errors: list[Record] = []
        for one in given["Objects"]:
            named = {name: one[name] for name in ("Key", "VersionId") if name in one}
            try:
                result = await _delete(tx, ctx, bucket, one)
            except AwsError as error:
                errors.append({**named, "Code": error.code, "Message": error.message})
                continue
            if result.get("DeleteMarker"):
                named |= {"DeleteMarker": True, "DeleteMarkerVersionId": result["VersionId"]}
            deleted.append(named)
        shown = {} if given.get("Quiet") else {"Deleted": deleted}
        return shown | ({"Errors": errors} if errors else {})

    return await ctx.store.transact(body)
