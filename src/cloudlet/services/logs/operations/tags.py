"""Tags of log groups, by ARN and in the older form by name."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Group
from .groups import by_arn, named

Response = dict[str, Any]


async def _list(ctx: Context, group: Group) -> Response:
    record = await ctx.store.read(lambda tx: storage.group(tx, group))
    return {"tags": record["tags"]}


async def _change(ctx: Context, group: Group, put: dict[str, str], drop: list[str]) -> Response:
    async def body(tx: Transaction) -> None:
        record = await storage.group(tx, group)
        tags = {**{k: v for k, v in record["tags"].items() if k not in drop}, **put}
        if len(tags) > model.MAX_TAGS:
            raise model.too_many_tags(group.arn)
        await storage.put_group(tx, group, {**record, "tags": tags})

    await ctx.store.transact(body)
    return {}


async def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> Response:
    return await _list(ctx, by_arn(ctx, request["resourceArn"]))


async def tag_resource(ctx: Context, request: dict[str, Any]) -> Response:
    return await _change(ctx, by_arn(ctx, request["resourceArn"]), request["tags"], [])


async def untag_resource(ctx: Context, request: dict[str, Any]) -> Response:
    return await _change(ctx, by_arn(ctx, request["resourceArn"]), {}, request["tagKeys"])


async def list_tags_log_group(ctx: Context, request: dict[str, Any]) -> Response:
    return await _list(ctx, named(ctx, request))


async def tag_log_group(ctx: Context, request: dict[str, Any]) -> Response:
    return await _change(ctx, named(ctx, request), request["tags"], [])


async def untag_log_group(ctx: Context, request: dict[str, Any]) -> Response:
    return await _change(ctx, named(ctx, request), {}, request["tags"])
