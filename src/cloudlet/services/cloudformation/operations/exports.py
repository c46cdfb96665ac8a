"""The values that stacks share."""

from __future__ import annotations

from typing import Any

from ....context import Context
from .. import model
from ..storage import home
from .describe import paged


async def list_exports(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    page, token = paged(await ctx.store.read(home(ctx).exports), request)
    return {
        "Exports": [
            {"ExportingStackId": row["stack_id"], "Name": row["name"], "Value": row["value"]} for row in page
        ],
        **token,
    }


async def list_imports(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request["ExportName"]
    users = await ctx.store.read(lambda tx: home(ctx).importers(tx, name))
    if not users:
        raise model.validation_error(f"Export '{name}' is not imported by any stack.")
    page, token = paged(users, request)
    return {"Imports": list(page), **token}
