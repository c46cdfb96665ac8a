"""Keeps one server alive: starts it, starts it again when it dies, takes over changes, ends it.

All of it happens in one task, `_run`, so that nothing overlaps; the fleet only says what the record
is by now, and rings.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from ...context import Node
from ...store.interface import StoreError
from . import lifecycle, ports, process, resp, snapshots, storage
from .front import Front
from .process import StartError, ValkeyProcess

BACKOFF_FIRST, BACKOFF_LAST = 0.05, 5.0
STEADY_SECONDS = 10.0
"""A server that lived as long is started again at once."""
FAILURES = (StartError, OSError, resp.RespError, asyncio.IncompleteReadError, StoreError)
"""What another attempt may get over."""
RELAUNCH = ("port", "bus", "tls", "starts", "peers")
"""Members of a record whose change needs a new start."""


class Keeper:
    def __init__(self, node: Node, program: str, folder: Path, socket: Path, record: storage.Record) -> None:
        self.node = node
        self.record = record
        self.folder = folder
        self.up = asyncio.Event()
        """Set while the server answers."""
        self.trouble = ""
        """Why it does not, if it can't be started."""
        self._program = program
        self._socket = socket
        self._process: ValkeyProcess | None = None
        self._front: Front | None = None
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._ending = False

    def begin(self) -> None:
        self._task = asyncio.create_task(self._run())

    def renew(self, record: storage.Record) -> None:
        if record["revision"] != self.record["revision"] or record["state"] == "deleting":
            self._changed.set()
        self.record = record

    def forsake(self) -> None:
        """The record is gone without the keeper's doing (a creation was undone): so is the server."""
        if not self._ending:
            self._ending = True
            self.record = self.record | {"state": "forsaken"}
            self._changed.set()

    async def stop(self) -> None:
        """The node stops: the server ends cleanly, its data stay."""
        self._ending = True
        self._changed.set()
        if self._process is not None and not self.up.is_set():
            await self._process.stop()  # it may have much to load yet
        if self._task is not None:
            await asyncio.wait([self._task])

    async def ask(self, *commands: tuple[str, ...]) -> list[object]:
        """Tell the server something, once it is there."""
        await asyncio.wait_for(self.up.wait(), 10.0)
        if self._process is None:
            raise ConnectionError("the server is down")
        return await self._process.ask(*commands)

    async def _run(self) -> None:
        pause = BACKOFF_FIRST
        try:
            while not self._ending and self.record["state"] != "deleting":
                began = self.node.clock.monotonic()
                try:
                    await self._launch()
                    planned = await self._attend()
                except FAILURES as error:
                    planned = False
                    if not self._ending:
                        await self._failed(error)
                finally:
                    await self._halt()
                if planned or self._ending or self.record["state"] == "deleting":
                    continue
                if self.node.clock.monotonic() - began > STEADY_SECONDS:
                    pause = BACKOFF_FIRST
                await self._rest(pause)
                pause = min(BACKOFF_LAST, pause * 2)
            if self.record["state"] in ("deleting", "forsaken"):
                await self._delete()
        except Exception:
            self.node.log.exception("the keeper of cache server %s failed", self.record["uid"])
        finally:
            if self._front is not None:
                self._front.close()

    async def _launch(self) -> None:
        """Returns when the server answers and its port is open."""
        record = self.record
        if record["state"] == "creating" and record["restore"]:
            await asyncio.to_thread(snapshots.lay_out, self.node.data, record["restore"], self.folder)
        if record["tls"] != "off":
            self._open_front()
        hosts = ports.hosts(self.node.config)
        self._process = ValkeyProcess(self._program, self.folder, self._socket, hosts, record)
        await self._process.start(self.node.clock.sleep)
        self.up.set()
        self.trouble = ""
        self._say("cache.up", pid=self._process.pid)
        await lifecycle.settled(self.node, record)

    def _open_front(self) -> None:
        record = self.record
        if self._front is not None:
            return
        front = Front(
            self._socket,
            self.node.authority.server_context,
            plain_too=record["tls"] == "preferred",
            ready=self._is_ready,
            log=self.node.log,
        )
        try:
            front.listen(ports.hosts(self.node.config), record["port"])
        except BaseException:
            front.close()
            raise
        self._front = front

    async def _is_ready(self) -> bool:
        """For a client that came while the server starts anew."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.up.wait(), 10.0)
        return self.up.is_set()

    async def _attend(self) -> bool:
        """Returns when the server is to be started anew or ended, or (False) ended by itself."""
        running = self._process
        assert running is not None
        while True:
            changed: asyncio.Future[Any] = asyncio.ensure_future(self._changed.wait())
            await asyncio.wait({changed, running.ended}, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
            if running.ended.done():
                self._say("cache.down", pid=running.pid)
                self.node.log.warning(
                    "the Valkey server of %s ended by itself", "/".join(self.record["owner"])
                )
                return False
            self._changed.clear()
            record = self.record
            if self._ending or record["state"] == "deleting":
                return True
            if any(record[name] != running.record[name] for name in RELAUNCH):
                self._close_front()
                return True
            await running.change(record)
            await lifecycle.settled(self.node, record)

    def _close_front(self) -> None:
        if self._front is not None:
            self._front.close()
            self._front = None

    async def _halt(self) -> None:
        if self.up.is_set() and self._process is not None and self.record.get("final"):
            await snapshots.last(self.node, storage.Name(*self.record["final"]), self)
        self.up.clear()
        if self._process is not None:
            await self._process.stop()
            self._process = None
        if self._front is not None:
            self._front.drop()

    async def _failed(self, error: Exception) -> None:
        """Said once for each reason, however often the server is tried."""
        self._close_front()
        is_news = str(error) != self.trouble
        self.trouble = str(error)
        if is_news:
            self._say("cache.failed", reason=self.trouble)
            self.node.log.warning("the Valkey server of %s: %s", "/".join(self.record["owner"]), self.trouble)
        with contextlib.suppress(StoreError):
            await lifecycle.failed(self.node, self.record, self.trouble if is_news else "")

    async def _rest(self, seconds: float) -> None:
        """Wait before the next start, unless something changes."""
        done = asyncio.Event()
        handle = self.node.clock.call_later(seconds, done.set)
        waits = [asyncio.ensure_future(event.wait()) for event in (done, self._changed)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        handle.cancel()
        if not self._ending:
            self._changed.clear()

    async def _delete(self) -> None:
        self._close_front()
        await asyncio.to_thread(process.remove, self.folder)
        if self.record["state"] == "deleting":
            await lifecycle.gone(self.node, self.record)

    def _say(self, kind: str, **fields: object) -> None:
        self.node.events.emit(kind, cache=self.record["owner"][3], port=self.record["port"], **fields)
