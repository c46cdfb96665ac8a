"""Tags of functions."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..arns import Reference, parse

Response = dict[str, Any]


def _resource(ctx: Context, arn: str) -> Reference:
    ref = parse(ctx, arn)
    if ref.qualifier:
        raise model.invalid(
            "Tags on function aliases and versions are not supported. Please specify a function ARN."
        )
    return ref


async def list_tags(ctx: Context, request: dict[str, Any]) -> Response:
    ref = _resource(ctx, request["Resource"])
    function = await ctx.store.read(lambda tx: storage.load_function(tx, ref))
    return {"Tags": function.record["tags"]}


async def tag_resource(ctx: Context, request: dict[str, Any]) -> Response:
    ref = _resource(ctx, request["Resource"])

    async def body(tx: Transaction) -> None:
        record = await storage.function(tx, ref)
        record["tags"] = {**record["tags"], **request["Tags"]}
        if len(record["tags"]) > model.MAX_TAGS:
            raise model.invalid("Number of tags exceeds resource tag limit.")
        await storage.put_function(tx, ref, record)

    await ctx.store.transact(body)
    return {}


async def untag_resource(ctx: Context, request: dict[str, Any]) -> Response:
    ref = _resource(ctx, request["Resource"])

    async def body(tx: Transaction) -> None:
        record = await storage.function(tx, ref)
        record["tags"] = {k: v for k, v in record["tags"].items() if k not in request["TagKeys"]}
        await storage.put_function(tx, ref, record)

    await ctx.store.transact(body)
    return {}
