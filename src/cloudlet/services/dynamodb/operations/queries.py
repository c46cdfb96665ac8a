"""Query and Scan: pages of at most 1 MB out of a range, of a table or an index, joined from stored bytes."""

from __future__ import annotations

from typing import Any

from ....context import Context, Encoded
from ....errors import AwsError
from ....store.interface import Transaction
from .. import capacity, composite, storage
from ..attributes import Item, encode_json, equal
from ..expressions import Projection
from ..model import (
    INVALID,
    MAX_HASH_KEY_SIZE,
    MAX_PAGE_SIZE,
    MAX_RANGE_KEY_SIZE,
    invalid_parameters,
    validation_error,
)
from ..pages import Page, read_page
from ..schema import check_empty_key, check_key, check_key_part, check_nested
from ..table import Index, Table
from ..validation.legacy import filter_of

Request = dict[str, Any]

_NOT_INDEXABLE = ("NULL", "NOT_NULL", "NE", "CONTAINS", "NOT_CONTAINS", "IN")


async def query(ctx: Context, request: Request) -> Encoded:
    async def body(tx: Transaction) -> Encoded:
        table = await storage.table_of(tx, ctx.account, ctx.region, request["TableName"])
        index = _index(table, request)
        source = table if index is None else index
        start: Item | None = request.get("ExclusiveStartKey")
        names = table.keys if index is None else index.start_names
        if start is not None and len(start) != len(names):
            raise validation_error("The provided starting key is invalid")
        span = _selected(table, source, request, start)
        _check_paths(table, request)
        _check_filter_keys(source, request)
        check_all_attributes(index, request)
        reverse = request.get("ScanIndexForward") is False
        if start is not None:
            span = storage.after(span, storage.start_key(table, index, start), reverse)
        return await answer(tx, table, index, request, span, reverse)

    return await ctx.store.read(body)


async def scan(ctx: Context, request: Request) -> Encoded:
    async def body(tx: Transaction) -> Encoded:
        table = await storage.table_of(tx, ctx.account, ctx.region, request["TableName"])
        start: Item | None = request.get("ExclusiveStartKey")
        if start is not None and request.get("IndexName", "") not in ("", *table.index):
            raise validation_error("The provided starting key is invalid")
        index = _index(table, request)
        source = table if index is None else index
        span = storage.scan_range(source, request.get("Segment", 0), request.get("TotalSegments", 1))
        if start is not None:
            _check_scan_start(table, index, start)
        check_all_attributes(index, request)
        if start is not None:
            key = storage.start_key(table, index, start)
            if not span[0] <= key < span[1]:
                raise validation_error(
                    "The provided starting key is invalid: Invalid ExclusiveStartKey. "
                    "Please use ExclusiveStartKey with correct Segment. "
                    f"TotalSegments: {request.get('TotalSegments')} Segment: {request.get('Segment')}"
                )
            span = storage.after(span, key, False)
        _check_paths(table, request)
        return await answer(tx, table, index, request, span, False)

    return await ctx.store.read(body)


def _selected(table: Table, source: Table | Index, request: Request, start: Item | None) -> storage.Range:
    """What the key conditions select, once they suit the schema and the starting key suits them."""
    conditions = request["_conditions"]
    if isinstance(source, Index) and source.composite:
        if start is not None:
            _check_start_key(table, {name: start[name] for name in table.keys if name in start})
        return composite.span(source, conditions, start)
    if len(conditions) > 2:
        keys = 1 if source.range_name is None else 2
        raise validation_error(
            f"The number of query conditions ({len(conditions)}) exceeds "
            f"the number of key attributes defined in the schema ({keys})"
        )
    operator, operands = _check_key_conditions(source, conditions, start)
    if start is not None:
        _check_query_start(table, source, request, start)
    return storage.query_range(source, conditions[source.hash_name][1][0], operator, operands)


def _index(table: Table, request: Request) -> Index | None:
    name = request.get("IndexName")
    if name is None:
        return None
    index = table.index.get(name)
    if index is None:
        raise validation_error(f"The table does not have the specified index: {name}")
    if not index.local and request.get("ConsistentRead"):
        raise validation_error("Consistent reads are not supported on global secondary indexes")
    if index.backfilling:
        raise validation_error(f"Cannot read from backfilling global secondary index: {name}")
    return index


def _check_key_conditions(
    source: Table | Index, conditions: dict[str, tuple[str, list[Any]]], start: Item | None
) -> tuple[str, list[Any]]:
    """The key conditions suit the schema. Returns operator and operands of the one on the range key."""
    schema = [(source.hash_name, source.hash_type, MAX_HASH_KEY_SIZE)]
    if source.range_name is not None:
        schema.append((source.range_name, source.range_type, MAX_RANGE_KEY_SIZE))
    for place, (name, kind, limit) in enumerate(schema):
        if start is not None:
            if name not in start:
                raise validation_error("The provided starting key is invalid")
            check_key_part(start, name, kind, limit)
        if place == 0 and len(schema) == 1 and len(conditions) > 1:
            raise validation_error("Query key condition not supported")
        if name not in conditions:
            if place == 0 or len(conditions) > 1:
                raise validation_error(f"Query condition missed key schema element: {name}")
            continue
        operator, operands = conditions[name]
        if operator in _NOT_INDEXABLE:
            raise validation_error("Attempted conditional constraint is not an indexable operation")
        if any(kind not in operand for operand in operands):
            raise invalid_parameters("Condition parameter type does not match schema type")
        if place == 0 and operator != "EQ":
            raise validation_error("Query key condition not supported")
        if operator == "EQ" and kind != "N":
            check_empty_key(name, kind, operands[0][kind])
    if source.range_name is None or source.range_name not in conditions:
        return "", []
    return conditions[source.range_name]


def _check_query_start(table: Table, source: Table | Index, request: Request, start: Item) -> None:
    try_key = {name: start[name] for name in table.keys if name in start}
    _check_start_key(table, try_key)
    conditions = request["_conditions"]
    same_hash = equal(start[source.hash_name], conditions[source.hash_name][1][0])
    if source.range_name is None or source.range_name not in conditions:
        if not same_hash:
            raise validation_error(
                "The provided starting key is outside query boundaries based on provided conditions"
            )
        return
    operator, operands = conditions[source.range_name]
    condition = {source.range_name: {"ComparisonOperator": operator, "AttributeValueList": operands}}
    if not filter_of(condition, "AND").matches(start, {}):
        raise validation_error("The provided starting key does not match the range key predicate")
    if not same_hash:
        raise validation_error(
            "The provided starting key is outside query boundaries based on provided conditions"
        )


def _check_scan_start(table: Table, index: Index | None, start: Item) -> None:
    names = table.keys if index is None else index.start_names
    if len(start) != len(names):
        if index is not None:
            raise validation_error("The provided starting key is invalid")
        raise validation_error(
            "The provided starting key is invalid: The provided key element does not match the schema"
        )
    if index is not None:
        for name in index.keys:
            if name not in start:
                raise validation_error("The provided starting key is invalid")
        for name, kind, limit in index.schema:
            check_key_part(start, name, kind, limit)
    _check_start_key(table, {name: start[name] for name in table.keys if name in start})


def _check_start_key(table: Table, key: Item) -> None:
    try:
        check_key(table, key)
    except AwsError as error:
        raise validation_error(f"The provided starting key is invalid: {error.message}") from error


def _check_paths(table: Table, request: Request) -> None:
    for compiled in (request.get("_projection"), request.get("_filter")):
        if compiled is not None:
            check_nested(table, compiled.nested)


def _check_filter_keys(source: Table | Index, request: Request) -> None:
    condition = request.get("_filter")
    if condition is None:
        return
    word = "QueryFilter" if "QueryFilter" in request else "Filter Expression"
    for name in source.keys:
        if name in condition.heads:
            raise validation_error(
                f"{word} can only contain non-primary key attributes: Primary key attribute: {name}"
            )


def check_all_attributes(index: Index | None, request: Request) -> None:
    if index is None or index.attributes is None or index.local:
        return
    if request.get("Select") == "ALL_ATTRIBUTES":
        raise validation_error(
            f"{INVALID}Select type ALL_ATTRIBUTES is not supported for global secondary index "
            f"{index.name} because its projection type is not ALL"
        )
    projection: Projection | None = request.get("_projection")
    if projection is not None:
        missing = [name for name in projection.heads if name not in index.attributes.heads]
        if missing:
            raise validation_error(
                f"{INVALID}Global secondary index {index.name} does not project [{', '.join(missing)}]"
            )


async def answer(
    tx: Transaction, table: Table, index: Index | None, request: Request, span: storage.Range, reverse: bool
) -> Encoded:
    limit = request.get("Limit", 0)
    page = await read_page(tx, span, limit, reverse, MAX_PAGE_SIZE)
    whole = _needs_items(index, request)
    values, fetched = page.values, 0
    if whole and index is not None:
        values = [await _fetch(tx, table, value) for value in page.values]
        fetched = sum(-(-storage.size_of(value) // 4096) * 4096 for value in values)
    count, items = _items(request, values)
    parts = [b'{"Count":%d,"ScannedCount":%d' % (count, len(page.values))]
    if request.get("Select") != "COUNT":
        parts.append(b',"Items":[%b]' % b",".join(items))
    if page.more and page.values:
        last = storage.item_of(page.values[-1])
        names = table.keys if index is None else index.start_names
        parts.append(b',"LastEvaluatedKey":' + encode_json({name: last[name] for name in names}))
    wanted = capacity.wants(request)
    if wanted:
        report = _report(wanted, request, table, index, page, fetched)
        parts.append(b',"ConsumedCapacity":' + encode_json(report))
    parts.append(b"}")
    return Encoded(b"".join(parts))


def _items(request: Request, values: list[bytes]) -> tuple[int, list[bytes]]:
    """How many items pass the filter, and their JSON."""
    condition, projection = request.get("_filter"), request.get("_projection")
    if condition is None and projection is None:
        return len(values), [value[6:] for value in values]
    placeholders = request["_values"]
    found = []
    for value in values:
        item = storage.item_of(value)
        if condition is None or condition.matches(item, placeholders):
            found.append(value[6:] if projection is None else encode_json(projection.apply(item)))
    return len(found), found


def _needs_items(index: Index | None, request: Request) -> bool:
    """Whether a local index has to fetch the items themselves, because it doesn't hold all that is asked for."""
    if index is None or index.attributes is None or not index.local:
        return False
    if request.get("Select") == "ALL_ATTRIBUTES":
        return True
    projection: Projection | None = request.get("_projection")
    return projection is not None and not projection.heads <= index.attributes.heads


async def _fetch(tx: Transaction, table: Table, entry: bytes) -> bytes:
    value = await tx.get(storage.item_key(table, storage.item_of(entry)))
    assert value is not None  # an entry is written and deleted with its item
    return value


def _report(
    wanted: str, request: Request, table: Table, index: Index | None, page: Page, fetched: int
) -> dict[str, Any]:
    called: str = request.get("TableName", table.name)
    consistent = request.get("ConsistentRead")
    units = capacity.read_units(page.size, consistent)
    if index is None:
        return capacity.report(wanted, called, table, units, {})
    of_table = capacity.read_units(fetched, consistent) if fetched else 0.0
    return capacity.report(wanted, called, table, of_table, {index.name: units})
