"""The one way to change an item: the item, its index entries, its timer and its stream's record, all in the transaction
that decided on it."""

from __future__ import annotations

from ...context import Context
from ...store.interface import Transaction
from . import journal, storage
from .attributes import Item, item_size
from .capacity import write_units
from .changes import Change
from .expiry import set_timer
from .streams import note
from .table import Index, Table


async def write(ctx: Context, tx: Transaction, change: Change, by_service: bool = False) -> dict[str, float]:
    """Put or delete. What it cost in each index is returned. `by_service`: nobody asked, the item's time was up."""
    table, new = change.table, change.new
    if new is None:
        if change.stored is None:
            return {}
        await tx.delete(change.key)
        value = b""
    else:
        value = storage.stored(new, change.size)
        await tx.put(change.key, value)
        if table.ttl is not None and table.ttl in new:
            await set_timer(ctx, tx, table, change.key, new[table.ttl])
    if table.remembers:
        await journal.note(ctx, tx, change)
    if table.stream is not None:
        await note(ctx, tx, change, by_service)
    if not table.indexes:
        return {}
    spent: dict[str, float] = {}
    for index in table.indexes:
        units = await _write_entry(tx, table, index, change.old, new, value)
        if units:
            spent[index.name] = units
    return spent


async def _write_entry(
    tx: Transaction, table: Table, index: Index, old: Item | None, new: Item | None, value: bytes
) -> float:
    before = None if old is None else storage.entry_key(table, index, old)
    now = None if new is None else storage.entry_key(table, index, new)
    if before is None and now is None:
        return 0.0
    old_entry = _entry(index, old) if before is not None and old is not None else None
    new_entry = _entry(index, new) if now is not None and new is not None else None
    if before == now and old_entry == new_entry:
        return 0.0
    old_size = item_size(old_entry) if old_entry is not None else 0
    new_size = item_size(new_entry) if new_entry is not None else 0
    if now is not None and new_entry is not None:
        await tx.put(now, value if index.attributes is None else storage.stored(new_entry, new_size))
    if before is not None and before != now:
        await tx.delete(before)
        if now is not None:
            return write_units(old_size, 0) + write_units(0, new_size)
    return write_units(old_size, new_size)


def _entry(index: Index, item: Item) -> Item:
    return item if index.attributes is None else index.attributes.apply(item)


async def backfill(tx: Transaction, table: Table, index: Index, items: list[tuple[bytes, bytes]]) -> None:
    """Make the index entries of stored items. Items whose attributes have other types stay out of the index."""
    for _, value in items:
        item = storage.item_of(value)
        key = storage.entry_key(table, index, item)
        if key is None:
            continue
        if index.attributes is None:
            await tx.put(key, value)
        else:
            entry = index.attributes.apply(item)
            await tx.put(key, storage.stored(entry, item_size(entry)))
