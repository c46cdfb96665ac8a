"""A creation whose answer was lost has not happened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cloudlet.context import Context, Principal
from cloudlet.services.cloudformation import witness
from cloudlet.services.cloudformation.storage import SPACE
from cloudlet.store.interface import Transaction
from cloudlet.store.sqlite import SqliteStore

PLACE = ("stack", "Api", 0)


@pytest.fixture
async def ctx(tmp_path: Path) -> AsyncIterator[Context]:
    store = await SqliteStore.open(tmp_path, durability="relaxed")
    node: Any = SimpleNamespace(store=store)
    yield Context(node, Principal("root", "0", "arn"), "0", "us-east-1")
    await store.close()


async def operation(ctx: Context) -> None:
    """Adds two keys and changes one that was there, in two transactions."""

    async def first(tx: Transaction) -> None:
        await tx.put(b"index", b"changed")
        await tx.put(b"made-1", b"a")
        await tx.put(b"made-1", b"b")

    async def second(tx: Transaction) -> None:
        assert await tx.get(b"made-1") == b"b"
        await tx.put(b"made-2", b"c")

    await ctx.store.transact(first)
    await ctx.store.transact(second)


async def content(ctx: Context) -> dict[bytes, bytes]:
    rows = await ctx.store.read(lambda tx: tx.range(b"a", b"z"))
    return {key: value for key, value in rows if key in (b"index", b"made-1", b"made-2")}


async def notes(ctx: Context) -> int:
    return len(await ctx.store.read(lambda tx: tx.range(*SPACE.range("witness"))))


async def test_what_it_made_is_taken_away(ctx: Context) -> None:
    await ctx.store.transact(lambda tx: tx.put(b"index", b"before"))
    assert not await witness.happened(ctx, PLACE)
    await operation(witness.context(ctx, PLACE))
    assert await witness.happened(ctx, PLACE)
    await witness.undo(ctx, ("stack", "Other", 0))
    assert len(await content(ctx)) == 3
    await witness.undo(ctx, PLACE)
    assert await content(ctx) == {b"index": b"changed"}
    assert await notes(ctx) == 0


async def test_what_was_kept_stays(ctx: Context) -> None:
    await operation(witness.context(ctx, PLACE))
    await witness.forget(ctx, PLACE)
    assert await notes(ctx) == 0
    await witness.undo(ctx, PLACE)
    assert len(await content(ctx)) == 3


async def test_a_transaction_that_fails_leaves_no_note(ctx: Context) -> None:
    async def body(tx: Transaction) -> None:
        await tx.put(b"made-1", b"a")
        raise ValueError

    with pytest.raises(ValueError):
        await witness.context(ctx, PLACE).store.transact(body)
    assert await notes(ctx) == 0
