"""Routes."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Record
from . import deployments
from .parts import merged, new_id, page, require, require_api, taken, within_quota

MEMBERS = (
    "ApiKeyRequired", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "ModelSelectionExpression",
    "OperationName", "RequestModels", "RequestParameters", "RouteKey", "RouteResponseSelectionExpression", "Target",
)  # fmt: skip
MAPS = ("RequestModels", "RequestParameters")


async def _check(tx: Transaction, api_id: str, route: Record) -> None:
    """What a route refers to is there, and no other route has its key."""
    for other in await storage.list_parts(tx, api_id, "route"):
        if other["RouteKey"] == route["RouteKey"] and other["RouteId"] != route["RouteId"]:
            raise model.route_exists(route["RouteKey"])
    if "Target" in route:
        id = route["Target"].removeprefix("integrations/")
        if await storage.get_part(tx, api_id, "integration", id) is None:
            raise model.not_found(f"Unable to find Integration with id {id}")
    if route["AuthorizationType"] != "NONE" and route["RouteKey"] != "$connect":
        raise model.bad_request("Currently, authorization is restricted to the $connect route only")
    if route["AuthorizationType"] == "CUSTOM":
        if "AuthorizerId" not in route:
            raise model.bad_request("AuthorizerId must be specified with AuthorizationType CUSTOM")
        await require(tx, api_id, "authorizer", route["AuthorizerId"])


async def create_route(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id = request["ApiId"]

    async def body(tx: Transaction) -> Record:
        api = await require_api(tx, ctx, api_id)
        await within_quota(tx, api_id, "route", model.ROUTES_PER_API)
        route = {
            "ApiKeyRequired": False,
            "AuthorizationType": "NONE",
            **taken(request, MEMBERS),
            "RouteId": new_id(),
        }
        await _check(tx, api_id, route)
        await storage.put_part(tx, api_id, "route", route["RouteId"], route)
        await deployments.changed(tx, ctx, api)
        return route

    return await ctx.store.transact(body)


async def get_route(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        await require_api(tx, ctx, request["ApiId"])
        return await require(tx, request["ApiId"], "route", request["RouteId"])

    return await ctx.store.read(body)


async def get_routes(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> list[Record]:
        await require_api(tx, ctx, request["ApiId"])
        return await storage.list_parts(tx, request["ApiId"], "route")

    return page(await ctx.store.read(body), request)


async def update_route(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id = request["ApiId"]

    async def body(tx: Transaction) -> Record:
        api = await require_api(tx, ctx, api_id)
        route = merged(await require(tx, api_id, "route", request["RouteId"]), request, MEMBERS, MAPS)
        await _check(tx, api_id, route)
        await storage.put_part(tx, api_id, "route", route["RouteId"], route)
        await deployments.changed(tx, ctx, api)
        return route

    return await ctx.store.transact(body)


async def delete_route(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id, route_id = request["ApiId"], request["RouteId"]

    async def body(tx: Transaction) -> None:
        api = await require_api(tx, ctx, api_id)
        await require(tx, api_id, "route", route_id)
        await storage.delete_part(tx, api_id, "route", route_id)
        await storage.delete_parts(tx, api_id, "routeresponse", route_id)
        await deployments.changed(tx, ctx, api)

    await ctx.store.transact(body)
    return {}


async def delete_route_request_parameter(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id, key = request["ApiId"], request["RequestParameterKey"]

    async def body(tx: Transaction) -> None:
        api = await require_api(tx, ctx, api_id)
        route = await require(tx, api_id, "route", request["RouteId"])
        if route.get("RequestParameters", {}).pop(key, None) is None:
            raise model.not_found(f"Unable to find request parameter {key}")
        await storage.put_part(tx, api_id, "route", route["RouteId"], route)
        await deployments.changed(tx, ctx, api)

    await ctx.store.transact(body)
    return {}
