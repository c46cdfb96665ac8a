"""The Lambda Runtime API, 2018-06-01: how a custom runtime gets its invocations and says what came of them.

Each worker of a `provided` runtime has a listener of its own on a free loopback port, so that the port says who speaks.

    GET  …/runtime/invocation/next             the next invocation; waits until there is one
    POST …/runtime/invocation/{id}/response    its result
    POST …/runtime/invocation/{id}/error       its error
    POST …/runtime/init/error                  it could not start

Telemetry and logs subscriptions are answered as not supported, in the words of AWS's own emulator of this API;
extensions likewise.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import cast

import httptools
import orjson

from .runtimes.worker import MAX_RESPONSE, Call, Worker

PREFIX = "/2018-06-01/runtime/"
OK = b'{"status":"OK"}\n'


class RuntimeApi:
    """The listener of one worker: the port through which its invocations go."""

    def __init__(self, worker: Worker) -> None:
        self.connections: set[Connection] = set()
        self._worker = worker
        self._server: asyncio.Server | None = None
        self._asking: Connection | None = None
        self._call: tuple[Call, int] | None = None
        self._running = ""

    async def listen(self) -> str:
        """Open the port; what AWS_LAMBDA_RUNTIME_API is to say."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.close()

    def deliver(self, call: Call, deadline_ms: int) -> None:
        self._call = call, deadline_ms
        self._hand_over()

    def left(self, connection: Connection) -> None:
        self.connections.discard(connection)
        if self._asking is connection:
            self._asking = None

    def handle(
        self, connection: Connection, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> None:
        what = path.partition("?")[0].removeprefix(PREFIX).split("/") if path.startswith(PREFIX) else []
        if method == "GET" and what == ["invocation", "next"]:
            self._next(connection)
        elif method == "POST" and what == ["init", "error"]:
            connection.reply(202, OK)
            self._worker.init_failed(_error_body(body, headers))
        elif (
            method == "POST"
            and len(what) == 3
            and what[0] == "invocation"
            and what[2] in ("response", "error")
        ):
            self._done(connection, what[1], what[2], headers, body)
        elif path.startswith(("/2020-08-15/logs", "/2022-07-01/telemetry")):
            connection.fail(202, "Telemetry.NotSupported", "Telemetry API is not supported")
        elif path.startswith("/2020-01-01/extension/"):
            connection.fail(501, "Extension.NotSupported", "Extensions are not supported")
        else:
            connection.fail(404, "NotFound", f"There is no {method} {path}")

    def _next(self, connection: Connection) -> None:
        if self._running:
            connection.fail(403, "InvalidStateTransition", "Transition from Running to Ready is not allowed.")
            return
        self._asking = connection
        self._worker.initialized()
        self._hand_over()

    def _hand_over(self) -> None:
        if self._asking is None or self._call is None:
            return
        (call, deadline_ms), self._call = self._call, None
        connection, self._asking = self._asking, None
        self._running = call.request_id
        headers = [
            ("Lambda-Runtime-Aws-Request-Id", call.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", call.arn),
            ("Lambda-Runtime-Trace-Id", call.trace_id),
        ]
        if call.client_context:
            text = call.client_context.decode("latin-1").replace("\r", " ").replace("\n", " ")
            headers.append(("Lambda-Runtime-Client-Context", text))
        connection.reply(200, call.payload, headers)

    def _done(self, connection: Connection, id: str, kind: str, headers: dict[str, str], body: bytes) -> None:
        if not self._running:
            connection.fail(
                403, "InvalidStateTransition", "Transition from Ready to Responding is not allowed."
            )
            return
        if id != self._running:
            connection.fail(400, "InvalidRequestID", "Invalid request ID")
            return
        self._running = ""
        used = self._worker.process.memory("VmHWM")
        if kind == "error":
            connection.reply(202, OK)
            self._worker.errored(_error_body(body, headers), used)
            return
        if len(body) > MAX_RESPONSE:
            text = f"Exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
            connection.fail(413, "RequestEntityTooLarge", text)
        else:
            connection.reply(202, OK)
        self._worker.answered(body, used)


class Connection(asyncio.Protocol):
    """One connection of a runtime's HTTP client."""

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self._transport: asyncio.Transport
        self._parser = httptools.HttpRequestParser(self)
        self._start()

    def _start(self) -> None:
        self._path = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's isn't a subclass
        self._api.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._api.left(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.fail(400, "BadRequest", "This is not HTTP")
            self.close()

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= MAX_RESPONSE + 1:  # one more than may be is enough to know
            self._body.append(data)
        elif len(self._body) and self._body[-1] != b"":
            self._body += [b" " * (MAX_RESPONSE + 1), b""]

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode("latin-1")
        path, headers, body = self._path.decode("latin-1"), self._headers, b"".join(self._body)
        self._start()
        self._api.handle(self, method, path, headers, body)

    def reply(self, status: int, body: bytes, headers: list[tuple[str, str]] | None = None) -> None:
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in headers or ()]
        lines += [f"Content-Length: {len(body)}", "", ""]
        self._transport.write("\r\n".join(lines).encode("latin-1") + body)

    def fail(self, status: int, type: str, message: str) -> None:
        self.reply(status, orjson.dumps({"errorMessage": message, "errorType": type}))

    def close(self) -> None:
        self._transport.close()


def _error_body(body: bytes, headers: dict[str, str]) -> bytes:
    """What the runtime says of its error is the invocation's payload; a runtime that says nothing has a type."""
    if body:
        return body
    return orjson.dumps({"errorType": headers.get("lambda-runtime-function-error-type", "Runtime.Unknown")})
