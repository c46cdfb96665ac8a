"""The store on SQLite. One file, one connection that reads and writes, one thread that waits for the disk.

How a transaction goes
 1. `transact` runs the body to its end on the loop, in the turn that asked for it. Nothing else runs meanwhile, so
    bodies are serial. A body's first write opens a savepoint; a body that raises is rolled back to it, alone.
 2. All bodies of a turn share one SQLite transaction, the *group*. It is committed (into the WAL, `synchronous=NORMAL`:
    no waiting for the disk) at the end of the turn, or, while the disk is busy with the group before, after that.
 3. A helper thread calls fdatasync on the WAL. Then, and only then, the group's callers go on and watchers are woken.

Rules
 1. What a group wrote is *dirty* until its fdatasync. Who read something dirty (and wrote nothing) waits for that sync
    before the result, or the exception, is given out. Who read nothing dirty goes on without any task switch.
 2. The connection is always within a transaction: between groups it holds a read snapshot, which saves each read two
    lock calls. That is right because nobody else writes: another node is kept out by the `lock` file.
 3. If COMMIT fails, the group is rolled back and each of its transactions raises `StoreError`; the next may succeed. If
    fdatasync fails, nobody knows what is on disk: see `_lose`.
 4. Checkpoints run on a thread and connection of their own: one pass beside the writers, then, writers held back for
    some milliseconds, one over the rest, after which SQLite starts the WAL anew. So the WAL stays small under any load.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

import apsw

from ..clock import Clock
from . import files
from .interface import MAX_KEY, MAX_VALUE, StoreError, Transaction
from .watches import PrefixWatch, Watches

T = TypeVar("T")

CHECKPOINT_PAGES = 8192
"""Pages in the WAL that start a checkpoint: 32 MB."""
CACHE_KIB = 16 * 1024
LOADED_MAX = 4096
"""Decoded values that `load` remembers."""
RANGE_SCAN_MAX = 512
"""Above so many dirty keys a range read counts as dirty without looking at each."""

GET = "SELECT v FROM kv WHERE k = ?"
RANGE = "SELECT k, v FROM kv WHERE k >= ? AND k < ? ORDER BY k LIMIT ?"
RANGE_REVERSE = "SELECT k, v FROM kv WHERE k >= ? AND k < ? ORDER BY k DESC LIMIT ?"
PUT = "REPLACE INTO kv VALUES (?, ?)"
DELETE = "DELETE FROM kv WHERE k = ?"
DELETE_RANGE = "DELETE FROM kv WHERE k >= ? AND k < ?"
CLAIM = "DELETE FROM kv WHERE k >= ? AND k <= ?"

_MISSING: Any = object()


class Group:
    """The transactions that are committed and synced together."""

    __slots__ = ("keys", "ranges", "seq", "waiters")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.keys: list[bytes] = []
        self.ranges: list[tuple[bytes, bytes]] = []
        self.waiters: list[asyncio.Future[None]] = []


class Helper:
    """A thread that runs blocking calls one after another and reports each to the loop."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self._jobs: SimpleQueue[tuple[Callable[[], Any], Callable[[Any, BaseException | None], None]] | None]
        self._jobs = SimpleQueue()
        self._loop = loop
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def call(self, job: Callable[[], Any], done: Callable[[Any, BaseException | None], None]) -> None:
        self._jobs.put((job, done))

    def stop(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (entry := self._jobs.get()) is not None:
            job, done = entry
            result, error = None, None
            try:
                result = job()
            except Exception as raised:
                error = raised
            self._loop.call_soon_threadsafe(done, result, error)


class ReadTransaction:
    """What a `read` body is given. One object for all bodies: they run one at a time."""

    __slots__ = ("_dirty", "_execute", "_loaded", "_store", "live", "seen")

    _execute: Callable[..., apsw.Cursor]

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._dirty = store._dirty
        self._loaded = store._loaded
        self.live = False
        self.seen = 0
        """The latest group whose writes the body saw before they were on disk."""

    async def get(self, key: bytes) -> bytes | None:
        if self._dirty or self._store._dirty_ranges:
            self._note(key)
        value: bytes | None = self._execute(GET, (key,)).get
        return value

    async def load(self, key: bytes, decode: Callable[[bytes], T]) -> T | None:
        if self._dirty or self._store._dirty_ranges:
            self._note(key)
        value = self._loaded.get(key, _MISSING)
        if value is _MISSING:
            raw: bytes | None = self._execute(GET, (key,)).get
            value = None if raw is None else decode(raw)
            self._remember(key, value)
        result: T | None = value
        return result

    async def range(
        self, begin: bytes, end: bytes, *, limit: int = 0, reverse: bool = False
    ) -> list[tuple[bytes, bytes]]:
        sql = RANGE_REVERSE if reverse else RANGE
        rows: Any = self._execute(sql, (begin, end, limit or -1)).fetchall()
        if self._dirty or self._store._dirty_ranges:
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
        for begin, end, seq in self._store._dirty_ranges:
            if begin <= key < end and seq > self.seen:
                self.seen = seq

    def _note_range(self, begin: bytes, end: bytes) -> None:
        if len(self._dirty) > RANGE_SCAN_MAX:
            self.seen = self._store._seq
            return
        for key, seq in self._dirty.items():
            if seq > self.seen and begin <= key < end:
                self.seen = seq
        for low, high, seq in self._store._dirty_ranges:
            if seq > self.seen and low < end and begin < high:
                self.seen = seq


class WriteTransaction(ReadTransaction):
    """What a `transact` body is given."""

    __slots__ = ("keys", "ranges", "wrote")

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(store)
        self.wrote = False
        self.keys: list[bytes] = []
        self.ranges: list[tuple[bytes, bytes]] = []

    async def put(self, key: bytes, value: bytes) -> None:
        if len(key) > MAX_KEY or len(value) > MAX_VALUE:
            raise ValueError(f"key of {len(key)} or value of {len(value)} bytes is too large")
        if not self.wrote:
            self._store._begin_write()
        self._execute(PUT, (key, value))
        self.keys.append(key)
        self._loaded.pop(key, None)

    async def delete(self, key: bytes) -> None:
        if not self.wrote:
            self._store._begin_write()
        self._execute(DELETE, (key,))
        self.keys.append(key)
        self._loaded.pop(key, None)

    async def delete_range(self, begin: bytes, end: bytes) -> None:
        if not self.wrote:
            self._store._begin_write()
        self._execute(DELETE_RANGE, (begin, end))
        self.ranges.append((begin, end))
        for key in [key for key in self._loaded if begin <= key < end]:
            del self._loaded[key]

    async def claim(self, begin: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        rows = await self.range(begin, end, limit=limit)
        if rows:
            if not self.wrote:
                self._store._begin_write()
            self._execute(CLAIM, (begin, rows[-1][0]))
            for key, _ in rows:
                self.keys.append(key)
                self._loaded.pop(key, None)
        return rows

    def stamp(self) -> bytes:
        return self._store._stamp()

    def _remember(self, key: bytes, value: object) -> None:
        if not self.wrote:  # what this body wrote may yet be rolled back
            super()._remember(key, value)


class SqliteStore:
    """Made by `open`. See the module's rules."""

    def __init__(self, directory: Path, durability: str, loop: asyncio.AbstractEventLoop) -> None:
        self._files = files.open_files(directory)
        self._durable = durability == "full"
        self._loop = loop
        self._life = self._files.life
        self._stamps = 0
        self._seq = 1
        self._synced = 0
        self._open: Group | None = None
        self._flight: Group | None = None
        self._dirty: dict[bytes, int] = {}
        self._dirty_ranges: list[tuple[bytes, bytes, int]] = []
        self._loaded: dict[bytes, Any] = {}
        self._watches = Watches()
        self._held: asyncio.Future[None] | None = None
        self._closed = False
        self._wal_pages = 0
        self._checkpointing = False
        self._disk = Helper("cloudlet-sync", loop)
        self._sweeper: Helper | None = None
        self._reader = ReadTransaction(self)
        self._writer = WriteTransaction(self)
        self._connect()

    @classmethod
    async def open(
        cls, directory: Path, *, durability: str = "full", clock: Clock | None = None
    ) -> SqliteStore:
        """Open the store in `directory`, making it if need be. `durability="relaxed"` acknowledges before the sync.

        Raises `UserError` if another node has it open, or a newer version made it.
        """
        return cls(directory, durability, asyncio.get_running_loop())

    def _connect(self) -> None:
        self._db = self._files.connect()
        self._db.pragma("cache_size", -CACHE_KIB)
        self._db.pragma(
            "cache_spill", False
        )  # nothing goes to disk before COMMIT, so that only COMMIT can find it full
        self._db.pragma("temp_store", 2)
        self._db.set_wal_hook(self._on_wal)
        self._execute = self._reader._execute = self._writer._execute = self._db.cursor().execute
        self._execute("BEGIN")

    # -- transactions

    async def transact(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        while self._held is not None:
            await asyncio.shield(self._held)
        tx = self._writer
        if tx.live or self._reader.live:
            raise RuntimeError("a transaction body can't start another transaction")
        if self._closed:
            raise StoreError("the store is closed")
        tx.live = True
        tx.seen = 0
        coroutine: Any = body(tx)
        try:
            coroutine.send(None)
        except StopIteration as end:
            tx.live = False
            if tx.wrote:
                await self._join(tx)
            elif tx.seen > self._synced:
                await self._wait(tx.seen)
            result: T = end.value
            return result
        except BaseException:
            tx.live = False
            if tx.wrote:
                self._undo(tx)
            if tx.seen > self._synced:
                await self._wait(tx.seen)
            raise
        coroutine.close()
        tx.live = False
        if tx.wrote:
            self._undo(tx)
        raise RuntimeError("a transaction body may await nothing but its transaction")

    async def read(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        tx = self._reader
        if tx.live or self._writer.live:
            raise RuntimeError("a transaction body can't start another transaction")
        if self._closed:
            raise StoreError("the store is closed")
        tx.live = True
        tx.seen = 0
        coroutine: Any = body(tx)
        try:
            coroutine.send(None)
        except StopIteration as end:
            tx.live = False
            if tx.seen > self._synced:
                await self._wait(tx.seen)
            result: T = end.value
            return result
        except BaseException:
            tx.live = False
            if tx.seen > self._synced:
                await self._wait(tx.seen)
            raise
        coroutine.close()
        tx.live = False
        raise RuntimeError("a transaction body may await nothing but its transaction")

    def watch(self, prefix: bytes) -> PrefixWatch:
        return self._watches.add(prefix)

    def _begin_write(self) -> None:
        """The first write of a body: a group is open, and the body's savepoint in it."""
        tx = self._writer
        if not tx.live:
            raise RuntimeError("the transaction has ended")
        if self._open is None:
            self._execute("COMMIT")
            try:
                self._execute("BEGIN IMMEDIATE")
            except apsw.Error as error:
                self._execute("BEGIN")
                raise StoreError(f"the database can't be written: {error}") from error
            self._open = Group(self._seq)
            self._loop.call_soon(self._commit)
        self._execute("SAVEPOINT body")
        tx.wrote = True

    def _join(self, tx: WriteTransaction) -> asyncio.Future[None]:
        """Keep what the body wrote; the future is done when it is on disk."""
        group = self._open
        assert group is not None
        tx.wrote = False
        self._execute("RELEASE body")
        group.keys += tx.keys
        self._dirty.update(dict.fromkeys(tx.keys, group.seq))
        tx.keys.clear()
        if tx.ranges:
            group.ranges += tx.ranges
            self._dirty_ranges += [(begin, end, group.seq) for begin, end in tx.ranges]
            tx.ranges.clear()
        waiter = self._loop.create_future()
        group.waiters.append(waiter)
        return waiter

    def _undo(self, tx: WriteTransaction) -> None:
        tx.wrote = False
        tx.keys.clear()
        tx.ranges.clear()
        if self._db.in_transaction:
            self._execute("ROLLBACK TO body")
            self._execute("RELEASE body")

    def _wait(self, seq: int) -> asyncio.Future[None]:
        """A future that is done when group `seq`, which isn't yet, is on disk."""
        group = self._flight if self._flight is not None and self._flight.seq >= seq else self._open
        assert group is not None
        waiter = self._loop.create_future()
        group.waiters.append(waiter)
        return waiter

    def _stamp(self) -> bytes:
        self._stamps += 1
        return self._life + self._stamps.to_bytes(6, "big")

    # -- groups

    def _commit(self) -> None:
        group = self._open
        if group is None or self._flight is not None:
            return
        self._open = None
        self._seq += 1
        try:
            self._execute("COMMIT")
        except apsw.Error as error:
            if self._db.in_transaction:
                self._execute("ROLLBACK")
            self._execute("BEGIN")
            self._fail(group, f"the transaction could not be written: {error}")
            return
        self._execute("BEGIN")
        if self._durable:
            self._flight = group
            self._disk.call(self._files.sync, self._on_synced)
        else:
            self._finish(group)
        if self._wal_pages >= CHECKPOINT_PAGES and not self._checkpointing:
            self._checkpoint()

    def _on_synced(self, _: Any, error: BaseException | None) -> None:
        group = self._flight
        assert group is not None
        self._flight = None
        if error is not None:
            self._lose(group, error)
            return
        self._finish(group)
        if self._open is not None:
            self._commit()

    def _finish(self, group: Group) -> None:
        self._synced = group.seq
        self._clean(group)
        if self._watches:
            self._watches.wake(group.keys, group.ranges)
        for waiter in group.waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _fail(self, group: Group, reason: str) -> None:
        self._clean(group)
        self._loaded.clear()
        for waiter in group.waiters:
            if not waiter.done():
                waiter.set_exception(StoreError(reason))

    def _clean(self, group: Group) -> None:
        dirty, seq = self._dirty, group.seq
        for key in group.keys:
            if dirty.get(key) == seq:
                del dirty[key]
        if self._dirty_ranges:
            self._dirty_ranges = [entry for entry in self._dirty_ranges if entry[2] != seq]

    def _lose(self, group: Group, error: BaseException) -> None:
        """fdatasync failed. The kernel may have dropped what it could not write, and would not say so again: everything
        since the last good sync is taken back, by cutting the WAL to where it ended then."""
        reason = f"the disk did not take the transaction: {error}"
        self._fail(group, reason)
        if self._open is not None:
            failed, self._open = self._open, None
            self._seq += 1
            self._fail(failed, reason)

    # -- checkpoints

    def _on_wal(self, db: apsw.Connection, name: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint(self) -> None:
        self._checkpointing = True
        if self._sweeper is None:
            self._sweeper = Helper("cloudlet-checkpoint", self._loop)
        self._sweeper.call(self._files.checkpoint, self._on_checkpoint)

    def _on_checkpoint(self, progress: Any, error: BaseException | None) -> None:
        if error is None and self._held is None and progress[1] < self._wal_pages:
            self._held = self._loop.create_future()
            self._hold()
            return
        self._checkpointing = False
        if self._open is None:
            self._execute("COMMIT")
            self._execute("BEGIN")
        if self._held is not None:
            self._held.set_result(None)
            self._held = None

    def _hold(self) -> None:
        """The second pass starts once nothing is being written."""
        if self._open is None and self._flight is None:
            self._checkpoint()
        else:
            self._wait(self._seq if self._open is not None else self._seq - 1).add_done_callback(
                lambda _: self._hold()
            )

    # -- the end

    async def close(self) -> None:
        if self._closed:
            return
        while self._open is not None or self._flight is not None or self._checkpointing:
            if self._open is not None or self._flight is not None:
                await self._wait(self._seq if self._open is not None else self._seq - 1)
            else:
                await asyncio.sleep(0)
        self._closed = True
        self._disk.stop()
        if self._sweeper is not None:
            self._sweeper.stop()
        self._watches.close()
        self._execute("COMMIT")
        self._db.close()
        self._files.close()
