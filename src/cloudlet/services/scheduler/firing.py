"""When a schedule fires: its durable timer, and what it leaves behind in the same transaction.

Rules
 1. A schedule that waits has one timer, for its next time. When it is due, one transaction deletes it, sets the next
    one and puts a delivery into the queue of tasks: so each time happens once, whatever ends the node.
 2. Times that passed while the node was down, or over which its clock was moved, are not made up for one by one. A
    one-time schedule fires late; of a recurring one the latest time fires, and it goes on from there.
 3. When time is set back, a recurring schedule goes on from there and doesn't wait until the clock is where it was.
 4. A flexible window moves all times of a schedule by the same part of it, which is drawn from its ARN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zlib import crc32

import orjson

from ...context import Node
from ...names import random_id, request_id
from ...store.interface import Transaction
from . import expressions, model, storage
from .storage import Name, Record

HEX = "0123456789abcdef"


@dataclass(slots=True, frozen=True)
class Plan:
    """A schedule's times between its start and its end."""

    times: expressions.Times
    start: float
    end: float
    offset: float
    """Seconds from a time to its firing."""
    once: bool

    def next(self, after: float) -> float | None:
        """The first time after `after` at which the schedule may fire."""
        found = self.times.next(after)
        if found is not None and found < self.start:
            found = self.times.next(self.start - 0.001)
        return found if found is not None and found <= self.end else None

    def due(self, now: float) -> float | None:
        """The last time whose firing is not after `now`."""
        found = self.times.latest(min(now - self.offset, self.end))
        return found if found is not None and found >= self.start else None


def plan(name: Name, record: Record) -> Plan:
    expression = record["ScheduleExpression"]
    once = expressions.is_once(expression)
    times = expressions.times(expression, record["ScheduleExpressionTimezone"], record["Anchor"])
    start = float("-inf") if once else record.get("StartDate", float("-inf"))
    end = float("inf") if once else record.get("EndDate", float("inf"))
    return Plan(times, start, end, _offset(name, record), once)


def _offset(name: Name, record: Record) -> float:
    window: int = record["FlexibleTimeWindow"].get("MaximumWindowInMinutes", 0) * 60
    return crc32(name.arn.encode()) % window if window else 0


async def arm(node: Node, tx: Transaction, name: Name, record: Record, now: float) -> None:
    """Set the timer of a schedule that was made or changed. A one-time schedule of the past fires at once."""
    if record["State"] != "ENABLED":
        await node.timers.cancel(tx, storage.FIRE_TIMER, tuple(name))
        return
    schedule = plan(name, record)
    fired: float = record.get("Fired", float("-inf"))
    if schedule.once:
        after = fired
    elif isinstance(schedule.times, expressions.Every):
        after = max(fired, record["Anchor"] - 0.001)  # its anchor is its first time
    else:
        after = max(fired, record["Anchor"], now - schedule.offset)
    await _wait(node, tx, name, schedule, schedule.next(after))


async def _wait(node: Node, tx: Transaction, name: Name, schedule: Plan, time: float | None) -> None:
    if time is None:
        await node.timers.cancel(tx, storage.FIRE_TIMER, tuple(name))
    else:
        due = time + schedule.offset
        await node.timers.set(tx, storage.FIRE_TIMER, tuple(name), due, orjson.dumps(time))


async def on_fire(node: Node, tx: Transaction, id: tuple[Any, ...], payload: bytes) -> None:
    name = Name(*id)
    record = await storage.find(tx, name)
    if record is None or record["State"] != "ENABLED":
        return
    schedule = plan(name, record)
    time: float = orjson.loads(payload)
    if not schedule.once:
        time = max(time, schedule.due(node.clock.now()) or time)
    await node.tasks.enqueue(tx, storage.DELIVER_TASK, orjson.dumps(_delivery(name, record, time, schedule)))
    following = schedule.next(time)
    if following is None and record["ActionAfterCompletion"] == "DELETE":
        await storage.delete(tx, name)
        return
    await storage.put(tx, name, {**record, "Fired": time})
    await _wait(node, tx, name, schedule, following)


def is_ahead(record: Record, now: float) -> bool:
    """Whether a recurring schedule has fired, or was made, at a time that is yet to come: time was set back."""
    made: float = float("-inf") if "StartDate" in record else record["Anchor"]
    fired: float = record.get("Fired", made)
    return max(fired, made) > now and not expressions.is_once(record["ScheduleExpression"])


async def rewind(node: Node, name: Name, tx: Transaction) -> None:
    """Let a schedule that is ahead go on from now, as if it had fired at its last time before."""
    record, now = await storage.find(tx, name), node.clock.now()
    if record is None or not is_ahead(record, now):
        return
    changed = dict(record)
    changed.pop("Fired", None)
    if "StartDate" not in record:
        changed["Anchor"] = min(record["Anchor"], now)
    last = plan(name, changed).due(now)
    if last is not None:
        changed["Fired"] = last
    await storage.put(tx, name, changed)
    await arm(node, tx, name, changed, now)


def _delivery(name: Name, record: Record, time: float, schedule: Plan) -> Record:
    """All that a delivery needs, since the schedule may be gone by then."""
    return {
        "schedule": list(name),
        "time": time,
        "due": time + schedule.offset,
        "execution": random_id(16, HEX),
        "event": request_id(),
        "attempt": 1,
        "target": record["Target"],
        "retry": record["Target"].get("RetryPolicy", model.DEFAULT_RETRY),
    }
