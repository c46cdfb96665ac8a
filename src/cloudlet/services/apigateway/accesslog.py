"""Access logs: one line per request in the stage's own format, sent to CloudWatch Logs in batches."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from typing import TYPE_CHECKING, Any

from ...clock import Handle
from ...errors import AwsError
from . import selection
from .scope import Scope

if TYPE_CHECKING:
    from .serving import Stage

_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_.-]+)")
FLUSH_SECONDS = 1.0
BATCH = 1000
BACKLOG = 10_000
"""Lines that wait to be sent; older ones are dropped."""


class AccessLog:
    """Where a stage's lines go. CloudWatch Logs makes one stream per API and stage here."""

    def __init__(self, arn: str, format: str, stage: Stage) -> None:
        self._group = arn.removesuffix(":*").rpartition(":log-group:")[2]
        self._format = format.strip()
        self._stage = stage
        self._stream = f"{stage.api_id}/{stage.name.strip('$')}"
        self._lines: deque[dict[str, Any]] = deque(maxlen=BACKLOG)
        self._timer: Handle | None = None
        self._sending: asyncio.Task[None] | None = None
        self._has_stream = False

    @staticmethod
    def of(settings: dict[str, str] | None, stage: Stage) -> AccessLog | None:
        if not settings or "DestinationArn" not in settings or "Format" not in settings:
            return None
        return AccessLog(settings["DestinationArn"], settings["Format"], stage)

    def write(self, scope: Scope) -> None:
        variables = {**scope.context, "requestId": scope.request_id, **scope.extra}

        def value(match: re.Match[str]) -> str:
            name = match[1].rstrip(".")
            found = selection.descend(variables, tuple(name.split(".")))
            return ("-" if found is None else selection.stringify(found)) + match[1][len(name) :]

        clock = self._stage.node.clock
        line = _VARIABLE.sub(value, self._format)
        self._lines.append({"timestamp": clock.now_ms(), "message": line})
        if self._timer is None and self._sending is None:
            self._timer = clock.call_later(FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._sending = asyncio.get_running_loop().create_task(self.flush())

    async def flush(self) -> None:
        """Send what there is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            while self._lines:
                batch = [self._lines.popleft() for _ in range(min(BATCH, len(self._lines)))]
                await self._send(batch)
        except AwsError as error:
            self._stage.node.log.warning("access log of %s: %s", self._stream, error)
        finally:
            self._sending = None

    async def _send(self, batch: list[dict[str, Any]]) -> None:
        ctx = await self._stage.caller(self._stage.arn)()
        where = {"logGroupName": self._group, "logStreamName": self._stream}
        if not self._has_stream:
            try:
                await ctx.call("logs", "CreateLogStream", where)
            except AwsError as error:
                if error.code != "ResourceAlreadyExistsException":
                    raise
            self._has_stream = True
        await ctx.call("logs", "PutLogEvents", {**where, "logEvents": batch})
