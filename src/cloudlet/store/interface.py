"""The store's contract. Every engine keeps it; `tests/store/contract.py` holds it to it.

Rules
 1. Keys and values are bytes. Keys are ordered byte by byte. Keys are built by `Subspace.pack` (see `keys`), only in a
    service's `storage.py`.
 2. `transact(body)` runs `await body(tx)` in one serializable transaction. The body may run more than once, so it does
    nothing but read and write `tx` and compute. If it raises, nothing of it is kept and the exception comes out.
 3. When `transact` returns, what the body wrote, and everything the body read, is on disk. A result that depends on a
    write that could still be lost is not given out.
 4. `read(body)` is `transact` for bodies that don't write (writing raises `TypeError`); it is cheaper.
 5. Within a body reads see the body's own writes. Among bodies there is one order, the order of their `stamp()`s.
 6. A body never waits for anything but `tx`. (An engine may run it to its end within one turn of the loop.)
 7. After the commit, and only then, `watch`ers of the written keys' prefixes are woken. A wake-up may be spurious, is
    never lost, and says nothing about what changed: whoever wakes reads.
 8. What `load` returns is shared with others: it must not be changed.
 9. If the disk refuses, every transaction that was to be written together raises `StoreError`. If it was full, nothing
    of them is kept; if it failed in the end, nobody knows. The store goes on: what comes later may succeed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

MAX_KEY = 8 * 1024
MAX_VALUE = 64 * 1024 * 1024


class StoreError(Exception):
    """The store could not do it: the disk is full or broken, or the store is closed. Not the body's fault."""


class Transaction(Protocol):
    async def get(self, key: bytes) -> bytes | None: ...

    async def load(self, key: bytes, decode: Callable[[bytes], T]) -> T | None:
        """`decode(get(key))`, remembered by the engine until the key is written. Use one `decode` per key."""
        ...

    async def range(
        self, begin: bytes, end: bytes, *, limit: int = 0, reverse: bool = False
    ) -> list[tuple[bytes, bytes]]:
        """Pairs with `begin <= key < end` in order (from the end when `reverse`), at most `limit` (0: all)."""
        ...

    async def put(self, key: bytes, value: bytes) -> None: ...

    async def delete(self, key: bytes) -> None:
        """Deleting what is not there is nothing."""
        ...

    async def delete_range(self, begin: bytes, end: bytes) -> None: ...

    async def claim(self, begin: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Take up to `limit` first pairs out of the range: they are deleted and returned, each to one claimer only."""
        ...

    def stamp(self) -> bytes:
        """10 bytes, greater than every stamp handed out before, in this life of the store or an earlier one.

        Two calls in one transaction give two stamps, in order.
        """
        ...


class Watch(Protocol):
    async def wait(self) -> None:
        """Return once a key under the prefix was written since the last `wait` returned (or since `watch`)."""
        ...

    def close(self) -> None: ...


class Store(Protocol):
    async def transact(self, body: Callable[[Transaction], Awaitable[T]]) -> T: ...

    async def read(self, body: Callable[[Transaction], Awaitable[T]]) -> T: ...

    def watch(self, prefix: bytes) -> Watch: ...

    async def close(self) -> None:
        """Wait until everything acknowledged is on disk, then let go of the file."""
        ...


class Timers(Protocol):
    """Durable timers: one `(due, kind, id)` index and one sleeper, in `store/timers.py`.

    A handler runs in the transaction that deletes its timer, so it happens exactly once; what must leave the store
    (an invocation, a post) it enqueues as a task.
    """

    def on(
        self, kind: str, handler: Callable[[Transaction, tuple[Any, ...], bytes], Awaitable[None]]
    ) -> None:
        """Say what happens when timers of `kind` are due: `handler(tx, id, payload)`. Before the start."""
        ...

    async def set(
        self, tx: Transaction, kind: str, id: tuple[Any, ...], due: float, payload: bytes = b""
    ) -> None:
        """Set or move the timer `(kind, id)` to `due` (seconds, `clock.now()`)."""
        ...

    async def cancel(self, tx: Transaction, kind: str, id: tuple[Any, ...]) -> None: ...


class Tasks(Protocol):
    """Durable follow-up work with a lease, retries and a dead end that can be seen, in `store/tasks.py`.

    A task runs at least once. Its handler raises to be tried again after `backoff(attempt)` seconds; after `attempts`
    tries it becomes a dead letter, kept with its last error.
    """

    def on(
        self,
        kind: str,
        handler: Callable[[Task], Awaitable[None]],
        *,
        attempts: int = 3,
        backoff: Callable[[int], float] = lambda attempt: min(60.0, 2.0**attempt),
        concurrency: int = 64,
    ) -> None: ...

    async def enqueue(self, tx: Transaction, kind: str, payload: bytes, *, delay: float = 0.0) -> None: ...

    async def dead(self, kind: str | None = None) -> list[Task]:
        """The dead letters, oldest first."""
        ...


class Task(Protocol):
    @property
    def id(self) -> bytes: ...
    @property
    def kind(self) -> str: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def attempt(self) -> int:
        """1 at the first try."""
        ...

    @property
    def created(self) -> float: ...
    @property
    def error(self) -> str: ...
