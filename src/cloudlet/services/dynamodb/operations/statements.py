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
from ..expressions import Condition
from ..model import (
    duplicate_item,
    key_mismatch,
    table_not_found,
    transaction_cancelled,
    validation_error,
)
from ..partiql import Exists, Insert, Select
from ..partiql.plans import Bound, check_parameters, is_whole, keyed, prepare, refuse_exists, write_of
from ..partiql.readings import Reading, check_single_keys, get_of, reading_of
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
    kind, parameters = write_of(await _table(ctx, bound), bound)
    done = await _write(ctx, kind, parameters, request)
    members = b'"Items":[%b]' % bytes(done.Attributes)
    if bytes(done.ConsumedCapacity):
        members += b',"ConsumedCapacity":' + bytes(done.ConsumedCapacity)
    return Encoded(b"{%b}" % members)


async def _found(ctx: Context, bound: Bound) -> Table | None:
    name = bound.statement.table
    return await ctx.store.read(lambda tx: storage.find_table(tx, ctx.account, ctx.region, name))


async def _table(ctx: Context, bound: Bound) -> Table:
    table = await _found(ctx, bound)
    if table is None:
        raise table_not_found()
    return table


async def _write(ctx: Context, kind: str, parameters: Request, request: Request) -> _Answer:
    """INSERT, UPDATE or DELETE."""
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
    check_single_keys(index)
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
        span, condition = spans[place]
        asked.pop("_filter", None)
        if condition is not None:
            asked["_filter"] = condition
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


def _spans(source: Table | Index, reading: Reading) -> list[tuple[storage.Range, Condition | None]]:
    if reading.reads is None:
        return [(storage.scan_range(source, 0, 1), reading.filter)]
    return [
        (storage.query_range(source, one.hash, one.operator, one.operands), one.filter)
        for one in reading.reads
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
    prepared = [_prepared(asked) for asked in request["Statements"]]
    plans = [await _planned(ctx, one) for one in prepared]
    _check_batch(prepared, plans)
    responses, reports = [], dict[str, dict[str, Any]]()
    for asked, plan in zip(request["Statements"], plans, strict=True):
        if isinstance(plan, AwsError):
            responses.append({"Error": _error(plan)})
            continue
        table, kind, parameters = plan
        given = {**asked, "ReturnConsumedCapacity": request.get("ReturnConsumedCapacity", "NONE")}
        response: dict[str, Any] = {"TableName": table.name}
        try:
            done = await _do(ctx, kind, parameters, given)
            found = done.Item if kind == "Get" else done.Attributes
            if bytes(found):
                response["Item"] = found
            if bytes(done.ConsumedCapacity):
                told = orjson.loads(bytes(done.ConsumedCapacity))
                if told["TableName"] in reports:
                    capacity.add(reports[told["TableName"]], told)
                else:
                    reports[told["TableName"]] = told
        except AwsError as error:
            response["Error"] = _error(error)
        responses.append(response)
    result: dict[str, Any] = {"Responses": responses}
    if reports:
        result["ConsumedCapacity"] = list(reports.values())
    return Encoded(encode_json(result))


def _error(error: AwsError) -> dict[str, Any]:
    return {
        "Code": _CODES.get(error.code, "InternalServerError"), "Message": error.message, **error.fields
    }  # fmt: skip


def _prepared(asked: Request) -> Bound | AwsError:
    try:
        bound = prepare(asked)
        refuse_exists(bound)
        return bound
    except AwsError as error:
        return error


_Plan = tuple[Table, str, Request]


async def _planned(ctx: Context, prepared: Bound | AwsError) -> _Plan | AwsError:
    """What a statement is done by; an error if it can't be."""
    if isinstance(prepared, AwsError):
        return prepared
    try:
        table = await _table(ctx, prepared)
        if isinstance(prepared.statement, Select):
            return table, "Get", get_of(table, prepared, "BatchExecuteStatement")
        return table, *write_of(table, prepared)
    except AwsError as error:
        return error


def _check_batch(prepared: list[Bound | AwsError], plans: list[_Plan | AwsError]) -> None:
    """A batch reads or writes, and each item once. What can't be done doesn't count."""
    if len({isinstance(one.statement, Select) for one in prepared if isinstance(one, Bound)}) > 1:
        raise validation_error("Read and write requests together in the same batch is not supported.")
    seen: set[bytes] = set()
    for plan in plans:
        if isinstance(plan, AwsError):
            continue
        table, _, parameters = plan
        item = parameters["Item"] if "Item" in parameters else parameters["Key"]
        if all(kind in item.get(name, ()) for name, kind in table.key_types):
            key = storage.item_key(table, item)
            if key in seen:
                raise validation_error("Provided list of item keys contains duplicates")
            seen.add(key)


async def _do(ctx: Context, kind: str, parameters: Request, given: Request) -> _Answer:
    if kind != "Get":
        return await _write(ctx, kind, parameters, given)
    for member in ("ConsistentRead", "ReturnConsumedCapacity"):
        if member in given:
            parameters[member] = given[member]
    return _decode((await get_item(ctx, parameters)).body)


# --- transactions


async def execute_transaction(ctx: Context, request: Request) -> dict[str, Any] | Encoded:
    statements = request["TransactStatements"]
    for asked in statements:
        check_parameters(asked)
    bounds: list[Bound] = [_told(place, prepare, asked) for place, asked in enumerate(statements)]
    reads = isinstance(bounds[0].statement, Select)
    if any(isinstance(bound.statement, Select) is not reads for bound in bounds):
        raise validation_error(
            "ExecuteTransaction API does not support both read and write operations in the same request."
        )
    tables = [await _found(ctx, bound) for bound in bounds]
    actions = [
        _told(place, _action, table, bound)
        for place, (table, bound) in enumerate(zip(tables, bounds, strict=True))
    ]
    common = {member: request[member] for member in ("ReturnConsumedCapacity",) if member in request}
    if reads:
        return await transact_get_items(
            ctx, {"TransactItems": [{kind: get} for kind, get in actions], **common}
        )
    for (_, parameters), asked in zip(actions, statements, strict=True):
        if "ReturnValuesOnConditionCheckFailure" in asked:
            parameters["ReturnValuesOnConditionCheckFailure"] = asked["ReturnValuesOnConditionCheckFailure"]
    wanted: Request = {"_actions": actions, **common}
    if "ClientRequestToken" in request:
        wanted["ClientRequestToken"] = request["ClientRequestToken"]
        wanted["_digest"] = sha256(encode_json(statements)).hexdigest()
    try:
        result = await transact_write_items(ctx, wanted)
    except AwsError as error:
        raise _with_duplicates(error, bounds) from error
    return {"Responses": [], **result}


def _told(place: int, make: Any, *args: Any) -> Any:
    try:
        return make(*args)
    except AwsError as error:
        if error.code != "ValidationException":
            raise
        raise validation_error(
            f"Validation failed in TransactStatements[{place}]: {error.message}"
        ) from error


def _action(table: Table | None, bound: Bound) -> tuple[str, Request]:
    """A statement as an action of a transaction. What cancels the transaction is a refusal in its place."""
    statement = bound.statement
    if table is None:
        return "Get", {"_refusal": table_not_found()}
    if isinstance(statement, Select):
        return "Get", get_of(table, bound, "ExecuteTransaction")
    if getattr(statement, "returning", ""):
        raise validation_error("RETURNING clause is not supported in ExecuteTransaction.")
    if not isinstance(statement, Insert | Exists):
        found = keyed(table, bound)
        if found.twice or not is_whole(table, found):
            return "Get", {"_refusal": key_mismatch()}
    return write_of(table, bound)


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
