"""What the connections of one server share: the application, the limits, the clock of time-outs, who is connected.

Time-outs have no timers of their own. A connection that waits for its peer has a `deadline`; once a second `tick` looks
at all of them and calls `expire` on those whose deadline has passed. Open WebSockets are not looked at: they are in
`sockets`, and come to `timed` only while they close.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from .authority import Authority
from .head import Dates
from .messages import Application, Limits

TICK_SECONDS = 1.0
CLOSE_SECONDS = 5.0
LINGER_SECONDS = 2.0
NEVER = float("inf")


class Timed(Protocol):
    """A connection whose peer is expected to do something."""

    deadline: float

    def expire(self) -> None:
        """The deadline has passed."""
        ...

    def drain(self) -> None:
        """The server stops: finish what was begun, then close."""
        ...

    def abort(self) -> None: ...


class Sender(Protocol):
    """A connection that has something to write."""

    def push(self) -> None:
        """Write it now."""
        ...


class Closable(Protocol):
    def close(self, code: int = 1000, reason: str = "") -> None: ...

    def abort(self) -> None: ...


class Hub:
    __slots__ = (
        "_senders", "application", "background", "dates", "draining", "emptied", "limits", "log", "loop", "now",
        "serve", "sockets", "tasks", "timed", "tls",
    )  # fmt: skip

    def __init__(
        self,
        application: Application,
        limits: Limits,
        tls: Authority | None,
        log: logging.Logger,
        now: Callable[[], float],
        serve: Callable[[Hub, asyncio.Transport, bytes, str], None],
    ) -> None:
        self.application = application
        self.limits = limits
        self.tls = tls
        self.log = log
        self.now = now
        self.serve = serve
        """Serves a transport as a new connection, whose first bytes may have come already."""
        self.loop = asyncio.get_running_loop()
        self.dates = Dates()
        self.timed: set[Timed] = set()
        self.sockets: set[Closable] = set()
        self.tasks: set[asyncio.Task[Any]] = set()
        """Handlers that are waiting for something."""
        self.background: set[asyncio.Task[Any]] = set()
        """The server's own work: handshakes, tunnels being dialled."""
        self._senders: list[Sender] = []
        self.draining = False
        self.emptied = asyncio.Event()

    def push_later(self, sender: Sender) -> None:
        """Have it write at the end of this turn. To be asked for once a turn."""
        if not self._senders:
            self.loop.call_soon(self._push)
        self._senders.append(sender)

    def _push(self) -> None:
        senders, self._senders = self._senders, []
        for sender in senders:
            try:
                sender.push()
            except Exception:
                self.log.exception("what a connection had to send could not be written")

    def tick(self) -> None:
        now = self.now()
        for connection in [c for c in self.timed if c.deadline <= now]:
            connection.expire()

    def forget(self, connection: Timed) -> None:
        self.timed.discard(connection)
        self.changed()

    def forget_socket(self, socket: Closable) -> None:
        self.sockets.discard(socket)
        self.changed()

    def changed(self) -> None:
        if self.draining and not self.timed and not self.sockets and not self.tasks:
            self.emptied.set()

    def spawn(self, coroutine: Any) -> None:
        """Run the server's own work in a task that isn't lost; its failures are logged."""
        task = self.loop.create_task(coroutine)
        self.background.add(task)
        task.add_done_callback(self._spawned)

    def _spawned(self, task: asyncio.Task[Any]) -> None:
        self.background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.log.error("a connection's work failed", exc_info=error)
