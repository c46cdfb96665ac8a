"""Invalidations: what of a distribution's cache is to be fetched anew."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....names import UPPER_ALNUM, random_id
from ....store.interface import Transaction
from .. import model, storage
from .common import Record, Request, location, page
from .distributions import found


def _shown(record: Record, status: str = "Completed") -> Record:
    return {
        "Id": record["id"],
        "Status": status,
        "CreateTime": record["created"],
        "InvalidationBatch": record["batch"],
    }


async def create_invalidation(ctx: Context, request: Request) -> dict[str, Any]:
    """The answer says InProgress, as AWS's does; the cache has forgotten the paths by then."""
    batch, id = request["InvalidationBatch"], request["DistributionId"]
    record = {"id": "I" + random_id(13, UPPER_ALNUM), "created": ctx.clock.now(), "batch": batch}

    async def body(tx: Transaction) -> Record:
        await found(tx, ctx, id)
        for one in await storage.invalidations(tx, ctx.account, id):
            if one["batch"]["CallerReference"] == batch["CallerReference"]:
                if one["batch"]["Paths"] == batch["Paths"]:
                    return one
                raise model.invalid(
                    "Your request contains a caller reference that was used for a previous invalidation batch for the "
                    "same distribution."
                )
        await storage.put_invalidation(tx, ctx.account, id, record)
        return record

    kept = await ctx.store.transact(body)
    ctx.node.runtimes["cloudfront"].invalidate(id, batch["Paths"]["Items"])
    return {
        "Invalidation": _shown(kept, "InProgress"),
        "Location": location(f"distribution/{id}/invalidation/{kept['id']}"),
    }


async def get_invalidation(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        await found(tx, ctx, request["DistributionId"])
        record = await storage.invalidation(tx, ctx.account, request["DistributionId"], request["Id"])
        if record is None:
            raise model.error("NoSuchInvalidation")
        return record

    return {"Invalidation": _shown(await ctx.store.read(body))}


async def list_invalidations(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> list[Record]:
        await found(tx, ctx, request["DistributionId"])
        return await storage.invalidations(tx, ctx.account, request["DistributionId"])

    records = await ctx.store.read(body)
    listed = [
        {"Id": record["id"], "CreateTime": record["created"], "Status": "Completed"} for record in records
    ]
    return {"InvalidationList": page(request, listed, lambda one: str(one["Id"]))}
