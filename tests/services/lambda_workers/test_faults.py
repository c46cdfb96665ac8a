"""Timeouts, deaths, and what is left behind: nothing."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cloudlet.errors import AwsError
from cloudlet.services.lambda_ import runtimes
from cloudlet.services.lambda_.workers import Workers

from .conftest import FakeNode, Functions
from .test_concurrency import PID, alive, pid

HANG = """
    import os, subprocess, time
    def handler(event, context):
        print("about to hang")
        child = subprocess.Popen(["sleep", "600"])
        with open(event["file"] + ".tmp", "w") as file:
            file.write(f"{os.getpid()} {child.pid}")
        os.rename(event["file"] + ".tmp", event["file"])
        time.sleep(600)"""


class Hanging:
    """A handler that hangs, with a child of its own; `pids` once it does."""

    def __init__(self, functions: Functions, folder: Path, **settings: Any) -> None:
        self.file = folder / "pids"
        self.spec = functions.make(HANG, "hang", **settings)
        event = json.dumps({"file": str(self.file)}).encode()
        self.call = asyncio.ensure_future(functions.invoke(self.spec, event, request_id="id-1"))

    def started(self) -> bool:
        return self.file.exists()

    @property
    def pids(self) -> list[int]:
        return [int(pid) for pid in self.file.read_text().split()]


def gone(pids: list[int]) -> bool:
    """Ended; a zombie that nobody has waited for has ended, too."""
    for each in pids:
        try:
            state = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            continue
        if state != "Z":
            return False
    return True


@pytest.fixture
async def hanging(functions: Functions, tmp_path: Path, until: Any) -> AsyncIterator[Hanging]:
    made = Hanging(functions, tmp_path)
    await until(made.started)
    yield made


class TestTimeout:
    async def test_the_error_and_the_line(self, functions: Functions, hanging: Hanging) -> None:
        functions.node.clock.advance(3)
        outcome = await hanging.call
        assert outcome.error == "Unhandled"
        assert json.loads(outcome.payload) == {
            "errorType": "Sandbox.Timedout",
            "errorMessage": "RequestId: id-1 Error: Task timed out after 3.00 seconds",
        }
        start, said, line, end, report = outcome.log.decode().splitlines()
        assert (start, said, end) == (
            "START RequestId: id-1 Version: $LATEST",
            "about to hang",
            "END RequestId: id-1",
        )
        assert line.endswith("Z id-1 Task timed out after 3.00 seconds")
        assert "Duration: 3000.00 ms\tBilled Duration: 3" in report and report.endswith("\tStatus: timeout")

    async def test_the_process_and_its_children_are_gone(
        self, functions: Functions, hanging: Hanging, until: Any
    ) -> None:
        functions.node.clock.advance(3)
        await hanging.call
        await until(lambda: gone(hanging.pids))

    async def test_not_before_its_time(self, functions: Functions, hanging: Hanging) -> None:
        functions.node.clock.advance(1.5)
        await pid(functions, functions.make(PID))
        assert not hanging.call.done()
        functions.node.clock.advance(1.5)
        await hanging.call

    async def test_no_later_when_time_is_set_back(self, functions: Functions, hanging: Hanging) -> None:
        functions.node.clock.advance(-86_400)
        functions.node.clock.advance(1.5)
        await pid(functions, functions.make(PID))
        assert not hanging.call.done()
        functions.node.clock.advance(1.5)
        await asyncio.wait_for(hanging.call, 20)

    async def test_the_next_invocation_has_all_its_time(self, functions: Functions, tmp_path: Path) -> None:
        """The timer of an earlier invocation doesn't end a later one."""
        spec = functions.make(PID)
        first = await pid(functions, spec)
        for _ in range(5):
            functions.node.clock.advance(2)
            await asyncio.sleep(0)
            assert await pid(functions, spec) == first

    async def test_a_start_that_never_ends(self, functions: Functions, tmp_path: Path, until: Any) -> None:
        file = tmp_path / "started"
        spec = functions.make(f"import time; open({str(file)!r}, 'w').close(); time.sleep(600)")
        call = asyncio.ensure_future(functions.invoke(spec))
        await until(file.exists)
        functions.node.clock.advance(14)
        assert json.loads((await call).payload)["errorType"] == "Sandbox.Timedout"


class TestDeath:
    async def test_kill_9_during_an_invocation(
        self, functions: Functions, hanging: Hanging, until: Any
    ) -> None:
        os.kill(hanging.pids[0], signal.SIGKILL)
        outcome = await hanging.call
        assert json.loads(outcome.payload) == {
            "errorType": "Runtime.ExitError",
            "errorMessage": "RequestId: id-1 Error: Runtime exited with error: signal: killed",
        }
        assert outcome.log.decode().rstrip().endswith("\tStatus: error\tError Type: Runtime.ExitError")
        await until(lambda: gone(hanging.pids))

    async def test_kill_9_between_invocations_is_not_noticed(self, functions: Functions, until: Any) -> None:
        spec = functions.make(PID)
        first = await pid(functions, spec)
        os.kill(first, signal.SIGKILL)
        await until(lambda: not alive(first))
        second = await pid(functions, spec)
        assert second != first

    async def test_the_zygotes_death_costs_what_ran_and_no_more(
        self, functions: Functions, hanging: Hanging, until: Any
    ) -> None:
        parent = int(Path(f"/proc/{hanging.pids[0]}/stat").read_text().split()[3])
        os.kill(parent, signal.SIGKILL)
        assert json.loads((await hanging.call).payload)["errorType"] == "Runtime.ExitError"
        await until(lambda: gone(hanging.pids))
        assert (await functions.invoke(functions.make(PID))).error is None

    async def test_a_caller_that_goes_away_leaves_the_worker_whole(
        self, functions: Functions, hanging: Hanging, until: Any
    ) -> None:
        hanging.call.cancel()
        await asyncio.sleep(0)
        assert not gone(hanging.pids)
        functions.node.clock.advance(3)
        await until(lambda: gone(hanging.pids))
        await until(lambda: functions.workers.running("000000000000", "us-east-1") == 0)


class TestMemory:
    @pytest.mark.parametrize("then", ["return 1", "import time; time.sleep(600)"])
    async def test_more_than_the_function_may_have_ends_it(self, functions: Functions, then: str) -> None:
        """Seen while it runs, and at the latest when it answers."""
        code = f"def handler(e, c):\n    if e: block = b'x' * 300_000_000\n    else: return 0\n    {then}\n"
        spec = functions.make(code, memory=256)
        assert (await functions.invoke(spec, b"0")).error is None
        outcome = await functions.invoke(spec, b"1", request_id="id-1")
        assert json.loads(outcome.payload) == {
            "errorType": "Runtime.ExitError",
            "errorMessage": "RequestId: id-1 Error: Runtime exited with error: signal: killed",
        }
        report = outcome.log.decode().splitlines()[-1]
        assert "Max Memory Used: 256 MB" in report
        assert report.endswith("\tStatus: error\tError Type: Runtime.OutOfMemory")
        assert (await functions.invoke(spec, b"0")).error is None

    async def test_what_it_may_have_it_has(self, functions: Functions) -> None:
        spec = functions.make("def handler(e, c): return len(b'x' * 60_000_000)", memory=128)
        outcome = await functions.invoke(spec)
        assert outcome.payload == b"60000000"
        found = re.search(r"Max Memory Used: (\d+) MB", outcome.log.decode())
        assert found and 80 <= int(found[1]) <= 110


class TestRestart:
    async def test_a_node_that_starts_again_prepares_what_its_functions_ran_on(
        self, fake: FakeNode, functions: Functions, until: Any
    ) -> None:
        await functions.invoke(functions.make(PID))
        left = fake.data / "lambda" / "tmp" / "left" / "over"
        left.mkdir(parents=True)
        again = Workers(fake)  # type: ignore[arg-type]
        await again.start()
        await until(again._zygotes.ready)
        assert not left.exists()
        await again.stop()


class TestStop:
    async def test_no_process_survives_a_stop(self, fake: FakeNode, tmp_path: Path, until: Any) -> None:
        workers = Workers(fake)  # type: ignore[arg-type]
        functions = Functions(fake, workers)
        idle = await pid(functions, functions.make(PID))
        hanging = Hanging(functions, tmp_path)
        await until(hanging.started)
        await workers.stop()
        with pytest.raises(AwsError, match="stopping"):
            await hanging.call
        await until(lambda: gone([*hanging.pids, idle]))

    async def test_no_process_survives_kill_9_of_the_node(self, tmp_path: Path, until: Any) -> None:
        script = f"""
            import asyncio, sys
            sys.path.insert(0, {os.getcwd()!r})
            from pathlib import Path
            from tests.services.lambda_workers.conftest import FakeNode, Functions, holds
            from tests.services.lambda_workers.test_faults import Hanging
            from tests.services.lambda_workers.test_concurrency import PID
            from cloudlet.services.lambda_.workers import Workers
            async def main():
                node = FakeNode(Path({str(tmp_path)!r}))
                functions = Functions(node, Workers(node))
                idle = (await functions.invoke(functions.make(PID))).payload.decode()
                hanging = Hanging(functions, Path({str(tmp_path)!r}))
                await holds(hanging.started)
                print(idle, flush=True)
                await hanging.call
            asyncio.run(main())
            """
        node = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
        )
        assert node.stdout is not None
        with node, node.stdout:
            idle = int(await asyncio.to_thread(node.stdout.readline))
            pids = [idle, *(int(pid) for pid in (tmp_path / "pids").read_text().split())]
            assert not any(gone([pid]) for pid in pids)
            node.kill()
        await until(lambda: gone(pids))

    def test_a_zygote_whose_node_was_killed_ends_quietly(self) -> None:
        """Even if the node had not read everything: then the kernel resets the connection."""
        mine, other = socket.socketpair()
        options = json.dumps({"control": other.fileno(), "warm": False, "path": []})
        zygote = subprocess.Popen(
            [sys.executable, runtimes.__path__[0] + "/zygote.py", options],
            pass_fds=[other.fileno()],
            stderr=subprocess.PIPE,
            text=True,
        )
        other.close()
        assert select.select([mine], [], [], 20)[0], "the zygote says that it is ready"
        mine.close()
        assert zygote.communicate(timeout=20)[1] == ""
        assert zygote.returncode == 0
