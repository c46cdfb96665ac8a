"""Integration responses and route responses: parts of an integration and of a route, alike but for their members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Record
from . import deployments
from .parts import merged, new_id, page, require, require_api, taken


@dataclass(slots=True, frozen=True)
class Kind:
    kind: str
    id: str
    key: str
    parent_kind: str
    parent_id: str
    members: tuple[str, ...]
    maps: tuple[str, ...]

    async def find(self, tx: Transaction, ctx: Context, request: Record) -> Record:
        await self.parent(tx, ctx, request)
        return await require(tx, request["ApiId"], self.kind, request[self.id], request[self.parent_id])

    async def parent(self, tx: Transaction, ctx: Context, request: Record) -> Record:
        """The API, once it is known that the parent exists too."""
        api = await require_api(tx, ctx, request["ApiId"])
        await require(tx, request["ApiId"], self.parent_kind, request[self.parent_id])
        return api

    async def list(self, tx: Transaction, request: Record) -> list[Record]:
        return await storage.list_parts(tx, request["ApiId"], self.kind, request[self.parent_id])

    async def save(self, tx: Transaction, ctx: Context, api: Record, request: Record, record: Record) -> None:
        for other in await self.list(tx, request):
            if other[self.key] == record[self.key] and other[self.id] != record[self.id]:
                raise model.conflict(
                    f"{self.key.removesuffix('Key')} with key {record[self.key]} already exists"
                )
        await storage.put_part(tx, api["ApiId"], self.kind, record[self.id], record, request[self.parent_id])
        await deployments.changed(tx, ctx, api)


INTEGRATION = Kind(
    kind="integrationresponse",
    id="IntegrationResponseId",
    key="IntegrationResponseKey",
    parent_kind="integration",
    parent_id="IntegrationId",
    members=(
        "ContentHandlingStrategy", "IntegrationResponseKey", "ResponseParameters", "ResponseTemplates",
        "TemplateSelectionExpression",
    ),
    maps=("ResponseParameters", "ResponseTemplates"),
)  # fmt: skip
ROUTE = Kind(
    kind="routeresponse",
    id="RouteResponseId",
    key="RouteResponseKey",
    parent_kind="route",
    parent_id="RouteId",
    members=("ModelSelectionExpression", "ResponseModels", "ResponseParameters", "RouteResponseKey"),
    maps=("ResponseModels", "ResponseParameters"),
)


async def _create(kind: Kind, ctx: Context, request: Record) -> Record:
    record = {**taken(request, kind.members), kind.id: new_id()}

    async def body(tx: Transaction) -> None:
        await kind.save(tx, ctx, await kind.parent(tx, ctx, request), request, record)

    await ctx.store.transact(body)
    return record


async def _get(kind: Kind, ctx: Context, request: Record) -> Record:
    return await ctx.store.read(lambda tx: kind.find(tx, ctx, request))


async def _list(kind: Kind, ctx: Context, request: Record) -> Record:
    async def body(tx: Transaction) -> list[Record]:
        await kind.parent(tx, ctx, request)
        return await kind.list(tx, request)

    return page(await ctx.store.read(body), request)


async def _update(kind: Kind, ctx: Context, request: Record) -> Record:
    async def body(tx: Transaction) -> Record:
        api = await kind.parent(tx, ctx, request)
        record = merged(await kind.find(tx, ctx, request), request, kind.members, kind.maps)
        await kind.save(tx, ctx, api, request, record)
        return record

    return await ctx.store.transact(body)


async def _delete(kind: Kind, ctx: Context, request: Record) -> Record:
    async def body(tx: Transaction) -> None:
        api = await kind.parent(tx, ctx, request)
        await kind.find(tx, ctx, request)
        await storage.delete_part(tx, request["ApiId"], kind.kind, request[kind.id], request[kind.parent_id])
        await deployments.changed(tx, ctx, api)

    await ctx.store.transact(body)
    return {}


async def create_integration_response(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _create(INTEGRATION, ctx, request)


async def get_integration_response(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _get(INTEGRATION, ctx, request)


async def get_integration_responses(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _list(INTEGRATION, ctx, request)


async def update_integration_response(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _update(INTEGRATION, ctx, request)


async def delete_integration_response(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _delete(INTEGRATION, ctx, request)


async def create_route_response(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _create(ROUTE, ctx, request)


async def get_route_response(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _get(ROUTE, ctx, request)


async def get_route_responses(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _list(ROUTE, ctx, request)


async def update_route_response(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _update(ROUTE, ctx, request)


async def delete_route_response(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _delete(ROUTE, ctx, request)
