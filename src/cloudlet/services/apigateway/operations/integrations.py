"""Integrations."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Record
from . import deployments
from .parts import merged, new_id, page, require, require_api, taken, within_quota

MEMBERS = (
    "ConnectionType", "ContentHandlingStrategy", "CredentialsArn", "Description", "IntegrationMethod",
    "IntegrationType", "IntegrationUri", "PassthroughBehavior", "PayloadFormatVersion", "RequestParameters",
    "RequestTemplates", "TemplateSelectionExpression", "TimeoutInMillis", "TlsConfig",
)  # fmt: skip
MAPS = ("RequestParameters", "RequestTemplates")


async def create_integration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id = request["ApiId"]
    integration: Record = {
        "ConnectionType": "INTERNET",
        "PassthroughBehavior": "WHEN_NO_MATCH",
        "PayloadFormatVersion": "1.0",
        "TimeoutInMillis": model.INTEGRATION_MILLIS,
        **taken(request, MEMBERS),
        "IntegrationId": new_id(),
        "IntegrationResponseSelectionExpression": model.DEFAULT_RESPONSE_SELECTION,
    }
    if integration["IntegrationType"] in ("AWS", "AWS_PROXY"):
        integration.setdefault("IntegrationMethod", "POST")

    async def body(tx: Transaction) -> None:
        api = await require_api(tx, ctx, api_id)
        await within_quota(tx, api_id, "integration", model.INTEGRATIONS_PER_API)
        await storage.put_part(tx, api_id, "integration", integration["IntegrationId"], integration)
        await deployments.changed(tx, ctx, api)

    await ctx.store.transact(body)
    return integration


async def get_integration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        await require_api(tx, ctx, request["ApiId"])
        return await require(tx, request["ApiId"], "integration", request["IntegrationId"])

    return await ctx.store.read(body)


async def get_integrations(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> list[Record]:
        await require_api(tx, ctx, request["ApiId"])
        return await storage.list_parts(tx, request["ApiId"], "integration")

    return page(await ctx.store.read(body), request)


async def update_integration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id = request["ApiId"]

    async def body(tx: Transaction) -> Record:
        api = await require_api(tx, ctx, api_id)
        old = await require(tx, api_id, "integration", request["IntegrationId"])
        integration = merged(old, request, MEMBERS, MAPS)
        await storage.put_part(tx, api_id, "integration", integration["IntegrationId"], integration)
        await deployments.changed(tx, ctx, api)
        return integration

    return await ctx.store.transact(body)


async def delete_integration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id, id = request["ApiId"], request["IntegrationId"]

    async def body(tx: Transaction) -> None:
        api = await require_api(tx, ctx, api_id)
        await require(tx, api_id, "integration", id)
        routes = await storage.list_parts(tx, api_id, "route")
        users = [route["RouteId"] for route in routes if route.get("Target") == f"integrations/{id}"]
        if users:
            raise model.integration_in_use(users)
        await storage.delete_part(tx, api_id, "integration", id)
        await storage.delete_parts(tx, api_id, "integrationresponse", id)
        await deployments.changed(tx, ctx, api)

    await ctx.store.transact(body)
    return {}
