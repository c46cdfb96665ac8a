"""Durable timers: one index ordered by time, one sleeper.

    ("timers", "due", due, kind, id)    payload
    ("timers", "set", kind, id)         JSON [due, failures], to find the timer when it is moved or cancelled

Rules
 1. Each due timer runs in a transaction of its own that deletes it and calls its handler: both happen or neither. A
    batch of them shares one commit, as any transactions of one turn do.
 2. Timers run in the order of their times, as far as they are due at once.
 3. A handler that raises is a bug: it is logged, its timer is tried again later and later, and no other waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from ..clock import Clock
from .interface import Store, StoreError, Transaction
from .keys import Subspace
from .wakeup import Wakeup

Handler = Callable[[Transaction, tuple[Any, ...], bytes], Awaitable[None]]

BATCH = 256
RETRY_MAX = 300.0
"""Seconds between tries of a timer whose handler fails, at most; the first are 1, 2, 4, ..."""
DISK_PAUSE = 1.0

TIMERS = Subspace("timers")
DUE = TIMERS.sub("due")
SET = TIMERS.sub("set")


class DurableTimers:
    def __init__(self, store: Store, clock: Clock, log: logging.Logger) -> None:
        self._store = store
        self._clock = clock
        self._log = log
        self._handlers: dict[str, Handler] = {}
        self._wakeup: Wakeup | None = None
        self._sleeper: asyncio.Task[None] | None = None

    def on(self, kind: str, handler: Handler) -> None:
        if kind in self._handlers:
            raise ValueError(f"timers of kind {kind!r} have a handler already")
        self._handlers[kind] = handler

    async def set(
        self, tx: Transaction, kind: str, id: tuple[Any, ...], due: float, payload: bytes = b""
    ) -> None:
        await self._place(tx, kind, id, due, payload, failures=0)

    async def cancel(self, tx: Transaction, kind: str, id: tuple[Any, ...]) -> None:
        mark = SET.pack(kind, id)
        if (old := await tx.get(mark)) is not None:
            await tx.delete(DUE.pack(orjson.loads(old)[0], kind, id))
            await tx.delete(mark)

    async def start(self) -> None:
        self._wakeup = Wakeup(self._store, self._clock, DUE.prefix)
        self._sleeper = asyncio.create_task(self._run(self._wakeup))

    async def stop(self) -> None:
        if self._wakeup is None or self._sleeper is None:
            return
        self._wakeup.close()
        self._sleeper.cancel()
        await asyncio.gather(self._sleeper, return_exceptions=True)
        self._wakeup = self._sleeper = None

    async def _place(
        self, tx: Transaction, kind: str, id: tuple[Any, ...], due: float, payload: bytes, *, failures: int
    ) -> None:
        due = float(due)
        mark = SET.pack(kind, id)
        if (old := await tx.get(mark)) is not None:
            await tx.delete(DUE.pack(orjson.loads(old)[0], kind, id))
        await tx.put(mark, orjson.dumps([due, failures]))
        await tx.put(DUE.pack(due, kind, id), payload)

    async def _run(self, wakeup: Wakeup) -> None:
        while True:
            try:
                keys = [key for key, _ in await self._store.read(self._first)]
                if keys and (due := DUE.unpack(keys[0])[0]) > self._clock.now():
                    await wakeup.wait(due)
                elif keys:
                    await asyncio.gather(*map(self._fire, keys))
                else:
                    await wakeup.wait(None)
            except StoreError as error:
                self._log.error("timers wait for the store: %s", error)
                await wakeup.wait(self._clock.now() + DISK_PAUSE)

    async def _first(self, tx: Transaction) -> list[tuple[bytes, bytes]]:
        """The batch that is due, else the next timer."""
        due = await tx.range(DUE.prefix, DUE.range(self._clock.now())[1], limit=BATCH)
        return due or await tx.range(*DUE.range(), limit=1)

    async def _fire(self, key: bytes) -> None:
        _, kind, id = DUE.unpack(key)

        async def body(tx: Transaction) -> None:
            payload = await tx.get(key)
            if payload is not None:
                await tx.delete(key)
                await tx.delete(SET.pack(kind, id))
                handler = self._handlers.get(kind)
                if handler is None:
                    raise LookupError(f"nothing handles timers of kind {kind!r}")
                await handler(tx, id, payload)

        try:
            await self._store.transact(body)
        except StoreError:
            raise
        except Exception:
            self._log.exception("timer %s %s failed and will be tried again", kind, id)
            await self._store.transact(lambda tx: self._postpone(tx, key))

    async def _postpone(self, tx: Transaction, key: bytes) -> None:
        payload = await tx.get(key)
        if payload is not None:
            _, kind, id = DUE.unpack(key)
            mark = await tx.get(SET.pack(kind, id))
            failures = 1 + (orjson.loads(mark)[1] if mark else 0)
            due = self._clock.now() + min(RETRY_MAX, 2.0 ** min(failures - 1, 30))
            await self._place(tx, kind, id, due, payload, failures=failures)
