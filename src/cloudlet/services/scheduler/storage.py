"""Where schedules and their groups lie.

    ("schedule", account, region, group, name)    -> schedule: what GetSchedule answers, and Anchor, Fired, Token
    ("group", account, region, name)              -> group: what GetScheduleGroup answers, and Tags, Token

The next firing of a schedule is a durable timer, its deliveries are durable tasks; both have names here.
The group "default" is there without a record; it gets one when it is tagged.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from ...names import arn
from ...store.interface import Transaction
from ...store.keys import Subspace, prefix_range, successor
from . import model

FIRE_TIMER = "scheduler.fire"
DELIVER_TASK = "scheduler.deliver"
DEAD_TASK = "scheduler.dead"
SWEEP_TASK = "scheduler.sweep"

_space = Subspace("scheduler")
_schedule = _space.sub("schedule")
_group = _space.sub("group")

Record = dict[str, Any]


class Place(NamedTuple):
    """Where groups live."""

    account: str
    region: str


class Name(NamedTuple):
    """A schedule's full name; its timer's id."""

    account: str
    region: str
    group: str
    name: str

    @property
    def arn(self) -> str:
        return arn("scheduler", self.region, self.account, f"schedule/{self.group}/{self.name}")

    @property
    def place(self) -> Place:
        return Place(self.account, self.region)


def group_arn(place: Place, group: str) -> str:
    return arn("scheduler", place.region, place.account, f"schedule-group/{group}")


# --- groups ------------------------------------------------------------


async def find_group(tx: Transaction, place: Place, name: str) -> Record | None:
    value = await tx.get(_group.pack(*place, name))
    if value is not None:
        found: Record = orjson.loads(value)
        return found
    if name == model.DEFAULT_GROUP:
        return {"Arn": group_arn(place, name), "Name": name, "State": "ACTIVE"}
    return None


async def group(tx: Transaction, place: Place, name: str) -> Record:
    """The group, or ResourceNotFoundException."""
    found = await find_group(tx, place, name)
    if found is None:
        raise model.no_group(name)
    return found


async def put_group(tx: Transaction, place: Place, record: Record) -> None:
    await tx.put(_group.pack(*place, record["Name"]), orjson.dumps(record))


async def delete_group(tx: Transaction, place: Place, name: str) -> None:
    await tx.delete(_group.pack(*place, name))


async def groups(tx: Transaction, place: Place) -> list[Record]:
    """All of them, by name."""
    found = [orjson.loads(value) for _, value in await tx.range(*_group.range(*place))]
    if not any(record["Name"] == model.DEFAULT_GROUP for record in found):
        found.append(await group(tx, place, model.DEFAULT_GROUP))
    return sorted(found, key=lambda record: str(record["Name"]))


# --- schedules ------------------------------------------------------------


async def find(tx: Transaction, name: Name) -> Record | None:
    value = await tx.get(_schedule.pack(*name))
    return None if value is None else orjson.loads(value)


async def schedule(tx: Transaction, name: Name) -> Record:
    """The schedule, or ResourceNotFoundException."""
    found = await find(tx, name)
    if found is None:
        raise model.no_schedule(name.name)
    return found


async def put(tx: Transaction, name: Name, record: Record) -> None:
    await tx.put(_schedule.pack(*name), orjson.dumps(record))


async def delete(tx: Transaction, name: Name) -> None:
    await tx.delete(_schedule.pack(*name))


async def schedules(
    tx: Transaction, place: Place, group: str, prefix: str, after: tuple[str, ...], limit: int
) -> list[tuple[Name, Record]]:
    """Schedules in the order of group and name, those of one group if it is given."""
    begin, end = _schedule.range(*place, group) if group else _schedule.range(*place)
    if group and prefix:
        begin, end = prefix_range(_schedule.pack(*place, group, prefix)[:-1])
    if after:
        begin = max(begin, successor(_schedule.pack(*place, *after)))
    rows = await tx.range(begin, end, limit=limit)
    return [(Name(*_schedule.unpack(key)), orjson.loads(value)) for key, value in rows]


async def every(tx: Transaction, after: Name | None, limit: int) -> list[tuple[Name, Record]]:
    """Everybody's schedules after one, in order."""
    begin, end = _schedule.range()
    if after is not None:
        begin = successor(_schedule.pack(*after))
    rows = await tx.range(begin, end, limit=limit)
    return [(Name(*_schedule.unpack(key)), orjson.loads(value)) for key, value in rows]
