"""Random programs give on the SQLite engine what they give on the dict model, before and after it is opened anew."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from cloudlet.store.memory import MemoryStore
from cloudlet.store.sqlite import SqliteStore

from .contract import everything, programs, run_program


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(directory)
    try:
        yield store
    finally:
        await store.close()


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(programs)
def test_random_programs_give_what_the_model_gives(program: Any) -> None:
    async def compare(directory: Path) -> None:
        model = MemoryStore()
        async with opened(directory) as store:
            assert await run_program(store, program) == await run_program(model, program)
        async with opened(directory) as again:
            assert await everything(again) == await everything(model)

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(compare(Path(directory)))
