"""Work that goes on by itself, in bounded transactions: deleting what a dropped table or index had, filling a new
index, giving existing items their timers, and deleting items whose time is up. Tasks may run twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from ...context import Node
from ...store.interface import Store, Task, Transaction
from ...store.keys import successor
from . import copying, journal, storage
from .attributes import item_size
from .changes import Change
from .expiry import EXPIRE, due_at, set_timer
from .streams import TRIM, trimmer
from .table import Table
from .writes import backfill, write

DELETE_ITEMS = "dynamodb.delete-items"
DELETE_ENTRIES = "dynamodb.delete-entries"
BACKFILL = "dynamodb.backfill"
COUNT = "dynamodb.count"
SET_TIMERS = "dynamodb.set-timers"
FORGET_TOKEN = "dynamodb.forget-token"

BATCH = 100
"""Items to a transaction: at most 40 MB."""

_Rows = list[tuple[bytes, bytes]]


def register(node: Node) -> None:
    async def delete_items(task: Task) -> None:
        account, region, table_id = orjson.loads(task.payload)
        for span in storage.table_range((account, region, table_id)):
            await _delete(node.store, span)

    async def delete_entries(task: Task) -> None:
        account, region, table_id, index_id = orjson.loads(task.payload)
        await _delete(node.store, storage.index_range((account, region, table_id), index_id))

    async def fill(task: Task) -> None:
        await _fill_index(node.store, *orjson.loads(task.payload))

    async def set_timers(task: Task) -> None:
        await _set_timers(node, *orjson.loads(task.payload))

    async def expire(tx: Transaction, id: tuple[Any, ...], payload: bytes) -> None:
        await _expire(node, tx, id, payload.decode())

    async def forget_token(tx: Transaction, id: tuple[Any, ...], payload: bytes) -> None:
        await tx.delete(storage.token_key(*id))

    node.tasks.on(DELETE_ITEMS, delete_items)
    node.tasks.on(DELETE_ENTRIES, delete_entries)

    async def count(task: Task) -> None:
        await _count(node, *orjson.loads(task.payload))

    node.tasks.on(BACKFILL, fill)
    node.tasks.on(COUNT, count)
    node.tasks.on(SET_TIMERS, set_timers)
    node.timers.on(EXPIRE, expire)
    node.timers.on(FORGET_TOKEN, forget_token)
    node.timers.on(TRIM, trimmer(node))
    node.timers.on(journal.FORGET, journal.forgetter(node))
    copying.register(node)


async def _delete(store: Store, span: storage.Range) -> None:
    begin, end = span

    async def body(tx: Transaction) -> bool:
        return len(await tx.claim(begin, end, BATCH)) == BATCH

    while await store.transact(body):
        pass


async def _each_batch(
    store: Store,
    find: Callable[[Transaction], Awaitable[Table | None]],
    use: Callable[[Transaction, Table, _Rows], Awaitable[None]],
) -> None:
    """All items of a table, batch after batch in the order of their keys, as long as `find` gives the table."""
    cursor: bytes | None = b""

    async def body(tx: Transaction) -> bytes | None:
        table = await find(tx)
        if table is None:
            return None
        begin, end = table.items.range()
        rows = await tx.range(cursor or begin, end, limit=BATCH)
        await use(tx, table, rows)
        return successor(rows[-1][0]) if len(rows) == BATCH else None

    while cursor is not None:
        cursor = await store.transact(body)


async def _fill_index(store: Store, account: str, region: str, name: str, index_id: str) -> None:
    """What is written meanwhile gets its entry by itself."""

    async def find(tx: Transaction) -> Table | None:
        table = await storage.find_table(tx, account, region, name)
        return table if table is not None and any(index.id == index_id for index in table.indexes) else None

    async def use(tx: Transaction, table: Table, rows: _Rows) -> None:
        index = next(index for index in table.indexes if index.id == index_id)
        await backfill(tx, table, index, rows)
        if len(rows) < BATCH:
            record = table.record
            indexes = [
                {**one, "status": "ACTIVE"} if one["id"] == index_id else one for one in record["indexes"]
            ]
            done = {**record, "indexes": indexes, "status": "ACTIVE"}
            await storage.put_table(tx, account, region, done)

    await _each_batch(store, find, use)


async def _count(node: Node, account: str, region: str, name: str, table_id: str) -> None:
    """Items and their size, for tables too large to be counted while somebody waits."""
    items = size = 0
    indexes: dict[str, list[int]] = {}

    async def find(tx: Transaction) -> Table | None:
        table = await storage.find_table(tx, account, region, name)
        return table if table is not None and table.id == table_id else None

    async def use(tx: Transaction, table: Table, rows: _Rows) -> None:
        nonlocal items, size
        items += len(rows)
        size += sum(storage.size_of(value) for _, value in rows)
        _count_entries(table, rows, indexes)
        if len(rows) < BATCH:
            await storage.put_count(tx, table, storage.Count(items, size, node.clock.now(), indexes))

    await _each_batch(node.store, find, use)


def _count_entries(table: Table, rows: _Rows, counts: dict[str, list[int]]) -> None:
    for _, value in rows if table.indexes else ():
        item = storage.item_of(value)
        for index in table.indexes:
            if storage.entry_key(table, index, item) is not None:
                count = counts.setdefault(index.id, [0, 0])
                count[0] += 1
                count[1] += item_size(item if index.attributes is None else index.attributes.apply(item))


async def _set_timers(node: Node, account: str, region: str, name: str, attribute: str) -> None:
    ctx = node.context(account=account, region=region)

    async def find(tx: Transaction) -> Table | None:
        table = await storage.find_table(tx, account, region, name)
        return table if table is not None and table.ttl == attribute else None

    async def use(tx: Transaction, table: Table, rows: _Rows) -> None:
        for key, value in rows:
            item = storage.item_of(value)
            if attribute in item:
                await set_timer(ctx, tx, table, key, item[attribute])

    await _each_batch(node.store, find, use)


async def _expire(node: Node, tx: Transaction, id: tuple[Any, ...], name: str) -> None:
    account, region, table_id, key = id
    table = await storage.find_table(tx, account, region, name)
    if table is None or table.id != table_id or table.ttl is None:
        return
    stored = await tx.get(key)
    if stored is None:
        return
    item = storage.item_of(stored)
    now = node.clock.now()
    due = due_at(item[table.ttl], now) if table.ttl in item else None
    if due is not None and due <= now:
        ctx = node.context(account=account, region=region)
        await write(ctx, tx, Change(table, key, stored, item, None, 0), by_service=True)
