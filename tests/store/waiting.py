"""Waiting for a condition, without sleeping through it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Let the loop turn until the condition holds; fail when it takes far too long."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        assert loop.time() < deadline, "waited in vain"
        await asyncio.sleep(0.0005)
