"""ExecuteStatement, BatchExecuteStatement and ExecuteTransaction. PartiQL is loaded when the first statement comes: few
need it, and it takes longer than all the rest of the service."""

from __future__ import annotations

from typing import Any

from ....context import Context, Encoded

Request = dict[str, Any]


async def execute_statement(ctx: Context, request: Request) -> Encoded:
    from . import statements

    return await statements.execute_statement(ctx, request)


async def batch_execute_statement(ctx: Context, request: Request) -> Encoded:
    from . import statements

    return await statements.batch_execute_statement(ctx, request)


async def execute_transaction(ctx: Context, request: Request) -> dict[str, Any] | Encoded:
    from . import statements

    return await statements.execute_transaction(ctx, request)
