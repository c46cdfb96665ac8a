"""Schedule groups."""

from __future__ import annotations

from typing import Any

import orjson

from ....context import Context, Node
from ....store.interface import Task, Transaction
from .. import model, storage
from ..storage import Place, Record
from . import pages
from .schedules import forget

Response = dict[str, Any]
SHOWN = ("Arn", "Name", "State", "CreationDate", "LastModificationDate")
SWEEP = 256
"""Schedules that one transaction deletes."""


def here(ctx: Context) -> Place:
    return Place(ctx.account, ctx.region)


async def create_schedule_group(ctx: Context, request: dict[str, Any]) -> Response:
    place, name, now = here(ctx), request["Name"], ctx.clock.now()
    record = {
        "Arn": storage.group_arn(place, name),
        "Name": name,
        "State": "ACTIVE",
        "CreationDate": now,
        "LastModificationDate": now,
        "Tags": {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())},
        "Token": request.get("ClientToken"),
    }
    if len(record["Tags"]) > model.MAX_TAGS:
        raise model.too_many_tags()

    async def body(tx: Transaction) -> None:
        found = await storage.find_group(tx, place, name)
        if found is not None:
            if found["Token"] is None or found["Token"] != record["Token"]:
                raise model.group_exists(name)
            return
        if len(await storage.groups(tx, place)) >= model.MAX_GROUPS:
            raise model.too_many_groups()
        await storage.put_group(tx, place, record)

    await ctx.store.transact(body)
    return {"ScheduleGroupArn": record["Arn"]}


async def get_schedule_group(ctx: Context, request: dict[str, Any]) -> Response:
    found = await ctx.store.read(lambda tx: storage.group(tx, here(ctx), request["Name"]))
    return _shown(found)


async def list_schedule_groups(ctx: Context, request: dict[str, Any]) -> Response:
    prefix, limit = request.get("NamePrefix", ""), request.get("MaxResults", model.PAGE)
    after = pages.place(request, 1)
    found = [
        record
        for record in await ctx.store.read(lambda tx: storage.groups(tx, here(ctx)))
        if record["Name"].startswith(prefix) and (not after or record["Name"] > after[0])
    ]
    response: Response = {"ScheduleGroups": [_shown(record) for record in found[:limit]]}
    if len(found) > limit:
        response["NextToken"] = pages.token(found[limit - 1]["Name"])
    return response


async def delete_schedule_group(ctx: Context, request: dict[str, Any]) -> Response:
    place, name = here(ctx), request["Name"]

    async def body(tx: Transaction) -> None:
        record = await storage.group(tx, place, name)
        if not await _step(ctx.node, tx, place, name):
            await storage.put_group(tx, place, {**record, "State": "DELETING"})
            await ctx.node.tasks.enqueue(tx, storage.SWEEP_TASK, orjson.dumps([*place, name]))

    await ctx.store.transact(body)
    return {}


async def on_sweep(node: Node, task: Task) -> None:
    account, region, name = orjson.loads(task.payload)
    place = Place(account, region)
    while not await node.store.transact(lambda tx: _step(node, tx, place, name)):
        pass


async def _step(node: Node, tx: Transaction, place: Place, name: str) -> bool:
    """Delete some schedules of the group; the group, too, if that was all. Whether it was."""
    found = await storage.schedules(tx, place, name, "", (), SWEEP)
    for schedule, _ in found:
        await forget(node, tx, schedule)
    if len(found) == SWEEP:
        return False
    await storage.delete_group(tx, place, name)
    return True


def _shown(record: Record) -> Response:
    return {name: record[name] for name in SHOWN if name in record}
