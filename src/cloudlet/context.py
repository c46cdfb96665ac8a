"""What an operation is given, and what the node offers to services.

A `Context` goes by hand through every call; nothing is read from module level. `ctx.call` is the pipeline's inner door:
the same constraints, validation, permission check and errors as over the wire, without HTTP.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from .clock import Clock
from .config import Config
from .events import Events
from .names import request_id
from .net.authority import Authority
from .net.messages import Request, Response, Tunnel, Upgrade
from .store.interface import Store, Tasks, Timers

if TYPE_CHECKING:
    from .aws.dispatch import Dispatcher
    from .aws.model import Operation
    from .policies.decision import Holdings


@dataclass(slots=True, frozen=True)
class Principal:
    """Who asks. `kind`: "root", "user", "role" (an assumed role), "anonymous" (of services that know it), "service"
    (another service, on its own account), "identity" (an origin access identity of CloudFront)."""

    kind: str
    account: str
    arn: str
    user_id: str = ""
    """Of a service the ARN of the resource it acts for: `aws:SourceArn`."""
    access_key: str = ""
    role: str = ""
    """Of a session the ARN of its role."""
    session: tuple[str, ...] = ()
    """The policies that a session was limited to: documents, and ARNs of managed ones."""
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, frozen=True)
class KnownKey:
    """What the owner of an access key (IAM of users', STS of sessions') tells of it."""

    principal: Principal
    until: float
    """When to ask again."""
    secret: str
    token: str = ""
    """The session token that has to come with it."""


@dataclass(slots=True, frozen=True)
class Need:
    """One permission that a request needs. `facts` are the condition keys of its service, in lower case; `owner` is
    the account of the resource, "" the principal's own."""

    action: str
    resource: str
    facts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    owner: str = ""


@dataclass(slots=True, frozen=True)
class Encoded:
    """An operation's result that is already the bytes of its JSON response; no serializer touches it."""

    body: bytes


class Runtime(Protocol):
    """The long-lived part of a service (the gateway's sessions, the workers). Started and stopped with the node."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


@runtime_checkable
class Patient(Protocol):
    """A runtime that lets clients wait. It answers them when the node is about to stop, before the server does."""

    def release(self) -> None: ...


class Edge(Protocol):
    """A data plane beside the AWS API: answers the requests that `claims` it, whole, without the pipeline."""

    @property
    def paths(self) -> tuple[str, ...]:
        """How those of its paths begin that it claims under any host name."""
        ...

    def claims(self, host: str, path: str) -> bool:
        """`host` without port, lower case; `path` as sent. Cheap: it is asked for every request but those to
        `localhost` with a path that is no edge's."""
        ...

    async def handle(self, request: Request) -> Response | Upgrade | Tunnel: ...


@runtime_checkable
class Streaming(Protocol):
    """An edge that takes large bodies piece by piece."""

    streams: bool


@dataclass(slots=True, frozen=True)
class Service:
    """How a service presents itself: `services/<folder>/__init__.py` has one, named SERVICE.

    `models` are the botocore models it answers for, e.g. ("apigatewayv2", "apigatewaymanagementapi"); those names are
    the inner door's too. An operation PutItem is `operations.put_item(ctx, request)`; `validation.put_item(request)`,
    if there is one, runs before it and may return the request in a compiled form. `runtime` makes the long-lived part;
    `register` adds timer and task handlers; both get the node.
    `permissions` has `needs(ctx, operation, request)`, the permissions that a request needs, and, where resources have
    policies, `await policy(ctx, resource)`, the document of one; without it an operation needs the action of its name.
    `decoders` maps an operation to a function that turns its JSON body into the request, for hot paths.
    """

    models: tuple[str, ...]
    operations: ModuleType
    validation: ModuleType
    model: ModuleType
    runtime: Callable[[Node], Runtime] | None = None
    register: Callable[[Node], None] | None = None
    edges: Callable[[Node], list[Edge]] | None = None
    permissions: ModuleType | None = None
    decoders: Mapping[str, Callable[[bytes], dict[str, Any]]] | None = None
    dress: Callable[[Node, Request, Mapping[str, str], Response], Awaitable[None]] | None = None
    """Adds headers to a finished answer that depend on the request alone (CORS); it gets the path's variables, too."""
    inspect: Callable[[Request, Operation], None] | None = None
    """Looks at a request with a document as its body before it is parsed."""
    patient: frozenset[str] = frozenset()
    """The operations that only wait: they are cancelled when their client has gone, and have taken nothing then."""


class Node(Protocol):
    """What there is one of. Services see it as `ctx.node`; `app.py` makes it."""

    config: Config
    clock: Clock
    store: Store
    timers: Timers
    tasks: Tasks
    events: Events
    log: logging.Logger
    authority: Authority
    """For a service that ends TLS on a port of its own."""
    dispatcher: Dispatcher
    """The pipeline, for an edge that knows which operation a request is for, and its models."""
    runtimes: dict[str, Any]
    """By botocore model name, e.g. `node.runtimes["lambda"]`; each service wraps its own in a typed function."""

    @property
    def data(self) -> Path:
        """The data directory; a service keeps its files in `data / <service>`."""
        ...

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        ...

    @property
    def ca_bundle(self) -> Path:
        """A PEM file with the machine's usual authorities and ours; made at first use."""
        ...

    def context(self, principal: Principal | None = None, *, account: str = "", region: str = "") -> Context:
        """A context for work that no request asked for. Without a principal it acts as the account itself."""
        ...

    async def call(
        self, ctx: Context, service: str, operation: str, params: Mapping[str, Any]
    ) -> dict[str, Any]: ...

    async def serve(
        self, request: Request, principal: Principal | None = None
    ) -> Response | Upgrade | Tunnel:
        """Answer a request as if it had come from outside: how an edge reaches the hosts that live here.
        With a principal an AWS API takes it as that one's, whatever its signature."""
        ...


NO_FACTS: Mapping[str, Sequence[str]] = MappingProxyType({})


class Context:
    __slots__ = (
        "account", "facts", "holdings", "node", "principal", "region", "request", "request_id",
    )  # fmt: skip

    def __init__(
        self,
        node: Node,
        principal: Principal,
        account: str,
        region: str,
        id: str = "",
        request: Request | None = None,
    ) -> None:
        self.node = node
        self.principal = principal
        self.account = account
        self.region = region
        self.request_id = id or request_id()
        self.request = request
        """The request that a client sent; None if no client asked."""
        self.facts: Mapping[str, Sequence[str]] = NO_FACTS
        """Condition keys of the request, for a service that asks for permission by itself."""
        self.holdings: Holdings | None = None
        """The principal's policies; the pipeline reads them before it asks for permission."""

    @property
    def source_ip(self) -> str:
        return (self.request.peer[0] if self.request is not None else "") or "127.0.0.1"

    @property
    def user_agent(self) -> str:
        return self.request.headers.get("user-agent", "") if self.request is not None else ""

    @property
    def origin(self) -> str:
        """Scheme and host as the client wrote them, for URLs that it is to use; "" if no client asked."""
        request = self.request
        return f"{request.scheme}://{request.host}" if request is not None and request.host else ""

    @property
    def store(self) -> Store:
        return self.node.store

    @property
    def clock(self) -> Clock:
        return self.node.clock

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Awaitable[dict[str, Any]]:
        """Call another service, as this context's principal: `await ctx.call("lambda", "Invoke", {...})`.

        Parameters and result are in boto3's form (blobs as bytes). Raises `AwsError` as the service would answer.
        """
        return self.node.call(self, service, operation, params)

    def as_service(self, name: str, source: str = "") -> Context:
        """The same account and region, asked by a service, e.g. "apigateway.amazonaws.com", for the resource whose ARN
        is `source`: what conditions on `aws:SourceArn` see."""
        who = Principal("service", self.account, name, source)
        return Context(self.node, who, self.account, self.region, self.request_id)

    async def permits(self, service: str, operation: str, params: Mapping[str, Any]) -> bool:
        """Whether policies allow the operation, which is not done, and need not be one that is here."""
        return await self.node.dispatcher.permits(self, service, operation, params)

    async def as_role(self, service: str, role: str, session: str, source: str = "") -> Context:
        """What a service does with a role that it was given: as the session `session` of the role, if the role trusts
        the service on behalf of `source`. Raises STS's AccessDenied otherwise."""
        return await self.node.dispatcher.assume(self, service, role, session, source)
