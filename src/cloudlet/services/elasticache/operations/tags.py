"""Tags, of everything that has an ARN."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..names import name_of, tags

Response = dict[str, Any]


def _list(record: storage.Record) -> Response:
    return {"TagList": [{"Key": key, "Value": value} for key, value in record["tags"].items()]}


async def add_tags_to_resource(ctx: Context, request: dict[str, Any]) -> Response:
    name = name_of(request["ResourceName"])
    added = tags(request)

    async def body(tx: Transaction) -> Response:
        record = await storage.need(tx, name)
        record = record | {"tags": record["tags"] | added}
        if len(record["tags"]) > model.MAX_TAGS:
            raise model.too_many_tags()
        await storage.put(tx, name, record)
        return _list(record)

    return await ctx.store.transact(body)


async def remove_tags_from_resource(ctx: Context, request: dict[str, Any]) -> Response:
    name = name_of(request["ResourceName"])

    async def body(tx: Transaction) -> Response:
        record = await storage.need(tx, name)
        for key in request["TagKeys"]:
            if key not in record["tags"]:
                raise model.no_such_tag(key)
        left = {key: value for key, value in record["tags"].items() if key not in request["TagKeys"]}
        record = record | {"tags": left}
        await storage.put(tx, name, record)
        return _list(record)

    return await ctx.store.transact(body)


async def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> Response:
    name = name_of(request["ResourceName"])
    return _list(await ctx.store.read(lambda tx: storage.need(tx, name)))
