"""The composition root: opens the store, loads the services, starts the listeners, and stops it all in reverse."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from .admin import Admin
from .aws.dispatch import Dispatcher
from .clock import Clock
from .config import Config
from .context import Context, Edge, Patient, Principal, Runtime, Service, Streaming
from .errors import UserError
from .events import Events
from .names import arn
from .net.authority import DOMAINS, Authority
from .net.messages import Limits, Plan, Request, Response, Tunnel, Upgrade
from .net.server import Server
from .services import FOLDERS
from .store.interface import Store, Tasks, Timers
from .store.sqlite import SqliteStore
from .store.tasks import DurableTasks
from .store.timers import DurableTimers
from .timekeeper import Timekeeper

AWS_HOSTS = tuple(f".{domain}" for domain in DOMAINS)
OWN_NAMES = ("localhost:", "127.0.0.1:")
ARTIFACT_LIMIT = 256 * 1024 * 1024


class CloudletNode:
    """One running node. `context.Node` is what services see of it."""

    store: Store
    timers: Timers
    tasks: Tasks
    dispatcher: Dispatcher
    server: Server

    def __init__(self, config: Config, log: logging.Logger, clock: Clock | None = None) -> None:
        self.config = config
        self.log = log
        self.clock = clock or Clock()
        self.events = Events(self.clock)
        self.runtimes: dict[str, Any] = {}
        self.services: dict[str, Service] = {}
        self.authority = Authority(config.data / "tls")
        self._edges: list[Edge] = []
        self._edge_paths: tuple[str, ...] = ()
        self._ending = AsyncExitStack()

    @property
    def data(self) -> Path:
        return self.config.data

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.config.port}"

    @property
    def ca_bundle(self) -> Path:
        return self.authority.ca_bundle()

    async def start(self) -> None:
        """Ready to serve when it returns. Raises `UserError` when it can't: the port or the data directory is taken."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        """Whatever starts says how it stops; `stop` does that in reverse."""
        ending = self._ending
        store = await SqliteStore.open(self.config.data, durability=self.config.durability)
        ending.push_async_callback(store.close)
        self.store = store
        self.timekeeper = Timekeeper(store, self.clock)
        self.timers = timers = DurableTimers(store, self.clock, self.log)
        self.tasks = tasks = DurableTasks(store, self.clock, self.log)
        services = self._load_services()
        await self._listen()
        for service in services:
            runtime: Runtime | None = self.runtimes.get(service.models[0])
            if runtime is not None:
                ending.push_async_callback(runtime.stop)
                await runtime.start()
        ending.push_async_callback(timers.stop)
        await timers.start()
        ending.push_async_callback(tasks.stop)
        await tasks.start()
        ending.push_async_callback(self.timekeeper.stop)
        await self.timekeeper.start()
        ending.push_async_callback(self.server.stop)
        for patient in [runtime for runtime in self.runtimes.values() if isinstance(runtime, Patient)]:
            ending.callback(patient.release)
        ending.callback(self.events.close)
        bundle = asyncio.create_task(
            asyncio.to_thread(self.authority.ca_bundle)
        )  # before the first worker asks
        ending.push_async_callback(asyncio.wait, [bundle])

    def _load_services(self) -> list[Service]:
        loaded: list[Service] = []
        for folder in FOLDERS:
            service: Service = importlib.import_module(f"cloudlet.services.{folder}").SERVICE
            loaded.append(service)
            self.services.update(dict.fromkeys(service.models, service))
        self.dispatcher = Dispatcher(self, self.services)
        self._edges = [Admin(self)]
        for service in loaded:
            if service.runtime is not None:
                self.runtimes.update(dict.fromkeys(service.models, service.runtime(self)))
            if service.register is not None:
                service.register(self)
            if service.edges is not None:
                self._edges += service.edges(self)
        self._edge_paths = tuple(path for edge in self._edges for path in edge.paths)
        return loaded

    async def _listen(self) -> None:
        self.server = Server(self, Limits(), tls=self.authority, log=self.log)
        try:
            await self.server.start(self.config.host, self.config.port)
        except OSError as error:
            raise UserError(
                f"can't listen on {self.config.host}:{self.config.port} ({error.strerror}); "
                "another program has the port, or it is not yours to use: try --port"
            ) from error
        self.config.port = self.server.port

    async def stop(self) -> None:
        """Stop in reverse: no new work, what runs is finished or put back, what was acknowledged is on disk."""
        await self._ending.aclose()

    def context(self, principal: Principal | None = None, *, account: str = "", region: str = "") -> Context:
        account = account or self.config.account
        principal = principal or Principal("root", account, arn("iam", "", account, "root"), account)
        return Context(self, principal, account, region or self.config.region)

    async def call(
        self, ctx: Context, service: str, operation: str, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        return await self.dispatcher.call(ctx, service, operation, params)

    def plan(self, request: Request) -> Plan:
        if request.path.startswith("/_cloudlet/"):
            return Plan(limit=ARTIFACT_LIMIT)
        plan = self.dispatcher.plan(request)
        headers = request.headers
        if (
            not plan.stream
            and len(headers.get("content-length", "")) < 7
            and "transfer-encoding" not in headers
        ):
            return plan
        edge = self._edge(request)
        if edge is None:
            return plan
        if isinstance(edge, Streaming):
            return Plan(stream=True)
        return Plan() if plan.stream else plan

    def _edge(self, request: Request) -> Edge | None:
        host, path = request.host.lower(), request.path
        if host.startswith(OWN_NAMES) and not path.startswith(self._edge_paths):
            return None
        name = host.rpartition(":")[0] or host
        for edge in self._edges:
            if edge.claims(name, path):
                return edge
        return None

    def handle(self, request: Request) -> Coroutine[Any, Any, Response | Upgrade | Tunnel]:
        """No coroutine itself: one less for every request."""
        if request.path == "/" and "x-amz-target" in request.headers:
            return self.dispatcher.handle(request)
        if request.method == "CONNECT":
            return self._tunnel(request)
        edge = self._edge(request)
        return (edge or self.dispatcher).handle(request)

    async def serve(
        self, request: Request, principal: Principal | None = None
    ) -> Response | Upgrade | Tunnel:
        if principal is None:
            return await self.handle(request)
        return await self.dispatcher.handle_operation(request, principal=principal)

    async def _tunnel(self, request: Request) -> Response | Tunnel:
        """CONNECT from a function: AWS's host names end here, all others are joined to the world."""
        host, _, port = request.path.rpartition(":")
        host = host.strip("[]").lower()
        if host.endswith(AWS_HOSTS):
            return Tunnel()
        if not host or not port.isdigit():
            return Response(400, [("content-type", "text/plain")], b"CONNECT needs host:port\n")
        if not request.from_here:
            return Response(
                403, [("content-type", "text/plain")], b"Only this machine's own functions may.\n"
            )
        return Tunnel((host, int(port)))
