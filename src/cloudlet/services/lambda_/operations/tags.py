"""Tags of functions and of event source mappings, by their ARNs."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..arns import Reference, parse

Response = dict[str, Any]
_MAPPING = ":event-source-mapping:"


class Tagged:
    """A resource that has tags: where its record is."""

    def __init__(self, ctx: Context, arn: str) -> None:
        self._place = ctx.account, ctx.region
        self._mapping = arn.partition(_MAPPING)[2]
        self._ref: Reference | None = None
        if not self._mapping:
            self._ref = parse(ctx, arn)
            if self._ref.qualifier:
                raise model.invalid(
                    "Tags on function aliases and versions are not supported. Please specify a function ARN."
                )

    async def record(self, tx: Transaction) -> storage.Record:
        if self._ref is not None:
            return await storage.function(tx, self._ref)
        return await storage.mapping(tx, *self._place, self._mapping)

    async def put(self, tx: Transaction, record: storage.Record) -> None:
        if self._ref is not None:
            await storage.put_function(tx, self._ref, record)
        else:
            await storage.put_mapping(tx, *self._place, record)


async def list_tags(ctx: Context, request: dict[str, Any]) -> Response:
    record = await ctx.store.read(Tagged(ctx, request["Resource"]).record)
    return {"Tags": record["tags"]}


async def tag_resource(ctx: Context, request: dict[str, Any]) -> Response:
    tagged = Tagged(ctx, request["Resource"])

    async def body(tx: Transaction) -> None:
        record = await tagged.record(tx)
        record["tags"] = {**record["tags"], **request["Tags"]}
        if len(record["tags"]) > model.MAX_TAGS:
            raise model.invalid("Number of tags exceeds resource tag limit.")
        await tagged.put(tx, record)

    await ctx.store.transact(body)
    return {}


async def untag_resource(ctx: Context, request: dict[str, Any]) -> Response:
    tagged = Tagged(ctx, request["Resource"])

    async def body(tx: Transaction) -> None:
        record = await tagged.record(tx)
        record["tags"] = {k: v for k, v in record["tags"].items() if k not in request["TagKeys"]}
        await tagged.put(tx, record)

    await ctx.store.transact(body)
    return {}
