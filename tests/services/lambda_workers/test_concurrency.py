"""How many run at once, who waits, who is throttled, and which workers stay."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudlet.errors import AwsError
from cloudlet.services.lambda_ import workers as module
from cloudlet.services.lambda_.pace import ENOUGH, STARTS_AT_ONCE
from cloudlet.services.lambda_.spec import FunctionSpec

from .conftest import Functions

PID = "import os\ndef handler(e, c): return os.getpid()"
# Waits until as many as the event says are there.
BARRIER = """
    import os, time
    def handler(event, context):
        open(os.path.join(event["dir"], context.aws_request_id), "w").close()
        while len(os.listdir(event["dir"])) < event["count"]:
            time.sleep(0.002)
        return os.getpid()"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def pid(functions: Functions, spec: FunctionSpec) -> int:
    found: int = json.loads((await functions.invoke(spec)).payload)
    return found


class Meeting:
    """Handlers that all wait for one another; `open` lets whoever waits go."""

    def __init__(self, functions: Functions, folder: Path, count: int, **settings: Any) -> None:
        folder.mkdir()
        self.folder = folder
        self.count = count
        self.functions = functions
        self.spec = functions.make(BARRIER, **settings)
        self.event = json.dumps({"dir": str(folder), "count": count}).encode()

    def join(self) -> asyncio.Task[Any]:
        return asyncio.ensure_future(self.functions.invoke(self.spec, self.event))

    def there(self) -> int:
        return len(list(self.folder.iterdir()))

    def open(self) -> None:
        for number in range(self.count):
            (self.folder / f"opened-{number}").touch()


class TestAtOnce:
    async def test_eight_handlers_run_at_once_each_in_its_process(
        self, functions: Functions, tmp_path: Path
    ) -> None:
        meeting = Meeting(functions, tmp_path / "meeting", 8)
        outcomes = await asyncio.wait_for(asyncio.gather(*(meeting.join() for _ in range(8))), 30)
        assert len({outcome.payload for outcome in outcomes}) == 8

    async def test_a_few_workers_start_at_the_same_time_and_more_when_they_are_up(
        self, functions: Functions, tmp_path: Path
    ) -> None:
        many = STARTS_AT_ONCE + 3
        meeting = Meeting(functions, tmp_path / "meeting", many)
        calls = [meeting.join() for _ in range(many)]
        await asyncio.sleep(0)
        assert sum(pool.starting for pool in functions.workers._every_pool) == STARTS_AT_ONCE
        outcomes = await asyncio.wait_for(asyncio.gather(*calls), 30)
        assert len({outcome.payload for outcome in outcomes}) == many

    async def warm(self, functions: Functions, folder: Path) -> tuple[Meeting, Any]:
        """A pool with enough workers, of which it is known that calls are short."""
        meeting = Meeting(functions, folder / "meeting", ENOUGH)
        await asyncio.gather(*(meeting.join() for _ in range(ENOUGH)))
        (pool,) = functions.workers._every_pool
        assert len(pool.workers) == ENOUGH
        pool.pace.call = 0.001
        return meeting, pool

    async def test_short_calls_wait_for_those_that_work_instead_of_a_start(
        self, functions: Functions, tmp_path: Path
    ) -> None:
        """Else a busy machine starts workers until nothing else runs."""
        meeting, pool = await self.warm(functions, tmp_path)
        pool.pace.start = 0.4
        calls = [meeting.join() for _ in range(5 * ENOUGH)]
        await asyncio.sleep(0)
        assert (len(pool.waiting), pool.starting) == (4 * ENOUGH, 0)
        assert len({outcome.payload for outcome in await asyncio.gather(*calls)}) == ENOUGH

    async def test_but_not_for_long(self, functions: Functions, tmp_path: Path) -> None:
        meeting, pool = await self.warm(functions, tmp_path)
        pool.pace.start = 0.05
        meeting.event = json.dumps({"dir": str(meeting.folder), "count": 2 * ENOUGH + 2}).encode()
        calls = [meeting.join() for _ in range(ENOUGH + 2)]
        outcomes = await asyncio.wait_for(asyncio.gather(*calls), 10)
        assert len({outcome.payload for outcome in outcomes}) == ENOUGH + 2

    async def test_one_caller_keeps_one_worker(self, functions: Functions) -> None:
        spec = functions.make(PID)
        assert len({await pid(functions, spec) for _ in range(20)}) == 1

    async def test_callers_beyond_the_machines_limit_wait_for_a_free_worker(
        self, functions: Functions, tmp_path: Path, until: Any
    ) -> None:
        functions.workers._limit = 2
        meeting = Meeting(functions, tmp_path / "meeting", 4)
        calls = [meeting.join() for _ in range(3)]
        await until(lambda: meeting.there() == 2)
        meeting.open()
        outcomes = await asyncio.gather(*calls)
        assert len({outcome.payload for outcome in outcomes}) == 2

    async def test_and_are_throttled_when_that_takes_too_long(
        self, functions: Functions, tmp_path: Path, until: Any
    ) -> None:
        functions.workers._limit = 1
        meeting = Meeting(functions, tmp_path / "meeting", 9, timeout=900)
        first = meeting.join()
        await until(lambda: meeting.there() == 1)
        second = meeting.join()
        await asyncio.sleep(0)
        functions.node.clock.advance(module.QUEUE_SECONDS + 1)
        with pytest.raises(AwsError, match="Rate Exceeded"):
            await second
        meeting.open()
        await first

    async def test_at_the_limit_idle_workers_of_others_make_room(self, functions: Functions) -> None:
        functions.workers._limit = 1
        first = await pid(functions, functions.make(PID, "one"))
        assert await asyncio.wait_for(pid(functions, functions.make(PID, "two")), 10) != first
        assert not alive(first)


class TestThrottling:
    async def test_reserved_concurrency(self, functions: Functions, tmp_path: Path, until: Any) -> None:
        meeting = Meeting(functions, tmp_path / "meeting", 9, reserved=1)
        call = meeting.join()
        await until(lambda: meeting.there() == 1)
        with pytest.raises(AwsError) as caught:
            await functions.invoke(meeting.spec)
        error = caught.value
        assert (error.code, error.status, error.message) == (
            "TooManyRequestsException",
            429,
            "Rate Exceeded.",
        )
        assert error.fields["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
        meeting.open()
        await call
        assert (await functions.invoke(meeting.spec, meeting.event)).error is None

    async def test_versions_share_the_reservation_and_zero_stops_everything(
        self, functions: Functions
    ) -> None:
        for version in ("$LATEST", "1"):
            with pytest.raises(AwsError):
                await functions.invoke(functions.make(PID, version=version, reserved=0))

    async def test_the_accounts_concurrency(
        self, functions: Functions, tmp_path: Path, until: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "ACCOUNT_CONCURRENCY", 1)
        meeting = Meeting(functions, tmp_path / "meeting", 9)
        call = meeting.join()
        await until(lambda: meeting.there() == 1)
        with pytest.raises(AwsError) as caught:
            await functions.invoke(functions.make(PID, "other"))
        assert caught.value.fields["Reason"] == "ConcurrentInvocationLimitExceeded"
        elsewhere = functions.make(PID, "other", region="eu-west-1")
        assert (await functions.invoke(elsewhere)).error is None
        meeting.open()
        await call


class TestLifetime:
    async def test_idle_workers_go_after_some_minutes(self, functions: Functions, until: Any) -> None:
        spec = functions.make(PID)
        first = await pid(functions, spec)
        functions.node.clock.advance(299)
        assert await pid(functions, spec) == first
        functions.node.clock.advance(301)
        await until(lambda: not alive(first))
        assert await pid(functions, spec) != first

    async def test_an_idle_worker_that_is_being_ended_gets_no_more_calls(self, functions: Functions) -> None:
        spec = functions.make(PID)
        first = await pid(functions, spec)
        functions.node.clock.advance(301)
        await functions.node.clock.sleep(0)  # its end was asked for; the process may still be there
        outcome = await functions.invoke(spec)
        assert outcome.error is None
        assert json.loads(outcome.payload) != first

    async def test_a_worker_goes_before_its_credentials_do(self, functions: Functions) -> None:
        spec = functions.make(PID)
        first = await pid(functions, spec)
        for _ in range(15):
            functions.node.clock.advance(250)
            await asyncio.sleep(0)
            last = await pid(functions, spec)
        assert last != first
        assert functions.node.calls.count("AssumeRole") == 2

    async def test_workers_that_start_together_assume_the_role_once(
        self, functions: Functions, tmp_path: Path
    ) -> None:
        meeting = Meeting(functions, tmp_path / "meeting", 4)
        await asyncio.gather(*(meeting.join() for _ in range(4)))
        assert functions.node.calls.count("AssumeRole") == 1

    async def test_a_new_revision_runs_in_new_workers(self, functions: Functions, until: Any) -> None:
        first = await pid(functions, functions.make(PID))
        outcome = await functions.invoke(functions.make("def handler(e, c): return 'new'", revision="2"))
        assert outcome.payload == b'"new"'
        await until(lambda: not alive(first))

    async def test_a_busy_worker_of_an_old_revision_finishes(
        self, functions: Functions, tmp_path: Path, until: Any
    ) -> None:
        meeting = Meeting(functions, tmp_path / "meeting", 9)
        call = meeting.join()
        await until(lambda: meeting.there() == 1)
        await functions.invoke(replace(functions.make(PID, revision="2")))
        meeting.open()
        old = json.loads((await call).payload)
        await until(lambda: not alive(old))

    async def test_retired_functions_leave_no_process(self, functions: Functions, until: Any) -> None:
        spec = functions.make(PID)
        first = await pid(functions, spec)
        functions.workers.retire(spec.arn)
        await until(lambda: not alive(first))
        assert await pid(functions, spec) != first

    async def test_retiring_one_version_leaves_the_others(self, functions: Functions, until: Any) -> None:
        one, two = (functions.make(PID, version=version) for version in ("1", "2"))
        first, second = await pid(functions, one), await pid(functions, two)
        functions.workers.retire(f"{one.arn}:1")
        await until(lambda: not alive(first))
        assert await pid(functions, two) == second

    async def test_an_alias_and_a_version_share_workers(self, functions: Functions) -> None:
        code = "import os\ndef handler(e, c): return [os.getpid(), c.invoked_function_arn]"
        spec = functions.make(code, version="1")
        alias = replace(spec, arn=spec.arn + ":live")
        (first, arn), (second, alias_arn) = [
            json.loads((await functions.invoke(each)).payload) for each in (spec, alias)
        ]
        assert first == second
        assert (arn, alias_arn) == (spec.arn, alias.arn)
