"""Objects read: GetObject, HeadObject, GetObjectAttributes; ranges, parts and conditions."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import access, contents, encryption, model, scope, storage, validation
from ..contents import Slice
from . import writing

Request = dict[str, Any]
Record = dict[str, Any]

_RANGE = re.compile(r"bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*")
OVERRIDES = {
    "ResponseCacheControl": "CacheControl",
    "ResponseContentDisposition": "ContentDisposition",
    "ResponseContentEncoding": "ContentEncoding",
    "ResponseContentLanguage": "ContentLanguage",
    "ResponseContentType": "ContentType",
    "ResponseExpires": "Expires",
}
SWEPT_TRIES = 3


async def get_object(ctx: Context, request: Request) -> dict[str, Any]:
    if ctx.principal.kind == "anonymous" and not OVERRIDES.keys().isdisjoint(request):
        text = "Request specific response headers cannot be used for anonymous GET requests."
        raise model.error("InvalidRequest", text)
    for attempt in range(SWEPT_TRIES):
        bucket, record, small = await ctx.store.read(lambda tx: _find(tx, ctx, request))
        check_conditions(request, record, "")
        begin, end, result = _described(bucket, record, request)
        try:
            result["Body"] = _body(ctx, record, small, begin, end)
        except FileNotFoundError:  # replaced between the look and the opening
            if attempt == SWEPT_TRIES - 1:
                raise
            continue
        return result
    raise AssertionError("unreachable")


async def _find(tx: Transaction, ctx: Context, request: Request) -> tuple[Record, Record, dict[str, bytes]]:
    bucket = await scope.found(tx, request)
    record = await scope.version(tx, ctx, bucket, request, "GetObject")
    small = {s["s"]: await storage.inline(tx, s) for s in record["segments"] if "h" not in s}
    return bucket, record, small


def _body(ctx: Context, record: Record, small: dict[str, bytes], begin: int, end: int) -> Any:
    """Bytes if the body lies in the store, else the pieces of its files."""
    if len(record["segments"]) == 1 and small:
        data = next(iter(small.values()))
        return data if end - begin == len(data) else data[begin:end]
    chosen: list[tuple[Record, int, int]] = []
    at = 0
    for segment in record["segments"]:
        first, last = max(begin, at), min(end, at + segment["n"])
        if first < last:
            chosen.append((segment, first - at, last - at))
        at += segment["n"]
    runtime = contents.of(ctx)
    slices = [
        Slice(runtime.open(segment["h"]) if "h" in segment else small[segment["s"]], first, last)
        for segment, first, last in chosen
    ]
    return contents.pieces(slices) if slices else b""


async def head_object(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> tuple[Record, Record]:
        bucket = await scope.found(tx, request)
        return bucket, await scope.version(tx, ctx, bucket, request, "GetObject")

    bucket, record = await ctx.store.read(body)
    check_conditions(request, record, "")
    return _described(bucket, record, request)[2]


def _described(bucket: Record, record: Record, request: Request) -> tuple[int, int, dict[str, Any]]:
    """Which bytes are asked for, and everything of the answer but they."""
    size = record["size"]
    if "SSECustomerAlgorithm" in request:
        raise model.error("InvalidRequest", "The encryption parameters are not applicable to this object.")
    begin, end, partial = _chosen(record, request)
    result: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "LastModified": record["modified"],
        "ContentLength": end - begin,
        "ETag": record["etag"],
        "ContentType": "binary/octet-stream",
        "Metadata": record["meta"],
        **record.get("sse", encryption.S3_MANAGED),
        **record["headers"],
        **scope.shown(bucket, record["v"]),
    }
    if partial:
        result["ContentRange"] = f"bytes {begin}-{end - 1}/{size}"
    if record["class"] != "STANDARD":
        result["StorageClass"] = record["class"]
    if record.get("tags"):
        result["TagCount"] = len(record["tags"])
    if "PartNumber" in request and record["etag"].find("-") > 0:
        result["PartsCount"] = len(record["segments"])
    if request.get("ChecksumMode", "").upper() == "ENABLED" and not partial:
        result |= writing.shown_sums(record)
    if partial and "PartNumber" in request and request.get("ChecksumMode", "").upper() == "ENABLED":
        result |= _part_sum(record, request["PartNumber"])
    for member, header in OVERRIDES.items():
        if member in request:
            validation.one_line(member, request[member])
            result[header] = request[member]
    return begin, end, result


def _part_sum(record: Record, number: int) -> dict[str, Any]:
    """The checksum of one part, if it was told with it; an object that was put whole is its own only part."""
    if "-" not in record["etag"]:
        return writing.shown_sums(record)
    sums = dict(record.get("parts", ()))
    values = list(sums.values())
    if number > len(values):
        return {}
    algorithm = next(iter(record["sums"]))
    return {writing.SUMMED[algorithm]: values[number - 1], "ChecksumType": record["sumtype"]}


def _chosen(record: Record, request: Request) -> tuple[int, int, bool]:
    size = record["size"]
    if "PartNumber" in request:
        if "Range" in request:
            raise model.error(
                "InvalidRequest", "Cannot specify both Range header and partNumber query parameter"
            )
        number = request["PartNumber"]
        if not 1 <= number <= model.MAX_PARTS:
            text = f"Part number must be an integer between 1 and {model.MAX_PARTS}, inclusive"
            raise model.invalid("partNumber", number, text)
        segments = record["segments"] if "-" in record["etag"] else [{"n": size}]
        if not 1 <= number <= len(segments):
            raise model.error("InvalidPartNumber", PartNumberRequested=number, ActualPartCount=len(segments))
        begin = sum(segment["n"] for segment in segments[: number - 1])
        return begin, begin + segments[number - 1]["n"], size > 0
    if "Range" in request:
        found = span(request["Range"], size)
        if found is not None:
            return *found, True
    return 0, size, False


def span(text: str, size: int) -> tuple[int, int] | None:
    """Begin and end of a range; None if it is none that S3 heeds. Raises InvalidRange."""
    found = _RANGE.fullmatch(text)
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        length = int(found[2])
        begin, end = max(0, size - length), size
    else:
        begin = int(found[1])
        end = min(int(found[2]) + 1, size) if found[2] else size
        if found[2] and int(found[2]) < begin:
            return None
    if begin >= end:
        raise model.error("InvalidRange", RangeRequested=text, ActualObjectSize=size)
    return begin, end


def check_conditions(request: Request, record: Record, prefix: str) -> None:
    """`prefix` is "CopySource" where the conditions are on a source: what would be 304 is 412 then."""
    match, none = request.get(f"{prefix}IfMatch"), request.get(f"{prefix}IfNoneMatch")
    since = _moment(request.get(f"{prefix}IfModifiedSince"))
    until = _moment(request.get(f"{prefix}IfUnmodifiedSince"))
    etag, modified = record["etag"], record["modified"]
    dashed = "x-amz-copy-source-" if prefix else ""
    if match is not None:
        if not _matches(match, etag):
            raise model.precondition(f"{dashed}If-Match")
    elif until is not None and modified > until:
        raise model.precondition(f"{dashed}If-Unmodified-Since")
    fails = _matches(none, etag) if none is not None else since is not None and modified <= since
    if fails and prefix:
        raise model.precondition(f"{dashed}{'If-None-Match' if none is not None else 'If-Modified-Since'}")
    if fails:
        when = format_datetime(datetime.fromtimestamp(modified, UTC), usegmt=True)
        raise model.not_modified(etag, when, record["headers"].get("CacheControl"))


def _moment(given: str | float | None) -> float | None:
    """A date that isn't one is not heeded."""
    if not isinstance(given, str):
        return given
    try:
        return parsedate_to_datetime(given).timestamp()
    except (ValueError, OverflowError):
        return None


def _matches(wanted: str, etag: str) -> bool:
    names = [name.strip().removeprefix("W/").strip('"') for name in wanted.split(",")]
    return "*" in names or etag.strip('"') in names


async def get_object_attributes(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> tuple[Record, Record]:
        bucket = await scope.found(tx, request)
        record = await scope.version(tx, ctx, bucket, request, "GetObject")
        if ctx.principal.kind in ("user", "role"):
            action = "GetObjectVersionAttributes" if "VersionId" in request else "GetObjectAttributes"
            access.check(ctx, bucket, f"s3:{action}", request["Key"], record)
        return bucket, record

    bucket, record = await ctx.store.read(body)
    asked = request.get("ObjectAttributes", [])
    result: dict[str, Any] = {"LastModified": record["modified"], **scope.shown(bucket, record["v"])}
    if "ETag" in asked:
        result["ETag"] = record["etag"].strip('"')
    if "Checksum" in asked and record.get("sums"):
        shown = writing.shown_sums(record)  # here without the number of parts
        result["Checksum"] = {name: value.partition("-")[0] for name, value in shown.items()}
    if "StorageClass" in asked:
        result["StorageClass"] = record["class"]
    if "ObjectSize" in asked:
        result["ObjectSize"] = record["size"]
    if "ObjectParts" in asked and "-" in record["etag"]:
        result["ObjectParts"] = _parts(record, request)
    return result


def _parts(record: Record, request: Request) -> dict[str, Any]:
    """Of each part its size and checksum, if the upload had named an algorithm."""
    shown: dict[str, Any] = {"TotalPartsCount": len(record["segments"])}
    if "parts" not in record:
        return shown
    after, most = int(request.get("PartNumberMarker") or 0), request.get("MaxParts", model.PAGE)
    algorithm = next(iter(record["sums"]))
    rows = [
        {"PartNumber": number, "Size": segment["n"], writing.SUMMED[algorithm]: value}
        for (number, value), segment in zip(record["parts"], record["segments"], strict=True)
        if number > after
    ]
    last = rows[:most][-1]["PartNumber"] if rows[:most] else 0
    return shown | {
        "PartNumberMarker": after,
        "NextPartNumberMarker": last,
        "MaxParts": most,
        "IsTruncated": len(rows) > most,
        "Parts": rows[:most],
    }
