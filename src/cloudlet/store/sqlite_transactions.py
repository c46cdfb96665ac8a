"""What the bodies of the SQLite store's transactions are given, and how it is known what they saw.

There is one object for all bodies of a kind, since they run one at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import apsw

from .interface import MAX_KEY, MAX_VALUE

T = TypeVar("T")

LOADED_MAX = 4096
"""Decoded values that `load` remembers."""
LOADED_MAX_SIZE = 256 * 1024
"""Bytes above which it decodes each time."""
RANGE_SCAN_MAX = 512
"""Above so many dirty keys a range read counts as dirty without looking at each."""

GET = "SELECT v FROM kv WHERE k = ?"
RANGE = "SELECT k, v FROM kv WHERE k >= ? AND k < ? ORDER BY k LIMIT ?"
RANGE_REVERSE = "SELECT k, v FROM kv WHERE k >= ? AND k < ? ORDER BY k DESC LIMIT ?"
PUT = "INSERT INTO kv VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v"
DELETE = "DELETE FROM kv WHERE k = ?"
DELETE_RANGE = "DELETE FROM kv WHERE k >= ? AND k < ?"

_MISSING: Any = object()


class Written:
    """A value among the loaded ones that was written since, and not asked for yet."""

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw


class State:
    """What the store and its transactions share."""

    __slots__ = ("dirty", "dirty_ranges", "loaded", "newest")

    def __init__(self) -> None:
        self.dirty: dict[bytes, int] = {}
        """The keys that were written and are not yet on disk, with the latest group that wrote them."""
        self.dirty_ranges: list[tuple[bytes, bytes, int]] = []
        self.loaded: dict[bytes, Any] = {}
        self.newest = 0
        """The latest group."""


class ReadTransaction:
    """What a `read` body is given."""

    __slots__ = ("_dirty", "_execute", "_loaded", "_state", "live", "pending", "seen")

    _execute: Callable[..., apsw.Cursor]

    def __init__(self, state: State) -> None:
        self._state = state
        self._dirty = state.dirty
        self._loaded = state.loaded
        self.pending: dict[bytes, bytes | None] = {}
        """What the body has written and the database hasn't yet: values by key, None for what is to be deleted."""
        self.live = False
        self.seen = 0
        """The latest group whose writes the body saw before they were on disk."""

    async def get(self, key: bytes) -> bytes | None:
        if key in self.pending:
            return self.pending[key]
        if self._dirty or self._state.dirty_ranges:
            self._note(key)
        value: bytes | None = self._execute(GET, (key,)).get
        return value

    async def load(self, key: bytes, decode: Callable[[bytes], T]) -> T | None:
        if key in self.pending:
            own = self.pending[key]
            return None if own is None else decode(own)
        if self._dirty or self._state.dirty_ranges:
            self._note(key)
        value = self._loaded.get(key, _MISSING)
        if value is _MISSING or type(value) is Written:
            raw: bytes | None = self._execute(GET, (key,)).get if value is _MISSING else value.raw
            value = None if raw is None else decode(raw)
            if raw is None or len(raw) <= LOADED_MAX_SIZE:
                self._remember(key, value)
        result: T | None = value
        return result

    async def range(
        self, begin: bytes, end: bytes, *, limit: int = 0, reverse: bool = False
    ) -> list[tuple[bytes, bytes]]:
        sql = RANGE_REVERSE if reverse else RANGE
        rows: Any = self._execute(sql, (begin, end, limit or -1)).fetchall()
        if self._dirty or self._state.dirty_ranges:
            if limit and len(rows) == limit:
                if reverse:
                    begin = rows[-1][0]
                else:
                    end = rows[-1][0] + b"\x00"
            self._note_range(begin, end)
        pairs: list[tuple[bytes, bytes]] = rows
        return pairs

    async def put(self, key: bytes, value: bytes) -> None:
        raise TypeError("a read body can't write; use transact")

    async def delete(self, key: bytes) -> None:
        raise TypeError("a read body can't write; use transact")

    async def delete_range(self, begin: bytes, end: bytes) -> None:
        raise TypeError("a read body can't write; use transact")

    async def claim(self, begin: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        raise TypeError("a read body can't write; use transact")

    def stamp(self) -> bytes:
        raise TypeError("a read body can't take a stamp; use transact")

    def _remember(self, key: bytes, value: object) -> None:
        loaded = self._loaded
        if len(loaded) >= LOADED_MAX:
            del loaded[next(iter(loaded))]
        loaded[key] = value

    def _note(self, key: bytes) -> None:
        seq = self._dirty.get(key, 0)
        if seq > self.seen:
            self.seen = seq
        for begin, end, seq in self._state.dirty_ranges:
            if begin <= key < end and seq > self.seen:
                self.seen = seq

    def _note_range(self, begin: bytes, end: bytes) -> None:
        if len(self._dirty) > RANGE_SCAN_MAX:
            self.seen = self._state.newest
            return
        for key, seq in self._dirty.items():
            if seq > self.seen and begin <= key < end:
                self.seen = seq
        for low, high, seq in self._state.dirty_ranges:
            if seq > self.seen and low < end and begin < high:
                self.seen = seq


class WriteTransaction(ReadTransaction):
    """What a `transact` body is given. What it writes is pending until it ends or reads a range that has some of it:
    so most bodies leave no trace in the database before it is known that they don't raise."""

    __slots__ = ("_begin", "_next_stamp", "asked", "keys", "ranges", "wrote")

    def __init__(self, state: State, begin: Callable[[], None], next_stamp: Callable[[], bytes]) -> None:
        super().__init__(state)
        self._begin = begin
        self._next_stamp = next_stamp
        self.wrote = False
        """Whether something is in the database already, behind a savepoint."""
        self.asked: list[tuple[bytes, bytes]] = []
        """The ranges that the body read: what it saw of others' writes matters only if it writes nothing itself."""
        self.keys: list[bytes] = []
        self.ranges: list[tuple[bytes, bytes]] = []

    async def range(
        self, begin: bytes, end: bytes, *, limit: int = 0, reverse: bool = False
    ) -> list[tuple[bytes, bytes]]:
        for key in self.pending:
            if begin <= key < end:
                self._spill()
                break
        return await super().range(begin, end, limit=limit, reverse=reverse)

    async def put(self, key: bytes, value: bytes) -> None:
        if type(key) is not bytes or type(value) is not bytes:
            raise TypeError("keys and values are bytes")
        if len(key) > MAX_KEY or len(value) > MAX_VALUE:
            raise ValueError(f"key of {len(key)} or value of {len(value)} bytes is too large")
        if not self.live:
            raise RuntimeError("the transaction has ended")
        self.pending[key] = value

    async def delete(self, key: bytes) -> None:
        if not self.live:
            raise RuntimeError("the transaction has ended")
        self.pending[key] = None

    async def delete_range(self, begin: bytes, end: bytes) -> None:
        self._spill()
        self._execute(DELETE_RANGE, (begin, end))
        self.ranges.append((begin, end))
        for key in [key for key in self._loaded if begin <= key < end]:
            del self._loaded[key]

    async def claim(self, begin: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        rows = await self.range(begin, end, limit=limit) if limit > 0 else []
        for key, _ in rows:
            self.pending[key] = None
        return rows

    def stamp(self) -> bytes:
        return self._next_stamp()

    def _spill(self) -> None:
        """Write what is pending before the body has ended, so that the database can be asked about it."""
        if not self.wrote:
            self._begin()
        self.write()

    def write(self) -> None:
        """Write what is pending."""
        execute, loaded = self._execute, self._loaded
        for key, value in self.pending.items():
            if value is None:
                execute(DELETE, (key,))
            else:
                execute(PUT, (key, value))
            if key in loaded:
                if value is not None and len(value) <= LOADED_MAX_SIZE:
                    loaded[key] = Written(value)
                else:
                    del loaded[key]
        self.keys += self.pending
        self.pending.clear()

    def forget(self) -> None:
        """The body came to nothing."""
        for key in (*self.keys, *self.pending):
            self._loaded.pop(key, None)
        self.pending.clear()
        self.keys.clear()
        self.ranges.clear()
        self.wrote = False

    def saw(self) -> int:
        """The latest group whose writes a body saw that wrote nothing."""
        for begin, end in self.asked:
            super()._note_range(begin, end)
        self.asked.clear()
        return self.seen

    def _note_range(self, begin: bytes, end: bytes) -> None:
        self.asked.append((begin, end))

    def _remember(self, key: bytes, value: object) -> None:
        if not self.wrote:  # what this body wrote may yet be rolled back
            super()._remember(key, value)
