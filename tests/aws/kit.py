"""What the tests of the wire share: requests without a socket, a dispatcher over made-up operations."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

from cloudlet.aws import sigv4, verify
from cloudlet.aws.dispatch import Dispatcher
from cloudlet.aws.model import Models
from cloudlet.clock import ManualClock
from cloudlet.config import Config
from cloudlet.context import Context, Node, Principal, Service
from cloudlet.names import snake
from cloudlet.net.messages import Request, Response

MODELS = Models()
SERVICES = (
    "apigatewaymanagementapi", "apigatewayv2", "cloudformation", "dynamodb", "iam", "lambda", "logs", "sts",
)  # fmt: skip


def authorization(service: str, key: str = "test", region: str = "us-east-1") -> str:
    scope = f"{key}/20260101/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=abcdef"


def sign(asked: Request, secret: str) -> None:
    """Put the right signature in the place of the header's."""
    signature = sigv4.read_header(asked.headers["authorization"], True)
    try:
        verify.check(asked, signature, secret)
    except verify.Mismatch as mismatch:
        key = verify.signing_key(secret, signature.date, signature.region, signature.service)
        right = hmac.digest(key, mismatch.to_sign.encode(), "sha256").hex()
        asked.headers["authorization"] = asked.headers["authorization"].replace("abcdef", right)


def request(
    method: str = "POST", path: str = "/", body: bytes = b"", query: str = "", **headers: str
) -> Request:
    """Headers are given in Python's spelling: `x_amz_target=...`."""
    made = Request()
    made.method, made.path, made.query, made.body = method, path, query, body
    made.raw_headers = [(name.replace("_", "-"), value) for name, value in headers.items()]
    made.headers = {name.lower(): value for name, value in made.raw_headers}
    made.headers.setdefault("x-amz-date", "20260101T000000Z")
    made.peer = ("127.0.0.1", 5000)
    return made


def answer(dispatcher: Dispatcher, asked: Request) -> Response:
    """The response to a request whose operation waits for nothing."""
    running = dispatcher.handle(asked)
    try:
        running.send(None)
    except StopIteration as finished:
        response: Response = finished.value
        return response
    raise AssertionError("the operation waited")


def head(response: Response) -> dict[str, str]:
    """All headers of a response, lower case."""
    lines = [line.split(": ", 1) for line in response.head.decode().split("\r\n") if line]
    pairs = [(name, value) for name, value in [*lines, *response.headers]]
    return {name.lower(): value for name, value in pairs}


def operation(function: Callable[..., Any]) -> Any:
    """An operation that gets the request and waits for nothing."""

    async def run(ctx: Context, params: dict[str, Any]) -> Any:
        return function(ctx, params)

    return run


def node(**runtimes: Any) -> Node:
    made = SimpleNamespace(
        config=Config(),
        clock=ManualClock(),
        runtimes=runtimes,
        log=logging.getLogger("tests.aws"),
        data=Path("/nowhere"),
    )
    return cast(Node, made)


def dispatcher(
    operations: dict[str, Callable[..., Any]],
    *,
    services: tuple[str, ...] = SERVICES,
    validation: dict[str, Callable[..., Any]] | None = None,
    unsupported: dict[str, str] | None = None,
    on: Node | None = None,
    **more: Any,
) -> Dispatcher:
    """`operations` by AWS's names; every service has all of them."""
    runs = SimpleNamespace(**{snake(name): operation(function) for name, function in operations.items()})
    service = Service(
        models=services,
        operations=cast(ModuleType, runs),
        validation=cast(ModuleType, SimpleNamespace(**(validation or {}))),
        model=cast(ModuleType, SimpleNamespace(UNSUPPORTED=unsupported or {})),
        **more,
    )
    made = Dispatcher(on or node(), dict.fromkeys(services, service))
    made.models = made.router._models = MODELS  # read once for all tests
    return made


def context(on: Node) -> Context:
    return Context(
        on, Principal("root", "000000000000", "arn:aws:iam::000000000000:root"), "000000000000", "us-east-1"
    )
