"""Log streams: create, delete, list."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Group, Record
from .groups import mark, named, unmark

Response = dict[str, Any]


async def create_log_stream(ctx: Context, request: dict[str, Any]) -> Response:
    group, name = named(ctx, request), request["logStreamName"]
    now = ctx.clock.now_ms()

    async def body(tx: Transaction) -> None:
        await storage.group(tx, group)
        if await storage.stream(tx, group, name) is not None:
            raise model.stream_exists()
        await storage.put_stream(tx, group, name, {"created": now})

    await ctx.store.transact(body)
    return {}


async def delete_log_stream(ctx: Context, request: dict[str, Any]) -> Response:
    group, name = named(ctx, request), request["logStreamName"]

    async def body(tx: Transaction) -> None:
        await storage.group(tx, group)
        record = await storage.stream(tx, group, name)
        if record is None:
            raise model.no_stream()
        await storage.delete_stream(tx, group, name, record)

    await ctx.store.transact(body)
    return {}


def _show(group: Group, name: str, record: Record) -> Response:
    shown: Response = {
        "logStreamName": name,
        "creationTime": record["created"],
        "arn": f"{group.arn}:log-stream:{name}",
        "storedBytes": 0,  # AWS gives no other since June 2019
    }
    if "last" in record:
        shown["firstEventTimestamp"] = record["first"]
        shown["lastEventTimestamp"] = record["last"]
        shown["lastIngestionTime"] = record["ingested"]
        shown["uploadSequenceToken"] = storage.sequence_token(record["ingested"])
    return shown


async def describe_log_streams(ctx: Context, request: dict[str, Any]) -> Response:
    group = named(ctx, request)
    prefix = request.get("logStreamNamePrefix", "")
    by_time = request.get("orderBy", "LogStreamName") == "LastEventTime"
    if by_time and prefix:
        raise model.invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    limit = request.get("limit", model.LIST_PAGE)

    async def body(tx: Transaction) -> list[tuple[str, Record]]:
        await storage.group(tx, group)
        return await storage.streams(tx, group)

    found = [(name, record) for name, record in await ctx.store.read(body) if name.startswith(prefix)]
    if by_time:
        found.sort(key=lambda pair: (pair[1].get("last", pair[1]["created"]), pair[0]))
    if request.get("descending"):
        found.reverse()
    start = 0
    if "nextToken" in request:
        last = unmark(request["nextToken"])
        start = next((at + 1 for at, (name, _) in enumerate(found) if name == last), len(found))
    page = found[start : start + limit]
    response: Response = {"logStreams": [_show(group, name, record) for name, record in page]}
    if start + limit < len(found):
        response["nextToken"] = mark(page[-1][0])
    return response
