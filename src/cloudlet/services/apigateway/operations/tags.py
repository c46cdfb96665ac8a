"""Tags of APIs and stages, by ARN."""

from __future__ import annotations

import re
from typing import Any

from ....context import Context
from ....names import arn
from ....store.interface import Transaction
from .. import model, storage
from .parts import require, require_api

_ARN = re.compile(r"arn:aws[a-z-]*:apigateway:([a-z0-9-]+)::/(?:v2/)?apis/([^/]+)(?:/stages/([^/]+))?")


def api_arn(ctx: Context, api_id: str) -> str:
    return arn("apigateway", ctx.region, "", f"/apis/{api_id}")


def stage_arn(ctx: Context, api_id: str, stage: str) -> str:
    return arn("apigateway", ctx.region, "", f"/apis/{api_id}/stages/{stage}")


async def _target(tx: Transaction, ctx: Context, text: str) -> str:
    """The ARN in the form under which its tags are kept, once it is known that it exists."""
    match = _ARN.fullmatch(text)
    if match is None:
        raise model.bad_request(f"Invalid resource ARN specified: {text}")
    api_id, stage = match[2], match[3]
    await require_api(tx, ctx, api_id)
    if stage is None:
        return api_arn(ctx, api_id)
    await require(tx, api_id, "stage", stage)
    return stage_arn(ctx, api_id, stage)


async def tag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        target = await _target(tx, ctx, request["ResourceArn"])
        tags = {**await storage.get_tags(tx, target), **(request.get("Tags") or {})}
        await storage.put_tags(tx, target, tags)

    await ctx.store.transact(body)
    return {}


async def untag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    gone = set(request["TagKeys"])

    async def body(tx: Transaction) -> None:
        target = await _target(tx, ctx, request["ResourceArn"])
        tags = await storage.get_tags(tx, target)
        await storage.put_tags(tx, target, {key: value for key, value in tags.items() if key not in gone})

    await ctx.store.transact(body)
    return {}


async def get_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> dict[str, str]:
        return await storage.get_tags(tx, await _target(tx, ctx, request["ResourceArn"]))

    return {"Tags": await ctx.store.read(body)}
