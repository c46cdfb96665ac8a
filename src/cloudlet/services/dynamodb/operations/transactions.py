"""TransactWriteItems and TransactGetItems: all or nothing, told item by item what stood in the way."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson

from ....context import Context, Encoded
from ....errors import AwsError
from ....store.interface import Transaction
from .. import capacity, changes, storage
from ..attributes import encode_json
from ..changes import Change
from ..cleanup import FORGET_TOKEN
from ..model import (
    MAX_TRANSACTION_SIZE,
    NOT_VALID,
    TOKEN_SECONDS,
    TRANSACTION_TOO_LARGE,
    token_mismatch,
    transaction_cancelled,
    transaction_in_progress,
    validation_error,
)
from ..ongoing import Hold, check_free, held_by
from ..schema import check_key, check_nested
from ..table import Table
from ..writes import write

Request = dict[str, Any]
Reason = dict[str, Any]

TWICE = "Transaction request cannot include multiple operations on one item"
_NO_REASON: Reason = {"Code": "None"}
_DECIDE = {
    "Put": changes.put,
    "Update": changes.update,
    "Delete": changes.delete,
    "ConditionCheck": changes.look_at,
}


async def transact_write_items(ctx: Context, request: Request) -> dict[str, Any]:
    held = held_by(ctx)
    hold = Hold(held)
    token = request.get("ClientRequestToken")
    tokens = [] if token is None else [storage.token_key(ctx.account, ctx.region, token)]

    async def body(tx: Transaction) -> dict[str, Any]:
        hold.release()
        sizes = await _repeated(tx, request, tokens[0], held) if tokens else None
        if sizes is not None:
            return await _answer_again(ctx, tx, request, sizes)
        decided = await _decide(ctx, tx, request, held)
        spent = [{} if kind == "ConditionCheck" else await write(ctx, tx, one) for kind, one in decided]
        if tokens:
            await _keep_token(ctx, tx, request, tokens[0], decided)
        hold.take(tokens + [change.key for _, change in decided])
        return _answer(request, decided, spent)

    try:
        return await ctx.store.transact(body)
    finally:
        hold.release()


async def _repeated(
    tx: Transaction, request: Request, token: bytes, held: Collection[bytes]
) -> list[int] | None:
    """If a transaction with this token was done in the last ten minutes: how large its items were."""
    known = await tx.get(token)
    if known is None:
        return None
    digest, sizes = orjson.loads(known)
    if digest != request["_digest"]:
        raise token_mismatch()
    if token in held:
        raise transaction_in_progress()
    return sizes  # type: ignore[no-any-return]


async def _keep_token(
    ctx: Context, tx: Transaction, request: Request, token: bytes, decided: list[tuple[str, Change]]
) -> None:
    sizes = [max(change.size, change.old_size) for _, change in decided]
    await tx.put(token, orjson.dumps([request["_digest"], sizes]))
    id = (ctx.account, ctx.region, request["ClientRequestToken"])
    await ctx.node.timers.set(tx, FORGET_TOKEN, id, ctx.clock.now() + TOKEN_SECONDS)


async def _decide(
    ctx: Context, tx: Transaction, request: Request, held: Collection[bytes]
) -> list[tuple[str, Change]]:
    """What each action comes to; all of them are looked at before any refusal is told."""
    decided: list[tuple[str, Change]] = []
    reasons: list[Reason] = []
    seen: set[bytes] = set()
    unkeyed = twice = False
    for kind, parameters in request["_actions"]:
        if "_refusal" in parameters:
            unkeyed = True
            reasons.append(_reason(parameters["_refusal"]))
            continue
        table = await storage.table_of(tx, ctx.account, ctx.region, parameters["TableName"])
        try:
            change = await _DECIDE[kind](tx, table, parameters, held)
        except AwsError as error:
            if error.message.startswith(NOT_VALID):
                raise
            reasons.append(_reason(error))
            key = _key_of(table, parameters)
        else:
            reasons.append(_NO_REASON)
            decided.append((kind, change))
            key = change.key
        unkeyed = unkeyed or not key
        twice = twice or key in seen
        seen.add(key)
    if twice and not unkeyed:
        raise validation_error(TWICE)
    if any(reason is not _NO_REASON for reason in reasons):
        raise transaction_cancelled(reasons)
    if sum(max(change.size, change.old_size) for _, change in decided) > MAX_TRANSACTION_SIZE:
        raise validation_error(TRANSACTION_TOO_LARGE)
    return decided


def _key_of(table: Table, parameters: Request) -> bytes:
    """The key of what a refused action is about; none if it doesn't say."""
    item = parameters["Item"] if "Item" in parameters else parameters["Key"]
    named = all(kind in item.get(name, ()) for name, kind in table.key_types)
    return storage.item_key(table, item) if named else b""


def _reason(error: AwsError) -> Reason:
    code = {
        "ConditionalCheckFailedException": "ConditionalCheckFailed",
        "ResourceNotFoundException": "ResourceNotFound",
        "TransactionConflictException": "TransactionConflict",
        "ValidationException": "ValidationError",
    }
    reason: Reason = {"Code": code.get(error.code, error.code), "Message": error.message}
    if "Item" in error.fields:
        reason["Item"] = error.fields["Item"]
    return reason


def _answer(
    request: Request, decided: list[tuple[str, Change]], spent: list[dict[str, float]]
) -> dict[str, Any]:
    """A transaction costs its tables twice: it prepares, then commits."""
    result: dict[str, Any] = {}
    wanted = capacity.wants(request)
    total = capacity.Total(wanted, "WriteCapacityUnits")
    metrics: dict[str, list[dict[str, Any]]] = {}
    for (_, parameters), (_, change), indexes in zip(request["_actions"], decided, spent, strict=True):
        table = change.table
        if wanted:
            total.add(
                parameters["TableName"],
                table,
                2 * capacity.write_units(change.old_size, change.size),
                indexes,
            )
        item = change.new or change.old
        if table.local_indexes and item and request.get("ReturnItemCollectionMetrics") == "SIZE":
            told = capacity.collection_metrics(table, item)
            if told not in metrics.setdefault(table.name, []):
                metrics[table.name].append(told)
    if wanted:
        result["ConsumedCapacity"] = total.told()
    if metrics:
        result["ItemCollectionMetrics"] = metrics
    return result


async def _answer_again(ctx: Context, tx: Transaction, request: Request, sizes: list[int]) -> dict[str, Any]:
    """A repetition only reads."""
    wanted = capacity.wants(request)
    if not wanted:
        return {}
    total = capacity.Total(wanted, "ReadCapacityUnits")
    for (_, parameters), size in zip(request["_actions"], sizes, strict=True):
        if "_refusal" not in parameters:
            table = await storage.table_of(tx, ctx.account, ctx.region, parameters["TableName"])
            total.add(parameters["TableName"], table, 2 * capacity.read_units(size, True), {})
    return {"ConsumedCapacity": total.told()}


async def transact_get_items(ctx: Context, request: Request) -> Encoded:
    held = held_by(ctx)

    async def body(tx: Transaction) -> Encoded:
        found, reasons, room = [], [], MAX_TRANSACTION_SIZE
        wanted = capacity.wants(request)
        total = capacity.Total(wanted, "ReadCapacityUnits")
        seen: set[bytes] = set()
        for item in request["TransactItems"]:
            get = item["Get"]
            if "_refusal" in get:
                reasons.append(_reason(get["_refusal"]))
                continue
            table = await storage.table_of(tx, ctx.account, ctx.region, get["TableName"])
            try:
                value, key = await _get(tx, table, get, held)
            except AwsError as error:
                if error.message.startswith(NOT_VALID):
                    raise
                reasons.append(_reason(error))
                continue
            seen.add(key)
            reasons.append(_NO_REASON)
            room -= 0 if value is None else storage.size_of(value)
            found.append(b"{}" if value is None else b'{"Item":%b}' % _projected(get, value))
            if wanted:
                size = 0 if value is None else storage.size_of(value)
                total.add(get["TableName"], table, 2 * capacity.read_units(size, True), {})
        if len(found) < len(reasons):
            raise transaction_cancelled(reasons)
        if len(seen) < len(found):
            raise validation_error(TWICE)
        if room < 0:
            raise validation_error(TRANSACTION_TOO_LARGE)
        members = b'{"Responses":[%b]' % b",".join(found)
        if wanted:
            members += b',"ConsumedCapacity":' + encode_json(total.told())
        return Encoded(members + b"}")

    return await ctx.store.read(body)


async def _get(
    tx: Transaction, table: Table, get: Request, held: Collection[bytes]
) -> tuple[bytes | None, bytes]:
    check_key(table, get["Key"])
    if "_projection" in get:
        check_nested(table, get["_projection"].nested)
    key = storage.item_key(table, get["Key"])
    if held:
        check_free(key, held)
    return await tx.get(key), key


def _projected(get: Request, value: bytes) -> bytes:
    projection = get.get("_projection")
    if projection is None:
        return storage.body_of(value)
    return encode_json(projection.apply(storage.item_of(value)))
