"""The WebSocket gateway: who is connected, and what happens to what they send.

    $connect    edge → connect: authorize, run the route's integration → Upgrade, or the HTTP answer that refuses
    message     session → message: select the route → integration → route response or error frame
    $disconnect session → closed: run the route's integration, forget the connection

Stages are compiled once and kept until the store says that they changed. A message touches no store. Every wait on an
integration has an end, kept in a wheel; idle and old connections are found by another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

import orjson

from ...context import Context, Node
from ...net.messages import Request, Response, Upgrade
from ...store.interface import Transaction, Watch
from . import connecting, events, identifiers, model, storage
from .integrations import Integration
from .pending import LATE, Pending, PendingMessage, PendingResult
from .scope import Answer, Scope
from .serving import Route, Stage
from .session import Session
from .wheel import Wheel

T = TypeVar("T")

IDLE_GRAIN = 1.0
TIMEOUT_GRAIN = 0.05
STOP_SECONDS = 5.0
LEAVING_AT_ONCE = 256
"""$disconnect integrations that run at once. When everybody leaves together, the rest wait and aren't throttled."""
NODE = 1
"""This node's number in connection ids. There is one node to a store as yet."""


class Gateway:
    def __init__(self, node: Node) -> None:
        self.node = node
        self.clock = node.clock
        self.dates = events.Dates()
        self.sessions: dict[str, Session] = {}
        self._stages: dict[tuple[str, str], Stage] = {}
        self._lives: Wheel[Session] = Wheel(node.clock, IDLE_GRAIN, self._look_after)
        self._waits: Wheel[Pending] = Wheel(node.clock, TIMEOUT_GRAIN, Pending.expire)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        """Those of `_tasks` that deliver a $disconnect."""
        self._door = asyncio.Semaphore(LEAVING_AT_ONCE)
        self._emptied = asyncio.Event()
        self._watch: Watch | None = None
        self._changes = 0
        self._stopping = False

    async def start(self) -> None:
        self.clock.when_set_back(self._rewind)
        self._watch = self.node.store.watch(storage.served_prefix())
        self.spawn(self._follow(self._watch))
        left = await self.node.store.read(lambda tx: storage.list_connections(tx, NODE))
        if left:
            self.spawn(self._bury(left))

    async def stop(self) -> None:
        """Close every session with 1001, and give the $disconnect integrations a moment."""
        self._stopping = True
        for session in list(self.sessions.values()):
            session.close(*model.GOING_AWAY)
        if self._watch is not None:
            self._watch.close()
        await self._settled(STOP_SECONDS)
        for stage in self._stages.values():
            if stage.log is not None:
                await stage.log.flush()
        self._lives.clear()
        self._waits.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _settled(self, seconds: float) -> None:
        """Until all sessions are closed and their $disconnect integrations done, at most so long."""
        try:
            if self.sessions:
                self._emptied.clear()
                await asyncio.wait_for(self._emptied.wait(), seconds)
        except TimeoutError:
            self.node.log.warning("%d clients did not close in time", len(self.sessions))
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=seconds)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run in a task that is kept, and whose failure is a bug that is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.node.log.error("the gateway's work failed", exc_info=error)

    # Stages

    async def stage(self, api_id: str, name: str) -> Stage | None:
        while True:
            stage = self._stages.get((api_id, name))
            if stage is not None:
                return stage
            seen = self._changes
            served = await self.node.store.read(lambda tx: storage.get_served(tx, api_id, name))
            if served is None:
                return None
            if seen == self._changes:  # else what was read may be old already, and nobody would say so again
                return self._stages.setdefault((api_id, name), Stage(self.node, served))

    async def _follow(self, watch: Watch) -> None:
        while True:
            await watch.wait()
            self._changes += 1
            await self._reload()

    async def _reload(self) -> None:
        keys = list(self._stages)

        async def body(tx: Transaction) -> list[storage.Record | None]:
            return [await storage.get_served(tx, *key) for key in keys]

        for key, served in zip(keys, await self.node.store.read(body), strict=True):
            stage = self._stages[key]
            if served is not None:
                self._load(stage, served)
            else:
                del self._stages[key]
                for session in list(stage.sessions):
                    session.close(*model.GOING_AWAY)

    def _load(self, stage: Stage, served: storage.Record) -> None:
        """A stage that can't be compiled is a bug, and keeps what it had; the others don't suffer."""
        try:
            stage.load(served)
        except Exception:
            self.node.log.exception(
                "stage %s of API %s can't be served as it is now", stage.name, stage.api_id
            )

    # Connections

    async def connect(self, request: Request, stage: Stage) -> Response | Upgrade:
        return await connecting.connect(self, request, stage)

    def _rewind(self, seconds: float) -> None:
        """Time was set back; connections are as old and as idle as they were."""
        for session in self.sessions.values():
            session.last_active -= seconds
            session.end -= seconds

    def opened(self, session: Session) -> None:
        self.sessions[session.id] = session
        session.stage.sessions.add(session)
        session.slot = self._lives.put(session, session.last_active + model.IDLE_SECONDS)
        stage = session.stage
        self.node.events.emit(
            "ws.open", api=stage.api_id, stage=stage.name, connection=session.id, ip=session.source_ip
        )
        if self._stopping:
            session.close(*model.GOING_AWAY)

    def closed(self, session: Session, code: int, reason: str) -> None:
        if self.sessions.pop(session.id, None) is None:
            return
        self._lives.take(session, session.slot)
        stage = session.stage
        stage.sessions.discard(session)
        self.node.events.emit(
            "ws.close", api=stage.api_id, stage=stage.name, connection=session.id, code=code, reason=reason
        )
        task = self.spawn(self._disconnect(session, code, reason))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        if not self.sessions:
            self._emptied.set()

    def _look_after(self, session: Session) -> None:
        """Called when the connection may have become too idle or too old."""
        if not session.is_open:
            return
        now = self.clock.now()
        end = min(session.last_active + model.IDLE_SECONDS, session.end)
        if now >= end:
            session.close(*model.GOING_AWAY)
        else:
            session.slot = self._lives.put(session, end)

    async def _disconnect(self, session: Session, code: int, reason: str) -> None:
        """Best effort, as AWS does: what the integration says is of no interest, but it is given its time."""
        route = session.stage.disconnect
        if route is not None and route.integration is not None:
            scope = self.scope(session, "$disconnect", "DISCONNECT")
            event = events.disconnect(scope.context, code, reason, session.stage.variables)
            async with self._door:
                answer = await self.within(route, scope, orjson.dumps(event))
            self.note(scope, answer)
        await self._forget(session.id)

    async def _forget(self, id: str) -> None:
        await self.node.store.transact(lambda tx: storage.delete_connection(tx, NODE, id))

    async def _bury(self, left: list[storage.Record]) -> None:
        """Connections that an earlier life of this node held: their $disconnect is delivered now."""
        for record in left:
            stage = await self.stage(record["ApiId"], record["Stage"])
            if stage is None:
                await self._forget(record["ConnectionId"])
                continue
            session = Session(self, stage, record["ConnectionId"], record["SourceIp"], record["UserAgent"])
            session.connected_ms = record["ConnectedAt"]
            session.authorizer = record.get("Authorizer")
            self.spawn(self._disconnect(session, 1006, model.CLOSE_REASONS[1006]))

    # Messages

    def scope(self, session: Session, route_key: str, kind: str, body: bytes = b"") -> Scope:
        return Scope(session, route_key, kind, identifiers.request_id(), self.clock.now_ms(), body)

    def message(self, session: Session, payload: bytes) -> None:
        route = session.stage.route_for(session, payload)
        stage = session.stage
        if self.node.events.listeners:
            self.node.events.emit(
                "ws.message",
                api=stage.api_id,
                stage=stage.name,
                connection=session.id,
                route=route.key if route is not None else None,
                size=len(payload),
            )
        scope = self.scope(session, route.key if route is not None else "", "MESSAGE", payload)
        if route is None:
            self.answered(session, scope, None, Answer(403, failure=model.FORBIDDEN))
        elif route.bucket is not None and not route.bucket.take():
            self.answered(session, scope, route, Answer(429, failure=model.THROTTLED))
        elif route.models is not None and (wrong := route.models.refuses(scope)) is not None:
            scope.extra["error"] = {"message": model.BAD_BODY, "validationErrorString": wrong}
            self.answered(session, scope, route, Answer(400, failure=model.BAD_BODY))
        elif route.integration is None:
            self.answered(session, scope, route, Answer(500, failure=model.INTERNAL))
        else:
            self._run(session, scope, route, route.integration)

    def _run(self, session: Session, scope: Scope, route: Route, integration: Integration) -> None:
        pending = PendingMessage(self, session, scope, route, integration.cancels)
        pending.slot = self._waits.put(pending, session.last_active + integration.timeout)
        scope.message_id = identifiers.request_id()
        event = self._message_event(scope, session, route) if integration.proxy else b""
        pending.task = self.spawn(self._invoke(pending, integration, event))

    async def _invoke(self, pending: PendingMessage, integration: Integration, event: bytes) -> None:
        answer = Answer(500, failure=model.INTERNAL)
        try:
            answer = await integration.invoke(pending.scope, event)
        finally:
            self._waits.take(pending, pending.slot)
            pending.settle(answer)

    def _message_event(self, scope: Scope, session: Session, route: Route) -> bytes:
        return events.message(
            route.prefix,
            session.fragments,
            scope.message_id,
            scope.request_id,
            self.dates.clf(scope.epoch_ms / 1000),
            scope.epoch_ms,
            orjson.dumps(scope.body.decode()),
            route.text_to_binary,
        )

    def answered(self, session: Session, scope: Scope, route: Route | None, answer: Answer) -> None:
        two_way = route is not None and route.two_way
        if two_way and len(answer.body) > model.MAX_MESSAGE:
            answer = Answer(413, failure=model.TOO_LONG, log="the route response is larger than 128 KB")
        if answer.failure is not None:
            session.send(error_frame(answer.failure, session.id, scope.request_id))
        elif two_way and answer.body:
            session.send(answer.body)
        self.note(scope, answer)
        session.done()

    def note(self, scope: Scope, answer: Answer) -> None:
        """For people: why it failed, and the access log's line."""
        stage = scope.session.stage
        if answer.log:
            # what a function does wrong stands in its own log; 500 is a wrong configuration
            level = logging.WARNING if answer.status == 500 else logging.INFO
            self.node.log.log(level, "%s/%s %s: %s", stage.api_id, stage.name, scope.route_key, answer.log)
        if stage.log is not None:
            scope.extra |= self._log_variables(stage, scope, answer)
            stage.log.write(scope)

    def _log_variables(self, stage: Stage, scope: Scope, answer: Answer) -> dict[str, Any]:
        latency = self.clock.now_ms() - scope.epoch_ms
        error = dict(scope.extra.get("error", {}))
        if answer.failure is not None:
            error |= {"message": answer.failure, "messageString": f'"{answer.failure}"'}
        return {
            "accountId": stage.account,
            "error": error,
            "integration": {"status": answer.status, "error": answer.log or None, "latency": latency},
            "integrationErrorMessage": answer.log or None,
            "integrationLatency": latency,
            "integrationStatus": answer.status,
            "status": answer.status,
        }

    async def within(self, route: Route, scope: Scope, event: bytes) -> Answer:
        """The answer of a route's integration, waited for as long as it may take."""
        integration = route.integration
        assert integration is not None
        work = integration.invoke(scope, event)
        return await self.at_most(integration.timeout, work, cancels=integration.cancels) or LATE

    async def at_most(self, seconds: float, work: Coroutine[Any, Any, T], *, cancels: bool) -> T | None:
        """Wait for the work; None if it takes longer."""
        pending = PendingResult(cancels)
        pending.slot = self._waits.put(pending, self.clock.now() + seconds)
        pending.task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(pending.task)
        pending.task.add_done_callback(self._tasks.discard)
        pending.task.add_done_callback(pending.finished)
        try:
            result: T | None = await pending.result
            return result
        finally:
            self._waits.take(pending, pending.slot)

    # @connections

    def find(self, id: str) -> Session | None:
        session = self.sessions.get(id)
        return session if session is not None and session.is_open else None

    def new_session(self, stage: Stage, source_ip: str, user_agent: str) -> Session:
        return Session(self, stage, identifiers.connection_id(NODE), source_ip, user_agent)

    async def remember(self, session: Session) -> None:
        record: storage.Record = {
            "ConnectionId": session.id,
            "ApiId": session.stage.api_id,
            "Stage": session.stage.name,
            "ConnectedAt": session.connected_ms,
            "SourceIp": session.source_ip,
            "UserAgent": session.user_agent,
        }
        if session.authorizer is not None:
            record["Authorizer"] = session.authorizer
        await self.node.store.transact(lambda tx: storage.put_connection(tx, NODE, session.id, record))


def of(ctx: Context) -> Gateway:
    gateway: Gateway = ctx.node.runtimes["apigatewaymanagementapi"]
    return gateway


def error_frame(message: str, connection_id: str, request_id: str) -> bytes:
    """Exactly as AWS writes it, spaces and all."""
    return (
        f'{{"message": "{message}", "connectionId":"{connection_id}", "requestId":"{request_id}"}}'.encode()
    )
