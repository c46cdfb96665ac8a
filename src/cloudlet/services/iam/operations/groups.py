"""Groups and who is in them."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....names import arn
from ....store.interface import Transaction
from .. import model, storage
from .common import Record, existing, new_id, page, refuse_if_used, under
from .entities import create, move_policies
from .users import LISTED as USER_MEMBERS


async def create_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name, path = request["GroupName"], request.get("Path", "/")
    group: Record = {
        "Path": path,
        "GroupName": name,
        "GroupId": new_id("AGPA"),
        "Arn": arn("iam", "", ctx.account, f"group{path}{name}"),
        "CreateDate": float(int(ctx.clock.now())),
    }
    return {"Group": _described(await create(ctx, "group", group, {}))}


def _described(group: Record) -> Record:
    return {name: value for name, value in group.items() if name != "Tags"}


async def get_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request["GroupName"]

    async def body(tx: Transaction) -> tuple[Record, list[Record]]:
        group = await existing(tx, ctx.account, "group", name)
        members = await storage.members_of(tx, ctx.account, name)
        return group, [await existing(tx, ctx.account, "user", member) for member in members]

    group, users = await ctx.store.read(body)
    views = [{name: user[name] for name in USER_MEMBERS} for user in users]
    return {"Group": _described(group), **page(request, views, "Users", "UserName")}


async def list_groups(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> list[Record]:
        return await storage.entities(tx, ctx.account, "group")

    groups = under(request, await ctx.store.read(body))
    return page(request, [_described(group) for group in groups], "Groups", "GroupName")


async def list_groups_for_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request["UserName"]

    async def body(tx: Transaction) -> list[Record]:
        await existing(tx, ctx.account, "user", name)
        groups = await storage.groups_of(tx, ctx.account, name)
        return [await existing(tx, ctx.account, "group", group) for group in groups]

    found = await ctx.store.read(body)
    return page(request, [_described(group) for group in found], "Groups", "GroupName")


async def update_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A new name or path; members and policies go with the group."""
    old = request["GroupName"]

    async def body(tx: Transaction) -> None:
        group = await existing(tx, ctx.account, "group", old)
        name, path = (
            request.get("NewGroupName") or group["GroupName"],
            request.get("NewPath") or group["Path"],
        )
        if name.lower() != old.lower():
            if await storage.entity(tx, ctx.account, "group", name) is not None:
                raise model.already_exists("group", name)
            await _move(tx, ctx.account, group, name)
        changed = {"GroupName": name, "Path": path, "Arn": arn("iam", "", ctx.account, f"group{path}{name}")}
        await storage.put_entity(tx, ctx.account, "group", name, {**group, **changed})

    await ctx.store.transact(body)
    return {}


async def _move(tx: Transaction, account: str, group: Record, name: str) -> None:
    old = group["GroupName"]
    await move_policies(tx, account, "group", group, name)
    for user in await storage.members_of(tx, account, old):
        await storage.leave(tx, account, user, old)
        await storage.join(tx, account, user, name)
    await storage.delete_entity(tx, account, "group", old)


async def delete_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request["GroupName"]

    async def body(tx: Transaction) -> None:
        await existing(tx, ctx.account, "group", name)
        if await storage.members_of(tx, ctx.account, name):
            raise model.must_remove_users()
        await refuse_if_used(tx, ctx.account, "group", name)
        await storage.delete_entity(tx, ctx.account, "group", name)

    await ctx.store.transact(body)
    return {}


async def add_user_to_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        group = await existing(tx, ctx.account, "group", request["GroupName"])
        user = await existing(tx, ctx.account, "user", request["UserName"])
        there = await storage.groups_of(tx, ctx.account, user["UserName"])
        if group["GroupName"] not in there and len(there) >= model.GROUPS_OF_A_USER:
            raise model.too_many_groups()
        await storage.join(tx, ctx.account, user["UserName"], group["GroupName"])

    await ctx.store.transact(body)
    return {}


async def remove_user_from_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        group = await existing(tx, ctx.account, "group", request["GroupName"])
        user = await existing(tx, ctx.account, "user", request["UserName"])
        await storage.leave(tx, ctx.account, user["UserName"], group["GroupName"])

    await ctx.store.transact(body)
    return {}
