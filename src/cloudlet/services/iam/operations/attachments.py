"""Managed policies on roles, users and groups.

Any ARN under AWS's own prefix can be attached, known here or not, so that a template that deploys there deploys here.
"""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from .common import Record, existing, page
from .inline import NAMES
from .policies import name_of, own_policy


async def _attachable(tx: Transaction, account: str, arn: str) -> Record:
    if arn.startswith(model.AWS_MANAGED_PREFIX):
        return {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn}
    found = await storage.policy(tx, account, name_of(arn, account))
    if found is None or found["Arn"] != arn:
        raise model.policy_absent(arn)
    return {"PolicyName": found["PolicyName"], "PolicyArn": arn}


async def _attach(ctx: Context, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    name, arn = request[NAMES[kind]], request["PolicyArn"]

    async def body(tx: Transaction) -> None:
        owner = await existing(tx, ctx.account, kind, name)
        policy = await _attachable(tx, ctx.account, arn)
        there = {record["PolicyArn"] for record in await storage.attached(tx, ctx.account, kind, name)}
        if arn not in there and len(there) >= model.ATTACHED_POLICIES:
            raise model.too_many_attached(kind)
        await storage.attach(tx, ctx.account, kind, owner, policy)

    await ctx.store.transact(body)
    return {}


async def _detach(ctx: Context, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    name, arn = request[NAMES[kind]], request["PolicyArn"]

    async def body(tx: Transaction) -> None:
        await existing(tx, ctx.account, kind, name)
        if not await storage.is_attached(tx, ctx.account, kind, name, arn):
            raise model.no_such_policy(arn)
        await storage.detach(tx, ctx.account, kind, name, arn)

    await ctx.store.transact(body)
    return {}


async def _list(ctx: Context, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    name = request[NAMES[kind]]

    async def body(tx: Transaction) -> list[Record]:
        await existing(tx, ctx.account, kind, name)
        return await storage.attached(tx, ctx.account, kind, name)

    return page(request, await ctx.store.read(body), "AttachedPolicies", "PolicyArn")


async def attach_group_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _attach(ctx, "group", request)


async def attach_role_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _attach(ctx, "role", request)


async def attach_user_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _attach(ctx, "user", request)


async def detach_group_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _detach(ctx, "group", request)


async def detach_role_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _detach(ctx, "role", request)


async def detach_user_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _detach(ctx, "user", request)


async def list_attached_group_policies(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _list(ctx, "group", request)


async def list_attached_role_policies(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _list(ctx, "role", request)


async def list_attached_user_policies(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return await _list(ctx, "user", request)


async def list_entities_for_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    arn = request["PolicyArn"]
    wanted = request.get("EntityFilter", "")

    async def body(tx: Transaction) -> list[Record]:
        if not arn.startswith(model.AWS_MANAGED_PREFIX):
            await own_policy(tx, ctx.account, arn)
        return await storage.attachments(tx, ctx.account, arn)

    found = sorted(await ctx.store.read(body), key=lambda record: (record["kind"], record["name"]))
    of = {kind: [record for record in found if record["kind"] == kind] for kind in NAMES}
    return {
        "PolicyGroups": [
            {"GroupName": record["name"], "GroupId": record["id"]}
            for record in of["group"]
            if wanted in ("", "Group")
        ],
        "PolicyRoles": [
            {"RoleName": record["name"], "RoleId": record["id"]}
            for record in of["role"]
            if wanted in ("", "Role")
        ],
        "PolicyUsers": [
            {"UserName": record["name"], "UserId": record["id"]}
            for record in of["user"]
            if wanted in ("", "User")
        ],
        "IsTruncated": False,
    }
