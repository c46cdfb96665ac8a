"""Users."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....names import arn
from ....store.interface import Transaction
from .. import model, storage
from .common import Record, existing, new_id, page, refuse_if_used, under, with_tags, without_tags

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
    if "PermissionsBoundary" in request:
        user["PermissionsBoundary"] = _boundary(request["PermissionsBoundary"])
    user = with_tags(user, request.get("Tags", ()))

    async def body(tx: Transaction) -> None:
        if await storage.entity(tx, ctx.account, "user", name) is not None:
            raise model.already_exists("user", name)
        await storage.put_entity(tx, ctx.account, "user", name, user)

    await ctx.store.transact(body)
    return {"User": described(user)}


def _boundary(policy_arn: str) -> dict[str, str]:
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": policy_arn}


async def get_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    if "UserName" not in request and ctx.principal.kind == "root":
        root = {"Path": "/", "UserName": "root", "UserId": ctx.account, "Arn": ctx.principal.arn}
        return {"User": {**root, "CreateDate": 0.0}}
    name = request.get("UserName") or caller_name(ctx)

    async def body(tx: Transaction) -> Record:
        return await existing(tx, ctx.account, "user", name)

    return {"User": described(await ctx.store.read(body))}


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
    for policy in await storage.inlines(tx, account, "user", old):
        await storage.delete_inline(tx, account, "user", old, policy["PolicyName"])
        await storage.put_inline(tx, account, "user", name, policy["PolicyName"], policy["PolicyDocument"])
    for policy in await storage.attached(tx, account, "user", old):
        await storage.detach(tx, account, "user", old, policy["PolicyArn"])
        await storage.attach(tx, account, "user", {**user, "UserName": name}, policy)
    for key in await storage.access_keys(tx, account, old):
        await storage.delete_access_key(tx, account, old, key["AccessKeyId"])
        await storage.put_access_key(tx, account, {**key, "UserName": name})
    await storage.delete_entity(tx, account, "user", old)


async def delete_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request["UserName"]

    async def body(tx: Transaction) -> None:
        await existing(tx, ctx.account, "user", name)
        if await storage.access_keys(tx, ctx.account, name):
            raise model.must_delete_keys()
        await refuse_if_used(tx, ctx.account, "user", name)
        await storage.delete_entity(tx, ctx.account, "user", name)

    await ctx.store.transact(body)
    return {}


async def _change(ctx: Context, name: str, **values: Any) -> None:
    async def body(tx: Transaction) -> None:
        user = {**await existing(tx, ctx.account, "user", name), **values}
        user = {member: value for member, value in user.items() if value is not None}
        await storage.put_entity(tx, ctx.account, "user", name, user)

    await ctx.store.transact(body)


async def put_user_permissions_boundary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    boundary = _boundary(request["PermissionsBoundary"])
    await _change(ctx, request["UserName"], PermissionsBoundary=boundary)
    return {}


async def delete_user_permissions_boundary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    await _change(ctx, request["UserName"], PermissionsBoundary=None)
    return {}


async def tag_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        user = await existing(tx, ctx.account, "user", request["UserName"])
        await storage.put_entity(
            tx, ctx.account, "user", request["UserName"], with_tags(user, request["Tags"])
        )

    await ctx.store.transact(body)
    return {}


async def untag_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        user = await existing(tx, ctx.account, "user", request["UserName"])
        user = without_tags(user, request["TagKeys"])
        await storage.put_entity(tx, ctx.account, "user", request["UserName"], user)

    await ctx.store.transact(body)
    return {}


async def list_user_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        return await existing(tx, ctx.account, "user", request["UserName"])

    return page(request, (await ctx.store.read(body)).get("Tags", []), "Tags", "Key")
