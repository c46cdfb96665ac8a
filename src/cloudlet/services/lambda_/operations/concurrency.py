"""Reserved concurrency, and the account's limits."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..arns import parse
from ..storage import Record

Response = dict[str, Any]


def _reserved(records: list[Record], apart_from: str = "") -> int:
    return sum(
        record.get("reserved", 0)
        for record in records
        if record["latest"]["config"]["FunctionName"] != apart_from
    )


async def put_function_concurrency(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"])._replace(qualifier="")
    wanted = request["ReservedConcurrentExecutions"]

    async def body(tx: Transaction) -> None:
        record = await storage.function(tx, ref)
        others = _reserved(await storage.functions(tx, ref.account, ref.region), ref.name)
        if model.CONCURRENT_EXECUTIONS - others - wanted < model.MIN_UNRESERVED:
            raise model.unreserved_too_low()
        record["reserved"] = wanted
        await storage.put_function(tx, ref, record)

    await ctx.store.transact(body)
    return {"ReservedConcurrentExecutions": wanted}


async def get_function_concurrency(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"])._replace(qualifier="")
    function = await ctx.store.read(lambda tx: storage.load_function(tx, ref))
    return {} if function.reserved is None else {"ReservedConcurrentExecutions": function.reserved}


async def delete_function_concurrency(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"])._replace(qualifier="")

    async def body(tx: Transaction) -> None:
        record = await storage.function(tx, ref)
        record.pop("reserved", None)
        await storage.put_function(tx, ref, record)

    await ctx.store.transact(body)
    return {}


async def get_account_settings(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(tx: Transaction) -> tuple[list[Record], int]:
        records = await storage.functions(tx, ctx.account, ctx.region)
        return records, await storage.code_size(tx, ctx.account, ctx.region)

    records, size = await ctx.store.read(body)
    return {
        "AccountLimit": {
            "TotalCodeSize": model.MAX_TOTAL_CODE,
            "CodeSizeUnzipped": model.MAX_UNZIPPED,
            "CodeSizeZipped": model.MAX_ZIP,
            "ConcurrentExecutions": model.CONCURRENT_EXECUTIONS,
            "UnreservedConcurrentExecutions": model.CONCURRENT_EXECUTIONS - _reserved(records),
        },
        "AccountUsage": {"TotalCodeSize": size, "FunctionCount": len(records)},
    }
