"""Access keys of users. Operations that name no user are about the one who asks."""

from __future__ import annotations

import secrets
from typing import Any

from ....context import Context
from ....names import random_id
from ....store.interface import Transaction
from .. import model, storage
from .common import ID_ALPHABET, Record, existing, page
from .users import caller_name


async def create_access_key(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request.get("UserName") or caller_name(ctx)
    key: Record = {
        "UserName": name,
        "AccessKeyId": "AKIA" + random_id(16, ID_ALPHABET),
        "Status": "Active",
        "SecretAccessKey": secrets.token_urlsafe(30),
        "CreateDate": float(int(ctx.clock.now())),
    }

    async def body(tx: Transaction) -> Record:
        user = await existing(tx, ctx.account, "user", name)
        if len(await storage.access_keys(tx, ctx.account, name)) >= model.ACCESS_KEYS:
            raise model.too_many_keys()
        made = {**key, "UserName": user["UserName"]}
        await storage.put_access_key(tx, ctx.account, made)
        return made

    return {"AccessKey": await ctx.store.transact(body)}


async def list_access_keys(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request.get("UserName") or caller_name(ctx)

    async def body(tx: Transaction) -> list[Record]:
        await existing(tx, ctx.account, "user", name)
        return await storage.access_keys(tx, ctx.account, name)

    keys = [
        {member: key[member] for member in ("UserName", "AccessKeyId", "Status", "CreateDate")}
        for key in await ctx.store.read(body)
    ]
    return page(request, keys, "AccessKeyMetadata", "AccessKeyId")


async def _key(tx: Transaction, account: str, user: str, key: str) -> Record:
    await existing(tx, account, "user", user)
    found = await storage.access_key(tx, account, user, key)
    if found is None:
        raise model.no_such_key(key)
    return found


async def update_access_key(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request.get("UserName") or caller_name(ctx)

    async def body(tx: Transaction) -> None:
        key = await _key(tx, ctx.account, name, request["AccessKeyId"])
        await storage.put_access_key(tx, ctx.account, {**key, "Status": request["Status"]})

    await ctx.store.transact(body)
    return {}


async def delete_access_key(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request.get("UserName") or caller_name(ctx)

    async def body(tx: Transaction) -> None:
        await _key(tx, ctx.account, name, request["AccessKeyId"])
        await storage.delete_access_key(tx, ctx.account, name, request["AccessKeyId"])

    await ctx.store.transact(body)
    return {}


async def get_access_key_last_used(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Uses are not recorded; a key that was never used says so in this form."""

    async def body(tx: Transaction) -> tuple[str, str] | None:
        return await storage.key_owner(tx, request["AccessKeyId"])

    owner = await ctx.store.read(body)
    if owner is None or owner[0] != ctx.account:
        raise model.no_such_key(request["AccessKeyId"])
    return {"UserName": owner[1], "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}}
