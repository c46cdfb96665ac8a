"""What a stream mapping's destination is told of records that are given up: where they stand, and why."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from ....context import Context
from ..configuration import timestamp
from ..destinations import OF_STREAMS, deliver, service_of
from ..spec import Outcome
from .changes import Change

EXHAUSTED = "RetryAttemptsExhausted"
TOO_OLD = "RecordAgeExceeded"


class Try:
    """An invocation that came to its end: its id, the version that ran, what came of it."""

    __slots__ = ("outcome", "request_id", "version")

    def __init__(self, request_id: str, version: str, outcome: Outcome) -> None:
        self.request_id = request_id
        self.version = version
        self.outcome = outcome


def record_of(
    batch: Sequence[Change],
    *,
    condition: str,
    tries: int,
    last: Try | None,
    request_id: str,
    function: str,
    shard: str,
    source: str,
    now: float,
) -> dict[str, Any]:
    """What queues and topics get; records that were never tried have no response."""
    about: dict[str, Any] = {
        "requestContext": {
            "requestId": last.request_id if last else request_id,
            "functionArn": function,
            "condition": condition,
            "approximateInvokeCount": tries,
        }
    }
    if last is not None:
        about["responseContext"] = {
            "statusCode": 200,
            "executedVersion": last.version,
            "functionError": last.outcome.error,
        }
    return about | {
        "version": "1.0",
        "timestamp": timestamp(now).replace("+0000", "Z"),
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": batch[0].sequence,
            "endSequenceNumber": batch[-1].sequence,
            "approximateArrivalOfFirstRecord": _second(batch[0].at),
            "approximateArrivalOfLastRecord": _second(batch[-1].at),
            "batchSize": len(batch),
            "streamArn": source,
        },
    }


async def tell(
    ctx: Context, target: str, record: dict[str, Any], event: bytes, mapping: str, now: float
) -> None:
    """Hand the record over. A bucket gets the event, too, under a key that says whose it is and when it came."""
    if service_of(target, OF_STREAMS) != "s3":
        await deliver(ctx, target, orjson.dumps(record), {})
        return
    at = datetime.fromtimestamp(now, UTC)
    shard = record["DDBStreamBatchInfo"]["shardId"]
    key = f"aws/lambda/{mapping}/{shard}/{at:%Y/%m/%d}/{at:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"
    body = orjson.dumps({**record, "payload": event.decode()})
    wanted = {"Bucket": target.rpartition(":")[2], "Key": key, "Body": body}
    await ctx.call("s3", "PutObject", wanted)


def _second(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
