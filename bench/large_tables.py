"""Large tables for `bench.items`: filled straight into a stopped node's store, as requests would take minutes."""

from __future__ import annotations

import asyncio

from cloudlet.services.dynamodb import storage
from cloudlet.services.dynamodb.attributes import Item, item_size
from cloudlet.store.interface import Transaction
from cloudlet.store.sqlite import SqliteStore
from tests.harness import ACCOUNT, REGION, Node

BATCH = 20_000


def fill(node: Node, tables: dict[str, int]) -> None:
    """Tables of the node, without indexes, and how many items they are to have."""
    node.stop()
    asyncio.run(_fill(node, tables))
    node.start()


async def _fill(node: Node, tables: dict[str, int]) -> None:
    store = await SqliteStore.open(node.data, durability="relaxed")
    try:
        for name, count in tables.items():
            for begin in range(0, count, BATCH):
                await _batch(store, name, range(begin, min(begin + BATCH, count)))
    finally:
        await store.close()


async def _batch(store: SqliteStore, name: str, numbers: range) -> None:
    async def body(tx: Transaction) -> None:
        table = await storage.table_of(tx, ACCOUNT, REGION, name)
        for number in numbers:
            item = item_of(number)
            await tx.put(storage.item_key(table, item), storage.stored(item, item_size(item)))

    await store.transact(body)


def item_of(number: int) -> Item:
    return {
        "id": {"S": f"user{number}"},
        "at": {"N": "1"},
        "name": {"S": f"The user with number {number}"},
        "score": {"N": str(number)},
    }
