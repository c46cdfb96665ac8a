"""Aliases: names for versions, spread over two by weight if wanted."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import configuration, model, storage
from ..arns import Reference, is_version, parse
from ..storage import Record
from .pages import page

Response = dict[str, Any]


def _show(ref: Reference, alias: Record) -> Response:
    return {"AliasArn": ref._replace(qualifier=alias["Name"]).qualified, **alias}


def _missing(ref: Reference, name: str) -> Exception:
    return model.not_found(f"Cannot find alias arn: {ref._replace(qualifier=name).qualified}")


async def _check_targets(tx: Transaction, ref: Reference, alias: Record) -> None:
    """The versions must be there; an alias can't point to an alias."""
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    for number in (alias["FunctionVersion"], *weights):
        if number != model.LATEST and not is_version(number):
            raise model.function_not_found(ref._replace(qualifier=number).qualified)
        await storage.load_version(tx, ref, number)


async def create_alias(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"])._replace(qualifier="")
    alias: Record = {
        "Name": request["Name"],
        "FunctionVersion": request["FunctionVersion"],
        "Description": request.get("Description", ""),
        "RevisionId": configuration.new_id(),
    }
    if request.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
        alias["RoutingConfig"] = request["RoutingConfig"]

    async def body(tx: Transaction) -> None:
        await _check_targets(tx, ref, alias)
        if await storage.alias(tx, ref, alias["Name"]) is not None:
            arn = ref._replace(qualifier=alias["Name"]).qualified
            raise model.conflict(f"Alias already exists: {arn}")
        await storage.put_alias(tx, ref, alias)

    await ctx.store.transact(body)
    return _show(ref, alias)


async def get_alias(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"])._replace(qualifier="")

    async def body(tx: Transaction) -> Record:
        await storage.load_function(tx, ref)
        alias = await storage.alias(tx, ref, request["Name"])
        if alias is None:
            raise _missing(ref, request["Name"])
        return alias

    return _show(ref, await ctx.store.read(body))


async def update_alias(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"])._replace(qualifier="")
    revision = configuration.new_id()

    async def body(tx: Transaction) -> Record:
        await storage.load_function(tx, ref)
        old = await storage.alias(tx, ref, request["Name"])
        if old is None:
            raise _missing(ref, request["Name"])
        if request.get("RevisionId", old["RevisionId"]) != old["RevisionId"]:
            raise model.revision_mismatch()
        alias = {**old, "RevisionId": revision}
        for member in ("FunctionVersion", "Description"):
            if member in request:
                alias[member] = request[member]
        if "RoutingConfig" in request:
            alias.pop("RoutingConfig", None)
            if request["RoutingConfig"].get("AdditionalVersionWeights"):
                alias["RoutingConfig"] = request["RoutingConfig"]
        await _check_targets(tx, ref, alias)
        await storage.put_alias(tx, ref, alias)
        return alias

    return _show(ref, await ctx.store.transact(body))


async def delete_alias(ctx: Context, request: dict[str, Any]) -> Response:
    """Deleting an alias that isn't there is no error."""
    ref = parse(ctx, request["FunctionName"])._replace(qualifier="")

    async def body(tx: Transaction) -> None:
        await storage.load_function(tx, ref)
        await storage.delete_alias(tx, ref, request["Name"])

    await ctx.store.transact(body)
    return {}


async def list_aliases(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"])._replace(qualifier="")
    wanted = request.get("FunctionVersion")

    async def body(tx: Transaction) -> list[Record]:
        await storage.load_function(tx, ref)
        return await storage.aliases(tx, ref)

    aliases = [
        _show(ref, alias)
        for alias in await ctx.store.read(body)
        if wanted is None or alias["FunctionVersion"] == wanted
    ]
    items, marker = page(aliases, request)
    return {"Aliases": items, **marker}
