"""Schedule expressions, `at(…)`, `rate(…)` and `cron(…)`, and the times that they mean.

A rate counts seconds from its anchor and knows no time zone; the others are read in the schedule's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from . import cron

UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_FORM = re.compile(r"(at|rate|cron)\((.*)\)", re.DOTALL)
_RATE = re.compile(r"([1-9]\d{0,8}) +(minute|hour|day)s?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


class ExpressionError(ValueError):
    """Not a schedule expression."""


class Times(Protocol):
    """The times of a schedule, without regard to its start and end."""

    def next(self, after: float) -> float | None:
        """The first time after `after`."""
        ...

    def latest(self, upto: float) -> float | None:
        """The last time that is not after `upto`."""
        ...


@dataclass(slots=True, frozen=True)
class Once:
    time: float

    def next(self, after: float) -> float | None:
        return self.time if self.time > after else None

    def latest(self, upto: float) -> float | None:
        return self.time if self.time <= upto else None


@dataclass(slots=True, frozen=True)
class Every:
    seconds: int
    anchor: float

    def next(self, after: float) -> float | None:
        if after < self.anchor:
            return self.anchor
        return self.anchor + ((after - self.anchor) // self.seconds + 1) * self.seconds

    def latest(self, upto: float) -> float | None:
        if upto < self.anchor:
            return None
        return self.anchor + (upto - self.anchor) // self.seconds * self.seconds


@dataclass(slots=True, frozen=True)
class Calendar:
    cron: cron.Cron
    zone: tzinfo

    def next(self, after: float) -> float | None:
        return self.cron.next(after, self.zone)

    def latest(self, upto: float) -> float | None:
        return self.cron.latest(upto, self.zone)


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """The time zone of that name. Raises ExpressionError."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ExpressionError(name) from error


def times(expression: str, timezone: str, anchor: float) -> Times:
    """What an expression means. Raises ExpressionError."""
    match = _FORM.fullmatch(expression)
    if match is None:
        raise ExpressionError(expression)
    kind, text = match.groups()
    try:
        if kind == "at":
            return Once(_moment(text, zone(timezone)))
        if kind == "cron":
            return Calendar(cron.parse(text), zone(timezone))
    except ValueError as error:
        raise ExpressionError(expression) from error
    rate = _RATE.fullmatch(text)
    if rate is None:
        raise ExpressionError(expression)
    return Every(int(rate[1]) * UNITS[rate[2]], anchor)


def is_once(expression: str) -> bool:
    return expression.startswith("at(")


def _moment(text: str, zone: tzinfo) -> float:
    """A wall time as an instant: one that is shown twice is the first, one that is skipped is as much later."""
    if not _TIME.fullmatch(text):
        raise ExpressionError(text)
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()
