"""Models: JSON schemas by name."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Record
from . import deployments
from .parts import merged, new_id, page, require, require_api, taken

MEMBERS = ("ContentType", "Description", "Name", "Schema")


async def _check_name(tx: Transaction, api_id: str, record: Record) -> None:
    for other in await storage.list_parts(tx, api_id, "model"):
        if other["Name"] == record["Name"] and other["ModelId"] != record["ModelId"]:
            raise model.conflict("Model name already exists for this API")


async def create_model(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id = request["ApiId"]
    record = {"ContentType": "application/json", **taken(request, MEMBERS), "ModelId": new_id(6)}

    async def body(tx: Transaction) -> None:
        api = await require_api(tx, ctx, api_id)
        await _check_name(tx, api_id, record)
        await storage.put_part(tx, api_id, "model", record["ModelId"], record)
        await deployments.changed(tx, ctx, api)

    await ctx.store.transact(body)
    return record


async def get_model(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        await require_api(tx, ctx, request["ApiId"])
        return await require(tx, request["ApiId"], "model", request["ModelId"])

    return await ctx.store.read(body)


async def get_models(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> list[Record]:
        await require_api(tx, ctx, request["ApiId"])
        return await storage.list_parts(tx, request["ApiId"], "model")

    return page(await ctx.store.read(body), request)


async def update_model(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id = request["ApiId"]

    async def body(tx: Transaction) -> Record:
        api = await require_api(tx, ctx, api_id)
        record = merged(await require(tx, api_id, "model", request["ModelId"]), request, MEMBERS)
        await _check_name(tx, api_id, record)
        await storage.put_part(tx, api_id, "model", record["ModelId"], record)
        await deployments.changed(tx, ctx, api)
        return record

    return await ctx.store.transact(body)


async def delete_model(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id, id = request["ApiId"], request["ModelId"]

    async def body(tx: Transaction) -> None:
        api = await require_api(tx, ctx, api_id)
        await require(tx, api_id, "model", id)
        await storage.delete_part(tx, api_id, "model", id)
        await deployments.changed(tx, ctx, api)

    await ctx.store.transact(body)
    return {}
