"""Attributes of text messages: kept, as nothing is sent."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage

Response = dict[str, Any]


async def set_sms_attributes(ctx: Context, request: dict[str, Any]) -> Response:
    for name in request["attributes"]:
        if name not in model.SMS_ATTRIBUTES:
            raise model.invalid(f"{name} is not a valid attribute")

    async def body(tx: Transaction) -> None:
        known = await storage.sms(tx, ctx.account, ctx.region)
        await storage.put_sms(tx, ctx.account, ctx.region, known | request["attributes"])

    await ctx.store.transact(body)
    return {}


async def get_sms_attributes(ctx: Context, request: dict[str, Any]) -> Response:
    known = await ctx.store.read(lambda tx: storage.sms(tx, ctx.account, ctx.region))
    wanted = request.get("attributes")
    return {"attributes": {name: value for name, value in known.items() if not wanted or name in wanted}}
