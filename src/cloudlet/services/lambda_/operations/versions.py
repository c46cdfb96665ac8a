"""Versions: published once, never changed."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import configuration, model, storage
from ..arns import Reference, parse
from ..storage import Record
from .pages import page

Response = dict[str, Any]


async def publish(
    tx: Transaction, ref: Reference, record: Record, now: float, description: str | None = None
) -> Record:
    """Make a version of `$LATEST`, unless nothing changed since the last one; its configuration.

    Changes `record`, which the caller writes.
    """
    latest = record["latest"]
    if record.get("published") == latest["content"]:
        newest = await storage.version(tx, ref, record["next"] - 1)
        if newest is not None:
            config: Record = newest["config"]
            return config
    number = record["next"]
    config = {**latest["config"], "Version": str(number), "RevisionId": configuration.new_id()}
    if description is not None:
        config["Description"] = description
    if config["SnapStart"]["ApplyOn"] == "PublishedVersions":
        config["SnapStart"] = {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    version = {**latest, "config": config}
    await storage.put_version(tx, ref, number, version)
    for sha in storage.contents(version):
        await storage.use_code(tx, sha, ref, number)
    record["next"] = number + 1
    record["published"] = latest["content"]
    latest["config"]["RevisionId"] = configuration.new_id()
    return config


async def publish_version(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"])._replace(qualifier="")
    now = ctx.clock.now()

    async def body(tx: Transaction) -> Record:
        record = await storage.function(tx, ref)
        config = record["latest"]["config"]
        if request.get("RevisionId", config["RevisionId"]) != config["RevisionId"]:
            raise model.revision_mismatch()
        wanted, current = request.get("CodeSha256"), config["CodeSha256"]
        if wanted and wanted != current:
            raise model.invalid(
                f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({current}). "
                "Please try again with the CodeSHA256 in $LATEST."
            )
        made = await publish(tx, ref, record, now, request.get("Description"))
        await storage.put_function(tx, ref, record)
        return made

    config = await ctx.store.transact(body)
    return configuration.show(config, ref._replace(qualifier=config["Version"]))


async def list_versions_by_function(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"])._replace(qualifier="")

    async def body(tx: Transaction) -> list[Record]:
        latest = (await storage.load_function(tx, ref)).record["latest"]
        return [latest, *await storage.versions(tx, ref)]

    records = [record["config"] for record in await ctx.store.read(body)]
    shown = [
        configuration.show_listed(config, ref._replace(qualifier=config["Version"])) for config in records
    ]
    items, marker = page(shown, request)
    return {"Versions": items, **marker}
