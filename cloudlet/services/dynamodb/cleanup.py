"""Work that goes on after an answer, in bounded transactions: deleting what a dropped table or index had, and filling a
new index. Both are durable tasks, and both may run twice."""

from __future__ import annotations

import orjson

from ...context import Node
from ...store.interface import Store, Task, Transaction
from ...store.keys import successor
from . import storage
from .writes import backfill

DELETE_ITEMS = "dynamodb.delete-items"
DELETE_ENTRIES = "dynamodb.delete-entries"
BACKFILL = "dynamodb.backfill"

BATCH = 500


def register(node: Node) -> None:
    async def delete_items(task: Task) -> None:
        account, region, table_id = orjson.loads(task.payload)
        for span in storage.table_range((account, region, table_id)):
            await _delete(node.store, span)

    async def delete_entries(task: Task) -> None:
        account, region, table_id, index_id = orjson.loads(task.payload)
        await _delete(node.store, storage.index_range((account, region, table_id), index_id))

    async def fill(task: Task) -> None:
        account, region, name, index_id = orjson.loads(task.payload)
        await _fill(node.store, account, region, name, index_id)

    node.tasks.on(DELETE_ITEMS, delete_items)
    node.tasks.on(DELETE_ENTRIES, delete_entries)
    node.tasks.on(BACKFILL, fill)


async def _delete(store: Store, span: storage.Range) -> None:
    begin, end = span

    async def body(tx: Transaction) -> bool:
        return len(await tx.claim(begin, end, BATCH)) == BATCH

    while await store.transact(body):
        pass


async def _fill(store: Store, account: str, region: str, name: str, index_id: str) -> None:
    """Batch after batch in the order of the keys. What is written meanwhile gets its entry by itself."""
    cursor: bytes | None = b""

    async def body(tx: Transaction) -> bytes | None:
        table = await storage.find_table(tx, account, region, name)
        index = next((index for index in table.indexes if index.id == index_id), None) if table else None
        if table is None or index is None:
            return None
        begin, end = table.items.range()
        rows = await tx.range(cursor or begin, end, limit=BATCH)
        await backfill(tx, table, index, rows)
        if len(rows) == BATCH:
            return successor(rows[-1][0])
        record = table.record
        described = [
            {**one, "status": "ACTIVE"} if one["id"] == index_id else one for one in record["indexes"]
        ]
        await storage.put_table(tx, account, region, {**record, "indexes": described, "status": "ACTIVE"})
        return None

    while cursor is not None:
        cursor = await store.transact(body)
