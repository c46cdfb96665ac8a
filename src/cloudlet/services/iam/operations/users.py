"""Users."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....names import arn
from ....store.interface import Transaction
from .. import model, storage
from .common import Record, existing, new_id, page, refuse_if_used, under
from .entities import create, get, move_policies

LISTED = ("Path", "UserName", "UserId", "Arn", "CreateDate")


def described(user: Record) -> Record:
    return {name: value for name, value in user.items() if name != "Tags" or value}


def caller_name(ctx: Context) -> str:
    """The name of the user who asks, for operations that are about the caller when they name nobody."""
    if ctx.principal.kind != "user":
        raise model.user_name_required()
    return ctx.principal.arn.rpartition("/")[2]


async def create_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name, path = request["UserName"], request.get("Path", "/")
    user: Record = {
        "Path": path,
        "UserName": name,
        "UserId": new_id("AIDA"),
        "Arn": arn("iam", "", ctx.account, f"user{path}{name}"),
        "CreateDate": float(int(ctx.clock.now())),
    }
    return {"User": described(await create(ctx, "user", user, request))}


async def get_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    if "UserName" not in request and ctx.principal.kind == "root":
        root = {"Path": "/", "UserName": "root", "UserId": ctx.account, "Arn": ctx.principal.arn}
        return {"User": {**root, "CreateDate": 0.0}}
    return {"User": described(await get(ctx, "user", request.get("UserName") or caller_name(ctx)))}


async def list_users(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> list[Record]:
        return await storage.entities(tx, ctx.account, "user")

    users = under(request, await ctx.store.read(body))
    return page(request, [{name: user[name] for name in LISTED} for user in users], "Users", "UserName")


async def update_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A new name or path; policies and keys go with the user."""
    old = request["UserName"]

    async def body(tx: Transaction) -> None:
        user = await existing(tx, ctx.account, "user", old)
        name, path = request.get("NewUserName") or user["UserName"], request.get("NewPath") or user["Path"]
        if name.lower() != old.lower():
            if await storage.entity(tx, ctx.account, "user", name) is not None:
                raise model.already_exists("user", name)
            await _move(tx, ctx.account, user, name)
        changed = {"UserName": name, "Path": path, "Arn": arn("iam", "", ctx.account, f"user{path}{name}")}
        await storage.put_entity(tx, ctx.account, "user", name, {**user, **changed})

    await ctx.store.transact(body)
    return {}


async def _move(tx: Transaction, account: str, user: Record, name: str) -> None:
    old = user["UserName"]
    await move_policies(tx, account, "user", user, name)
    for key in await storage.access_keys(tx, account, old):
        await storage.delete_access_key(tx, account, old, key["AccessKeyId"])
        await storage.put_access_key(tx, account, {**key, "UserName": name})
    for group in await storage.groups_of(tx, account, old):
        await storage.leave(tx, account, old, group)
        await storage.join(tx, account, name, group)
    await storage.delete_entity(tx, account, "user", old)


async def delete_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request["UserName"]

    async def body(tx: Transaction) -> None:
        await existing(tx, ctx.account, "user", name)
        if await storage.access_keys(tx, ctx.account, name):
            raise model.must_delete_keys()
        if await storage.groups_of(tx, ctx.account, name):
            raise model.must_leave_groups()
        await refuse_if_used(tx, ctx.account, "user", name)
        await storage.delete_entity(tx, ctx.account, "user", name)

    await ctx.store.transact(body)
    return {}
