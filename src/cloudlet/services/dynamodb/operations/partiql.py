"""ExecuteStatement, BatchExecuteStatement and ExecuteTransaction: statements done by what other operations do."""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from typing import Any

import msgspec
import orjson

from ....context import Context, Encoded
from ....errors import AwsError
from ....store.interface import Transaction
from .. import capacity, storage
from ..attributes import Item, decode_item, encode_json
from ..model import duplicate_item, transaction_cancelled, validation_error
from ..partiql import Insert, Select, parse
from ..partiql.plans import Bound, Reading, Selection, bind, key_of, reading_of, write_of
from ..table import Index, Table
from .items import delete_item, get_item, put_item, update_item
from .queries import answer, check_all_attributes
from .transactions import transact_get_items, transact_write_items

Request = dict[str, Any]

_DO = {"Put": put_item, "Update": update_item, "Delete": delete_item}
_CODES = {
    "AccessDeniedException": "AccessDenied",
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "DuplicateItemException": "DuplicateItem",
    "ResourceNotFoundException": "ResourceNotFound",
    "TransactionConflictException": "TransactionConflict",
    "ValidationException": "ValidationError",
}


class _Answer(msgspec.Struct):
    """What is used of other operations' answers; what they don't have is empty."""

    Attributes: msgspec.Raw = msgspec.Raw(b"")
    Item: msgspec.Raw = msgspec.Raw(b"")
    Items: list[msgspec.Raw] = []
    ScannedCount: int = 0
    LastEvaluatedKey: msgspec.Raw = msgspec.Raw(b"")
    ConsumedCapacity: msgspec.Raw = msgspec.Raw(b"")


_decode = msgspec.json.Decoder(_Answer).decode


async def execute_statement(ctx: Context, request: Request) -> Encoded:
    bound: Bound = request["_bound"]
    if isinstance(bound.statement, Select):
        return await ctx.store.read(lambda tx: _select(tx, ctx, request, bound))
    done = await _write(ctx, bound, request)
    members = b'"Items":[%b]' % bytes(done.Attributes)
    if bytes(done.ConsumedCapacity):
        members += b',"ConsumedCapacity":' + bytes(done.ConsumedCapacity)
    return Encoded(b"{%b}" % members)


async def _table(ctx: Context, bound: Bound) -> Table:
    name = bound.statement.table
    return await ctx.store.read(lambda tx: storage.table_of(tx, ctx.account, ctx.region, name))


async def _write(ctx: Context, bound: Bound, request: Request) -> _Answer:
    """INSERT, UPDATE or DELETE."""
    kind, parameters = write_of(await _table(ctx, bound), bound)
    for member in ("ReturnConsumedCapacity", "ReturnValuesOnConditionCheckFailure"):
        if member in request:
            parameters[member] = request[member]
    try:
        return _decode((await _DO[kind](ctx, parameters)).body)
    except AwsError as error:
        if kind == "Put" and error.code == "ConditionalCheckFailedException":
            raise duplicate_item() from error
        raise


# --- SELECT


async def _select(tx: Transaction, ctx: Context, request: Request, bound: Bound) -> Encoded:
    statement = bound.statement
    assert isinstance(statement, Select)
    table = await storage.table_of(tx, ctx.account, ctx.region, statement.table)
    index = _index(table, statement, request)
    reading = reading_of(table if index is None else index, bound)
    asked: Request = {"_values": bound.values}
    for member in ("ConsistentRead", "ReturnConsumedCapacity"):
        if member in request:
            asked[member] = request[member]
    if reading.filter is not None:
        asked["_filter"] = reading.filter
    if reading.selection is not None:
        asked["_projection"] = reading.selection
    check_all_attributes(index, asked)
    return await _pages(tx, table, index, request, reading, asked)


def _index(table: Table, statement: Select, request: Request) -> Index | None:
    if statement.index is None:
        return None
    index = table.index.get(statement.index)
    if index is None:
        raise validation_error("The table does not have the specified index")
    if not index.local and request.get("ConsistentRead"):
        raise validation_error("Strongly consistent read is not supported on Global Secondary Indexes")
    if index.backfilling:
        raise validation_error(f"Cannot read from backfilling global secondary index: {index.name}")
    return index


async def _pages(
    tx: Transaction, table: Table, index: Index | None, request: Request, reading: Reading, asked: Request
) -> Encoded:
    """Hash key after hash key, until there are no more or the page is full."""
    source = table if index is None else index
    place, start = _read_token(request)
    left = request.get("Limit", 0)
    items: list[bytes] = []
    report: dict[str, Any] | None = None
    spans = _spans(source, reading)
    last: bytes | None = None
    while place < len(spans):
        span = spans[place]
        if start is not None:
            span = storage.after(span, storage.start_key(table, index, start), reading.reverse)
            start = None
        if left:
            asked["Limit"] = left
        page = _decode((await answer(tx, table, index, asked, span, reading.reverse)).body)
        items += [bytes(item) for item in page.Items]
        if bytes(page.ConsumedCapacity):
            told = orjson.loads(bytes(page.ConsumedCapacity))
            if report is None:
                report = told
            else:
                capacity.add(report, told)
        if bytes(page.LastEvaluatedKey):
            last = bytes(page.LastEvaluatedKey)
            break
        place += 1
        if left:
            left -= page.ScannedCount
    members = b'"Items":[%b]' % b",".join(items)
    if last is not None:
        members += b',"LastEvaluatedKey":%b,"NextToken":%b' % (
            last,
            encode_json(_token(request, place, last)),
        )
    if report is not None:
        members += b',"ConsumedCapacity":' + encode_json(report)
    return Encoded(b"{%b}" % members)


def _spans(source: Table | Index, reading: Reading) -> list[storage.Range]:
    if reading.hashes is None:
        return [storage.scan_range(source, 0, 1)]
    return [
        storage.query_range(source, value, reading.operator, reading.operands) for value in reading.hashes
    ]


def _digest(request: Request) -> str:
    return sha256(encode_json([request["Statement"], request.get("Parameters", [])])).hexdigest()[:16]


def _token(request: Request, place: int, key: bytes) -> str:
    return base64.b64encode(orjson.dumps([_digest(request), place, key.decode()])).decode()


def _read_token(request: Request) -> tuple[int, Item | None]:
    token = request.get("NextToken")
    if token is None:
        return 0, None
    try:
        digest, place, key = orjson.loads(base64.b64decode(token, validate=True))
        start: Item = decode_item(key)  # type: ignore[assignment]
    except (binascii.Error, ValueError, TypeError) as error:
        raise validation_error("Invalid NextToken") from error
    if digest != _digest(request):
        raise validation_error("NextToken does not match request")
    return int(place), start


# --- batches


async def batch_execute_statement(ctx: Context, request: Request) -> Encoded:
    responses, reports = [], dict[str, dict[str, Any]]()
    for asked in request["Statements"]:
        given = {**asked, "ReturnConsumedCapacity": request.get("ReturnConsumedCapacity", "NONE")}
        response: dict[str, Any] = {}
        try:
            bound = bind(parse(asked["Statement"]), asked.get("Parameters", ()))
            response["TableName"] = bound.statement.table
            done = await _one(ctx, bound, given)
            found = done.Item if isinstance(bound.statement, Select) else done.Attributes
            if bytes(found):
                response["Item"] = found
            if bytes(done.ConsumedCapacity):
                told = orjson.loads(bytes(done.ConsumedCapacity))
                if told["TableName"] in reports:
                    capacity.add(reports[told["TableName"]], told)
                else:
                    reports[told["TableName"]] = told
        except AwsError as error:
            code = _CODES.get(error.code, "InternalServerError")
            response["Error"] = {"Code": code, "Message": error.message, **error.fields}
        responses.append(response)
    result: dict[str, Any] = {"Responses": responses}
    if reports:
        result["ConsumedCapacity"] = list(reports.values())
    return Encoded(encode_json(result))


async def _one(ctx: Context, bound: Bound, given: Request) -> _Answer:
    if not isinstance(bound.statement, Select):
        return await _write(ctx, bound, given)
    get = _get_of(await _table(ctx, bound), bound, "BatchExecuteStatement")
    for member in ("ConsistentRead", "ReturnConsumedCapacity"):
        if member in given:
            get[member] = given[member]
    return _decode((await get_item(ctx, get)).body)


def _get_of(table: Table, bound: Bound, operation: str) -> Request:
    """A SELECT of one item by its key, as Get."""
    statement = bound.statement
    assert isinstance(statement, Select)
    if statement.index is not None:
        raise validation_error("Reads on indices are not supported within transactions.")
    refusal = f"Select statements within {operation} must specify the primary key in the where clause."
    try:
        key, condition = key_of(table, bound)
    except AwsError as error:
        raise validation_error(refusal) from error
    if condition is not None:
        raise validation_error(refusal)
    get: Request = {"TableName": statement.table, "Key": key, "_values": bound.values}
    if statement.paths:
        get["_projection"] = Selection(statement.paths, statement.names)
    return get


# --- transactions


async def execute_transaction(ctx: Context, request: Request) -> dict[str, Any] | Encoded:
    bounds = [_in_transaction(place, asked) for place, asked in enumerate(request["TransactStatements"])]
    tables = [await _table(ctx, bound) for bound in bounds]
    common = {member: request[member] for member in ("ReturnConsumedCapacity",) if member in request}
    if all(isinstance(bound.statement, Select) for bound in bounds):
        gets = [
            {"Get": _told(place, _get_of, table, bound, "ExecuteTransaction")}
            for place, (table, bound) in enumerate(zip(tables, bounds, strict=True))
        ]
        return await transact_get_items(ctx, {"TransactItems": gets, **common})
    if any(isinstance(bound.statement, Select) for bound in bounds):
        raise validation_error("All statements of a transaction must either read or write.")
    actions = [
        _told(place, write_of, table, bound)
        for place, (table, bound) in enumerate(zip(tables, bounds, strict=True))
    ]
    for (_, parameters), asked in zip(actions, request["TransactStatements"], strict=True):
        if "ReturnValuesOnConditionCheckFailure" in asked:
            parameters["ReturnValuesOnConditionCheckFailure"] = asked["ReturnValuesOnConditionCheckFailure"]
    wanted: Request = {"_actions": actions, **common}
    if "ClientRequestToken" in request:
        wanted["ClientRequestToken"] = request["ClientRequestToken"]
        wanted["_digest"] = sha256(encode_json(request["TransactStatements"])).hexdigest()
    try:
        result = await transact_write_items(ctx, wanted)
    except AwsError as error:
        raise _with_duplicates(error, bounds) from error
    return {"Responses": [{} for _ in bounds], **result}


def _told(place: int, make: Any, *args: Any) -> Any:
    try:
        return make(*args)
    except AwsError as error:
        if error.code != "ValidationException":
            raise
        raise validation_error(
            f"Validation failed in TransactStatements[{place}]: {error.message}"
        ) from error


def _in_transaction(place: int, asked: Request) -> Bound:
    bound: Bound = _told(place, lambda: bind(parse(asked["Statement"]), asked.get("Parameters", ())))
    if getattr(bound.statement, "returning", ""):
        raise validation_error(
            f"Validation failed in TransactStatements[{place}]: "
            "RETURNING clause is not supported in ExecuteTransaction."
        )
    return bound


def _with_duplicates(error: AwsError, bounds: list[Bound]) -> AwsError:
    """Of an INSERT the failed condition is a duplicate."""
    reasons = error.fields.get("CancellationReasons")
    if reasons is None:
        return error
    duplicate = {"Code": "DuplicateItem", "Message": duplicate_item().message}
    return transaction_cancelled(
        [
            duplicate
            if isinstance(bound.statement, Insert) and reason["Code"] == "ConditionalCheckFailed"
            else reason
            for reason, bound in zip(reasons, bounds, strict=True)
        ]
    )
