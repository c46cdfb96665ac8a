"""Inline policies of roles, users and groups: the same four operations for each."""

from __future__ import annotations

import re
from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from .common import encoded, existing, page

NAMES = {"group": "GroupName", "role": "RoleName", "user": "UserName"}


async def _put(ctx: Context, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    name, policy, document = request[NAMES[kind]], request["PolicyName"], request["PolicyDocument"]

    async def body(tx: Transaction) -> None:
        await existing(tx, ctx.account, kind, name)
        others = [
            record["PolicyDocument"]
            for record in await storage.inlines(tx, ctx.account, kind, name)
            if record["PolicyName"] != policy
        ]
        if sum(len(re.sub(r"\s", "", text)) for text in [*others, document]) > model.INLINE_SIZE[kind]:
            raise model.inline_too_large(kind, name)
        await storage.put_inline(tx, ctx.account, kind, name, policy, document)

    await ctx.store.transact(body)
    return {}


async def _get(ctx: Context, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    name, policy = request[NAMES[kind]], request["PolicyName"]

    async def body(tx: Transaction) -> dict[str, Any]:
        await existing(tx, ctx.account, kind, name)
        found = await storage.inline(tx, ctx.account, kind, name, policy)
        if found is None:
            raise model.no_such_inline(kind, name, policy)
        return found

    found = await ctx.store.read(body)
    return {NAMES[kind]: name, "PolicyName": policy, "PolicyDocument": encoded(found["PolicyDocument"])}


async def _list(ctx: Context, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    name = request[NAMES[kind]]

    async def body(tx: Transaction) -> list[str]:
        await existing(tx, ctx.account, kind, name)
        return [record["PolicyName"] for record in await storage.inlines(tx, ctx.account, kind, name)]

    return page(request, await ctx.store.read(body), "PolicyNames")


async def _delete(ctx: Context, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    name, policy = request[NAMES[kind]], request["PolicyName"]

    async def body(tx: Transaction) -> None:
        await existing(tx, ctx.account, kind, name)
        if await storage.inline(tx, ctx.account, kind, name, policy) is None:
            raise model.no_such_inline(kind, name, policy)
        await storage.delete_inline(tx, ctx.account, kind, name, policy)

    await ctx.store.transact(body)
    return {}


async def put_group_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _put(ctx, "group", request)


async def put_role_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _put(ctx, "role", request)


async def put_user_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _put(ctx, "user", request)


async def get_group_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _get(ctx, "group", request)


async def get_role_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _get(ctx, "role", request)


async def get_user_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _get(ctx, "user", request)


async def list_group_policies(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _list(ctx, "group", request)


async def list_role_policies(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _list(ctx, "role", request)


async def list_user_policies(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _list(ctx, "user", request)


async def delete_group_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _delete(ctx, "group", request)


async def delete_role_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _delete(ctx, "role", request)


async def delete_user_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _delete(ctx, "user", request)
