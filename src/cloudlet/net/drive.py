"""Runs a coroutine up to its first wait without a task, and the rest of it in one.

Most requests need no waiting, and a task costs more than answering them. From Python 3.12 on the interpreter can do
this itself (eager tasks); before, the coroutine is stepped once by hand, and what it waited for is handed to the task
that goes on with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import sys
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Done(Generic[T]):
    """The result of a coroutine that did not wait."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


class Rest:
    """What is left of a coroutine whose first step yielded `waiting`; to be awaited at once, without a task."""

    __slots__ = ("coroutine", "waiting")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], waiting: Any) -> None:
        self.coroutine = coroutine
        self.waiting = waiting

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Any = self.waiting
        while True:
            try:
                value = yield step
            except BaseException as exc:
                resume: Callable[[Any], Any] = self.coroutine.throw
                argument: Any = exc
            else:
                resume, argument = self.coroutine.send, value
            try:
                step = resume(argument)
            except StopIteration as stop:
                return stop.value


async def _finish(coroutine: Coroutine[Any, Any, T], waiting: Any) -> T:
    rest: T = await Rest(coroutine, waiting)
    return rest


class Cancelled(Rest):
    """What is left of a coroutine whose task was cancelled before its first step, so that the coroutine never heard."""

    def __await__(self) -> Generator[Any, Any, Any]:
        try:
            self.waiting = self.coroutine.throw(asyncio.CancelledError())
        except (StopIteration, asyncio.CancelledError):
            return
        yield from super().__await__()


async def _end(coroutine: Coroutine[Any, Any, Any]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await Cancelled(coroutine, None)


def _tell(coroutine: Coroutine[Any, Any, Any], task: asyncio.Task[Any]) -> None:
    """Let the coroutine of a cancelled task come to its end, if the task never got to it."""
    if task.cancelled() and inspect.getcoroutinestate(coroutine) == inspect.CORO_SUSPENDED:
        task.get_loop().create_task(_end(coroutine))


def drive(coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> Done[T] | asyncio.Task[T]:
    """Step `coroutine`: `Done` if that was all, else the task that does the rest. What the step raises is raised."""
    if sys.version_info >= (3, 12):
        task = asyncio.Task(coroutine, loop=loop, eager_start=True)
        return Done(task.result()) if task.done() else task
    try:
        waiting = coroutine.send(None)
    except StopIteration as stop:
        return Done(stop.value)
    task = loop.create_task(_finish(coroutine, waiting))
    task.add_done_callback(partial(_tell, coroutine))
    return task
