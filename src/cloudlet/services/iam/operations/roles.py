"""Roles."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....names import arn
from ....store.interface import Transaction
from .. import model, storage
from .common import Record, encoded, existing, new_id, page, refuse_if_used, under
from .entities import change, create, get

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


async def _set(ctx: Context, request: dict[str, Any], values: Record) -> Record:
    return await change(ctx, "role", request, lambda role: {**role, **values})


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
    return {"Role": described(await create(ctx, "role", role, request))}


async def get_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {"Role": {**described(await get(ctx, "role", request["RoleName"])), "RoleLastUsed": {}}}


async def list_roles(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> list[Record]:
        return await storage.entities(tx, ctx.account, "role")

    roles = under(request, await ctx.store.read(body))
    views = [{name: view[name] for name in LISTED if name in view} for view in map(described, roles)]
    return page(request, views, "Roles", "RoleName")


async def update_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    values: Record = {
        name: request[name] for name in ("Description", "MaxSessionDuration") if name in request
    }
    await _set(ctx, request, values)
    return {}


async def update_role_description(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {"Role": described(await _set(ctx, request, {"Description": request["Description"]}))}


async def update_assume_role_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    await _set(ctx, request, {"AssumeRolePolicyDocument": request["PolicyDocument"]})
    return {}


async def delete_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request["RoleName"]

    async def body(tx: Transaction) -> None:
        await existing(tx, ctx.account, "role", name)
        await refuse_if_used(tx, ctx.account, "role", name)
        await storage.delete_entity(tx, ctx.account, "role", name)

    await ctx.store.transact(body)
    return {}
