"""The store as a dict: the contract in its plainest form. Tests compare the engines with it.

It keeps nothing: what is acknowledged is lost with the process.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, insort
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from .interface import MAX_KEY, MAX_VALUE, StoreError, Transaction
from .watches import PrefixWatch, Watches

T = TypeVar("T")


class MemoryTransaction:
    def __init__(self, store: MemoryStore, writes: bool) -> None:
        self._store = store
        self._writes = writes
        self.undo: list[tuple[bytes, bytes | None]] = []
        """Each written key with the value it had, newest last."""

    async def get(self, key: bytes) -> bytes | None:
        return self._store.values.get(key)

    async def load(self, key: bytes, decode: Callable[[bytes], T]) -> T | None:
        value = self._store.values.get(key)
        return None if value is None else decode(value)

    async def range(
        self, begin: bytes, end: bytes, *, limit: int = 0, reverse: bool = False
    ) -> list[tuple[bytes, bytes]]:
        keys = self._store.keys[bisect_left(self._store.keys, begin) : bisect_left(self._store.keys, end)]
        if reverse:
            keys.reverse()
        return [(key, self._store.values[key]) for key in (keys[:limit] if limit else keys)]

    async def put(self, key: bytes, value: bytes) -> None:
        self._check()
        if type(key) is not bytes or type(value) is not bytes:
            raise TypeError("keys and values are bytes")
        if len(key) > MAX_KEY or len(value) > MAX_VALUE:
            raise ValueError(f"key of {len(key)} or value of {len(value)} bytes is too large")
        self._write(key, value)

    async def delete(self, key: bytes) -> None:
        self._check()
        self._write(key, None)

    async def delete_range(self, begin: bytes, end: bytes) -> None:
        self._check()
        for key, _ in await self.range(begin, end):
            self._write(key, None)

    async def claim(self, begin: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        self._check()
        rows = await self.range(begin, end, limit=limit) if limit > 0 else []
        for key, _ in rows:
            self._write(key, None)
        return rows

    def stamp(self) -> bytes:
        self._check()
        return next(self._store.stamps).to_bytes(10, "big")

    def _write(self, key: bytes, value: bytes | None) -> None:
        self.undo.append((key, self._store.values.get(key)))
        self._store.set(key, value)

    def _check(self) -> None:
        if not self._writes:
            raise TypeError("a read body can't write; use transact")


class MemoryStore:
    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.keys: list[bytes] = []
        self.stamps = itertools.count(1)
        self._watches = Watches()
        self._live = False
        self._closed = False

    async def transact(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        return self._run(body, MemoryTransaction(self, writes=True))

    async def read(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        return self._run(body, MemoryTransaction(self, writes=False))

    def watch(self, prefix: bytes) -> PrefixWatch:
        return self._watches.add(prefix)

    async def close(self) -> None:
        self._closed = True
        self._watches.close()

    def set(self, key: bytes, value: bytes | None) -> None:
        if value is not None:
            if key not in self.values:
                insort(self.keys, key)
            self.values[key] = value
        elif self.values.pop(key, None) is not None:
            del self.keys[bisect_left(self.keys, key)]

    def _run(self, body: Callable[[Transaction], Awaitable[T]], tx: MemoryTransaction) -> T:
        if self._closed:
            raise StoreError("the store is closed")
        if self._live:
            raise RuntimeError("a transaction body can't start another transaction")
        self._live = True
        try:
            coroutine: Any = body(tx)
            coroutine.send(None)
            coroutine.close()
            raise RuntimeError("a transaction body may await nothing but its transaction")
        except StopIteration as end:
            self._watches.wake([key for key, _ in tx.undo], [])
            result: T = end.value
            return result
        except BaseException:
            for key, value in reversed(tx.undo):
                self.set(key, value)
            raise
        finally:
            self._live = False
