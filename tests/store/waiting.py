"""Waiting for a condition, without sleeping through it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Let the loop turn until the condition holds; fail when it takes far too long."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        assert loop.time() < deadline, "waited in vain"
        await asyncio.sleep(0.0005)


async def eventually(probe: Callable[[], Awaitable[T]], *, seconds: float = 10.0) -> T:
    """The first truthy answer of an asynchronous probe."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not (answer := await probe()):
        assert loop.time() < deadline, "waited in vain"
        await asyncio.sleep(0.0005)
    return answer
