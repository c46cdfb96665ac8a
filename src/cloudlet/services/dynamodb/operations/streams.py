"""ListStreams, DescribeStream, GetShardIterator, GetRecords.

An iterator has the stream's ARN, a position (all records from this stamp on) and when it was given out.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from ....context import Context, Encoded
from ....store.interface import Transaction
from ....store.keys import Subspace
from .. import storage
from ..attributes import encode_json
from ..model import (
    ITERATOR_SECONDS,
    MAX_PAGE_SIZE,
    MAX_STREAM_RECORDS,
    STREAM_PAGE,
    iterator_expired,
    resource_not_found,
    stream_not_found,
    trimmed,
    validation_error,
)
from ..streams import newest_position, oldest_position
from ..table import Record

Request = dict[str, Any]


async def list_streams(ctx: Context, request: Request) -> dict[str, Any]:
    limit = min(request.get("Limit", STREAM_PAGE), STREAM_PAGE)
    start = request.get("ExclusiveStartStreamArn")
    place = None if start is None else storage.stream_place(start)
    if start is not None and place is None:
        raise validation_error("Invalid StreamArn")
    after = None if place is None else place[2:]

    async def body(tx: Transaction) -> list[Record]:
        return await storage.streams(
            tx, ctx.account, ctx.region, request.get("TableName", ""), after, limit + 1
        )

    found = await ctx.store.read(body)
    result: dict[str, Any] = {
        "Streams": [
            {"StreamArn": one["arn"], "TableName": one["table"], "StreamLabel": one["label"]}
            for one in found[:limit]
        ]
    }
    if len(found) > limit:
        result["LastEvaluatedStreamArn"] = found[limit - 1]["arn"]
    return result


async def _stream(tx: Transaction, ctx: Context, arn: str) -> Record:
    place = storage.stream_place(arn)
    if place is None:
        raise validation_error("Invalid StreamArn")
    found = None
    if place[:2] == (ctx.account, ctx.region):
        found = await storage.get_stream(tx, *place)
    if found is None:
        raise stream_not_found(arn)
    return found


async def describe_stream(ctx: Context, request: Request) -> dict[str, Any]:
    stream = await ctx.store.read(lambda tx: _stream(tx, ctx, request["StreamArn"]))
    shown: dict[str, Any] = {
        "StreamArn": stream["arn"],
        "StreamLabel": stream["label"],
        "StreamStatus": "DISABLED" if "ended" in stream else "ENABLED",
        "StreamViewType": stream["view"],
        "CreationRequestDateTime": stream["created"],
        "TableName": stream["table"],
        "KeySchema": [
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(stream["keys"], ("HASH", "RANGE"), strict=False)
        ],
        "Shards": [],
    }
    numbers = {"StartingSequenceNumber": stream["first"]}
    if "ended" in stream:
        numbers["EndingSequenceNumber"] = stream["last"]
    if request.get("ExclusiveStartShardId", "") < stream["shard"] and "ShardFilter" not in request:
        shown["Shards"].append({"ShardId": stream["shard"], "SequenceNumberRange": numbers})
    return {"StreamDescription": shown}


async def get_shard_iterator(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> str:
        arn = request["StreamArn"]
        stream = await _stream(tx, ctx, arn)
        if request["ShardId"] != stream["shard"]:
            raise resource_not_found(
                f"Requested resource not found: Shard: {request['ShardId']} in Stream: {arn} not found"
            )
        return _iterator(ctx, stream, await _position(tx, ctx, stream, request))

    return {"ShardIterator": await ctx.store.read(body)}


async def _position(tx: Transaction, ctx: Context, stream: Record, request: Request) -> int:
    kind = request["ShardIteratorType"]
    changes = storage.changes_of(ctx.account, ctx.region, stream)
    if kind == "TRIM_HORIZON":
        return oldest_position(stream)
    if kind == "LATEST":
        return await newest_position(tx, stream, changes)
    if kind == "AT_TIMESTAMP":
        return await _position_at(tx, changes, oldest_position(stream), request)
    if "SequenceNumber" not in request:
        raise validation_error(f"SequenceNumber must be specified for ShardIteratorType {kind}")
    position = storage.position_of(request["SequenceNumber"])
    if position is None:
        raise validation_error(f"Invalid SequenceNumber: {request['SequenceNumber']}")
    position += int(kind == "AFTER_SEQUENCE_NUMBER")
    if position < stream.get("horizon", 0):
        raise trimmed()
    return position


async def _position_at(tx: Transaction, changes: Subspace, oldest: int, request: Request) -> int:
    """Where the records of a time begin."""
    if "Timestamp" not in request:
        raise validation_error("Timestamp must be specified for ShardIteratorType AT_TIMESTAMP")
    position = oldest
    while True:
        rows = await tx.range(*storage.changes_from(changes, position), limit=MAX_STREAM_RECORDS)
        for key, value in rows:
            if storage.noted_at(value) >= int(request["Timestamp"]):
                return position
            position = storage.position_after(changes, key)
        if len(rows) < MAX_STREAM_RECORDS:
            return position


def _iterator(ctx: Context, stream: Record, position: int) -> str:
    token = base64.b64encode(orjson.dumps([str(position), ctx.clock.now()])).decode()
    return f"{stream['arn']}|1|{token}"


def _read_iterator(text: str) -> tuple[str, int, float]:
    arn, _, rest = text.partition("|1|")
    try:
        position, given = orjson.loads(base64.b64decode(rest, validate=True))
        return arn, int(position), float(given)
    except (binascii.Error, ValueError, TypeError) as error:
        raise validation_error("Invalid ShardIterator") from error


async def get_records(ctx: Context, request: Request) -> Encoded:
    arn, position, given = _read_iterator(request["ShardIterator"])
    limit = request.get("Limit", MAX_STREAM_RECORDS)
    if not 0 <= position < 1 << 80:
        raise validation_error("Invalid ShardIterator")
    if given + ITERATOR_SECONDS < ctx.clock.now():
        raise iterator_expired()

    async def body(tx: Transaction) -> Encoded:
        stream = await _stream(tx, ctx, arn)
        if position < stream.get("horizon", 0):
            raise trimmed()
        changes = storage.changes_of(ctx.account, ctx.region, stream)
        records: list[bytes] = []
        size, following = 0, position
        for key, value in await tx.range(*storage.changes_from(changes, position), limit=limit):
            size += len(value)
            if records and size > MAX_PAGE_SIZE:
                break
            records.append(storage.note_of(value))
            following = storage.position_after(changes, key)
        members = b'"Records":[%b]' % b",".join(records)
        if records or "ended" not in stream:
            members += b',"NextShardIterator":' + encode_json(_iterator(ctx, stream, following))
        return Encoded(b"{%b}" % members)

    return await ctx.store.read(body)
