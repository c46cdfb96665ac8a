"""Authorizers."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Record
from . import deployments, stages
from .parts import merged, new_id, page, require, require_api, taken, within_quota

MEMBERS = (
    "AuthorizerCredentialsArn", "AuthorizerResultTtlInSeconds", "AuthorizerType", "AuthorizerUri", "IdentitySource",
    "IdentityValidationExpression", "Name",
)  # fmt: skip


async def _check_name(tx: Transaction, api_id: str, authorizer: Record) -> None:
    for other in await storage.list_parts(tx, api_id, "authorizer"):
        if other["Name"] == authorizer["Name"] and other["AuthorizerId"] != authorizer["AuthorizerId"]:
            raise model.bad_request(
                f"Authorizer name must be unique. Authorizer {other['Name']} already exists in this API."
            )


async def create_authorizer(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id = request["ApiId"]
    authorizer = {**taken(request, MEMBERS), "AuthorizerId": new_id(6)}

    async def body(tx: Transaction) -> None:
        api = await require_api(tx, ctx, api_id)
        await within_quota(tx, api_id, "authorizer", model.AUTHORIZERS_PER_API)
        await _check_name(tx, api_id, authorizer)
        await storage.put_part(tx, api_id, "authorizer", authorizer["AuthorizerId"], authorizer)
        await deployments.changed(tx, ctx, api)

    await ctx.store.transact(body)
    return authorizer


async def get_authorizer(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        await require_api(tx, ctx, request["ApiId"])
        return await require(tx, request["ApiId"], "authorizer", request["AuthorizerId"])

    return await ctx.store.read(body)


async def get_authorizers(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> list[Record]:
        await require_api(tx, ctx, request["ApiId"])
        return await storage.list_parts(tx, request["ApiId"], "authorizer")

    return page(await ctx.store.read(body), request)


async def update_authorizer(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id = request["ApiId"]

    async def body(tx: Transaction) -> Record:
        api = await require_api(tx, ctx, api_id)
        authorizer = merged(
            await require(tx, api_id, "authorizer", request["AuthorizerId"]), request, MEMBERS
        )
        await _check_name(tx, api_id, authorizer)
        await storage.put_part(tx, api_id, "authorizer", authorizer["AuthorizerId"], authorizer)
        await deployments.changed(tx, ctx, api)
        return authorizer

    return await ctx.store.transact(body)


async def delete_authorizer(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id, id = request["ApiId"], request["AuthorizerId"]

    async def body(tx: Transaction) -> None:
        api = await require_api(tx, ctx, api_id)
        await require(tx, api_id, "authorizer", id)
        routes = await storage.list_parts(tx, api_id, "route")
        users = [route["RouteId"] for route in routes if route.get("AuthorizerId") == id]
        if users:
            raise model.authorizer_in_use(users)
        await storage.delete_part(tx, api_id, "authorizer", id)
        await deployments.changed(tx, ctx, api)

    await ctx.store.transact(body)
    return {}


async def reset_authorizers_cache(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        api = await require_api(tx, ctx, request["ApiId"])
        stage = await require(tx, request["ApiId"], "stage", request["StageName"])
        await stages.serve(tx, ctx, api, stage, flush=True)

    await ctx.store.transact(body)
    return {}
