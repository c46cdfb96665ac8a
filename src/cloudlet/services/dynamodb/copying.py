"""Copies of tables: of their items into a backup, and out of one, or out of another table, into a new table.

Up to a batch is copied in the transaction that asks for it; more by a task, batch after batch.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson

from ...context import Context, Node
from ...store.interface import Task, Transaction
from ...store.keys import successor
from . import journal, storage
from .changes import Change
from .table import Record, Table
from .writes import write

SAVE = "dynamodb.save"
RESTORE = "dynamodb.restore"
FORGET_SAVED = "dynamodb.forget-saved"
BATCH = 100

_Rows = list[tuple[bytes, bytes]]


def register(node: Node) -> None:
    async def save_rest(task: Task) -> None:
        await _save_rest(node, *orjson.loads(task.payload))

    async def restore_rest(task: Task) -> None:
        await _restore_rest(node, *orjson.loads(task.payload))

    async def forget_saved(task: Task) -> None:
        begin, end = storage.saved_range(*orjson.loads(task.payload))

        async def body(tx: Transaction) -> bool:
            return len(await tx.claim(begin, end, BATCH)) == BATCH

        while await node.store.transact(body):
            pass

    node.tasks.on(SAVE, save_rest)
    node.tasks.on(RESTORE, restore_rest)
    node.tasks.on(FORGET_SAVED, forget_saved)


async def _each_batch(
    node: Node, span: storage.Range, use: Callable[[Transaction, _Rows], Awaitable[bool]]
) -> None:
    """All rows of a range, batch after batch, as long as `use` says to go on."""
    begin: bytes | None = span[0]

    async def body(tx: Transaction) -> bytes | None:
        assert begin is not None
        rows = await tx.range(begin, span[1], limit=BATCH)
        goes_on = await use(tx, rows)
        return successor(rows[-1][0]) if goes_on and len(rows) == BATCH else None

    while begin is not None:
        begin = await node.store.transact(body)


# --- into a backup


async def save(ctx: Context, tx: Transaction, table: Table, backup: Record) -> Record:
    rows = await tx.range(*table.items.range(), limit=BATCH)
    if len(rows) < BATCH:
        return await _save(tx, table, backup, rows, True)
    await storage.put_backup(tx, ctx.account, ctx.region, backup)
    await ctx.node.tasks.enqueue(tx, SAVE, orjson.dumps([*table.scope, table.name, backup["id"]]))
    return backup


async def _save(tx: Transaction, table: Table, backup: Record, rows: _Rows, last: bool) -> Record:
    account, region, _ = table.scope
    for key, value in rows:
        await tx.put(storage.saved_key(table, backup["id"], key), value)
    saved = {
        **backup,
        "items": backup["items"] + len(rows),
        "size": backup["size"] + sum(storage.size_of(value) for _, value in rows),
        "status": "AVAILABLE" if last else "CREATING",
    }
    await storage.put_backup(tx, account, region, saved)
    return saved


async def _save_rest(node: Node, account: str, region: str, table_id: str, name: str, backup_id: str) -> None:
    """A table that is deleted meanwhile is saved as far as it was there. A task that runs again counts anew."""
    found = await node.store.read(lambda tx: storage.get_backup(tx, account, region, backup_id))
    if found is None:
        return
    table = storage.compiled(found["table"])
    counted: Record = {**found, "items": 0, "size": 0}

    async def use(tx: Transaction, rows: _Rows) -> bool:
        nonlocal counted
        counted = await _save(tx, table, counted, rows, len(rows) < BATCH)
        return True

    await _each_batch(node, table.items.range(), use)


async def forget(ctx: Context, tx: Transaction, backup: Record) -> None:
    await ctx.node.tasks.enqueue(tx, FORGET_SAVED, orjson.dumps([ctx.account, ctx.region, backup["id"]]))


# --- into a new table


async def restore(
    ctx: Context,
    tx: Transaction,
    record: Record,
    span: storage.Range,
    source: Table | None = None,
    moment: float | None = None,
) -> Record:
    """`source` and `moment`: take the items as they were then."""
    rows = await tx.range(*span, limit=BATCH)
    changed = await _changed(tx, source, moment)
    if len(rows) < BATCH and len(changed) < BATCH:
        table = storage.compiled(record)
        await _put(ctx, tx, table, rows)
        if source is not None:
            await _put_back(ctx, tx, table, source, changed)
        return await _done(ctx, tx, record)
    await storage.put_table(tx, ctx.account, ctx.region, record)
    task = {
        "name": record["name"],
        "id": record["id"],
        "span": [key.hex() for key in span],
        "source": source.record if source is not None else None,
        "moment": moment,
    }
    await ctx.node.tasks.enqueue(tx, RESTORE, orjson.dumps([ctx.account, ctx.region, task]))
    return record


_Changed = list[tuple[bytes, bytes]]


async def _changed(tx: Transaction, source: Table | None, moment: float | None) -> _Changed:
    if source is None or moment is None:
        return []
    return list((await journal.past(tx, source, moment)).items())


async def _done(ctx: Context, tx: Transaction, record: Record) -> Record:
    done = {**record, "status": "ACTIVE", "restored": {**record["restored"], "RestoreInProgress": False}}
    await storage.put_table(tx, ctx.account, ctx.region, done)
    return done


async def _put(ctx: Context, tx: Transaction, table: Table, rows: _Rows) -> None:
    for _, value in rows:
        item = storage.item_of(value)
        key = storage.item_key(table, item)
        await write(ctx, tx, Change(table, key, None, None, item, storage.size_of(value)))


async def _put_back(ctx: Context, tx: Transaction, table: Table, source: Table, changed: _Changed) -> None:
    for source_key, value in changed:
        key = storage.same_place(source, table, source_key)
        stored = await tx.get(key)
        old = None if stored is None else storage.item_of(stored)
        new, size = (storage.item_of(value), storage.size_of(value)) if value else (None, 0)
        await write(ctx, tx, Change(table, key, stored, old, new, size))


async def _restore_rest(node: Node, account: str, region: str, asked: Record) -> None:
    """First the items as they are; then, when nothing is to come any more, those that were others at the moment."""
    ctx = node.context(account=account, region=region)
    source = storage.compiled(asked["source"]) if asked["source"] is not None else None

    async def target(tx: Transaction) -> Table | None:
        table = await storage.find_table(tx, account, region, asked["name"])
        return table if table is not None and table.id == asked["id"] else None

    async def copy(tx: Transaction, rows: _Rows) -> bool:
        table = await target(tx)
        if table is not None:
            await _put(ctx, tx, table, rows)
        return table is not None

    begin, end = (bytes.fromhex(key) for key in asked["span"])
    await _each_batch(node, (begin, end), copy)
    changed = await node.store.read(lambda tx: _changed(tx, source, asked["moment"]))
    for place in range(0, len(changed) + 1, BATCH):
        part = changed[place : place + BATCH]

        async def put_back(tx: Transaction, part: _Changed = part) -> None:
            table = await target(tx)
            if table is None:
                return
            if source is not None:
                await _put_back(ctx, tx, table, source, part)
            if len(part) < BATCH:
                await _done(ctx, tx, table.record)

        await node.store.transact(put_back)
