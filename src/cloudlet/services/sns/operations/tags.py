"""Tags of topics."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....errors import AwsError
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Name, Record, name_of

Response = dict[str, Any]


async def _topic(tx: Transaction, name: Name) -> Record:
    found = await storage.find(tx, name)
    if found is None:
        raise model.no_resource()
    return found


def _name(request: dict[str, Any]) -> Name:
    try:
        return name_of(request["ResourceArn"], "ResourceArn")
    except AwsError as error:
        raise model.no_resource() from error


async def tag_resource(ctx: Context, request: dict[str, Any]) -> Response:
    name = _name(request)

    async def body(tx: Transaction) -> None:
        found = await _topic(tx, name)
        tags = found["Tags"] | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        if len(tags) > model.MAX_TAGS:
            raise model.too_many_tags()
        await storage.put_topic(tx, name, {**found, "Tags": tags})

    await ctx.store.transact(body)
    return {}


async def untag_resource(ctx: Context, request: dict[str, Any]) -> Response:
    name = _name(request)

    async def body(tx: Transaction) -> None:
        found = await _topic(tx, name)
        tags = {key: value for key, value in found["Tags"].items() if key not in request["TagKeys"]}
        await storage.put_topic(tx, name, {**found, "Tags": tags})

    await ctx.store.transact(body)
    return {}


async def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> Response:
    name = _name(request)
    found = await ctx.store.read(lambda tx: _topic(tx, name))
    return {"Tags": [{"Key": key, "Value": value} for key, value in found["Tags"].items()]}
