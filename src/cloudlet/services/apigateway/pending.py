"""What is being waited for: it ends, or its time is over, whichever comes first.

A `Pending` lies in the gateway's wheel until it is settled. A function that was invoked goes on when nobody waits for
it any more, as in AWS; a request to an HTTP backend is given up.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from . import model
from .scope import Answer, Scope

if TYPE_CHECKING:
    from .gateway import Gateway
    from .serving import Route
    from .session import Session

LATE = Answer(504, failure=model.TIMED_OUT, log="the integration took too long")


class Pending:
    """Settled once, with what came or with None when its time was over."""

    __slots__ = ("_cancels", "_settled", "slot", "task")

    def __init__(self, cancels: bool) -> None:
        self.slot = 0
        self.task: asyncio.Task[Any] | None = None
        self._cancels = cancels
        self._settled = False

    def settle(self, result: Any) -> None:
        if not self._settled:
            self._settled = True
            self.settled(result)

    def expire(self) -> None:
        if self._cancels and self.task is not None:
            self.task.cancel()
        self.settle(None)

    def settled(self, result: Any) -> None:
        raise NotImplementedError


class PendingMessage(Pending):
    """A message's integration; its answer goes to the session."""

    __slots__ = ("_gateway", "route", "scope", "session")

    def __init__(self, gateway: Gateway, session: Session, scope: Scope, route: Route, cancels: bool) -> None:
        super().__init__(cancels)
        self._gateway = gateway
        self.session = session
        self.scope = scope
        self.route = route

    def settled(self, result: Answer | None) -> None:
        self._gateway.answered(self.session, self.scope, self.route, result or LATE)


class PendingResult(Pending):
    """Something that is awaited; `result` is None when it came too late."""

    __slots__ = ("result",)

    def __init__(self, cancels: bool) -> None:
        super().__init__(cancels)
        self.result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def finished(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            self.settle(None)
        elif (error := task.exception()) is None:
            self.settle(task.result())
        elif not self._settled:
            self._settled = True
            self.result.set_exception(error)

    def settled(self, result: Any) -> None:
        if not self.result.done():
            self.result.set_result(result)
