"""The lines of an invocation: all of them, in order, between START and END."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from cloudlet.services.lambda_.logsink import BATCH_EVENTS, batches

from .conftest import Functions

ORDER = """
    import logging, os, subprocess, sys
    print("while loading")
    def handler(event, context):
        print("one")
        sys.stderr.write("two\\n")
        logging.warning("three")
        subprocess.run(["echo", "four"])
        os.write(1, b"five\\n")
        print("six", end="")"""


async def lines(functions: Functions, name: str = "hello") -> list[str]:
    await functions.workers.logs.flush()
    return functions.node.messages(name)


class TestLines:
    async def test_they_come_in_order_and_complete(self, functions: Functions) -> None:
        await functions.invoke(functions.make(ORDER), request_id="id-1")
        loading, start, *said, end, report = await lines(functions)
        assert (loading, start) == ("while loading\n", "START RequestId: id-1 Version: $LATEST\n")
        assert re.fullmatch(
            r"\[WARNING\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\tid-1\tthree\n", said.pop(2)
        )
        assert said == ["one\n", "two\n", "four\n", "five\n", "six\n"]
        assert end == "END RequestId: id-1\n"
        assert re.fullmatch(
            r"REPORT RequestId: id-1\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
            r"Max Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms\t\n",
            report,
        )

    async def test_a_record_of_many_lines_is_one_event(self, functions: Functions) -> None:
        code = "import logging\ndef handler(e, c):\n  logging.error('a\\nb'); print('c\\nd'); raise KeyError('k')"
        await functions.invoke(functions.make(code))
        _, record, c, d, error, _, report = await lines(functions)
        assert record.endswith("\ta\nb\n") and (c, d) == ("c\n", "d\n")
        assert error.startswith("[ERROR] KeyError: 'k'\nTraceback (most recent call last):\n  File ")
        assert "Init Duration" in report

    async def test_only_the_first_report_has_an_init_duration(self, functions: Functions) -> None:
        spec = functions.make("def handler(e, c): pass")
        for _ in range(2):
            await functions.invoke(spec)
        reports = [line for line in await lines(functions) if line.startswith("REPORT")]
        assert ["Init Duration" in report for report in reports] == [True, False]

    async def test_a_failed_start_is_logged(self, functions: Functions) -> None:
        outcome = await functions.invoke(functions.make("import nope"), request_id="id-1")
        error, start, end, report = await lines(functions)
        assert error.startswith("[ERROR] Runtime.ImportModuleError: Unable to import module 'app'")
        assert (start, end) == ("START RequestId: id-1 Version: $LATEST\n", "END RequestId: id-1\n")
        assert report.endswith("\tStatus: error\tError Type: Runtime.ImportModuleError\n")
        assert b"ImportModuleError" in outcome.log

    async def test_each_worker_has_its_stream(self, functions: Functions) -> None:
        spec = functions.make("import time\ndef handler(e, c): time.sleep(0.05)")
        await asyncio.gather(functions.invoke(spec), functions.invoke(spec))
        await lines(functions)
        assert [len(events) for events in functions.node.streams.values()] == [3, 3]

    async def test_they_leave_in_batches_by_the_clock(self, functions: Functions, until: Any) -> None:
        spec = functions.make("def handler(e, c): pass")
        for _ in range(10):
            await functions.invoke(spec)
        functions.node.clock.advance(0.25)
        await until(lambda: len(functions.node.messages("hello")) == 30)
        assert functions.node.calls.count("PutLogEvents") <= 2

    async def test_a_deleted_group_comes_back(self, functions: Functions) -> None:
        spec = functions.make("def handler(e, c): pass")
        await functions.invoke(spec)
        await lines(functions)
        functions.node.groups.clear()
        functions.node.streams.clear()
        await functions.invoke(spec)
        assert len(await lines(functions)) == 3

    async def test_a_line_beyond_the_quota_of_an_event_becomes_several(self, functions: Functions) -> None:
        await functions.invoke(functions.make("def handler(e, c): print('ä' * 300_000)"))
        said = [line for line in await lines(functions) if "ä" in line]
        assert "".join(said) == "ä" * 300_000 + "\n"
        assert max(len(line.encode()) for line in said) <= 256 * 1024


class TestTail:
    async def test_an_invocations_own_lines(self, functions: Functions) -> None:
        spec = functions.make("def handler(e, c): print('line', e)")
        await functions.invoke(spec, b"1")
        tail = (await functions.invoke(spec, b"2", request_id="id-2")).log.decode().splitlines()
        assert tail[:3] == ["START RequestId: id-2 Version: $LATEST", "line 2", "END RequestId: id-2"]
        assert tail[3].startswith("REPORT RequestId: id-2") and len(tail) == 4

    async def test_the_last_4_kb(self, functions: Functions) -> None:
        spec = functions.make("def handler(e, c):\n  for n in range(5000): print('line', n)")
        log = (await functions.invoke(spec)).log
        assert len(log) == 4096
        assert b"\nline 4999\nEND RequestId" in log
        assert len(await lines(functions)) == 5003


class TestEvents:
    async def test_who_listens_hears_lines_and_reports(self, functions: Functions) -> None:
        listener = functions.node.events.listen()
        await functions.invoke(
            functions.make("def handler(e, c): print('hi'); return 1 / 0"), request_id="id-1"
        )
        heard = []
        async for event in listener:
            heard.append(event)
            if event["kind"] == "lambda.report":
                break
        assert [e["line"].split(" ")[0] for e in heard[:-1]] == ["START", "hi\n", "[ERROR]", "END", "REPORT"]
        report = heard[-1]
        assert (report["function"], report["request_id"], report["cold"]) == ("hello", "id-1", True)
        assert report["error"] == "Unhandled" and report["ms"] > 0 and report["memory"] > 0


class TestBatches:
    def test_a_batch_is_within_the_quotas(self) -> None:
        small = [{"timestamp": 1, "message": "x"}] * (BATCH_EVENTS + 1)
        assert [len(batch) for batch in batches(small)] == [BATCH_EVENTS, 1]
        large = [{"timestamp": 1, "message": "ä" * 100_000}] * 11
        assert [len(batch) for batch in batches(large)] == [5, 5, 1]

    def test_a_batch_is_of_one_day(self) -> None:
        moved = [{"timestamp": at, "message": "x"} for at in (7 * 86_400_000, 1, 86_400_000, 86_400_001)]
        assert [[event["timestamp"] for event in batch] for batch in batches(moved)] == [
            [1, 86_400_000],
            [86_400_001],
            [604_800_000],
        ]
