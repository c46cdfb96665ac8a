"""AWS's six-field cron: minutes, hours, day of month, month, day of week, year.

Ranges, lists and steps as everywhere, names of months and days, `?` in one of the two day fields, and

    day of month    L  the last day · L-3  three days before it · 15W  the weekday nearest to the 15th · LW
    day of week     1 is Sunday · L  Saturday · 5L or THUL  the last Thursday · 3#2 or TUE#2  the second Tuesday

A time is that of a wall clock. One that the clock skips (an hour in spring) is left out; one that it shows twice (an
hour in autumn) comes once, the first time.
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

MONTHS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1
    )
}
DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
FIRST_YEAR, LAST_YEAR = 1970, 2199
END = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()
_PART = re.compile(r"(\*|[A-Z]{3}|\d+)(?:-([A-Z]{3}|\d+))?(?:/(\d+))?")
_WEEKDAY = re.compile(r"([A-Z]{3}|\d)(L|#[1-5])")

DaysOf = Callable[[int, int], tuple[int, ...]]


class CronError(ValueError):
    """Not a cron expression."""


@dataclass(slots=True, frozen=True)
class Field:
    low: int
    high: int
    names: dict[str, int]
    step_max: int
    wraps: bool = True
    """Whether a range may go over the end: FRI-MON."""

    def number(self, text: str) -> int:
        value = self.names.get(text) if text.isalpha() else int(text)
        if value is None or not self.low <= value <= self.high:
            raise CronError(text)
        return value

    def values(self, text: str) -> frozenset[int]:
        found: set[int] = set()
        for part in text.split(","):
            match = _PART.fullmatch(part)
            if match is None:
                raise CronError(part)
            found.update(self._part(*match.groups()))
        return frozenset(found)

    def _part(self, begin: str, end: str | None, step: str | None) -> Iterator[int]:
        if begin == "*" and end is not None:
            raise CronError(begin)
        by = 1 if step is None else int(step)
        if not 1 <= by <= self.step_max:
            raise CronError(str(step))
        first = self.low if begin == "*" else self.number(begin)
        if end is not None:
            last = self.number(end)
        else:
            last = first if step is None and begin != "*" else self.high
        if last < first and not self.wraps:
            raise CronError(f"{begin}-{end}")
        size = self.high - self.low + 1
        length = (last - first) % size
        return (self.low + (first - self.low + offset) % size for offset in range(0, length + 1, by))


MINUTE = Field(0, 59, {}, 59)
HOUR = Field(0, 23, {}, 23)
DAY = Field(1, 31, {}, 31)
MONTH = Field(1, 12, MONTHS, 12)
WEEKDAY = Field(1, 7, DAYS, 7)
YEAR = Field(FIRST_YEAR, LAST_YEAR, {}, LAST_YEAR, wraps=False)


@dataclass(slots=True, frozen=True)
class Cron:
    minutes: tuple[int, ...]
    """Minutes of the day."""
    days: DaysOf
    """The days of a month, in order."""
    months: frozenset[int]
    years: frozenset[int]

    def next(self, after: float, zone: tzinfo) -> float | None:
        """The first time after `after`."""
        if after >= END:
            return None
        local = datetime.fromtimestamp(after, zone)
        now = local.hour * 60 + local.minute
        for year in range(local.year, LAST_YEAR + 1):
            if year not in self.years:
                continue
            for month in range(local.month if year == local.year else 1, 13):
                this = (year, month) == (local.year, local.month)
                for day in self.days(year, month) if month in self.months else ():
                    if this and day < local.day:
                        continue
                    start = bisect_left(self.minutes, now) if this and day == local.day else 0
                    for minute in self.minutes[start:]:
                        time = instant(year, month, day, minute, zone)
                        if time is not None and time > after:
                            return time
        return None

    def latest(self, upto: float, zone: tzinfo) -> float | None:
        """The last time that is not after `upto`."""
        local = datetime.fromtimestamp(min(upto, END), zone)
        for year in range(local.year, FIRST_YEAR - 1, -1):
            if year not in self.years:
                continue
            for month in range(local.month if year == local.year else 12, 0, -1):
                this = (year, month) == (local.year, local.month)
                for day in reversed(self.days(year, month)) if month in self.months else ():
                    if this and day > local.day:
                        continue
                    for minute in reversed(self.minutes):
                        time = instant(year, month, day, minute, zone)
                        if time is not None and time <= upto:
                            return time
        return None


def instant(year: int, month: int, day: int, minute: int, zone: tzinfo) -> float | None:
    """When a clock on the wall shows this, for the first time; None if it never does."""
    wall = datetime(year, month, day, minute // 60, minute % 60, tzinfo=zone)
    time = wall.timestamp()
    shown = datetime.fromtimestamp(time, zone)
    return time if shown.replace(tzinfo=None) == wall.replace(tzinfo=None) else None


@lru_cache(maxsize=1024)
def parse(text: str) -> Cron:
    """The expression between the parentheses. Raises CronError."""
    fields = text.upper().split()
    if len(fields) != 6:
        raise CronError("six fields are needed")
    minutes, hours, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise CronError("one of the day fields has to be ?")
    times = sorted(h * 60 + m for h in HOUR.values(hours) for m in MINUTE.values(minutes))
    days = _days_of_month(day) if weekday == "?" else _days_of_week(weekday)
    return Cron(tuple(times), days, MONTH.values(month), YEAR.values(year))


def _last(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _weekday(year: int, month: int, day: int) -> int:
    """1 is Sunday."""
    return (calendar.weekday(year, month, day) + 1) % 7 + 1


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """The weekday nearest to a day, within its month."""
    last = _last(year, month)
    day = min(day, last)
    weekday = _weekday(year, month, day)
    if weekday == DAYS["SAT"]:
        return day - 1 if day > 1 else day + 2
    if weekday == DAYS["SUN"]:
        return day + 1 if day < last else day - 2
    return day


def _days_of_month(text: str) -> DaysOf:
    if text == "L":
        return lambda year, month: (_last(year, month),)
    if text == "LW":
        return lambda year, month: (_nearest_weekday(year, month, 31),)
    if match := re.fullmatch(r"L-(\d{1,2})", text):
        before = int(match[1])
        if not 1 <= before <= 30:
            raise CronError(text)
        return lambda year, month: tuple(day for day in (_last(year, month) - before,) if day > 0)
    if match := re.fullmatch(r"(\d{1,2})W", text):
        wanted = DAY.number(match[1])
        return lambda year, month: (
            (_nearest_weekday(year, month, wanted),) if wanted <= _last(year, month) else ()
        )
    days = sorted(DAY.values(text))
    return lambda year, month: tuple(day for day in days if day <= _last(year, month))


def _days_of_week(text: str) -> DaysOf:
    if text == "L":
        text = "SAT"
    if match := _WEEKDAY.fullmatch(text):
        weekday = WEEKDAY.number(match[1])
        place = -1 if match[2] == "L" else int(match[2][1:]) - 1

        def chosen(year: int, month: int) -> tuple[int, ...]:
            all = _on(frozenset((weekday,)), year, month)
            return (all[place],) if place < len(all) else ()

        return chosen
    weekdays = WEEKDAY.values(text)
    return lambda year, month: _on(weekdays, year, month)


def _on(weekdays: frozenset[int], year: int, month: int) -> tuple[int, ...]:
    first, last = calendar.monthrange(year, month)
    return tuple(day for day in range(1, last + 1) if (first + day) % 7 + 1 in weekdays)
