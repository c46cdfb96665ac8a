"""Schedules: created, changed, deleted, shown."""

from __future__ import annotations

from typing import Any

from ....context import Context, Node
from ....store.interface import Transaction
from .. import expressions, firing, model, roles, storage, targets
from ..storage import Name, Place, Record
from . import pages

Response = dict[str, Any]
GIVEN = (
    "ActionAfterCompletion", "Description", "EndDate", "FlexibleTimeWindow", "KmsKeyArn", "ScheduleExpression",
    "ScheduleExpressionTimezone", "StartDate", "State", "Target",
)  # fmt: skip
SHOWN = (*GIVEN, "Arn", "CreationDate", "GroupName", "LastModificationDate", "Name")
SUMMARY = ("Arn", "CreationDate", "GroupName", "LastModificationDate", "Name", "State")
BEGINNING = ("ScheduleExpression", "ScheduleExpressionTimezone", "StartDate")
"""What begins a schedule anew when it changes."""
DEFAULTS = {"ActionAfterCompletion": "NONE", "ScheduleExpressionTimezone": "UTC", "State": "ENABLED"}


def named(ctx: Context, request: dict[str, Any]) -> Name:
    return Name(ctx.account, ctx.region, request.get("GroupName", model.DEFAULT_GROUP), request["Name"])


def _wanted(request: dict[str, Any]) -> Record:
    wanted = DEFAULTS | {name: request[name] for name in GIVEN if name in request}
    target = request["Target"]
    retry = model.DEFAULT_RETRY | target.get("RetryPolicy", {})
    wanted["Target"] = {**target, "RetryPolicy": retry}
    return wanted


async def _check(ctx: Context, name: Name, request: dict[str, Any]) -> None:
    start = request.get("StartDate")
    if start is not None and start < ctx.clock.now() - model.START_SLACK:
        raise model.invalid("The StartDate you specify cannot be earlier than 5 minutes ago.")
    targets.check_here(ctx.node, ctx.region, request["Target"])
    group = storage.group_arn(name.place, name.group)
    await roles.check_trust(ctx, request["Target"]["RoleArn"], group)


async def _group(tx: Transaction, name: Name) -> None:
    if (await storage.group(tx, name.place, name.group))["State"] == "DELETING":
        raise model.group_goes(name.group)


def _anchored(record: Record, now: float) -> float:
    """The time from which a schedule that begins now counts."""
    if expressions.is_once(record["ScheduleExpression"]):
        return float(int(now))
    return float(record.get("StartDate", int(now)))


async def create_schedule(ctx: Context, request: dict[str, Any]) -> Response:
    name, now = named(ctx, request), ctx.clock.now()
    wanted = _wanted(request)
    record: Record = {
        **wanted,
        "Arn": name.arn,
        "CreationDate": now,
        "GroupName": name.group,
        "LastModificationDate": now,
        "Name": name.name,
        "Anchor": _anchored(wanted, now),
        "Token": request.get("ClientToken"),
    }

    async def there(tx: Transaction) -> bool:
        """Whether this very request made it before."""
        await _group(tx, name)
        found = await storage.find(tx, name)
        if found is None:
            return False
        if found["Token"] != record["Token"] or any(found.get(key) != wanted.get(key) for key in GIVEN):
            raise model.schedule_exists(name.name)
        return True

    async def body(tx: Transaction) -> None:
        if not await there(tx):
            await storage.put(tx, name, record)
            await firing.arm(ctx.node, tx, name, record, now)

    if not await ctx.store.read(there):
        await _check(ctx, name, request)
        await ctx.store.transact(body)
    return {"ScheduleArn": name.arn}


async def update_schedule(ctx: Context, request: dict[str, Any]) -> Response:
    name, now = named(ctx, request), ctx.clock.now()
    wanted = _wanted(request)

    async def body(tx: Transaction) -> None:
        await _group(tx, name)
        old = await storage.schedule(tx, name)
        record = {key: value for key, value in old.items() if key not in GIVEN}
        record |= {**wanted, "LastModificationDate": now}
        begins = any(old.get(key) != wanted.get(key) for key in BEGINNING)
        if begins:
            record.pop("Fired", None)
        if begins or (old["State"], wanted["State"]) == ("DISABLED", "ENABLED"):
            record["Anchor"] = _anchored(wanted, now)
        await storage.put(tx, name, record)
        await firing.arm(ctx.node, tx, name, record, now)

    await ctx.store.read(lambda tx: storage.schedule(tx, name))
    await _check(ctx, name, request)
    await ctx.store.transact(body)
    return {"ScheduleArn": name.arn}


async def get_schedule(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, request)

    async def body(tx: Transaction) -> Record:
        await storage.group(tx, name.place, name.group)
        return await storage.schedule(tx, name)

    record = await ctx.store.read(body)
    return {key: record[key] for key in SHOWN if key in record}


async def delete_schedule(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, request)

    async def body(tx: Transaction) -> None:
        await storage.group(tx, name.place, name.group)
        await storage.schedule(tx, name)
        await forget(ctx.node, tx, name)

    await ctx.store.transact(body)
    return {}


async def forget(node: Node, tx: Transaction, name: Name) -> None:
    """Delete a schedule with its timer; what has fired is still delivered."""
    await storage.delete(tx, name)
    await node.timers.cancel(tx, storage.FIRE_TIMER, tuple(name))


async def list_schedules(ctx: Context, request: dict[str, Any]) -> Response:
    place = Place(ctx.account, ctx.region)
    group, prefix = request.get("GroupName", ""), request.get("NamePrefix", "")
    limit, state = request.get("MaxResults", model.PAGE), request.get("State")
    after = pages.place(request, 2)

    async def body(tx: Transaction) -> tuple[list[Record], str | None]:
        if group:
            await storage.group(tx, place, group)
        found: list[Record] = []
        last = after
        while True:
            rows = await storage.schedules(tx, place, group, prefix, last, model.PAGE)
            for name, record in rows:
                if name.name.startswith(prefix) and state in (None, record["State"]):
                    if len(found) == limit:
                        return found, pages.token(*last)
                    found.append(record)
                last = (name.group, name.name)
            if len(rows) < model.PAGE:
                return found, None

    found, token = await ctx.store.read(body)
    response: Response = {"Schedules": [_summary(record) for record in found]}
    if token is not None:
        response["NextToken"] = token
    return response


def _summary(record: Record) -> Response:
    shown: Response = {key: record[key] for key in SUMMARY}
    return {**shown, "Target": {"Arn": record["Target"]["Arn"]}}
