"""Outputs, and the exports and imports by which stacks share values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...context import Context
from ...store.interface import Transaction
from . import model
from .intrinsics import Resolver, text
from .plan import Plan
from .storage import Home, Record


async def load_exports(ctx: Context, resolver: Resolver) -> None:
    """Let the resolver know the exports of the account and region."""
    home = Home(ctx.account, ctx.region)
    exports = {row["name"]: row["value"] for row in await ctx.store.read(home.exports)}

    def export(name: str) -> Any:
        if name not in exports:
            raise model.no_export(name)
        return exports[name]

    resolver.export = export


def evaluate(plan: Plan) -> list[dict[str, Any]]:
    """The outputs as DescribeStacks tells them."""
    result = []
    for name, output in plan.outputs.items():
        value = plan.resolver.resolve(output.get("Value"))
        if isinstance(value, (dict, list)):
            raise model.validation_error(
                "Template format error: The Value field of every Outputs member must evaluate to a"
                f" String. (Output {name})"
            )
        entry = {"OutputKey": name, "OutputValue": text(value)}
        if output.get("Description"):
            entry["Description"] = text(plan.resolver.resolve(output["Description"]))
        if "Export" in output:
            entry["ExportName"] = text(plan.resolver.resolve(output["Export"].get("Name", "")))
        result.append(entry)
    return result


def imported(plan: Plan) -> set[str]:
    """The names of the exports that the plan uses; its outputs are evaluated already."""
    for wanted in plan.resources.values():
        plan.resolver.resolve(wanted.properties)
    return set(plan.resolver.exports)


async def publish(
    tx: Transaction, home: Home, stack: Record, outputs: Iterable[dict[str, Any]], imports: Iterable[str]
) -> None:
    """Make the stack's exports and imports those. Raises where another stack stands in the way."""
    new = {entry["ExportName"]: entry["OutputValue"] for entry in outputs if "ExportName" in entry}
    old = {entry["ExportName"]: entry["OutputValue"] for entry in stack["outputs"] if "ExportName" in entry}
    for name, value in new.items():
        there = await home.export(tx, name)
        if there is not None and there["stack_id"] != stack["id"]:
            other = there["stack_id"].split("/")[1]
            raise model.validation_error(f"Export with name {name} is already exported by stack {other}.")
        if name in old and old[name] != value:
            await _check_unused(tx, home, name, "updated")
        await home.put_export(tx, name, value, stack["id"])
    for name in old.keys() - new.keys():
        await _check_unused(tx, home, name, "deleted")
        await home.delete_export(tx, name)
    wanted = set(imports)
    for name in set(stack.get("imports") or ()) - wanted:
        await home.delete_import(tx, name, stack["name"])
    for name in wanted:
        await home.put_import(tx, name, stack["name"])


async def check_deletable(tx: Transaction, home: Home, stack: Record) -> str:
    """Why the stack can't be deleted: the first of its exports that is in use; "" when none is."""
    for entry in stack["outputs"]:
        users = await home.importers(tx, entry["ExportName"]) if "ExportName" in entry else []
        if users:
            return f"Export {entry['ExportName']} cannot be deleted as it is in use by {', '.join(users)}"
    return ""


async def forget(tx: Transaction, home: Home, stack: Record) -> None:
    for entry in stack["outputs"]:
        if "ExportName" in entry:
            await home.delete_export(tx, entry["ExportName"])
    for name in stack.get("imports") or ():
        await home.delete_import(tx, name, stack["name"])


async def _check_unused(tx: Transaction, home: Home, name: str, verb: str) -> None:
    users = await home.importers(tx, name)
    if users:
        raise model.validation_error(f"Export {name} cannot be {verb} as it is in use by {', '.join(users)}")
