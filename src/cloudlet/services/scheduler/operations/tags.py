"""Tags of schedule groups; schedules have none."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Record
from .groups import here

Response = dict[str, Any]


def _name(request: dict[str, Any]) -> str:
    name: str = request["ResourceArn"].rpartition("/")[2]
    return name


async def _group(ctx: Context, tx: Transaction, request: dict[str, Any]) -> Record:
    record = await storage.group(tx, here(ctx), _name(request))
    if record["Arn"] != request["ResourceArn"]:
        raise model.no_group(_name(request))
    return record


async def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> Response:
    record = await ctx.store.read(lambda tx: _group(ctx, tx, request))
    return {"Tags": [{"Key": key, "Value": value} for key, value in record.get("Tags", {}).items()]}


async def tag_resource(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(tx: Transaction) -> None:
        record = await _group(ctx, tx, request)
        tags = record.get("Tags", {}) | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        if len(tags) > model.MAX_TAGS:
            raise model.too_many_tags()
        await storage.put_group(tx, here(ctx), {**record, "Tags": tags})

    await ctx.store.transact(body)
    return {}


async def untag_resource(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(tx: Transaction) -> None:
        record = await _group(ctx, tx, request)
        tags = {key: value for key, value in record.get("Tags", {}).items() if key not in request["TagKeys"]}
        await storage.put_group(tx, here(ctx), {**record, "Tags": tags})

    await ctx.store.transact(body)
    return {}
