"""Wake-ups by key prefix, for engines that live in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class PrefixWatch:
    """Remembers that something was written until somebody waits."""

    __slots__ = ("_owner", "_waiters", "_written", "prefix")

    def __init__(self, owner: Watches, prefix: bytes) -> None:
        self._owner = owner
        self._waiters: list[asyncio.Future[None]] = []
        self._written = False
        self.prefix = prefix

    async def wait(self) -> None:
        if not self._written:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            finally:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
        self._written = False

    def close(self) -> None:
        """Nothing wakes it any more; who still waits is cancelled."""
        self._owner.remove(self)
        for waiter in self._waiters:
            waiter.cancel()

    def wake(self) -> None:
        self._written = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


class Watches:
    """All watches of a store, found by looking each written key's prefixes up, one for each length that is watched."""

    def __init__(self) -> None:
        self._by_length: dict[int, dict[bytes, list[PrefixWatch]]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_length)

    def add(self, prefix: bytes) -> PrefixWatch:
        watch = PrefixWatch(self, prefix)
        self._by_length.setdefault(len(prefix), {}).setdefault(prefix, []).append(watch)
        return watch

    def remove(self, watch: PrefixWatch) -> None:
        by_prefix = self._by_length.get(len(watch.prefix), {})
        watches = by_prefix.get(watch.prefix, [])
        if watch in watches:
            watches.remove(watch)
            if not watches:
                del by_prefix[watch.prefix]
                if not by_prefix:
                    del self._by_length[len(watch.prefix)]

    def wake(self, keys: Iterable[bytes], ranges: Iterable[tuple[bytes, bytes]]) -> None:
        for length, by_prefix in self._by_length.items():
            for key in keys:
                watches = by_prefix.get(key[:length])
                if watches is not None:
                    for watch in watches:
                        watch.wake()
            for begin, end in ranges:
                for prefix, watches in by_prefix.items():
                    if prefix < end and begin[:length] <= prefix:
                        for watch in watches:
                            watch.wake()

    def close(self) -> None:
        for by_prefix in list(self._by_length.values()):
            for watches in list(by_prefix.values()):
                for watch in list(watches):
                    watch.close()
