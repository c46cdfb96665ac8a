"""When schedules fire: on time, once, after a restart, after a jump of the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.harness import eventually

from .conftest import OFF, at

DAY = 86_400


def iso(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def midnight(moment: float) -> float:
    return moment - moment % DAY


class TestOnce:
    def test_fires_at_its_time_and_stays(self, own):
        moment = int(own.now()) + 3600
        own.create(at(moment))
        assert own.quiet()
        own.node.advance(3601)
        assert own.fired() == iso(moment)
        assert own.scheduler.get_schedule(Name="own")["State"] == "ENABLED"
        own.node.advance(DAY)
        assert own.quiet()

    def test_goes_if_that_is_wished(self, own):
        moment = int(own.now()) + 3600
        own.create(at(moment), ActionAfterCompletion="DELETE")
        own.node.advance(3601)
        assert own.fired() == iso(moment)
        assert own.scheduler.list_schedules()["Schedules"] == []

    def test_in_a_time_zone(self, own):
        moment = int(own.now()) + 7200
        there = datetime.fromtimestamp(moment).astimezone(UTC).timestamp() + 5 * 3600 + 45 * 60
        own.create(at(there), ScheduleExpressionTimezone="Asia/Kathmandu")
        own.node.advance(7201)
        assert own.fired() == iso(moment)

    def test_of_the_past_fires_at_once(self, bench):
        moment = bench.now() - 60
        bench.create(at(moment))
        assert bench.fired() == iso(moment)

    def test_fires_again_only_if_its_time_changes(self, bench):
        moment = bench.now() - 60
        bench.create(at(moment))
        assert bench.fired() == iso(moment)
        same = {"Name": bench.name, "FlexibleTimeWindow": OFF, "Target": bench.target()}
        bench.scheduler.update_schedule(ScheduleExpression=at(moment), Description="new", **same)
        assert bench.quiet()
        bench.scheduler.update_schedule(ScheduleExpression=at(moment - 5), **same)
        assert bench.fired() == iso(moment - 5)


class TestRate:
    def test_fires_at_once_and_at_each_interval(self, own):
        own.create("rate(5 minutes)")
        first = datetime.fromisoformat(own.fired()).timestamp()
        for number in range(1, 4):
            own.node.advance(300)
            assert own.fired() == iso(first + number * 300)

    def test_waits_for_its_start(self, own):
        start = int(own.now()) + 3600
        own.create("rate(1 hour)", StartDate=start, EndDate=start + 3600)
        assert own.quiet()
        for moment in (start, start + 3600):
            own.node.advance(3601 if moment == start else 3600)
            assert own.fired() == iso(moment)
        own.node.advance(2 * 3600)
        assert own.quiet()

    def test_goes_after_its_end_if_that_is_wished(self, own):
        start = int(own.now()) + 3600
        own.create("rate(1 hour)", StartDate=start, EndDate=start + 1800, ActionAfterCompletion="DELETE")
        own.node.advance(3601)
        assert own.fired() == iso(start)
        assert own.scheduler.list_schedules()["Schedules"] == []


class TestCron:
    def test_fires_each_day(self, own):
        own.create("cron(30 2 * * ? *)")
        first = midnight(own.now()) + 2.5 * 3600
        if first <= own.now():
            first += DAY
        own.node.advance(first - own.now() + 1)
        assert own.fired() == iso(first)
        own.node.advance(DAY)
        assert own.fired() == iso(first + DAY)


class TestState:
    def test_disabled_does_not_fire(self, own):
        own.create("rate(1 minute)", State="DISABLED")
        own.node.advance(3600)
        assert own.quiet()

    def test_enabled_again_begins_anew(self, own):
        own.create("rate(1 hour)", State="DISABLED")
        own.node.advance(DAY + 7)
        now = own.now()
        own.scheduler.update_schedule(
            Name="own", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=OFF, Target=own.target()
        )
        fired = datetime.fromisoformat(own.fired()).timestamp()
        assert abs(fired - now) < 5

    def test_changed_takes_effect(self, own):
        own.create("rate(1 day)", Target=own.target(Input="before"))
        assert own.fired() == "before"
        own.scheduler.update_schedule(
            Name="own",
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow=OFF,
            Target=own.target(Input="after"),
        )
        own.node.advance(DAY)
        assert own.fired() == "after"

    def test_deleted_does_not_fire(self, own):
        own.create(at(own.now() + 60))
        own.scheduler.delete_schedule(Name="own")
        own.node.advance(120)
        assert own.quiet()


class TestFlexibleTimeWindow:
    def test_fires_within_it(self, own):
        moment = int(own.now()) + 3600
        for number in range(5):
            window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
            own.create(at(moment), f"own{number}", FlexibleTimeWindow=window)
        own.node.advance(3599 - 1)
        assert own.quiet()
        own.node.advance(15 * 60 + 2)
        assert [own.fired() for _ in range(5)] == [iso(moment)] * 5


class TestMissed:
    """What passed while nobody could fire is made up for by the latest time, not by all."""

    def test_a_jump_of_days_is_no_storm(self, own):
        own.create("rate(1 minute)")
        first = datetime.fromisoformat(own.fired()).timestamp()
        own.node.advance(3 * DAY)
        assert own.fired() == iso(first + 3 * DAY)
        assert own.quiet()
        own.node.advance(60)
        assert own.fired() == iso(first + 3 * DAY + 60)

    @pytest.mark.slow
    def test_while_the_node_was_down(self, own):
        """The node stops; when it comes back, days have gone by."""
        moment = int(own.now()) + 3600
        own.create(at(moment), "late")
        own.create(at(moment + 10 * DAY), "later")
        own.create("rate(1 hour)", "often", StartDate=moment)
        own.node.restart()
        own.node.advance(20 * 3600 + 1)  # a node that starts reads the machine's clock again
        found = sorted(own.fired() for _ in range(2))
        assert found == [iso(moment), iso(moment + 19 * 3600)]
        assert own.quiet()

    def test_what_is_older_than_its_maximum_age_is_not_delivered(self, own):
        own.create(at(own.now() + 60), Target=own.target(RetryPolicy={"MaximumEventAgeInSeconds": 600}))
        own.node.advance(3600)
        assert own.quiet()


class TestTimeSetBack:
    @pytest.mark.parametrize("expression", ["rate(1 minute)", "cron(* * * * ? *)"])
    def test_a_recurring_schedule_goes_on(self, own, expression):
        own.create(expression)
        own.node.advance(DAY)
        eventually(lambda: own.fired() > iso(own.now() - 61))  # the first may have come before the jump
        own.node.post("/_cloudlet/clock", {"reset": True})
        own.sqs.purge_queue(QueueUrl=own.url)
        own.node.advance(61)
        assert iso(own.now() - 61) < own.fired() <= iso(own.now())

    @pytest.mark.slow
    def test_by_a_restart(self, own):
        own.create("rate(1 minute)")
        own.node.advance(DAY)
        eventually(lambda: own.fired() > iso(own.now() - 61))  # the first may have come before the jump
        own.node.restart()  # a node that starts reads the machine's clock again
        own.sqs.purge_queue(QueueUrl=own.url)
        own.node.advance(61)
        assert iso(own.now() - 61) < own.fired() <= iso(own.now())


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_by_a_kill(fresh_node: Any) -> None:
    """Each of many schedules fires, at least once, and seldom more than that."""
    from .conftest import Bench

    bench = Bench(fresh_node(), "own")
    moment = int(bench.now()) + 5
    names = [f"own{number}" for number in range(40)]
    for number, name in enumerate(names):
        bench.create(at(moment + number % 3), name, Target=bench.target(Input=name))
    eventually(lambda: bench.now() >= moment, within=30)
    bench.node.kill()
    bench.node.restart()
    eventually(lambda: bench.now() >= moment + 3, within=30)

    found: list[str] = []

    def all_came() -> bool:
        answer = bench.sqs.receive_message(QueueUrl=bench.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        found.extend(message["Body"] for message in answer.get("Messages", ()))
        return set(found) == set(names)

    eventually(all_came, within=60)
    assert len(found) < 2 * len(names)
