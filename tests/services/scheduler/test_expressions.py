"""at, rate and cron, and when a schedule's times begin and end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cloudlet.services.scheduler.expressions import ExpressionError, times, zone
from cloudlet.services.scheduler.firing import plan
from cloudlet.services.scheduler.storage import Name


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class TestAt:
    @pytest.mark.parametrize(
        ("text", "timezone", "utc"),
        [
            ("at(2026-07-01T12:00:00)", "UTC", "2026-07-01T12:00:00"),
            ("at(2026-07-01T12:00:05)", "Europe/Berlin", "2026-07-01T10:00:05"),
            ("at(2026-01-01T12:00:00)", "Asia/Kathmandu", "2026-01-01T06:15:00"),
            ("at(2026-03-08T02:30:00)", "America/New_York", "2026-03-08T07:30:00"),
            ("at(2026-11-01T01:30:00)", "America/New_York", "2026-11-01T05:30:00"),
        ],
    )
    def test_is_a_time_on_the_wall(self, text, timezone, utc):
        once = times(text, timezone, 0.0)
        assert once.next(0.0) == moment(utc)
        assert once.next(moment(utc)) is None
        assert once.latest(moment(utc)) == moment(utc)
        assert once.latest(moment(utc) - 1) is None


class TestRate:
    def test_counts_from_its_anchor(self):
        every = times("rate(5 minutes)", "UTC", 1000.0)
        assert every.next(0.0) == 1000.0
        assert every.next(1000.0) == 1300.0
        assert every.next(1299.9) == 1300.0
        assert every.latest(1299.9) == 1000.0
        assert every.latest(999.0) is None

    def test_does_not_know_of_daylight_saving(self):
        begin = moment("2026-03-28T09:00:00")
        every = times("rate(1 day)", "Europe/Berlin", begin)
        assert every.next(begin + 86_400) == begin + 2 * 86_400

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("1 minute", 60), ("1 minutes", 60), ("2 hours", 7200), ("1 hour", 3600), ("10 days", 864_000)],
    )
    def test_units(self, text, seconds):
        every = times(f"rate({text})", "UTC", 0.0)
        assert every.next(0.0) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "", "every minute", "rate(30 seconds)", "rate(0 minutes)", "rate(-1 minutes)", "rate(1.5 hours)",
        "rate(minute)",
        "rate(1 week)", "rate(1minute)", "rate (1 minute)", "at(2026-01-01)", "at(2026-01-01T00:00)", "at(tomorrow)",
        "at(2026-01-01T00:00:00Z)", "at(2026-01-01T00:00:00.500)", "at(2026-13-01T00:00:00)", "at(2026-02-30T00:00:00)",
        "cron(* * * * *)", "cron()", "CRON(0 0 * * ? *)", "cron(0 0 * * ? *) ", "at(2026-01-01T24:00:00)",
    ],
)  # fmt: skip
def test_refused_expressions(text):
    with pytest.raises(ExpressionError):
        times(text, "UTC", 0.0)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "America", "/etc/localtime"])
def test_refused_time_zones(name):
    with pytest.raises(ExpressionError):
        zone(name)


class TestPlan:
    name = Name("000000000000", "us-east-1", "default", "it")

    def plan(self, expression, window=None, **dates):
        record = {
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"MaximumWindowInMinutes": window} if window else {},
            "Anchor": dates.get("StartDate", 0.0),
            **dates,
        }
        return plan(self.name, record)

    def test_begins_at_its_start_and_ends_at_its_end(self):
        begin, end = moment("2026-05-05T10:00:00"), moment("2026-05-05T12:00:00")
        hourly = self.plan("cron(0 * * * ? *)", StartDate=begin, EndDate=end)
        assert hourly.next(0.0) == begin
        assert hourly.next(begin) == begin + 3600
        assert hourly.next(begin + 3600) == end
        assert hourly.next(end) is None
        assert hourly.due(begin - 1) is None
        assert hourly.due(end + 86_400) == end

    def test_once_has_no_start_and_no_end(self):
        once = self.plan("at(2026-05-05T10:00:00)", StartDate=moment("2027-01-01T00:00:00"), EndDate=1.0)
        assert once.next(0.0) == moment("2026-05-05T10:00:00")

    def test_a_window_moves_each_time_by_the_same(self):
        loose = self.plan("rate(1 hour)", window=15)
        assert 0 <= loose.offset < 900
        assert loose.next(0.0) == 3600
        assert loose.due(3600 + loose.offset) == 3600
        assert loose.due(3600 + loose.offset - 0.1) == 0
