"""APIs."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Record
from . import deployments, stages
from .parts import merged, new_id, page, require_api, taken
from .tags import api_arn

MEMBERS = (
    "ApiKeySelectionExpression", "Description", "DisableExecuteApiEndpoint", "DisableSchemaValidation",
    "IpAddressType", "Name", "RouteSelectionExpression", "Version",
)  # fmt: skip


async def create_api(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id = new_id(10)
    api: Record = {
        "ApiKeySelectionExpression": model.DEFAULT_API_KEY_SELECTION,
        "DisableExecuteApiEndpoint": False,
        "IpAddressType": "ipv4",
        **taken(request, MEMBERS),
        "ApiEndpoint": f"wss://{api_id}.execute-api.{ctx.region}.amazonaws.com",
        "ApiId": api_id,
        "CreatedDate": ctx.clock.now(),
        "ProtocolType": "WEBSOCKET",
    }
    tags = request.get("Tags") or {}

    async def body(tx: Transaction) -> None:
        await storage.put_api(tx, ctx.account, ctx.region, api)
        await storage.put_tags(tx, api_arn(ctx, api_id), tags)

    await ctx.store.transact(body)
    return {**api, "Tags": tags}


async def get_api(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        return await _tagged(tx, ctx, await require_api(tx, ctx, request["ApiId"]))

    return await ctx.store.read(body)


async def get_apis(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> list[Record]:
        apis = await storage.list_apis(tx, ctx.account, ctx.region)
        return [await _tagged(tx, ctx, api) for api in apis]

    return page(await ctx.store.read(body), request)


async def update_api(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        api = merged(await require_api(tx, ctx, request["ApiId"]), request, MEMBERS)
        await storage.put_api(tx, ctx.account, ctx.region, api)
        await deployments.changed(tx, ctx, api)
        for stage in await storage.list_parts(tx, api["ApiId"], "stage"):
            await stages.serve(tx, ctx, api, stage)
        return await _tagged(tx, ctx, api)

    return await ctx.store.transact(body)


async def delete_api(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id = request["ApiId"]

    async def body(tx: Transaction) -> None:
        await require_api(tx, ctx, api_id)
        for stage in await storage.list_parts(tx, api_id, "stage"):
            await stages.remove(tx, ctx, api_id, stage["StageName"])
        await storage.put_tags(tx, api_arn(ctx, api_id), {})
        await storage.delete_api(tx, ctx.account, ctx.region, api_id)

    await ctx.store.transact(body)
    return {}


async def _tagged(tx: Transaction, ctx: Context, api: Record) -> Record:
    return {**api, "Tags": await storage.get_tags(tx, api_arn(ctx, api["ApiId"]))}
