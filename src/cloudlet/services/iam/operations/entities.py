"""Members, tags and permissions boundaries of roles and users: the same operations for both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from .common import Record, existing, page, with_tags, without_tags
from .inline import NAMES


def boundary(policy_arn: str) -> dict[str, str]:
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": policy_arn}


async def create(ctx: Context, kind: str, entity: Record, request: dict[str, Any]) -> Record:
    """Keep a new entity, with what a request can give to either kind."""
    name = entity[NAMES[kind]]
    if "PermissionsBoundary" in request:
        entity = {**entity, "PermissionsBoundary": boundary(request["PermissionsBoundary"])}
    entity = with_tags(entity, request.get("Tags", ()))

    async def body(tx: Transaction) -> None:
        if await storage.entity(tx, ctx.account, kind, name) is not None:
            raise model.already_exists(kind, name)
        await storage.put_entity(tx, ctx.account, kind, name, entity)

    await ctx.store.transact(body)
    return entity


async def change(
    ctx: Context, kind: str, request: dict[str, Any], edit: Callable[[Record], Record]
) -> Record:
    name = request[NAMES[kind]]

    async def body(tx: Transaction) -> Record:
        entity = edit(await existing(tx, ctx.account, kind, name))
        await storage.put_entity(tx, ctx.account, kind, name, entity)
        return entity

    return await ctx.store.transact(body)


async def get(ctx: Context, kind: str, name: str) -> Record:
    return await ctx.store.read(lambda tx: existing(tx, ctx.account, kind, name))


async def move_policies(tx: Transaction, account: str, kind: str, entity: Record, name: str) -> None:
    """The policies of an entity that gets a new name."""
    old = entity[NAMES[kind]]
    for policy in await storage.inlines(tx, account, kind, old):
        await storage.delete_inline(tx, account, kind, old, policy["PolicyName"])
        await storage.put_inline(tx, account, kind, name, policy["PolicyName"], policy["PolicyDocument"])
    for policy in await storage.attached(tx, account, kind, old):
        await storage.detach(tx, account, kind, old, policy["PolicyArn"])
        await storage.attach(tx, account, kind, {**entity, NAMES[kind]: name}, policy)


async def _bound(ctx: Context, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    limit = boundary(request["PermissionsBoundary"])
    await change(ctx, kind, request, lambda entity: {**entity, "PermissionsBoundary": limit})
    return {}


async def _unbound(ctx: Context, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    await change(
        ctx,
        kind,
        request,
        lambda entity: {name: value for name, value in entity.items() if name != "PermissionsBoundary"},
    )
    return {}


async def _tag(ctx: Context, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    await change(ctx, kind, request, lambda entity: with_tags(entity, request["Tags"]))
    return {}


async def _untag(ctx: Context, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    await change(ctx, kind, request, lambda entity: without_tags(entity, request["TagKeys"]))
    return {}


async def _tags(ctx: Context, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    entity = await get(ctx, kind, request[NAMES[kind]])
    return page(request, entity.get("Tags", []), "Tags", "Key")


async def put_role_permissions_boundary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _bound(ctx, "role", request)


async def put_user_permissions_boundary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _bound(ctx, "user", request)


async def delete_role_permissions_boundary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _unbound(ctx, "role", request)


async def delete_user_permissions_boundary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _unbound(ctx, "user", request)


async def tag_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _tag(ctx, "role", request)


async def tag_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _tag(ctx, "user", request)


async def untag_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _untag(ctx, "role", request)


async def untag_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _untag(ctx, "user", request)


async def list_role_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _tags(ctx, "role", request)


async def list_user_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _tags(ctx, "user", request)
