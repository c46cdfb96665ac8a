"""Things that are made at first want, and again when they are no longer good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Once(Generic[K, T]):
    """Whoever asks while one is being made waits for the same; a failure is told to them and not kept."""

    def __init__(self) -> None:
        self._made: dict[K, asyncio.Future[T]] = {}

    async def get(
        self, key: K, make: Callable[[], Coroutine[Any, Any, T]], good: Callable[[T], bool] = lambda _: True
    ) -> T:
        found = self._made.get(key)
        if found is None or (found.done() and (failed(found) or not good(found.result()))):
            found = self._made[key] = asyncio.ensure_future(make())
        return await asyncio.shield(found)

    def forget(self, which: Callable[[K], bool]) -> None:
        for key in [key for key in self._made if which(key)]:
            del self._made[key]

    def ready(self) -> list[T]:
        return [future.result() for future in self._made.values() if future.done() and not failed(future)]

    async def cancel(self) -> None:
        """Give up what is still being made."""
        making = [future for future in self._made.values() if not future.done()]
        for future in making:
            future.cancel()
        await asyncio.gather(*making, return_exceptions=True)


def failed(future: asyncio.Future[Any]) -> bool:
    return future.cancelled() or future.exception() is not None
