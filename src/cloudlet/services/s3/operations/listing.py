"""Lists: ListObjects in both forms, ListObjectVersions, ListMultipartUploads. Prefix, delimiter, pages, encoding."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote_plus

from ....context import Context
from ....store.interface import Transaction
from .. import model, scope, storage, validation

Request = dict[str, Any]
Record = dict[str, Any]


class Page:
    """Entries and common prefixes, in order, up to a number; `next` is the last one if there are more."""

    def __init__(self, request: Request, most: int) -> None:
        self.prefix = request.get("Prefix", "")
        self.delimiter = request.get("Delimiter", "")
        self.most = most
        self.entries: list[tuple[str, Record]] = []
        self.prefixes: list[str] = []
        self.truncated = False
        self.last = ""

    @property
    def full(self) -> bool:
        return len(self.entries) + len(self.prefixes) >= self.most

    def rolled(self, key: str) -> str | None:
        """The common prefix that stands for the key."""
        if not self.delimiter:
            return None
        at = key.find(self.delimiter, len(self.prefix))
        return None if at < 0 else key[: at + len(self.delimiter)]


async def _walk(
    tx: Transaction, uid: str, page: Page, after: str, *, including: bool = False, markers: bool = False
) -> AsyncIterator[tuple[str, Record]]:
    """Objects that the page shows, its common prefixes filled in between; `markers`: deleted ones count, too."""
    begin = b""
    if after:
        rolled = page.rolled(after) if after.startswith(page.prefix) else None
        if rolled == after:
            begin = storage.after_prefix(uid, after)
        else:
            begin = storage.from_key(uid, after) if including else storage.after_key(uid, after)
    step = min(page.most + 1, model.PAGE + 1) if not page.delimiter else 256
    while True:
        rows = await storage.objects(tx, uid, page.prefix, begin, step)
        jumped = False
        for key, record in rows:
            begin = storage.after_key(uid, key)
            prefix = page.rolled(key)
            if prefix is None:
                yield key, record
                if page.truncated:
                    return
            elif markers or not record.get("marker"):
                if page.full:
                    page.truncated = True
                    return
                page.prefixes.append(prefix)
                page.last = prefix
                begin = storage.after_prefix(uid, prefix)
                jumped = True
                break
        if not jumped and len(rows) < step:
            return


async def _objects(tx: Transaction, uid: str, page: Page, after: str) -> None:
    if page.most == 0:
        return
    async for key, record in _walk(tx, uid, page, after):
        if record.get("marker"):
            continue
        if page.full:
            page.truncated = True
        else:
            page.entries.append((key, record))
            page.last = key


def _encoder(request: Request) -> Any:
    if request.get("EncodingType") == "url":
        return lambda text: quote_plus(text, safe="/*-._~")
    return lambda text: text


def _shown(key: str, record: Record, *, owner: bool) -> Record:
    made: Record = {
        "Key": key,
        "LastModified": record["modified"],
        "ETag": record["etag"],
        "ChecksumAlgorithm": list(record.get("sums", {})),
        "ChecksumType": record.get("sumtype"),
        "Size": record["size"],
        "StorageClass": record["class"],
    }
    if owner:
        made["Owner"] = {"ID": model.canonical_id(record["owner"])}
    return made


def _common(request: Request, name: str, page: Page) -> Record:
    encode = _encoder(request)
    result: Record = {
        "Name": name,
        "Prefix": encode(page.prefix),
        "MaxKeys": page.most,
        "IsTruncated": page.truncated,
    }
    if page.delimiter:
        result["Delimiter"] = encode(page.delimiter)
    if "EncodingType" in request:
        result["EncodingType"] = request["EncodingType"]
    if page.prefixes:
        result["CommonPrefixes"] = [{"Prefix": encode(prefix)} for prefix in page.prefixes]
    return result


async def _page(ctx: Context, request: Request, after: str) -> tuple[Page, Record]:
    validation.encoding(request)
    page = Page(request, validation.page_size(request, "MaxKeys", "maxKeys"))

    async def body(tx: Transaction) -> Page:
        bucket = await scope.bucket(tx, ctx, request, "ListBucket")
        await _objects(tx, bucket["uid"], page, after)
        return page

    await ctx.store.read(body)
    return page, _common(request, request["Bucket"], page)


async def list_objects(ctx: Context, request: Request) -> dict[str, Any]:
    marker = request.get("Marker", "")
    page, result = await _page(ctx, request, marker)
    encode = _encoder(request)
    result["Marker"] = encode(marker)
    result["Contents"] = [
        {**_shown(key, record, owner=True), "Key": encode(key)} for key, record in page.entries
    ]
    if page.truncated and page.delimiter:
        result["NextMarker"] = encode(page.last)
    return result


async def list_objects_v2(ctx: Context, request: Request) -> dict[str, Any]:
    token = request.get("ContinuationToken")
    after = request.get("StartAfter", "") if token is None else _unpacked(token)
    page, result = await _page(ctx, request, after)
    encode = _encoder(request)
    owner = bool(request.get("FetchOwner"))
    result["Contents"] = [
        {**_shown(key, record, owner=owner), "Key": encode(key)} for key, record in page.entries
    ]
    result["KeyCount"] = len(page.entries) + len(page.prefixes)
    if token is not None:
        result["ContinuationToken"] = token
    if "StartAfter" in request:
        result["StartAfter"] = encode(request["StartAfter"])
    if page.truncated:
        result["NextContinuationToken"] = urlsafe_b64encode(page.last.encode()).decode()
    return result


def _unpacked(token: str) -> str:
    try:
        text = urlsafe_b64decode(token).decode()
    except ValueError:
        text = ""
    if not text:
        raise model.invalid("continuation-token", token, "The continuation token provided is incorrect")
    return text


async def list_object_versions(ctx: Context, request: Request) -> dict[str, Any]:
    validation.encoding(request)
    marker, id_marker = request.get("KeyMarker", ""), request.get("VersionIdMarker", "")
    if id_marker and not marker:
        raise model.invalid(
            "version-id-marker", id_marker, "A version-id marker cannot be specified without a key marker."
        )
    page = Page(request, validation.page_size(request, "MaxKeys", "maxKeys"))
    last_id = ""
    latest: set[int] = set()

    async def body(tx: Transaction) -> None:
        nonlocal last_id
        bucket = await scope.bucket(tx, ctx, request, "ListBucketVersions")
        if not page.most:
            return
        uid = bucket["uid"]
        skipping = id_marker
        async for key, newest in _walk(tx, uid, page, marker, including=bool(id_marker), markers=True):
            versions = [newest, *(await storage.older(tx, uid, key) if bucket.get("versioning") else ())]
            for number, record in enumerate(versions):
                if skipping and key == marker:
                    skipping = "" if record["v"] == skipping else skipping
                    continue
                if page.full:
                    page.truncated = True
                    return
                if number == 0:
                    latest.add(len(page.entries))
                page.entries.append((key, record))
                page.last, last_id = key, record["v"]

    await ctx.store.read(body)
    encode = _encoder(request)
    result = _common(request, request["Bucket"], page)
    result |= {"KeyMarker": encode(marker), "VersionIdMarker": id_marker}
    result["Versions"], result["DeleteMarkers"] = [], []
    for number, (key, record) in enumerate(page.entries):
        place = {"Key": encode(key), "VersionId": record["v"], "IsLatest": number in latest}
        if record.get("marker"):
            owner = {"ID": model.canonical_id(record["owner"])}
            result["DeleteMarkers"].append({**place, "LastModified": record["modified"], "Owner": owner})
        else:
            result["Versions"].append({**_shown(key, record, owner=True), **place})
    if page.truncated:
        result["NextKeyMarker"] = encode(page.last)
        if page.entries and page.entries[-1][0] == page.last:
            result["NextVersionIdMarker"] = last_id
    return result


async def list_multipart_uploads(ctx: Context, request: Request) -> dict[str, Any]:
    validation.encoding(request)
    most = validation.page_size(request, "MaxUploads", "max-uploads")
    page = Page(request, most)
    marker, id_marker = request.get("KeyMarker", ""), request.get("UploadIdMarker", "")
    shown: list[Record] = []
    encode = _encoder(request)

    async def body(tx: Transaction) -> None:
        bucket = await scope.bucket(tx, ctx, request, "ListBucketMultipartUploads")
        after = (marker, id_marker) if marker else None
        if not most:
            return
        for key, id, record in await storage.uploads(tx, bucket["uid"], page.prefix, after):
            prefix = page.rolled(key)
            if prefix is not None and (prefix in page.prefixes or prefix <= marker):
                continue
            if len(shown) + len(page.prefixes) >= most:
                page.truncated = True
                return
            if prefix is not None:
                page.prefixes.append(prefix)
                page.last = prefix
                continue
            owner = {"ID": model.canonical_id(bucket["owner"])}
            shown.append(
                {
                    "Key": encode(key), "UploadId": id, "Initiated": record["initiated"], "Owner": owner,
                    "Initiator": owner, "StorageClass": record["class"],
                    "ChecksumAlgorithm": record["algorithm"] if record.get("named") else None,
                    "ChecksumType": record["sumtype"] if record.get("named") else None,
                }
            )  # fmt: skip
            page.last = key

    await ctx.store.read(body)
    result = {
        name: value for name, value in _common(request, "", page).items() if name not in ("Name", "MaxKeys")
    }
    result |= {"Bucket": request["Bucket"], "KeyMarker": encode(marker), "UploadIdMarker": id_marker}
    result |= {"MaxUploads": most, "Uploads": shown}
    if page.truncated:
        result["NextKeyMarker"] = encode(page.last)
        result["NextUploadIdMarker"] = shown[-1]["UploadId"] if shown else ""
    return result
