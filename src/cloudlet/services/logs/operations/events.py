"""Log events: put, get, filter."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, patterns, storage
from ..storage import Event, Group, Reader, Record
from .groups import arm_retention, named

Response = dict[str, Any]
_END_OF_TIME = storage.place(1 << 50)
_TOKEN_DIGITS = 56


async def put_log_events(ctx: Context, request: dict[str, Any]) -> Response:
    group, name = named(ctx, request), request["logStreamName"]
    events = [(event["timestamp"], event["message"]) for event in request["logEvents"]]
    now = ctx.clock.now_ms()

    async def body(tx: Transaction) -> Response:
        record = await storage.group(tx, group)
        stream = await storage.stream(tx, group, name)
        if stream is None:
            raise model.no_stream()
        accepted, rejected = _accept(events, now, record.get("retention"))
        if accepted:
            await _write(ctx, tx, group, name, record, stream, accepted, now)
        response: Response = {"nextSequenceToken": storage.sequence_token(now)}
        if rejected:
            response["rejectedLogEventsInfo"] = rejected
        return response

    return await ctx.store.transact(body)


def _accept(
    events: list[tuple[int, str]], now: int, retention: int | None
) -> tuple[list[tuple[int, str]], dict[str, int]]:
    """The events that are neither too old nor too new, and the indexes that tell of the others."""
    times = [at for at, _ in events]
    rejected: dict[str, int] = {}
    begin, end = 0, len(events)
    if times[0] < now - model.MAX_AGE_MS:
        begin = rejected["tooOldLogEventEndIndex"] = sum(at < now - model.MAX_AGE_MS for at in times)
    if retention is not None and times[0] < now - retention * model.DAY_MS:
        expired = sum(at < now - retention * model.DAY_MS for at in times)
        rejected["expiredLogEventEndIndex"] = expired
        begin = max(begin, expired)
    if times[-1] > now + model.MAX_FUTURE_MS:
        end = rejected["tooNewLogEventStartIndex"] = sum(at <= now + model.MAX_FUTURE_MS for at in times)
    return events[begin:end], rejected


async def _write(
    ctx: Context,
    tx: Transaction,
    group: Group,
    name: str,
    record: Record,
    stream: Record,
    events: list[tuple[int, str]],
    now: int,
) -> None:
    was_empty = "retention" in record and await storage.oldest(tx, group) is None
    begin = 0
    for at in range(1, len(events) + 1):
        if at == len(events) or events[at][0] - events[begin][0] > model.CHUNK_SPAN_MS:
            await storage.put_chunk(tx, group, name, now, events[begin:at])
            begin = at
    size = storage.size(events)
    await storage.add_bytes(tx, group, size)
    stream["bytes"] = stream.get("bytes", 0) + size
    first, last = events[0][0], events[-1][0]
    stream["first"] = min(first, stream.get("first", first))
    stream["last"] = max(last, stream.get("last", last))
    stream["ingested"] = now
    await storage.put_stream(tx, group, name, stream)
    if was_empty:
        await arm_retention(ctx.node, tx, group, record["retention"])


def _token(direction: str, place: int) -> str:
    return f"{direction}/{place:0{_TOKEN_DIGITS}d}/s"


def _parse_token(token: str) -> tuple[str, int]:
    parts = token.split("/")
    if len(parts) != 3 or parts[0] not in ("f", "b") or parts[2] != "s" or not parts[1].isdigit():
        raise model.bad_token()
    return parts[0], int(parts[1])


async def get_log_events(ctx: Context, request: dict[str, Any]) -> Response:
    """A page in either direction. Tokens stand between events: `f/n` goes on with n, `b/n` with what is before n."""
    group, name = named(ctx, request), request["logStreamName"]
    begin, end = _bounds(request, include_end=False)
    forward = bool(request.get("startFromHead"))
    if "nextToken" in request:
        direction, place = _parse_token(request["nextToken"])
        forward = direction == "f"
        begin, end = (max(begin, place), end) if forward else (begin, min(end, place))

    async def check(tx: Transaction) -> Record:
        record = await storage.group(tx, group)
        if await storage.stream(tx, group, name) is None:
            raise model.no_stream()
        return record

    record = await ctx.store.read(check)
    begin = _unexpired(ctx, record, begin)
    limit = request.get("limit", model.PAGE_EVENTS)
    page = await _page(ctx, group, begin, end, name, limit, forward)
    if page:
        low, high = page[0].place, page[-1].place + 1
    elif "nextToken" in request:
        low = high = place
    else:
        low = high = begin
    return {
        "events": [
            {"timestamp": event.at, "message": event.message, "ingestionTime": event.ingested}
            for event in page
        ],
        "nextForwardToken": _token("f", high),
        "nextBackwardToken": _token("b", low),
    }


def _bounds(request: dict[str, Any], *, include_end: bool) -> tuple[int, int]:
    begin = storage.place(request["startTime"]) if "startTime" in request else 0
    if "endTime" not in request:
        return begin, _END_OF_TIME
    return begin, storage.place(request["endTime"] + include_end)


def _unexpired(ctx: Context, group: Record, begin: int) -> int:
    """Events past their retention are not shown, even while they still wait to be deleted."""
    if "retention" not in group:
        return begin
    return max(begin, storage.place(max(0, ctx.clock.now_ms() - group["retention"] * model.DAY_MS)))


async def _page(
    ctx: Context, group: Group, begin: int, end: int, stream: str, limit: int, forward: bool
) -> list[Event]:
    """Up to `limit` events and 1 MB, in order of time; from the back when not `forward`."""
    reader = Reader(group, begin, end, stream=stream, reverse=not forward)
    page: list[Event] = []
    size = 0
    while not reader.done:
        for event in await reader.more(ctx.store):
            size += len(event.message) + model.EVENT_OVERHEAD
            if len(page) == limit or (size > model.PAGE_BYTES and page):
                return page if forward else page[::-1]
            page.append(event)
    return page if forward else page[::-1]


async def filter_log_events(ctx: Context, request: dict[str, Any]) -> Response:
    """Events of a group that a pattern matches. It may answer with few or none and a token, as AWS does."""
    group = named(ctx, request)
    matches = patterns.compile(request.get("filterPattern", ""))
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
    if names is not None and prefix is not None:
        raise model.invalid("Cannot specify both logStreamNamePrefix and logStreamNames.")
    begin, end = _bounds(request, include_end=True)
    if "nextToken" in request:
        begin = max(begin, _filter_place(request["nextToken"]))

    async def check(tx: Transaction) -> Record:
        record = await storage.group(tx, group)
        for name in names or ():
            if await storage.stream(tx, group, name) is None:
                raise model.no_stream()
        return record

    begin = _unexpired(ctx, await ctx.store.read(check), begin)
    limit = request.get("limit", model.PAGE_EVENTS)
    only = names[0] if names is not None and len(names) == 1 else None
    reader = Reader(group, begin, end, stream=only)
    found: list[Response] = []
    size = 0
    turns = 0
    while not reader.done and turns < model.SCAN_TURNS:
        turns += 1
        for event in await reader.more(ctx.store):
            if (names is not None and event.stream not in names) or not event.stream.startswith(prefix or ""):
                continue
            if not matches(event.message):
                continue
            size += len(event.message) + model.EVENT_OVERHEAD
            if len(found) == limit or (size > model.PAGE_BYTES and found):
                return _filtered(found, event.place)
            found.append(_show_filtered(event))
    return _filtered(found, None if reader.done else reader.frontier)


def _show_filtered(event: Event) -> Response:
    return {
        "logStreamName": event.stream,
        "timestamp": event.at,
        "message": event.message,
        "ingestionTime": event.ingested,
        "eventId": f"{event.place:0{_TOKEN_DIGITS}d}",
    }


def _filtered(events: list[Response], resume: int | None) -> Response:
    response: Response = {"events": events, "searchedLogStreams": []}
    if resume is not None:
        response["nextToken"] = _token("f", resume)
    return response


def _filter_place(token: str) -> int:
    return _parse_token(token)[1]


async def test_metric_filter(ctx: Context, request: dict[str, Any]) -> Response:
    """Which of the messages a pattern matches."""
    matches = patterns.compile(request["filterPattern"])
    return {
        "matches": [
            {"eventNumber": number, "eventMessage": message, "extractedValues": {}}
            for number, message in enumerate(request["logEventMessages"], 1)
            if matches(message)
        ]
    }
