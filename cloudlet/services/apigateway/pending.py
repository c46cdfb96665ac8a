"""An integration that is being waited for: it answers, or its time is over, whichever comes first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from . import model
from .scope import Answer, Scope

if TYPE_CHECKING:
    from .gateway import Gateway
    from .serving import Route
    from .session import Session


class Pending:
    __slots__ = ("_settled", "future", "gateway", "route", "scope", "session", "slot", "task")

    def __init__(self, gateway: Gateway, session: Session, scope: Scope, route: Route) -> None:
        self.gateway = gateway
        self.session = session
        self.scope = scope
        self.route = route
        self.slot = 0
        self.task: asyncio.Task[None] | None = None
        self.future: asyncio.Future[Answer] | None = None
        """Set when somebody awaits the answer; without it the answer goes to the session."""
        self._settled = False

    def settle(self, answer: Answer) -> None:
        if self._settled:
            return
        self._settled = True
        if self.future is None:
            self.gateway.settled(self, answer)
        elif not self.future.done():
            self.future.set_result(answer)

    def expire(self) -> None:
        """A function that was invoked goes on, as in AWS; only nobody hears its answer."""
        integration = self.route.integration
        if self.task is not None and integration is not None and integration.cancels:
            self.task.cancel()
        self.settle(Answer(504, failure=model.TIMED_OUT, log="the integration took too long"))
