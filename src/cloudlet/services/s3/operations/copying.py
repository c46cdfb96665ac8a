"""Objects copied: CopyObject, which shares the files of its source, and UploadPartCopy, which reads them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from ....context import Context
from ....errors import AwsError
from ....store.interface import Transaction
from .. import checksums, contents, encryption, model, scope, storage
from ..contents import Taken, Wanted
from . import multipart, reading, writing

Request = dict[str, Any]
Record = dict[str, Any]


_LEADS = "WebsiteRedirectLocation"
_SPAN = re.compile(r"bytes=(\d+)-(\d+)")


def _source(request: Request) -> Request:
    given = request["CopySource"]
    if isinstance(given, dict):
        return {name: given[name] for name in ("Bucket", "Key", "VersionId") if name in given}
    path, _, query = given.partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if not bucket or not key:
        raise model.invalid(
            "x-amz-copy-source",
            given,
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        )
    return {"Bucket": bucket, "Key": key, **({"VersionId": query} if query else {})}


async def _found(tx: Transaction, ctx: Context, request: Request) -> tuple[Record, Record]:
    source = _source(request)
    if "ExpectedSourceBucketOwner" in request:
        source["ExpectedBucketOwner"] = request["ExpectedSourceBucketOwner"]
    bucket = await scope.found(tx, source)
    try:
        record = await scope.version(tx, ctx, bucket, source, "GetObject")
    except AwsError as error:
        if error.code != "MethodNotAllowed":
            raise
        text = "The source of a copy request may not specifically refer to a delete marker by version id."
        raise model.error("InvalidRequest", text) from error
    reading.check_conditions(request, record, "CopySource")
    return bucket, record


async def copy_object(ctx: Context, request: Request) -> dict[str, Any]:
    replaces = request.get("MetadataDirective", "COPY") == "REPLACE"
    given = writing.described(request)
    algorithm = checksums.named(request["ChecksumAlgorithm"]) if "ChecksumAlgorithm" in request else ""

    async def body(tx: Transaction) -> tuple[Record, Record, Record]:
        bucket = await scope.bucket(tx, ctx, request, "PutObject", request["Key"])
        origin, source = await _found(tx, ctx, request)
        _check_itself(request, bucket, given, source, replaces)
        made: Record = {name: source[name] for name in ("size", "etag", "sums", "sumtype") if name in source}
        made |= _headed(given, source, replaces=replaces)
        tags = given if request.get("TaggingDirective") == "REPLACE" else source
        if tags.get("tags"):
            made["tags"] = tags["tags"]
        made["segments"] = [await storage.copy_segment(tx, segment) for segment in source["segments"]]
        return origin, source, await writing.put_version(tx, ctx, bucket, request, made)

    rehash = await _rehash(ctx, request, algorithm)
    if rehash is not None:
        return await _rewritten(ctx, request, given if replaces else None, rehash)
    origin, source, made = await ctx.store.transact(body)
    return _answer(request, origin, source, made)


def _headed(given: Record, source: Record, *, replaces: bool) -> Record:
    """Headers and metadata of a copy. Where a website leads is no part of them: only who asks for it gets it."""
    if replaces:
        return {name: given[name] for name in ("headers", "meta", "class")}
    headers = {name: value for name, value in source["headers"].items() if name != _LEADS}
    if _LEADS in given["headers"]:
        headers[_LEADS] = given["headers"][_LEADS]
    return {"headers": headers, "meta": source["meta"], "class": given["class"]}


def _answer(request: Request, origin: Record, source: Record, made: Record) -> dict[str, Any]:
    copied = {"ETag": made["etag"], "LastModified": made["modified"], **writing.shown_sums(made)}
    result = {"CopyObjectResult": copied, **writing.written(made), **encryption.shown_context(request)}
    if origin.get("versioning"):
        result["CopySourceVersionId"] = source["v"]
    return result


def _check_itself(request: Request, bucket: Record, given: Record, source: Record, replaces: bool) -> None:
    named = _source(request)
    itself = (named["Bucket"], named["Key"]) == (
        request["Bucket"],
        request["Key"],
    ) and "VersionId" not in named
    changes = replaces or given["class"] != source["class"] or "WebsiteRedirectLocation" in request
    if itself and not changes and "ServerSideEncryption" not in request and "encryption" not in bucket:
        raise model.error(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes.",
        )


async def _rehash(ctx: Context, request: Request, algorithm: str) -> Wanted | None:
    """A copy of what was uploaded in parts is one whole again, and another algorithm needs the bytes."""
    _, source = await ctx.store.read(lambda tx: _found(tx, ctx, request))
    if "-" in source["etag"] or (algorithm and algorithm not in source.get("sums", {})):
        return Wanted({algorithm or checksums.DEFAULT: ""})
    return None


async def _rewritten(ctx: Context, request: Request, given: Record | None, wanted: Wanted) -> dict[str, Any]:
    origin, source, body = await _open(ctx, request, None)

    async def write(tx: Transaction, taken: Taken) -> Record:
        bucket = await scope.bucket(tx, ctx, request, "PutObject", request["Key"])
        _check_itself(request, bucket, writing.described(request), source, given is not None)
        described = writing.described(request)
        made = _headed(described, source, replaces=given is not None)
        tags = described if request.get("TaggingDirective") == "REPLACE" else source
        if tags.get("tags"):
            made["tags"] = tags["tags"]
        return await writing.put_version(tx, ctx, bucket, request, made, taken)

    return _answer(request, origin, source, await writing.taking(ctx, body, wanted, write))


class _Copied:
    """A source's bytes in the form of a request's body."""

    def __init__(self, body: Any, length: int) -> None:
        self.length: int | None = length
        self.sha256 = self.trailer = ""
        self.trailers: dict[str, str] = {}
        self._body = body

    def pieces(self) -> Any:
        return self._body

    def whole(self) -> bytes | None:
        return self._body if isinstance(self._body, bytes) else None


async def _open(ctx: Context, request: Request, span: str | None) -> tuple[Record, Record, _Copied]:
    origin, source = await ctx.store.read(lambda tx: _found(tx, ctx, request))
    asked = _source(request) | {"VersionId": source["v"]}
    if span is not None:
        _check_span(span, source["size"])
        asked["Range"] = span
    got = await reading.get_object(ctx, asked)
    return origin, source, _Copied(got["Body"], got["ContentLength"])


def _check_span(span: str, size: int) -> None:
    found = _SPAN.fullmatch(span)
    if found is None or int(found[1]) > int(found[2]):
        text = (
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy"
        )
        raise model.invalid("x-amz-copy-source-range", span, text)
    if int(found[2]) >= size:
        text = f"Range specified is not valid for source object of size: {size}"
        raise model.invalid("x-amz-copy-source-range", span, text)


async def upload_part_copy(ctx: Context, request: Request) -> dict[str, Any]:
    _, upload = await ctx.store.read(lambda tx: multipart.upload_of(tx, ctx, request, "PutObject"))
    origin, source, body = await _open(ctx, request, request.get("CopySourceRange"))

    async def write(tx: Transaction, taken: Taken) -> Record:
        await multipart.upload_of(tx, ctx, request, "PutObject")
        return await multipart.put_part(tx, ctx, request, taken, await contents.keep(tx, taken))

    part = await writing.taking(ctx, body, Wanted({upload["algorithm"]: ""}), write)
    shown = {writing.SUMMED[name]: value for name, value in part["sums"].items()}
    result: dict[str, Any] = {
        "CopyPartResult": {"ETag": part["etag"], "LastModified": part["modified"], **shown},
        **upload.get("sse", encryption.S3_MANAGED),
    }
    if origin.get("versioning"):
        result["CopySourceVersionId"] = source["v"]
    return result
