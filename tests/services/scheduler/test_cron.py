"""AWS's cron dialect: which times it means, time zones and daylight saving included."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.services.scheduler.cron import CronError, parse

START = datetime(2026, 1, 1, tzinfo=UTC)


def times(text: str, count: int, start: str = "2026-01-01T00:00", zone: str = "UTC") -> list[str]:
    """The first times after `start`, on the wall of `zone`."""
    cron, place = parse(text), ZoneInfo(zone)
    found, now = [], datetime.fromisoformat(start).replace(tzinfo=place).timestamp() - 1
    for _ in range(count):
        following = cron.next(now, place)
        if following is None:
            break
        found.append(datetime.fromtimestamp(following, place).strftime("%Y-%m-%d %H:%M"))
        now = following
    return found


class TestFields:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0 10 * * ? *", ["2026-01-01 10:00", "2026-01-02 10:00"]),
            ("0/15 9-10 * * ? *", ["2026-01-01 09:00", "2026-01-01 09:15"]),
            ("*/20 0 1 * ? *", ["2026-01-01 00:00", "2026-01-01 00:20"]),
            ("0 18 ? * MON-FRI *", ["2026-01-01 18:00", "2026-01-02 18:00", "2026-01-05 18:00"]),
            ("0 8 ? * 2,4 *", ["2026-01-05 08:00", "2026-01-07 08:00"]),
            ("0 0 ? * FRI-MON *", ["2026-01-02 00:00", "2026-01-03 00:00", "2026-01-04 00:00"]),
            ("0 0 1 jan,JUL ? *", ["2026-01-01 00:00", "2026-07-01 00:00", "2027-01-01 00:00"]),
            ("5,35 14 * * ? 2027", ["2027-01-01 14:05", "2027-01-01 14:35"]),
            ("0 0 1 1 ? 2027-2029/2", ["2027-01-01 00:00", "2029-01-01 00:00"]),
            ("30 22-1 * * ? *", ["2026-01-01 00:30", "2026-01-01 01:30", "2026-01-01 22:30"]),
            ("0-15/1 8-8 ? * 2,3,4,5,6,7 *", ["2026-01-01 08:00", "2026-01-01 08:01"]),
            ("0 0 29 2 ? *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ],
    )
    def test_plain(self, text, expected):
        assert times(text, len(expected)) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0 0 L * ? *", ["2026-01-31 00:00", "2026-02-28 00:00"]),
            ("0 0 L-2 * ? *", ["2026-01-29 00:00", "2026-02-26 00:00"]),
            ("0 0 15W * ? *", ["2026-01-15 00:00", "2026-02-16 00:00"]),
            ("0 0 1W * ? 2026", ["2026-01-01 00:00", "2026-02-02 00:00"]),
            ("0 0 31W 1,2,10 ? *", ["2026-01-30 00:00", "2026-10-30 00:00"]),
            ("0 0 LW * ? *", ["2026-01-30 00:00", "2026-02-27 00:00"]),
            ("0 0 ? * L *", ["2026-01-03 00:00", "2026-01-10 00:00"]),
            ("0 0 ? * 6L *", ["2026-01-30 00:00", "2026-02-27 00:00"]),
            ("0 0 ? * THUL *", ["2026-01-29 00:00", "2026-02-26 00:00"]),
            ("0 0 ? * 3#1 *", ["2026-01-06 00:00", "2026-02-03 00:00"]),
            ("0 0 ? * TUE#5 *", ["2026-03-31 00:00", "2026-06-30 00:00"]),
        ],
    )
    def test_letters(self, text, expected):
        assert times(text, len(expected)) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "", "* * * * *", "* * * * * *", "0 0 ? * ? *", "60 0 * * ? *", "0 24 * * ? *", "0 0 0 * ? *",
            "0 0 32 * ? *",
            "0 0 * 13 ? *", "0 0 ? * 8 *", "0 0 ? * 0 *", "0 0 * * ? 1969", "0 0 * * ? 2200", "0/60 * * * ? *",
            "0/0 * * * ? *", "*/60 * * * ? *", "0 0 ? * MON#6 *", "0 0 ? * MON#1,TUE *", "0 0 L,1 * ? *", "a 0 * * ? *",
            "0, 9-18, ?, *, MON-FRI, *", "0 0 * JANUARY ? *", "0 0 * * ? 2030-2029", "-1 0 * * ? *", "0 ? * * ? *",
            "0 0 W * ? *", "*/30 * * * * ? *", "0 0 * * ? * *", "*-5 0 * * ? *",
        ],
    )  # fmt: skip
    def test_refused(self, text):
        with pytest.raises(CronError):
            parse(text)

    def test_what_never_comes(self):
        assert times("0 0 31 2 ? *", 1) == []
        assert times("0 0 1 1 ? 2025", 1) == []
        assert parse("* * * * ? *").next(1e15, UTC) is None


class TestDaylightSaving:
    def test_a_time_that_the_clock_skips_is_left_out(self):
        assert times("30 2 * * ? *", 3, "2026-03-07T00:00", "America/New_York") == [
            "2026-03-07 02:30", "2026-03-09 02:30", "2026-03-10 02:30",
        ]  # fmt: skip

    def test_a_time_that_the_clock_shows_twice_comes_once_and_first(self):
        zone = ZoneInfo("America/New_York")
        cron = parse("30 1 1 11 ? 2026")
        first = cron.next(START.timestamp(), zone)
        assert datetime.fromtimestamp(first, UTC).isoformat() == "2026-11-01T05:30:00+00:00"
        assert cron.next(first, zone) is None

    def test_an_hour_goes_by_between_the_two(self):
        """Every half hour: after 1:30 the clock goes back to 1:00, and those two were there already."""
        zone = ZoneInfo("Europe/Berlin")
        cron = parse("0/30 * 25 10 ? 2026")
        now, found = datetime(2026, 10, 25, 0, 0, tzinfo=UTC).timestamp() - 1, []
        for _ in range(4):
            now = cron.next(now, zone)
            found.append(datetime.fromtimestamp(now, UTC).strftime("%H:%M"))
        assert found == ["00:00", "00:30", "02:00", "02:30"]

    def test_the_day_keeps_its_hour_on_the_wall(self):
        assert times("0 9 * * ? *", 3, "2026-03-28T00:00", "Europe/Berlin") == [
            "2026-03-28 09:00", "2026-03-29 09:00", "2026-03-30 09:00",
        ]  # fmt: skip


FIELDS = st.tuples(
    st.sampled_from(["*", "0", "0/7", "5,50", "30-40/3"]),
    st.sampled_from(["*", "1", "2", "0/5", "22-3"]),
    st.sampled_from(["*", "L", "1W", "31", "LW", "1-10/3", "?"]),
    st.sampled_from(["*", "2", "MAR,OCT,NOV", "11-2"]),
    st.sampled_from(["?", "MON-FRI", "L", "SUN#1", "6L"]),
    st.just("*"),
).filter(lambda fields: (fields[2] == "?") != (fields[4] == "?") and fields[2:4] != ("31", "2"))
ZONES = st.sampled_from(
    ["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"]
)


class TestProperties:
    @given(FIELDS, ZONES, st.integers(0, 3 * 366 * 24 * 60))
    def test_next_and_latest_agree(self, fields, zone, minute):
        cron, place = parse(" ".join(fields)), ZoneInfo(zone)
        now = (START + timedelta(minutes=minute)).timestamp()
        following = cron.next(now, place)
        assert following is not None and following > now
        assert cron.latest(following, place) == following
        before = cron.latest(following - 1, place)
        assert before is not None and before <= now
        assert cron.next(before, place) == following

    @given(FIELDS, ZONES, st.integers(0, 3 * 366))
    def test_a_day_has_the_times_that_a_walk_over_its_minutes_finds(self, fields, zone, day):
        cron, place = parse(" ".join(fields)), ZoneInfo(zone)
        begin = (START + timedelta(days=day)).timestamp()
        found = []
        now = begin - 1
        while (now := cron.next(now, place)) < begin + 86_400:
            found.append(now)
        walked, seen = [], set()
        for second in itertools.chain(range(-7200, 86_400, 60)):
            wall = datetime.fromtimestamp(begin + second, place).replace(tzinfo=None, fold=0)
            if wall not in seen and begin + second >= begin and _matches(cron, wall):
                walked.append(begin + second)
            seen.add(wall)
        assert found == walked


def _matches(cron, wall):
    return (
        wall.year in cron.years
        and wall.month in cron.months
        and wall.day in cron.days(wall.year, wall.month)
        and wall.hour * 60 + wall.minute in cron.minutes
    )
