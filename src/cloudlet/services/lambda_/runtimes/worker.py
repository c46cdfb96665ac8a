"""One worker: an execution environment of a function, from its start to its end, one invocation at a time.

    starting -> idle <-> busy -> (gone)

A worker has one timer, which serves all its states: the limit of its start, the invocation's timeout, the end of its
idleness. It is moved to an earlier time when it must be; when it fires early it looks again. So an invocation costs no
timer of its own.
"""

from __future__ import annotations

import asyncio
import math
import os
import signal
import time
from typing import Protocol

import orjson

from cloudlet.clock import Handle
from cloudlet.context import Node

from ..logsink import Stream
from ..spec import FunctionSpec, Outcome
from .process import Process

INIT_SECONDS = 10
"""AWS's limit for the init phase; as there, an invocation that waits may add its own timeout to it."""
IDLE_SECONDS = 300
WATCH_SECONDS = 0.25
"""How often the memory of an invocation is looked at while it runs. A limit of the kernel's would be prompt, but
without rights over cgroups it has only one on addresses, of which Node.js and threads take gigabytes without use."""
MAX_RESPONSE = 6_291_556
"""Quota of a synchronous response: 6 MB and AWS's slack."""
BARE_KB = 32 * 1024
"""What a runtime takes before it has done anything; a fork's share of its zygote is counted as this."""


class Call:
    """An invocation that waits for its outcome."""

    __slots__ = ("arn", "came", "client_context", "future", "payload", "request_id", "timer", "trace_id")

    def __init__(
        self, arn: str, request_id: str, payload: bytes, client_context: bytes, trace_id: str,
        future: asyncio.Future[Outcome],
    ) -> None:  # fmt: skip
        self.arn = arn
        self.request_id = request_id
        self.payload = payload
        self.client_context = client_context
        self.trace_id = trace_id
        self.future = future
        self.came = time.perf_counter()
        self.timer: Handle | None = None


class Keeper(Protocol):
    """The pool a worker belongs to."""

    def worker_free(self, worker: Worker) -> None: ...
    def worker_failed(self, worker: Worker, payload: bytes) -> None:
        """It could not start; `payload` is the error, with {id} where the request's id belongs."""
        ...

    def worker_gone(self, worker: Worker) -> None: ...
    def settle(self, call: Call, outcome: Outcome) -> None: ...


class Port(Protocol):
    """How invocations reach the process: frames, or the Runtime API."""

    def deliver(self, call: Call, deadline_ms: int) -> None: ...
    def close(self) -> None: ...


class FramePort:
    """The channel of our own workers; see python_worker for the frames."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def deliver(self, call: Call, deadline_ms: int) -> None:
        body = (
            f"{call.request_id}\0{deadline_ms}\0{call.arn}\0{call.trace_id}\0".encode()
            + call.client_context.replace(b"\0", b"")
            + b"\0\0"
            + call.payload
        )
        self._process.send((len(body) + 1).to_bytes(4, "big") + b"I" + body)

    def close(self) -> None:
        pass


class Worker:
    def __init__(
        self, node: Node, keeper: Keeper, spec: FunctionSpec, stream: Stream, expires: float, tmp: str
    ) -> None:
        self.spec = spec
        self.stream = stream
        self.tmp = tmp
        self.state = "starting"
        self.expires = expires
        """When its credentials end, by the node's clock."""
        self.retiring = False
        self.took = 0.0
        """Seconds of its start, then of its last call."""
        self.shared_kb = BARE_KB
        self.process: Process
        self.port: Port
        self._node = node
        self._clock = node.clock
        self._keeper = keeper
        self._call: Call | None = None
        self._born = node.clock.monotonic()
        self._began = 0.0
        self._init_ms: float | None = None
        self._cold = True
        self._deadline = 0.0
        self._used_up = False
        self._timer: Handle | None = None
        self._timed_out = False
        self._init_error = b""

    # What its owner asks of it

    def begin(self, process: Process, port: Port) -> None:
        self.process = process
        self.port = port
        self._until(self._clock.now() + INIT_SECONDS + self.spec.timeout)

    def usable(self) -> bool:
        if self.retiring:  # killed, but not yet gone
            return False
        return self.state == "idle" and self.expires > self._clock.now() + self.spec.timeout + 30

    def run(self, call: Call) -> None:
        now = self._clock.now()
        self.state = "busy"
        self._call = call
        self._began = self._clock.monotonic()
        self._deadline = now + self.spec.timeout
        self._wake_by(min(self._deadline, now + WATCH_SECONDS))
        self.stream.begin_tail()
        self.stream.add(f"START RequestId: {call.request_id} Version: {self.spec.version}\n")
        # The function reads the machine's clock, not ours.
        self.port.deliver(call, int((now - self._clock.offset + self.spec.timeout) * 1000))

    def report_failed_start(self, call: Call, payload: bytes) -> None:
        """The worker is no more, but `call` waited for it and gets its error; what it printed stays in the tail."""
        self._call = call
        self._began = self._clock.monotonic()
        self.stream.add(f"START RequestId: {call.request_id} Version: {self.spec.version}\n")
        self._finish(payload.replace(b"{id}", call.request_id.encode()), "Unhandled", 0, "error")

    def kill(self) -> None:
        self.retiring = True
        self.process.kill()

    # What its process says

    def on_frame(self, kind: int, body: bytes) -> None:
        if kind == 82:  # R
            self.answered(body[8:], int.from_bytes(body[:8], "big"))
        elif kind == 69:  # E
            self.errored(body[8:], int.from_bytes(body[:8], "big"))
        elif kind == 70:  # F
            self.fell(body[8:], int.from_bytes(body[:8], "big"))
        elif kind == 105:  # i
            if body:
                self.shared_kb = int.from_bytes(body, "big")
            self.initialized()
        elif kind == 120:  # x
            self.init_failed(body)

    def on_output(self, data: bytes) -> None:
        self.stream.output(data)

    def on_exit(self, status: int) -> None:
        was, self.state = self.state, "gone"
        self.port.close()
        if self._timer is not None:
            self._timer.cancel()
        self.stream.end_of_output()
        if was == "starting":
            self._keeper.worker_failed(self, self._init_error or self._exit_error(status))
        elif self._call is not None:
            payload = self._exit_error(status).replace(b"{id}", self._call.request_id.encode())
            self._finish(payload, "Unhandled", 0, "timeout" if self._timed_out else "error")
        self._keeper.worker_gone(self)

    def initialized(self) -> None:
        if self.state == "starting":
            self.took = self._clock.monotonic() - self._born
            self._init_ms = self.took * 1000
            self._become_free()

    def init_failed(self, payload: bytes) -> None:
        """It says itself why it can't start; it will exit, or be made to."""
        if self.state == "starting":
            self._init_error = payload
            self.process.kill()

    def answered(self, payload: bytes, used_kb: int) -> None:
        if len(payload) > MAX_RESPONSE:
            text = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
            error = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": text}
            self._answer(orjson.dumps(error), "Unhandled", used_kb)
        else:
            self._answer(payload, None, used_kb)

    def errored(self, payload: bytes, used_kb: int) -> None:
        self._answer(payload, "Unhandled", used_kb)

    def fell(self, payload: bytes, used_kb: int) -> None:
        """It gives the error and dies of it; nothing more may be sent to it."""
        if self._call is not None:
            self.process.drain()
            self.stream.end_of_output()
            self._finish(payload, "Unhandled", used_kb, "error")
        self.kill()

    # Its own affairs

    def _answer(self, payload: bytes, error: str | None, used_kb: int) -> None:
        if self._call is None or not self._check_memory(used_kb):
            return
        self.process.drain()
        self.stream.end_of_output()
        self._finish(payload, error, used_kb, "")
        self._become_free()

    def _become_free(self) -> None:
        self.state = "idle"
        self._until(self._clock.now() + IDLE_SECONDS)
        self._keeper.worker_free(self)

    def _finish(self, payload: bytes, error: str | None, used_kb: int, status: str) -> None:
        call = self._call
        assert call is not None
        self._call = None
        self.took = self._clock.monotonic() - self._began
        ms = self.took * 1000
        if status == "timeout":
            ms = max(ms, self.spec.timeout * 1000.0)
        used = max(1, math.ceil((used_kb - self.shared_kb + BARE_KB if used_kb else BARE_KB) / 1024))
        if self._used_up:
            used = self.spec.memory
        id, spec = call.request_id, self.spec
        init = self._init_ms if self._cold else None
        report = (
            f"REPORT RequestId: {id}\tDuration: {ms:.2f} ms\tBilled Duration: {math.ceil(ms + (init or 0))} ms\t"
            f"Memory Size: {spec.memory} MB\tMax Memory Used: {used} MB\t"
        )
        if init is not None:
            report += f"Init Duration: {init:.2f} ms\t"
        if status:
            report += f"Status: {status}{self._error_type(payload, status)}"
        stream = self.stream
        stream.add(f"END RequestId: {id}\n")
        stream.add(report + "\n")
        if self._node.events.listeners:
            self._node.events.emit(
                "lambda.report", function=spec.name, request_id=id, ms=round(ms, 2), cold=self._cold, error=error,
                memory=used,
            )  # fmt: skip
        self._cold = False
        self._keeper.settle(call, Outcome(payload, error, stream.end_tail()))

    def _error_type(self, payload: bytes, status: str) -> str:
        if status != "error":
            return ""
        return f"\tError Type: {'Runtime.OutOfMemory' if self._used_up else error_type(payload)}"

    def _exit_error(self, status: int) -> bytes:
        if self._timed_out:
            message = f"Task timed out after {self.spec.timeout:.2f} seconds"
            if self._call is not None:
                stamp = _iso(self._clock.now())
                self.stream.add(f"{stamp} {self._call.request_id} {message}\n")
            return orjson.dumps(
                {"errorType": "Sandbox.Timedout", "errorMessage": f"RequestId: {{id}} Error: {message}"}
            )
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            how = f"with error: signal: {signal.strsignal(-code) or -code}".lower()
        else:
            how = f"with error: exit status {code}" if code else "without providing a reason"
        message = f"RequestId: {{id}} Error: Runtime exited {how}"
        if self._call is not None:
            self.stream.add(message.replace("{id}", self._call.request_id) + "\nRuntime.ExitError\n")
        return orjson.dumps({"errorType": "Runtime.ExitError", "errorMessage": message})

    def _until(self, deadline: float) -> None:
        self._deadline = deadline
        self._wake_by(deadline)

    def _wake_by(self, when: float) -> None:
        timer = self._timer
        if timer is None or timer.when > when:
            if timer is not None:
                timer.cancel()
            self._timer = self._clock.call_at(when, self._due)

    def rewind(self, seconds: float) -> None:
        """Time was set back; what was left of its time is left."""
        self._deadline -= seconds
        if self._timer is not None:
            self._wake_by(self._timer.when - seconds)

    def _due(self) -> None:
        self._timer = None
        now = self._clock.now()
        if self.state == "gone":
            return
        if now < self._deadline:
            if self.state == "busy":
                self._check_memory(self.process.memory("VmRSS"))
                now += WATCH_SECONDS
            else:
                now = self._deadline
            self._wake_by(min(now, self._deadline))
        elif self.state == "idle":
            self.kill()
        else:
            self._timed_out = True
            self.kill()

    def _check_memory(self, used_kb: int) -> bool:
        """End it when it takes more than the function may have, as the kernel does in AWS."""
        if used_kb - self.shared_kb + BARE_KB <= self.spec.memory * 1024:
            return True
        self._used_up = True
        self.kill()
        return False


def error_type(payload: bytes) -> str:
    try:
        return str(orjson.loads(payload)["errorType"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "Runtime.Unknown"


def _iso(now: float) -> str:
    import datetime  # only timeouts need it

    stamp = datetime.datetime.fromtimestamp(now, datetime.UTC)
    return f"{stamp:%Y-%m-%dT%H:%M:%S}.{stamp.microsecond // 1000:03d}Z"
