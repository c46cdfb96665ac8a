"""A coroutine stepped by hand, and what becomes of the rest of it."""

from __future__ import annotations

import asyncio

import pytest

from cloudlet.net.drive import Done, drive


class TestDrive:
    async def test_gives_the_result_of_what_does_not_wait(self) -> None:
        async def at_once() -> int:
            return 1

        outcome = drive(at_once(), asyncio.get_running_loop())
        assert isinstance(outcome, Done)
        assert outcome.value == 1

    @pytest.mark.parametrize("turns", [0, 1])
    async def test_tells_a_coroutine_that_its_task_was_cancelled(self, turns: int) -> None:
        """Also if the task was cancelled before it ran at all."""
        heard: list[str] = []
        ended = asyncio.Event()

        async def waits() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                heard.append("cancelled")
                raise
            finally:
                await asyncio.sleep(0)
                heard.append("ended")
                ended.set()

        task = drive(waits(), asyncio.get_running_loop())
        assert isinstance(task, asyncio.Task)
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.wait_for(ended.wait(), 10)
        assert task.cancelled()
        assert heard == ["cancelled", "ended"]
