"""Work on a graph: as much at once as it lets, each name after those that it needs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping


async def in_order(graph: Mapping[str, frozenset[str]], work: Callable[[str], Awaitable[bool]]) -> None:
    """`work(name)` for each name once those that it needs are done; what needs one that isn't (False) isn't begun."""
    waiting = dict(graph)
    done: set[str] = set()
    running: dict[asyncio.Future[bool], str] = {}
    try:
        while True:
            for name in [name for name, needs in waiting.items() if not (needs & graph.keys()) - done]:
                del waiting[name]
                running[asyncio.ensure_future(work(name))] = name
            if not running:
                return
            finished, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in finished:
                name = running.pop(task)
                if task.result():
                    done.add(name)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
