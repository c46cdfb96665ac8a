"""Tags of distributions."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage, validation
from .common import Record, Request


async def _tagged(tx: Transaction, ctx: Context, arn: str) -> Record:
    kind, _, id = arn.rpartition(":")[2].partition("/")
    record = await storage.distribution(tx, ctx.account, id) if kind == "distribution" else None
    if record is None or arn.split(":")[4] != ctx.account:
        raise model.error("NoSuchResource")
    return record


async def tag_resource(ctx: Context, request: Request) -> dict[str, Any]:
    given = validation.tags(request["Tags"].get("Items") or [])

    async def body(tx: Transaction) -> None:
        record = await _tagged(tx, ctx, request["Resource"])
        record["tags"] |= given
        if len(record["tags"]) > model.MAX_TAGS:
            raise model.error("InvalidTagging")
        await storage.put_distribution(tx, record)

    await ctx.store.transact(body)
    return {}


async def untag_resource(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        record = await _tagged(tx, ctx, request["Resource"])
        for key in request["TagKeys"].get("Items") or []:
            record["tags"].pop(key, None)
        await storage.put_distribution(tx, record)

    await ctx.store.transact(body)
    return {}


async def list_tags_for_resource(ctx: Context, request: Request) -> dict[str, Any]:
    record = await ctx.store.read(lambda tx: _tagged(tx, ctx, request["Resource"]))
    return {"Tags": {"Items": [{"Key": key, "Value": value} for key, value in record["tags"].items()]}}
