"""Where DynamoDB's things lie. Everything is under ("dynamodb", …):

    ("table", account, region, name)                         the table's record, JSON (see `table.Record`)
    ("item", account, region, id, place, hash[, range])      an item: its size, six digits, then its JSON
    ("index", account, region, id, index id, place, hash[, range], item's hash[, item's range])
                                                             an index entry: what the index projects, in the same form
    ("count", account, region, id)                           [items, size, when counted, the same of its indexes], of a
                                                             large table
    ("stream", account, region, table's name, label)         a stream's record, JSON (see `streams.begin`)
    ("change", account, region, id, label, stamp)            a stream's record of a write: its second, then its JSON
    ("past", account, region, id, stamp)                     what a write replaced, of a table with recovery (`journal`)
    ("backup", account, region, backup id)                   a backup's record, JSON, with that of its table
    ("saved", account, region, backup id, …)                 a backup's item, under the item's own place and key
    ("token", account, region, token)                        what a transaction with this token was, for ten minutes

`id` is the table's, new for each creation, so that a name is free before its items are gone. `place` is three bytes of
a digest of the hash key, the same that the service itself uses: scans go in its order, and segments divide its range.
Keys are kept as text if they are strings, else as bytes: binary as it is, numbers in an order-preserving form
(`numbers`). Items lie in the form in which they leave, so that whoever only passes them on decodes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import md5
from typing import Any

import orjson

from ...store.interface import Transaction
from ...store.keys import Subspace, prefix_range, successor
from . import numbers
from .attributes import Item, Value, decode_item, encode_json
from .model import table_not_found
from .table import Index, Record, Table

_ROOT = Subspace("dynamodb")
_TABLES = _ROOT.sub("table")
_ITEMS = _ROOT.sub("item")
_ENTRIES = _ROOT.sub("index")
_COUNTS = _ROOT.sub("count")
_TOKENS = _ROOT.sub("token")
_STREAMS = _ROOT.sub("stream")
_CHANGES = _ROOT.sub("change")
_PAST = _ROOT.sub("past")
_BACKUPS = _ROOT.sub("backup")
_SAVED = _ROOT.sub("saved")
_HEAD = 6
_NOTE_HEAD = 10
_FIRST_SEQUENCE = 10**25
"""Stamps have 25 decimal digits at most: with it sequence numbers are all of one length."""
_PLACES = 1 << 24

Range = tuple[bytes, bytes]


# --- tables


@lru_cache(maxsize=4096)
def table_key(account: str, region: str, name: str) -> bytes:
    """The key of a table's record. A table may be named by its ARN; one of elsewhere is not found."""
    ours = f"arn:aws:dynamodb:{region}:{account}:table/"
    if name.startswith(ours):
        name = name.removeprefix(ours).partition("/")[0]
    return _TABLES.pack(account, region, name)


def arn_place(arn: str) -> tuple[str, str, str, str] | None:
    """Account, region, table and stream's label ("" of a table) that an ARN names."""
    parts = arn.split(":", 5)
    resource = parts[5].split("/") if len(parts) == 6 and parts[2] == "dynamodb" else []
    if len(resource) == 4 and resource[::2] == ["table", "stream"]:
        return parts[4], parts[3], resource[1], resource[3]
    return (parts[4], parts[3], resource[1], "") if len(resource) == 2 and resource[0] == "table" else None


def decode(value: bytes) -> Table:
    return compiled(orjson.loads(value))


def compiled(record: Record) -> Table:
    return Table(record, _ITEMS, _ENTRIES, _CHANGES)


async def find_table(tx: Transaction, account: str, region: str, name: str) -> Table | None:
    return await tx.load(table_key(account, region, name), decode)


async def table_of(tx: Transaction, account: str, region: str, name: str) -> Table:
    """The table, for an operation on items."""
    table = await tx.load(table_key(account, region, name), decode)
    if table is None:
        raise table_not_found()
    return table


async def put_table(tx: Transaction, account: str, region: str, record: Record) -> None:
    await tx.put(table_key(account, region, record["name"]), orjson.dumps(record))


async def delete_table(tx: Transaction, account: str, region: str, name: str) -> None:
    await tx.delete(table_key(account, region, name))


async def table_names(tx: Transaction, account: str, region: str, after: str, limit: int) -> list[str]:
    begin, end = _TABLES.range(account, region)
    if after:
        begin = successor(_TABLES.pack(account, region, after))
    rows = await tx.range(begin, end, limit=limit)
    return [_TABLES.unpack(key)[2] for key, _ in rows]


def table_range(scope: tuple[str, str, str]) -> tuple[Range, Range]:
    """Everything that a table has, by its account, region and id: items and index entries."""
    return _ITEMS.range(*scope), _ENTRIES.range(*scope)


def index_range(scope: tuple[str, str, str], index_id: str) -> Range:
    return _ENTRIES.range(*scope, index_id)


@dataclass(slots=True, frozen=True)
class Count:
    items: int
    size: int
    at: float
    indexes: dict[str, list[int]] = field(default_factory=dict)
    """Items and size of each index, by its id."""


async def get_count(tx: Transaction, table: Table) -> Count | None:
    value = await tx.get(_COUNTS.pack(*table.scope))
    return None if value is None else Count(*orjson.loads(value))


async def put_count(tx: Transaction, table: Table, count: Count) -> None:
    value = orjson.dumps([count.items, count.size, count.at, count.indexes])
    await tx.put(_COUNTS.pack(*table.scope), value)


async def delete_count(tx: Transaction, table: Table) -> None:
    await tx.delete(_COUNTS.pack(*table.scope))


def token_key(account: str, region: str, token: str) -> bytes:
    return _TOKENS.pack(account, region, token)


# --- streams


def stream_place(arn: str) -> tuple[str, str, str, str] | None:
    """Account, region, table and label of a stream, from its ARN."""
    place = arn_place(arn)
    return place if place is not None and place[3] else None


async def get_stream(tx: Transaction, account: str, region: str, table: str, label: str) -> Record | None:
    value = await tx.get(_STREAMS.pack(account, region, table, label))
    return None if value is None else orjson.loads(value)


async def put_stream(tx: Transaction, account: str, region: str, stream: Record) -> None:
    await tx.put(_STREAMS.pack(account, region, stream["table"], stream["label"]), orjson.dumps(stream))


async def delete_stream(tx: Transaction, account: str, region: str, stream: Record) -> None:
    await tx.delete(_STREAMS.pack(account, region, stream["table"], stream["label"]))


async def streams(
    tx: Transaction, account: str, region: str, table: str, after: tuple[str, str] | None, limit: int
) -> list[Record]:
    """Streams of a table (or, with "", of all) in the order of their names, after the one of `after`."""
    begin, end = _STREAMS.range(account, region, *([table] if table else []))
    if after is not None:
        begin = max(begin, successor(_STREAMS.pack(account, region, *after)))
    return [orjson.loads(value) for _, value in await tx.range(begin, end, limit=limit)]


async def policy_holder(tx: Transaction, place: tuple[str, str, str, str]) -> Record | None:
    """The record that has the policy of a table, or of a stream."""
    if place[3]:
        return await get_stream(tx, *place)
    table = await find_table(tx, *place[:3])
    return None if table is None else table.record


def changes_of(account: str, region: str, stream: Record) -> Subspace:
    return _CHANGES.sub(account, region, stream["table_id"], stream["label"])


def changes_from(changes: Subspace, position: int) -> Range:
    """A stream's records from a position on: the number of a stamp."""
    return changes.pack(position.to_bytes(10, "big")), changes.range()[1]


def position_after(changes: Subspace, key: bytes) -> int:
    return int.from_bytes(changes.unpack(key)[0], "big") + 1


def position_of(sequence: str) -> int | None:
    """The position of a sequence number, if it is one."""
    position = int(sequence) - _FIRST_SEQUENCE if sequence.isascii() and sequence.isdigit() else -1
    return position if 0 <= position < 1 << 80 else None


def sequence_number(stamp: bytes) -> str:
    return str(_FIRST_SEQUENCE + int.from_bytes(stamp, "big"))


def sequence_before(position: int) -> str:
    return str(_FIRST_SEQUENCE + position - 1)


def noted_at(value: bytes) -> int:
    """The second in which a stream's record was made."""
    return int(value[:_NOTE_HEAD])


def note_of(value: bytes) -> bytes:
    """A stream's record as it leaves."""
    return value[_NOTE_HEAD:]


# --- the past


def past_of(table: Table) -> Subspace:
    return _PAST.sub(*table.scope)


def past_in(account: str, region: str, table_id: str) -> Subspace:
    return _PAST.sub(account, region, table_id)


async def get_backup(tx: Transaction, account: str, region: str, id: str) -> Record | None:
    value = await tx.get(_BACKUPS.pack(account, region, id))
    return None if value is None else orjson.loads(value)


async def put_backup(tx: Transaction, account: str, region: str, backup: Record) -> None:
    await tx.put(_BACKUPS.pack(account, region, backup["id"]), orjson.dumps(backup))


async def delete_backup(tx: Transaction, account: str, region: str, id: str) -> None:
    await tx.delete(_BACKUPS.pack(account, region, id))


async def backups(tx: Transaction, account: str, region: str) -> list[Record]:
    """The oldest first."""
    return [orjson.loads(value) for _, value in await tx.range(*_BACKUPS.range(account, region))]


def saved_range(account: str, region: str, backup_id: str) -> Range:
    return _SAVED.range(account, region, backup_id)


def saved_key(table: Table, backup_id: str, key: bytes) -> bytes:
    """Where a backup has the item of this key."""
    account, region, _ = table.scope
    return _SAVED.pack(account, region, backup_id) + key[len(table.items.prefix) :]


def same_place(source: Table, target: Table, key: bytes) -> bytes:
    """The key that an item of one table has in another."""
    return target.items.prefix + key[len(source.items.prefix) :]


# --- items


def stored(item: Item, size: int) -> bytes:
    return b"%06d%b" % (size, encode_json(item))


def body_of(value: bytes) -> bytes:
    """The item's JSON."""
    return value[_HEAD:]


def size_of(value: bytes) -> int:
    return int(value[:_HEAD])


def item_of(value: bytes) -> Item:
    item: Any = decode_item(value[_HEAD:])
    return item  # type: ignore[no-any-return]


def _raw(kind: str, content: Any) -> bytes:
    if kind == "S":
        return content.encode("utf-8", "surrogatepass")  # type: ignore[no-any-return]
    return numbers.encode(content) if kind == "N" else content


def _place(raw: bytes) -> bytes:
    return md5(b"Outliers" + raw, usedforsecurity=False).digest()[:3]


def item_key(table: Table, item: Item) -> bytes:
    """The key of an item; its key attributes are known to be good."""
    kind = table.hash_type
    content = item[table.hash_name][kind]
    raw = _raw(kind, content)
    place = md5(b"Outliers" + raw, usedforsecurity=False).digest()[:3]
    if kind != "S":
        content = raw
    if table.range_name is None:
        return table.items.pack(place, content)
    kind = table.range_type
    second = item[table.range_name][kind]
    return table.items.pack(place, content, second if kind == "S" else _raw(kind, second))


def _part(kind: str, value: Value) -> Any:
    content = value[kind]
    return content if kind == "S" else _raw(kind, content)


def entry_key(table: Table, index: Index, item: Item) -> bytes | None:
    """The key of an item's entry in an index, or None if it has none: what is empty or too long, which an item may have
    from before its index, keeps it out."""
    parts: list[Any] = []
    for name, kind, limit in index.schema:
        value = item.get(name)
        if value is None or kind not in value:
            return None
        content = value[kind]
        if kind != "N" and not (content and (len(content) * 4 <= limit or len(_raw(kind, content)) <= limit)):
            return None
        parts.append(content if kind == "S" else _raw(kind, content))
    place = _place(b"".join([_bytes(part) for part in parts[: index.hash_count]]))
    parts.append(_part(table.hash_type, item[table.hash_name]))
    if table.range_name is not None:
        parts.append(_part(table.range_type, item[table.range_name]))
    return index.entries.pack(place, *parts)


def _bytes(part: str | bytes) -> bytes:
    return part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part


# --- ranges


def start_key(table: Table, index: Index | None, key: Item) -> bytes:
    """The key at which a page ended, from its LastEvaluatedKey."""
    if index is None:
        return item_key(table, key)
    entry = entry_key(table, index, key)
    assert entry is not None
    return entry


def query_range(source: Table | Index, hash_value: Value, operator: str, operands: list[Value]) -> Range:
    """The items of one hash key whose range key satisfies the condition; no operator is no condition."""
    space = source.items if isinstance(source, Table) else source.entries
    raw = _raw(source.hash_type, hash_value[source.hash_type])
    return _span(
        space, (_place(raw), _part(source.hash_type, hash_value)), source.range_type, operator, operands
    )


def composite_range(index: Index, values: list[Value], operator: str, operands: list[Value]) -> Range:
    """The entries whose first key attributes have these values, and the next of which satisfies the condition."""
    parts = [_part(kind, value) for (_, kind, _), value in zip(index.schema, values, strict=False)]
    place = _place(b"".join(map(_bytes, parts[: index.hash_count])))
    kind = index.schema[len(values)][1] if operator else ""
    return _span(index.entries, (place, *parts), kind, operator, operands)


def _span(space: Subspace, first: tuple[Any, ...], kind: str, operator: str, operands: list[Value]) -> Range:
    begin, end = space.range(*first)
    if not operator:
        return begin, end
    low = (*first, _part(kind, operands[0]))
    if operator == "EQ":
        return space.range(*low)
    if operator == "LT":
        return begin, space.pack(*low)
    if operator == "LE":
        return begin, space.range(*low)[1]
    if operator == "GT":
        return space.range(*low)[1], end
    if operator == "GE":
        return space.pack(*low), end
    if operator == "BEGINS_WITH":
        return prefix_range(space.pack(*low)[:-1])
    assert operator == "BETWEEN"
    return space.pack(*low), space.range(*first, _part(kind, operands[1]))[1]


def scan_range(source: Table | Index, segment: int, total: int) -> Range:
    """The part of a table or index that a segment of a parallel scan reads."""
    space = source.items if isinstance(source, Table) else source.entries
    begin, end = space.range()
    if segment:
        begin = space.pack(_boundary(segment, total))
    if segment + 1 < total:
        end = space.pack(_boundary(segment + 1, total))
    return begin, end


def _boundary(segment: int, total: int) -> bytes:
    return (-(-_PLACES * segment // total)).to_bytes(3, "big")


def after(span: Range, key: bytes, reverse: bool) -> Range:
    """What is left of a range once `key` has been read."""
    return (span[0], key) if reverse else (successor(key), span[1])
