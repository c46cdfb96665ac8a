"""Custom terminologies."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage, terms
from ..storage import Place
from . import pages

Response = dict[str, Any]


def _here(ctx: Context) -> Place:
    return Place(ctx.account, ctx.region)


async def import_terminology(ctx: Context, request: dict[str, Any]) -> Response:
    name, now, parsed = request["Name"], ctx.clock.now(), request["Parsed"]
    data = request["TerminologyData"]
    record: storage.Record = {
        "Name": name,
        "Arn": terms.arn_of(ctx, name),
        "SourceLanguageCode": parsed.languages[0],
        "TargetLanguageCodes": parsed.languages[1:],
        "SizeBytes": len(data["File"]),
        "TermCount": sum(1 for row in parsed.rows for cell in row[1:] if row[0] and cell),
        "SkippedTermCount": 0,
        "CreatedAt": now,
        "LastUpdatedAt": now,
        "Directionality": data.get("Directionality", "UNI"),
        "Format": data["Format"],
        "Languages": parsed.languages,
        "Rows": parsed.rows,
        **{member: request[member] for member in ("Description", "EncryptionKey") if member in request},
    }

    async def body(tx: Transaction) -> None:
        old = await storage.terminology(tx, _here(ctx), name)
        if old is not None:
            record["CreatedAt"] = old["CreatedAt"]
        elif len(await storage.terminologies(tx, _here(ctx))) >= model.TERMINOLOGIES_MAX:
            raise model.too_many_terminologies()
        await storage.put_terminology(tx, _here(ctx), record)

    await ctx.store.transact(body)
    return {"TerminologyProperties": terms.shown(record)}


async def get_terminology(ctx: Context, request: dict[str, Any]) -> Response:
    found = await ctx.store.read(lambda tx: storage.terminology(tx, _here(ctx), request["Name"]))
    if found is None:
        raise model.no_terminology(request["Name"])
    return {"TerminologyProperties": terms.shown(found)}


async def list_terminologies(ctx: Context, request: dict[str, Any]) -> Response:
    found = await ctx.store.read(lambda tx: storage.terminologies(tx, _here(ctx)))
    page, more = pages.cut(found, request, key=lambda record: str(record["Name"]))
    return {"TerminologyPropertiesList": [terms.shown(record) for record in page], **more}


async def delete_terminology(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(tx: Transaction) -> None:
        if await storage.terminology(tx, _here(ctx), request["Name"]) is None:
            raise model.no_terminology(request["Name"])
        await storage.delete_terminology(tx, _here(ctx), request["Name"])

    await ctx.store.transact(body)
    return {}
