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


HEAD = 12
"""Bytes of a key by which most keys are told from all that is watched: a service's name and the begin of a table's."""

ByLength = dict[int, dict[bytes, list[PrefixWatch]]]


class Watches:
    """All watches of a store. A written key's prefixes are looked up, one for each length that is watched among the
    prefixes with its head; those too short to have one are tried for every key."""

    def __init__(self) -> None:
        self._by_head: dict[bytes, ByLength] = {}

    def __bool__(self) -> bool:
        return bool(self._by_head)

    def add(self, prefix: bytes) -> PrefixWatch:
        watch = PrefixWatch(self, prefix)
        by_length = self._by_head.setdefault(_head(prefix), {})
        by_length.setdefault(len(prefix), {}).setdefault(prefix, []).append(watch)
        return watch

    def remove(self, watch: PrefixWatch) -> None:
        by_length = self._by_head.get(_head(watch.prefix), {})
        by_prefix = by_length.get(len(watch.prefix), {})
        watches = by_prefix.get(watch.prefix, [])
        if watch in watches:
            watches.remove(watch)
            if not watches:
                del by_prefix[watch.prefix]
                if not by_prefix:
                    del by_length[len(watch.prefix)]
                    if not by_length:
                        del self._by_head[_head(watch.prefix)]

    def wake(self, keys: Iterable[bytes], ranges: Iterable[tuple[bytes, bytes]]) -> None:
        short = self._by_head.get(b"")
        for key in keys:
            by_length = self._by_head.get(key[:HEAD])
            if by_length is not None:
                _wake(by_length, key)
            if short is not None:
                _wake(short, key)
        for begin, end in ranges:
            for by_length in self._by_head.values():
                for length, by_prefix in by_length.items():
                    for prefix, watches in by_prefix.items():
                        if prefix < end and begin[:length] <= prefix:
                            for watch in watches:
                                watch.wake()

    def close(self) -> None:
        for by_length in list(self._by_head.values()):
            for by_prefix in list(by_length.values()):
                for watches in list(by_prefix.values()):
                    for watch in list(watches):
                        watch.close()


def _head(prefix: bytes) -> bytes:
    return prefix[:HEAD] if len(prefix) >= HEAD else b""


def _wake(by_length: ByLength, key: bytes) -> None:
    for length, by_prefix in by_length.items():
        watches = by_prefix.get(key[:length])
        if watches is not None:
            for watch in watches:
                watch.wake()
