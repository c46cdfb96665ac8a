"""So that a creation that a kill broke off can be begun anew: what it had made is known, and is taken away.

A create operation gets a context whose store notes, in each of the operation's own transactions, which keys came
into being. If the node dies between that commit and the one that keeps the operation's answer, the next life of the
node finds the note and deletes those keys: the operation hasn't happened, and is called again. Records that were there
before stay as the operation left them; a creation only ever adds to them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import orjson

from ...context import Context
from ...store.interface import Store, Transaction, Watch
from .storage import SPACE

T = TypeVar("T")
Place = tuple[str, str, int | str]
"""Stack id, logical id and step (a custom resource's token). The keys of the notes are ("witness", *place, stamp), a
note is a list of keys in hexadecimal."""


class _NotingTransaction:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.made: dict[bytes, None] = {}

    async def put(self, key: bytes, value: bytes) -> None:
        if key not in self.made and await self._tx.get(key) is None:
            self.made[key] = None
        await self._tx.put(key, value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)


class _NotingStore:
    def __init__(self, store: Store, place: Place) -> None:
        self._store = store
        self._place = place

    async def transact(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        async def noted(tx: Transaction) -> T:
            noting: Any = _NotingTransaction(tx)
            result = await body(noting)
            if noting.made:
                await tx.put(_key(self._place, tx.stamp()), orjson.dumps([key.hex() for key in noting.made]))
            return result

        return await self._store.transact(noted)

    async def read(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        return await self._store.read(body)

    def watch(self, prefix: bytes) -> Watch:
        return self._store.watch(prefix)

    async def close(self) -> None:
        await self._store.close()


class _NotingContext(Context):
    __slots__ = ("_place",)

    def __init__(self, ctx: Context, place: Place) -> None:
        super().__init__(ctx.node, ctx.principal, ctx.account, ctx.region)
        self._place = place

    @property
    def store(self) -> Store:
        return _NotingStore(self.node.store, self._place)


def context(ctx: Context, place: Place) -> Context:
    """The context for a create operation."""
    return _NotingContext(ctx, place)


async def happened(ctx: Context, place: Place) -> bool:
    """Whether an operation at that place was carried out, or at least begun."""
    begin, end = SPACE.range("witness", *place)
    return bool(await ctx.store.read(lambda tx: tx.range(begin, end, limit=1)))


async def undo(ctx: Context, place: Place) -> None:
    """Take away what an operation had made whose answer was not kept."""

    async def body(tx: Transaction) -> None:
        for note, keys in await tx.range(*SPACE.range("witness", *place)):
            for key in orjson.loads(keys):
                await tx.delete(bytes.fromhex(key))
            await tx.delete(note)

    await ctx.store.transact(body)


async def forget(ctx: Context, place: Place) -> None:
    """The resource is made; the notes of its operations aren't needed any more."""

    async def body(tx: Transaction) -> None:
        await tx.delete_range(*SPACE.range("witness", *place[:2]))

    await ctx.store.transact(body)


def _key(place: Place, stamp: bytes) -> bytes:
    return SPACE.pack("witness", *place, stamp)
