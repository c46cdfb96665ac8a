"""Roles."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....names import arn
from ....store.interface import Transaction
from .. import model, storage
from .common import Record, encoded, existing, new_id, page, refuse_if_used, under, with_tags, without_tags

LISTED = (
    "Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument", "Description",
    "MaxSessionDuration",
)  # fmt: skip


def described(role: Record) -> Record:
    """The API's view: the trust policy encoded, no empty list of tags."""
    view = {**role, "AssumeRolePolicyDocument": encoded(role["AssumeRolePolicyDocument"])}
    if not view.get("Tags"):
        view.pop("Tags", None)
    return view


async def _change(ctx: Context, name: str, **values: Any) -> Record:
    """Set members of a role; None takes one away."""

    async def body(tx: Transaction) -> Record:
        role = {**await existing(tx, ctx.account, "role", name), **values}
        role = {member: value for member, value in role.items() if value is not None}
        await storage.put_entity(tx, ctx.account, "role", name, role)
        return role

    return await ctx.store.transact(body)


async def create_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name, path = request["RoleName"], request.get("Path", "/")
    role: Record = {
        "Path": path,
        "RoleName": name,
        "RoleId": new_id("AROA"),
        "Arn": arn("iam", "", ctx.account, f"role{path}{name}"),
        "CreateDate": float(int(ctx.clock.now())),
        "AssumeRolePolicyDocument": request["AssumeRolePolicyDocument"],
        "MaxSessionDuration": request.get("MaxSessionDuration", model.DEFAULT_SESSION_SECONDS),
    }
    if "Description" in request:
        role["Description"] = request["Description"]
    if "PermissionsBoundary" in request:
        role["PermissionsBoundary"] = _boundary(request["PermissionsBoundary"])
    role = with_tags(role, request.get("Tags", ()))

    async def body(tx: Transaction) -> None:
        if await storage.entity(tx, ctx.account, "role", name) is not None:
            raise model.already_exists("role", name)
        await storage.put_entity(tx, ctx.account, "role", name, role)

    await ctx.store.transact(body)
    return {"Role": described(role)}


def _boundary(policy_arn: str) -> dict[str, str]:
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": policy_arn}


async def get_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        return await existing(tx, ctx.account, "role", request["RoleName"])

    return {"Role": {**described(await ctx.store.read(body)), "RoleLastUsed": {}}}


async def list_roles(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> list[Record]:
        return await storage.entities(tx, ctx.account, "role")

    roles = under(request, await ctx.store.read(body))
    views = [{name: view[name] for name in LISTED if name in view} for view in map(described, roles)]
    return page(request, views, "Roles", "RoleName")


async def update_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    values = {name: request[name] for name in ("Description", "MaxSessionDuration") if name in request}
    await _change(ctx, request["RoleName"], **values)
    return {}


async def update_role_description(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {"Role": described(await _change(ctx, request["RoleName"], Description=request["Description"]))}


async def update_assume_role_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    await _change(ctx, request["RoleName"], AssumeRolePolicyDocument=request["PolicyDocument"])
    return {}


async def put_role_permissions_boundary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    boundary = _boundary(request["PermissionsBoundary"])
    await _change(ctx, request["RoleName"], PermissionsBoundary=boundary)
    return {}


async def delete_role_permissions_boundary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    await _change(ctx, request["RoleName"], PermissionsBoundary=None)
    return {}


async def delete_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request["RoleName"]

    async def body(tx: Transaction) -> None:
        await existing(tx, ctx.account, "role", name)
        await refuse_if_used(tx, ctx.account, "role", name)
        await storage.delete_entity(tx, ctx.account, "role", name)

    await ctx.store.transact(body)
    return {}


async def tag_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        role = await existing(tx, ctx.account, "role", request["RoleName"])
        await storage.put_entity(
            tx, ctx.account, "role", request["RoleName"], with_tags(role, request["Tags"])
        )

    await ctx.store.transact(body)
    return {}


async def untag_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        role = await existing(tx, ctx.account, "role", request["RoleName"])
        role = without_tags(role, request["TagKeys"])
        await storage.put_entity(tx, ctx.account, "role", request["RoleName"], role)

    await ctx.store.transact(body)
    return {}


async def list_role_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        return await existing(tx, ctx.account, "role", request["RoleName"])

    return page(request, (await ctx.store.read(body)).get("Tags", []), "Tags", "Key")
