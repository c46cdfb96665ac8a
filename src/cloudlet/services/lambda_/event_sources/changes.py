"""A stream's records as functions see them: read once, for all lanes of a mapping."""

from __future__ import annotations

import asyncio
import base64
import zlib
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import orjson

from ....context import Context
from ....errors import AwsError
from ....patterns import Pattern
from ....store.interface import Watch

PAGE = 1000
"""GetRecords' limit."""
PAGES = 8
"""How many are kept, for lanes that are not equally far."""


class Streams(Protocol):
    """The streams' owner, as it is needed here."""

    async def watch(self, arn: str) -> Watch: ...

    async def newest(self, arn: str) -> str:
        """The sequence number after which the stream is empty just now."""
        ...

    async def oldest(self, arn: str) -> str:
        """The sequence number before the first record that the stream still has."""
        ...


class Change:
    """A record: where it stands, when it was made, which item's it is, and how it goes to the function; nothing of it
    if no pattern wants it."""

    __slots__ = ("at", "encoded", "item", "sequence")

    def __init__(self, given: dict[str, Any], source: str, patterns: Sequence[Pattern]) -> None:
        record = record_of(given, source)
        body = record["dynamodb"]
        self.sequence: str = body["SequenceNumber"]
        self.at: int = body["ApproximateCreationDateTime"]
        self.item = zlib.crc32(orjson.dumps(body["Keys"], option=orjson.OPT_SORT_KEYS))
        wanted = not patterns or any(pattern.matches(record) for pattern in patterns)
        self.encoded = orjson.dumps(record) if wanted else b""


def record_of(given: dict[str, Any], source: str) -> dict[str, Any]:
    """The record as the function sees it, from what GetRecords gives."""
    body = dict(given["dynamodb"])
    body["ApproximateCreationDateTime"] = int(body["ApproximateCreationDateTime"])
    record = {**_plain(given), "dynamodb": _plain(body), "eventSourceARN": source}
    if "userIdentity" in record:
        who = record["userIdentity"]
        record["userIdentity"] = {"principalId": who["PrincipalId"], "type": who["Type"]}
    return record


def _plain(value: Any) -> Any:
    """A value with its binary parts as base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value


class Shard:
    """The one shard of a stream. The last pages that were read are kept, for the lanes that come after."""

    def __init__(
        self, arn: str, patterns: Sequence[Pattern], acting: Callable[[], Awaitable[Context]]
    ) -> None:
        """`acting` gives a context that reads as the function's role."""
        self.id = ""
        self._arn = arn
        self._patterns = patterns
        self._acting = acting
        self._pages: list[tuple[str, list[Change]]] = []
        self._reading = asyncio.Lock()

    async def open(self) -> None:
        ctx = await self._acting()
        described = await ctx.call("dynamodbstreams", "DescribeStream", {"StreamArn": self._arn})
        self.id = described["StreamDescription"]["Shards"][0]["ShardId"]

    async def after(self, sequence: str) -> Sequence[Change]:
        """Records that come after this one; none if there is none yet."""
        async with self._reading:
            for begin, known in reversed(self._pages):
                if begin <= sequence < known[-1].sequence:
                    return known[bisect_right(known, sequence, key=lambda change: change.sequence) :]
            found = [Change(given, self._arn, self._patterns) for given in await self._read(sequence)]
            self._keep(sequence, found)
            return found

    def _keep(self, begin: str, found: list[Change]) -> None:
        """A page that was read. Who finds nothing is at the end, and the others probably near it."""
        if not found:
            del self._pages[:-1]
        elif self._pages and self._is_next(begin, found):
            self._pages[-1][1].extend(found)
        else:
            self._pages = [*self._pages[1 - PAGES :], (begin, list(found))]

    def _is_next(self, begin: str, found: list[Change]) -> bool:
        """Whether this is the rest of the last page."""
        last = self._pages[-1][1]
        return last[-1].sequence == begin and len(last) + len(found) <= PAGE

    async def _read(self, after: str) -> list[dict[str, Any]]:
        place: dict[str, Any] = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": after}
        ctx = await self._acting()
        while True:
            asked = {"StreamArn": self._arn, "ShardId": self.id, **place}
            try:
                found = await ctx.call("dynamodbstreams", "GetShardIterator", asked)
                wanted = {"ShardIterator": found["ShardIterator"], "Limit": PAGE}
                answer = await ctx.call("dynamodbstreams", "GetRecords", wanted)
                records: list[dict[str, Any]] = answer["Records"]
                return records
            except AwsError as error:
                if error.code != "TrimmedDataAccessException":
                    raise
                place = {"ShardIteratorType": "TRIM_HORIZON"}
