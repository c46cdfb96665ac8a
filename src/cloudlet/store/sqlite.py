"""The store on SQLite. One file, one connection that reads and writes, one thread that waits for the disk.

How a transaction goes
 1. `transact` runs the body to its end on the loop, in the turn that asked for it. Nothing else runs meanwhile, so
    bodies are serial. What a body writes is put into the database at its end; one that reads a range which it has
    written to, or deletes a range, needs a savepoint before that, so that it alone can be rolled back if it raises.
 2. The bodies of some turns share one SQLite transaction, the *group*. It is committed (into the WAL,
    `synchronous=NORMAL`: no waiting for the disk) once a turn has brought no other body, or `ENOUGH` are in it, or
    `PATIENCE` turns have passed; and when the disk is done with the group before.
 3. A helper thread calls fdatasync on the WAL. Then, and only then, the group's callers go on and watchers are woken.

Rules
 1. What a group wrote is *dirty* until its fdatasync. Who read something dirty (and wrote nothing) waits for that sync
    before the result, or the exception, is given out. Who read nothing dirty goes on without any task switch.
 2. The connection is always within a transaction: between groups it holds a read snapshot, which saves each read two
    lock calls. That is right because nobody else writes: another node is kept out by the `lock` file.
 3. If COMMIT fails, the group is rolled back and each of its transactions raises `StoreError`; the next may succeed. If
    fdatasync fails, nobody knows what is on disk: nothing is given out until the WAL has been written anew (`_lose`).
 4. Checkpoints run on a thread and connection of their own: one pass beside the writers, then, writers held back for
    some milliseconds, one over the rest, after which SQLite starts the WAL anew. So the WAL stays small under any load.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import apsw

from . import files
from .helper import Helper
from .interface import StoreError, Transaction
from .sqlite_transactions import ReadTransaction, State, WriteTransaction
from .watches import PrefixWatch, Watches

T = TypeVar("T")

CHECKPOINT_PAGES = 8192
"""Pages in the WAL that start a checkpoint: 64 MB."""
CACHE_KIB = 32 * 1024
ENOUGH = 24
"""Transactions that a group needn't wait for others to join."""
PATIENCE = 8
"""Turns of the loop that it waits at most."""


class Group:
    """The transactions that are committed and synced together."""

    __slots__ = ("keys", "ranges", "seq", "waiters")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.keys: list[bytes] = []
        self.ranges: list[tuple[bytes, bytes]] = []
        self.waiters: list[asyncio.Future[None]] = []


class SqliteStore:
    """Made by `open`. See the module's rules."""

    def __init__(self, directory: Path, durability: str, loop: asyncio.AbstractEventLoop) -> None:
        self._files = files.open_files(directory)
        self._durable = durability == "full"
        self._loop = loop
        self._life = self._files.life
        self._stamps = 0
        self._synced = 0
        self._open: Group | None = None
        self._flight: Group | None = None
        self._state = State()
        self._watches = Watches()
        self._held: asyncio.Future[None] | None = None
        self._barred = ""
        """Why nothing can be done just now: the store is closed, or the disk failed."""
        self._drained: asyncio.Future[None] | None = None
        self._wal_pages = 0
        self._checkpoint_at = CHECKPOINT_PAGES
        self._checkpointing = False
        self._rest: asyncio.Task[None] | None = None
        self._healing = False
        self._closing = False
        self._disk = Helper("cloudlet-sync", loop)
        self._sweeper: Helper | None = None
        self._reader = ReadTransaction(self._state)
        self._writer = WriteTransaction(self._state, self._begin_write, self._stamp)
        self._connect()

    @classmethod
    async def open(cls, directory: Path, *, durability: str = "full") -> SqliteStore:
        """Open the store in `directory`, making it if need be. `durability="relaxed"` acknowledges before the sync.

        Raises `UserError` if another node has it open, or a newer version made it.
        """
        return cls(directory, durability, asyncio.get_running_loop())

    def _connect(self) -> None:
        self._db = self._files.connect()
        self._db.pragma("cache_size", -CACHE_KIB)
        self._db.pragma("cache_spill", False)  # only COMMIT writes, so only COMMIT can find the disk full
        self._db.pragma("temp_store", 2)
        self._db.set_wal_hook(self._on_wal)
        self._execute = self._reader._execute = self._writer._execute = self._db.cursor().execute
        self._execute("BEGIN")

    # -- transactions

    async def transact(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        while self._held is not None:
            await asyncio.shield(self._held)
        tx = self._writer
        if tx.live or self._reader.live or self._barred:
            raise self._refusal()
        tx.live = True
        tx.seen = 0
        tx.asked.clear()
        try:
            coroutine: Any = body(tx)
            coroutine.send(None)
        except StopIteration as end:
            result: T = end.value
        except BaseException as error:
            tx.live = False
            self._undo(tx)
            if isinstance(error, apsw.Error):
                raise self._explained(error) from error
            if tx.saw() > self._synced:
                await self._wait(tx.seen)
            raise
        else:
            tx.live = False
            coroutine.close()
            self._undo(tx)
            raise RuntimeError("a transaction body may await nothing but its transaction")
        tx.live = False
        if tx.pending or tx.wrote:
            await self._join(tx)
        elif tx.saw() > self._synced:
            await self._wait(tx.seen)
        return result

    async def read(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        tx = self._reader
        if tx.live or self._writer.live or self._barred:
            raise self._refusal()
        tx.live = True
        tx.seen = 0
        try:
            coroutine: Any = body(tx)
            coroutine.send(None)
        except StopIteration as end:
            result: T = end.value
        except BaseException as error:
            tx.live = False
            if isinstance(error, apsw.Error):
                raise self._explained(error) from error
            if tx.seen > self._synced:
                await self._wait(tx.seen)
            raise
        else:
            tx.live = False
            coroutine.close()
            raise RuntimeError("a transaction body may await nothing but its transaction")
        tx.live = False
        if tx.seen > self._synced:
            await self._wait(tx.seen)
        return result

    def watch(self, prefix: bytes) -> PrefixWatch:
        return self._watches.add(prefix)

    def _begin_group(self) -> Group:
        self._execute("COMMIT")
        try:
            self._execute("BEGIN IMMEDIATE")
        except apsw.Error as error:
            self._execute("BEGIN")
            raise StoreError(f"the database can't be written: {error}") from error
        self._state.newest += 1
        self._open = Group(self._state.newest)
        self._loop.call_soon(self._ripen, 0)
        return self._open

    def _begin_write(self) -> None:
        """A body writes before its end: a group is open, and the body's savepoint in it."""
        tx = self._writer
        if not tx.live:
            raise RuntimeError("the transaction has ended")
        if self._open is None:
            self._begin_group()
        self._execute("SAVEPOINT body")
        tx.wrote = True

    def _join(self, tx: WriteTransaction) -> asyncio.Future[None]:
        """Keep what the body wrote; the future is done when it is on disk."""
        try:
            group = self._open or self._begin_group()
            tx.write()
            if tx.wrote:
                self._execute("RELEASE body")
        except apsw.Error as error:  # there is no taking back the body alone
            tx.forget()
            if self._db.in_transaction:
                self._execute("ROLLBACK")
            raise self._explained(error) from error
        except StoreError:
            tx.forget()
            raise
        tx.wrote = False
        group.keys += tx.keys
        self._state.dirty.update(dict.fromkeys(tx.keys, group.seq))
        tx.keys.clear()
        if tx.ranges:
            group.ranges += tx.ranges
            self._state.dirty_ranges += [(begin, end, group.seq) for begin, end in tx.ranges]
            tx.ranges.clear()
        waiter = self._loop.create_future()
        group.waiters.append(waiter)
        return waiter

    def _undo(self, tx: WriteTransaction) -> None:
        wrote = tx.wrote
        tx.forget()
        if wrote and self._db.in_transaction:
            self._execute("ROLLBACK TO body")
            self._execute("RELEASE body")

    def _explained(self, error: apsw.Error) -> Exception:
        """What a body is said to have met. After some errors SQLite has rolled back the whole group."""
        if not self._db.in_transaction:
            self._execute("BEGIN")
            self._drop_open(f"the database failed under another transaction of the group: {error}")
        if isinstance(error, apsw.ConstraintError):
            return TypeError("keys and values are bytes")
        return StoreError(f"the database failed: {error}")

    def _wait(self, seq: int) -> asyncio.Future[None]:
        """A future that is done when group `seq`, which wasn't yet, is on disk."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        group = self._open if self._open is not None and self._open.seq <= seq else self._flight
        if group is not None:
            group.waiters.append(waiter)
        else:  # it failed, and what was seen of it has been said to have failed
            waiter.set_exception(StoreError("what was read could not be written"))
        return waiter

    def _stamp(self) -> bytes:
        self._stamps += 1
        return self._life + self._stamps.to_bytes(6, "big")

    # -- groups

    def _ripen(self, size: int, turns: int = 0) -> None:
        """Commit the open group, unless it has grown beyond `size` since the turn before: then others may be about to
        join, and a page that they write, too, is written once."""
        group = self._open
        if group is None or self._flight is not None:
            return
        if size < len(group.waiters) < ENOUGH and turns < PATIENCE:
            self._loop.call_soon(self._ripen, len(group.waiters), turns + 1)
        else:
            self._commit()

    def _commit(self) -> None:
        group = self._open
        if group is None or self._flight is not None:
            return
        try:
            self._execute("COMMIT")
        except apsw.Error as error:
            if self._db.in_transaction:
                self._execute("ROLLBACK")
            self._execute("BEGIN")
            self._drop_open(f"the disk did not take the transaction: {error}")
            return
        self._execute("BEGIN")
        self._open = None
        if self._wal_pages >= self._checkpoint_at and not self._checkpointing:
            self._checkpoint()
        if self._durable:
            self._flight = group
            self._disk.call(self._files.sync, self._on_synced)
        else:
            self._finish(group)

    def _on_synced(self, _: Any, error: BaseException | None) -> None:
        group = self._flight
        assert group is not None
        self._flight = None
        if error is not None:
            self._lose(group, error)
            return
        self._finish(group)
        if self._open is not None:
            self._ripen(0)

    def _finish(self, group: Group) -> None:
        self._synced = group.seq
        self._clean(group)
        if self._watches:
            self._watches.wake(group.keys, group.ranges)
        for waiter in group.waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._ended()

    def _drop_open(self, reason: str) -> None:
        """The open group has been rolled back."""
        group, self._open = self._open, None
        if group is not None:
            self._fail(group, reason)
            if self._flight is not None:
                self._state.dirty.update(dict.fromkeys(self._flight.keys, self._flight.seq))

    def _fail(self, group: Group, reason: str) -> None:
        self._clean(group)
        self._state.loaded.clear()
        for waiter in group.waiters:
            if not waiter.done():
                waiter.set_exception(StoreError(reason))
        self._ended()

    def _clean(self, group: Group) -> None:
        dirty, seq = self._state.dirty, group.seq
        for key in group.keys:
            if dirty.get(key) == seq:
                del dirty[key]
        if self._state.dirty_ranges:
            self._state.dirty_ranges = [entry for entry in self._state.dirty_ranges if entry[2] != seq]

    def _ended(self) -> None:
        """A group came to its end. Who waits until nothing is being written?"""
        if self._drained is not None and self._open is None and self._flight is None:
            self._drained.set_result(None)
            self._drained = None

    async def _drain(self) -> None:
        while self._open is not None or self._flight is not None:
            if self._drained is None:
                self._drained = self._loop.create_future()
            await asyncio.shield(self._drained)

    # -- when the disk fails

    def _lose(self, group: Group, error: BaseException) -> None:
        """fdatasync failed. What the group wrote can be read, but may not be on disk, and later groups would build on
        it: so nothing is read or written until the WAL has been written again."""
        self._barred = f"the disk failed: {error}"
        if self._open is not None:
            self._execute("ROLLBACK")
            self._execute("BEGIN")
            self._drop_open(self._barred)
        self._fail(group, self._barred)
        self._heal()

    def _heal(self) -> None:
        self._healing = True
        self._disk.call(self._files.rewrite_wal, self._on_healed)

    def _on_healed(self, _: Any, error: BaseException | None) -> None:
        self._healing = False
        if error is None and not self._closing:
            self._barred = ""

    def _refusal(self) -> Exception:
        if not self._barred:
            return RuntimeError("a transaction body can't start another transaction")
        if not self._healing and not self._closing:
            self._heal()
        return StoreError(self._barred)

    # -- checkpoints

    def _on_wal(self, db: apsw.Connection, name: str, pages: int) -> int:
        if pages < self._wal_pages:
            self._checkpoint_at = CHECKPOINT_PAGES
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint(self) -> None:
        self._checkpointing = True
        if self._sweeper is None:
            self._sweeper = Helper("cloudlet-checkpoint", self._loop)
        self._sweeper.call(self._files.checkpoint, self._on_checkpoint)

    def _on_checkpoint(self, progress: Any, error: BaseException | None) -> None:
        if error is None and self._held is None and progress[1] < self._wal_pages and not self._closing:
            self._held = self._loop.create_future()
            self._rest = self._loop.create_task(self._checkpoint_rest())
            return
        self._checkpointing = False
        self._checkpoint_at = (
            self._wal_pages + CHECKPOINT_PAGES
        )  # while another's reading keeps the WAL from its new start
        if self._open is None:
            self._execute("COMMIT")  # a new snapshot, beyond the WAL, lets the next write begin it anew
            self._execute("BEGIN")
        if self._held is not None:
            self._held.set_result(None)
            self._held = None

    async def _checkpoint_rest(self) -> None:
        await self._drain()
        self._checkpoint()

    # -- the end

    async def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        while self._held is not None:
            await asyncio.shield(self._held)
        self._barred = "the store is closed"
        await self._drain()
        self._watches.close()
        await asyncio.to_thread(self._stop_helpers)
        self._execute("COMMIT")
        self._db.close()
        self._files.close()

    def _stop_helpers(self) -> None:
        self._disk.stop()
        if self._sweeper is not None:
            self._sweeper.stop()
