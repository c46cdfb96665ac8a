"""Tags, of everything that has an ARN."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..names import name_of, tags
from ..storage import Name, Record
from . import groups

Response = dict[str, Any]


async def _tagged(tx: Transaction, name: Name) -> tuple[Name, Record]:
    """What has the tags: a member of a replication group has those of its group."""
    owner = await groups.with_member(tx, name) if name.kind == "cluster" else None
    return owner or name, await storage.need(tx, owner or name)


def _list(record: Record) -> Response:
    return {"TagList": [{"Key": key, "Value": value} for key, value in record["tags"].items()]}


async def add_tags_to_resource(ctx: Context, request: dict[str, Any]) -> Response:
    name = name_of(request["ResourceName"])
    added = tags(request)

    async def body(tx: Transaction) -> Response:
        owner, record = await _tagged(tx, name)
        record = record | {"tags": record["tags"] | added}
        if len(record["tags"]) > model.MAX_TAGS:
            raise model.too_many_tags()
        await storage.put(tx, owner, record)
        return _list(record)

    return await ctx.store.transact(body)


async def remove_tags_from_resource(ctx: Context, request: dict[str, Any]) -> Response:
    name = name_of(request["ResourceName"])

    async def body(tx: Transaction) -> Response:
        owner, record = await _tagged(tx, name)
        for key in request["TagKeys"]:
            if key not in record["tags"]:
                raise model.no_such_tag(key)
        left = {key: value for key, value in record["tags"].items() if key not in request["TagKeys"]}
        record = record | {"tags": left}
        await storage.put(tx, owner, record)
        return _list(record)

    return await ctx.store.transact(body)


async def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> Response:
    name = name_of(request["ResourceName"])
    _, record = await ctx.store.read(lambda tx: _tagged(tx, name))
    return _list(record)
