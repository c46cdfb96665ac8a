"""Instance profiles: records, which templates name; there are no virtual machines here to use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....context import Context
from ....names import arn
from ....store.interface import Transaction
from .. import model, storage
from .common import Record, existing, new_id, page, under, with_tags, without_tags
from .roles import described as role_described

KIND, TITLE = "instance-profile", "Instance Profile"


async def _existing(tx: Transaction, account: str, name: str) -> Record:
    found = await storage.entity(tx, account, KIND, name)
    if found is None:
        raise model.no_such_entity(TITLE, name)
    return found


async def _described(tx: Transaction, account: str, profile: Record) -> Record:
    roles = [await storage.entity(tx, account, "role", name) for name in profile["Roles"]]
    view = {**profile, "Roles": [role_described(role) for role in roles if role is not None]}
    return {name: value for name, value in view.items() if name != "Tags" or value}


async def _change(ctx: Context, name: str, edit: Callable[[Record], Record]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        await storage.put_entity(tx, ctx.account, KIND, name, edit(await _existing(tx, ctx.account, name)))

    await ctx.store.transact(body)
    return {}


async def create_instance_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name, path = request["InstanceProfileName"], request.get("Path", "/")
    made: Record = {
        "Path": path,
        "InstanceProfileName": name,
        "InstanceProfileId": new_id("AIPA"),
        "Arn": arn("iam", "", ctx.account, f"instance-profile{path}{name}"),
        "CreateDate": float(int(ctx.clock.now())),
        "Roles": [],
    }
    profile = with_tags(made, request.get("Tags", ()))

    async def body(tx: Transaction) -> Record:
        if await storage.entity(tx, ctx.account, KIND, name) is not None:
            raise model.already_exists(TITLE, name)
        await storage.put_entity(tx, ctx.account, KIND, name, profile)
        return await _described(tx, ctx.account, profile)

    return {"InstanceProfile": await ctx.store.transact(body)}


async def get_instance_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        found = await _existing(tx, ctx.account, request["InstanceProfileName"])
        return await _described(tx, ctx.account, found)

    return {"InstanceProfile": await ctx.store.read(body)}


async def delete_instance_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request["InstanceProfileName"]

    async def body(tx: Transaction) -> None:
        if (await _existing(tx, ctx.account, name))["Roles"]:
            raise model.must_remove_roles()
        await storage.delete_entity(tx, ctx.account, KIND, name)

    await ctx.store.transact(body)
    return {}


async def _list(ctx: Context, request: dict[str, Any], role: str = "") -> dict[str, Any]:
    async def body(tx: Transaction) -> list[Record]:
        if role:
            await existing(tx, ctx.account, "role", role)
        found = under(request, await storage.entities(tx, ctx.account, KIND))
        return [await _described(tx, ctx.account, one) for one in found if not role or role in one["Roles"]]

    views = [
        {name: value for name, value in view.items() if name != "Tags"} for view in await ctx.store.read(body)
    ]
    return page(request, views, "InstanceProfiles", "InstanceProfileName")


async def list_instance_profiles(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _list(ctx, request)


async def list_instance_profiles_for_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _list(ctx, request, request["RoleName"])


async def add_role_to_instance_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name, role = request["InstanceProfileName"], request["RoleName"]

    async def body(tx: Transaction) -> None:
        profile = await _existing(tx, ctx.account, name)
        if profile["Roles"]:
            raise model.profile_has_role()
        await existing(tx, ctx.account, "role", role)
        await storage.put_entity(tx, ctx.account, KIND, name, {**profile, "Roles": [role]})

    await ctx.store.transact(body)
    return {}


async def remove_role_from_instance_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    role = request["RoleName"]

    def without(profile: Record) -> Record:
        if role not in profile["Roles"]:
            raise model.no_such_entity("role", role)
        return {**profile, "Roles": []}

    return await _change(ctx, request["InstanceProfileName"], without)


async def tag_instance_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _change(ctx, request["InstanceProfileName"], lambda p: with_tags(p, request["Tags"]))


async def untag_instance_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _change(ctx, request["InstanceProfileName"], lambda p: without_tags(p, request["TagKeys"]))


async def list_instance_profile_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request["InstanceProfileName"]
    found = await ctx.store.read(lambda tx: _existing(tx, ctx.account, name))
    return page(request, found.get("Tags", []), "Tags", "Key")
