"""The composition root: opens the store, loads the services, starts the listeners, and stops it all in reverse."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .admin import Admin
from .aws.dispatch import Dispatcher
from .clock import Clock
from .config import Config
from .context import Context, Edge, Principal, Service
from .events import Events
from .names import arn
from .net.authority import Authority
from .net.messages import Limits, Plan, Request, Response, Tunnel, Upgrade
from .net.server import Server
from .services import FOLDERS
from .store.sqlite import SqliteStore
from .store.tasks import DurableTasks
from .store.timers import DurableTimers

AWS_HOSTS = (".amazonaws.com", ".localhost")
ARTIFACT_LIMIT = 256 * 1024 * 1024


class CloudletNode:
    """One running node. `context.Node` is what services see of it."""

    store: SqliteStore
    timers: DurableTimers
    tasks: DurableTasks
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
        self._started: list[Any] = []

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
        self.store = await SqliteStore.open(
            self.config.data, durability=self.config.durability, clock=self.clock
        )
        try:
            await self._start_services()
        except BaseException:
            await self.stop()
            raise

    async def _start_services(self) -> None:
        self.timers = DurableTimers(self.store, self.clock, self.log)
        self.tasks = DurableTasks(self.store, self.clock, self.log)
        loaded: list[Service] = []
        for folder in FOLDERS:
            service: Service = importlib.import_module(f"cloudlet.services.{folder}").SERVICE
            loaded.append(service)
            self.services.update(dict.fromkeys(service.models, service))
        self.dispatcher = Dispatcher(self, self.services)
        self._edges = [Admin(self)]
        for service in loaded:
            if service.runtime is not None:
                runtime = service.runtime(self)
                self.runtimes.update(dict.fromkeys(service.models, runtime))
            if service.register is not None:
                service.register(self)
            if service.edges is not None:
                self._edges += service.edges(self)
        self.server = Server(self, Limits(), tls=self.authority, log=self.log)
        await self.server.start(self.config.host, self.config.port)
        self.config.port = self.server.port
        for service in loaded:
            runtime = self.runtimes.get(service.models[0])
            if runtime is not None:
                await runtime.start()
                self._started.append(runtime)
        await self.timers.start()
        await self.tasks.start()

    async def stop(self) -> None:
        """Stop in reverse: no new work, sessions and workers closed, what was acknowledged on disk."""
        if hasattr(self, "server"):
            await self.server.drain()
        for runtime in reversed(self._started):
            await runtime.stop()
        self._started.clear()
        if hasattr(self, "server"):
            await self.server.stop()
        if hasattr(self, "tasks"):
            await self.tasks.stop()
            await self.timers.stop()
        await self.store.close()

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
        return self.dispatcher.plan(request)

    async def handle(self, request: Request) -> Response | Upgrade | Tunnel:
        if request.path == "/" and "x-amz-target" in request.headers:
            return await self.dispatcher.handle(request)
        if request.method == "CONNECT":
            return self._tunnel(request)
        host = request.host.rpartition(":")[0] or request.host
        for edge in self._edges:
            if edge.claims(host.lower(), request.path):
                return await edge.handle(request)
        return await self.dispatcher.handle(request)

    def _tunnel(self, request: Request) -> Response | Tunnel:
        """CONNECT from a function: AWS's host names end here, all others are joined to the world."""
        host, _, port = request.path.rpartition(":")
        host = host.strip("[]").lower()
        if host.endswith(AWS_HOSTS):
            return Tunnel()
        if not host or not port.isdigit():
            return Response(400, [("content-type", "text/plain")], b"CONNECT needs host:port\n")
        return Tunnel((host, int(port)))
