"""Where log lines of functions go: CloudWatch Logs, the live events, and the tail that an invoker may ask for.

Lines are appended to a list per worker and handed over in batches, by one timer for all. Each worker has a stream of
its own, `YYYY/MM/DD/[version]<32 hex>`, made together with its group when the first batch leaves.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from operator import itemgetter
from typing import Any

from cloudlet.clock import Handle
from cloudlet.context import Context, Node
from cloudlet.errors import AwsError

from .spec import FunctionSpec

FLUSH_SECONDS = 0.25
MAX_WAITING = 200_000
"""Events that wait for CloudWatch Logs; beyond, new ones are dropped and counted."""
# Quotas of PutLogEvents: 10,000 events and 1,048,576 bytes a batch, 26 bytes counted beside each message.
BATCH_EVENTS = 10_000
BATCH_BYTES = 1_048_576
BATCH_SPAN_MS = 24 * 3600 * 1000
EVENT_OVERHEAD = 26
MAX_EVENT = 256 * 1024 - EVENT_OVERHEAD
TAIL = 4096


class Stream:
    """One worker's log stream, and the tail of the invocation that runs in it."""

    __slots__ = (
        "_partial",
        "_sink",
        "events",
        "function",
        "group",
        "made",
        "name",
        "spec",
        "tail",
        "tail_size",
    )

    def __init__(self, sink: LogSink, spec: FunctionSpec, now: float) -> None:
        day = time.strftime("%Y/%m/%d", time.gmtime(now))
        self.name = f"{day}/[{spec.version}]{secrets.token_hex(16)}"
        self.group = spec.log_group or f"/aws/lambda/{spec.name}"
        self.function = spec.name
        self.spec = spec
        self.events: list[dict[str, Any]] = []
        self.made = False
        self.tail: list[str] = []
        self.tail_size = 0
        self._sink = sink
        self._partial = b""

    def add(self, message: str) -> None:
        """One event; `message` ends with a newline. One that is too long for CloudWatch Logs becomes several."""
        for start in range(0, len(message), MAX_EVENT // 4):
            self._sink.take(self, message[start : start + MAX_EVENT // 4])
        self.tail.append(message)
        self.tail_size += len(message)
        if self.tail_size > 4 * TAIL:
            self._trim()

    def output(self, data: bytes) -> None:
        """What the function wrote. A line that ends with NUL goes on in the next (see python_worker)."""
        if self._partial:
            data = self._partial + data
        lines = data.split(b"\n")
        rest = lines.pop()
        event = b""
        for line in lines:
            if line.endswith(b"\0"):
                event += line[:-1] + b"\n"
            else:
                self.add((event + line + b"\n").decode("utf-8", "replace"))
                event = b""
        self._partial = event.replace(b"\n", b"\0\n") + rest if event else rest
        while len(self._partial) > MAX_EVENT:
            cut = MAX_EVENT
            while self._partial[cut] & 0xC0 == 0x80:  # not within a character
                cut -= 1
            start, self._partial = self._partial[:cut], self._partial[cut:]
            self.add(start.replace(b"\0\n", b"\n").decode("utf-8", "replace"))

    def end_of_output(self) -> None:
        """A last line without a newline is a line."""
        if self._partial:
            partial, self._partial = self._partial, b""
            self.add(partial.replace(b"\0\n", b"\n").decode("utf-8", "replace") + "\n")

    def begin_tail(self) -> None:
        self.tail = []
        self.tail_size = 0

    def end_tail(self) -> bytes:
        return "".join(self.tail).encode()[-TAIL:]

    def _trim(self) -> None:
        kept = "".join(self.tail)[-2 * TAIL :]
        self.tail = [kept]
        self.tail_size = len(kept)


class LogSink:
    def __init__(self, node: Node, acting: Callable[[FunctionSpec], Awaitable[Context]]) -> None:
        self._node = node
        self._acting = acting
        self._dirty: dict[Stream, None] = {}
        self._waiting = 0
        self._dropped = 0
        self._timer: Handle | None = None
        self._flushing: asyncio.Task[None] | None = None

    def stream(self, spec: FunctionSpec) -> Stream:
        return Stream(self, spec, self._node.clock.now())

    def take(self, stream: Stream, message: str) -> None:
        node = self._node
        if node.events.listeners:
            node.events.emit("lambda.log", function=stream.function, line=message)
        if self._waiting >= MAX_WAITING:
            self._dropped += 1
            return
        self._waiting += 1
        stream.events.append({"timestamp": node.clock.now_ms(), "message": message})
        if len(stream.events) == 1:
            self._dirty[stream] = None
            if self._timer is None and self._flushing is None:
                self._timer = node.clock.call_later(FLUSH_SECONDS, self._due)

    def _due(self) -> None:
        self._timer = None
        self._flushing = asyncio.ensure_future(self._flush())

    async def flush(self) -> None:
        """Hand over everything that was logged before this call."""
        while self._flushing is not None or self._dirty:
            if self._flushing is None:
                if self._timer is not None:
                    self._timer.cancel()
                self._due()
            assert self._flushing is not None
            await asyncio.wait([self._flushing])

    async def _flush(self) -> None:
        dirty, self._dirty = self._dirty, {}
        try:
            for stream in dirty:
                events, stream.events = stream.events, []
                self._waiting -= len(events)
                await self._put(stream, events)
            if self._dropped:
                self._node.log.warning(
                    "%d lines of function logs were dropped: too many waited", self._dropped
                )
                self._dropped = 0
        finally:
            self._flushing = None
            if self._dirty and self._timer is None:
                self._timer = self._node.clock.call_later(FLUSH_SECONDS, self._due)

    async def _put(self, stream: Stream, events: list[dict[str, Any]]) -> None:
        try:
            context = await self._acting(stream.spec)
            await self._make(stream, context)
            target = {"logGroupName": stream.group, "logStreamName": stream.name}
            for batch in batches(events):
                try:
                    await context.call("logs", "PutLogEvents", {**target, "logEvents": batch})
                except AwsError as error:
                    if error.code != "ResourceNotFoundException":
                        raise
                    stream.made = False  # somebody deleted the group; AWS makes it again, too
                    await self._make(stream, context)
                    await context.call("logs", "PutLogEvents", {**target, "logEvents": batch})
        except Exception as error:
            if not isinstance(error, AwsError):
                self._node.log.exception("logs of %s are lost", stream.function)
            else:
                self._node.log.warning("logs of %s are lost: %s", stream.function, error)

    async def _make(self, stream: Stream, context: Context) -> None:
        if stream.made:
            return
        target = {"logGroupName": stream.group}
        for operation, params in (
            ("CreateLogGroup", target),
            ("CreateLogStream", {**target, "logStreamName": stream.name}),
        ):
            try:
                await context.call("logs", operation, params)
            except AwsError as error:
                if error.code != "ResourceAlreadyExistsException":
                    raise
        stream.made = True


def batches(events: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Cut into what one PutLogEvents takes: so many, so large, of one day and in order, however the clock was moved."""
    events = sorted(events, key=itemgetter("timestamp"))
    result: list[list[dict[str, Any]]] = [[]]
    size = 0
    for event in events:
        cost = len(event["message"].encode()) + EVENT_OVERHEAD
        batch = result[-1]
        if batch and (
            len(batch) == BATCH_EVENTS
            or size + cost > BATCH_BYTES
            or event["timestamp"] - batch[0]["timestamp"] >= BATCH_SPAN_MS
        ):
            result.append([])
            size = 0
        result[-1].append(event)
        size += cost
    return result
