"""Objects written: PutObject, and what every write of a version has in common."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import access, checksums, contents, encryption, grants, model, scope, storage, validation
from ..contents import Taken, Wanted

Request = dict[str, Any]
Record = dict[str, Any]

HEADERS = (
    "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires",
    "WebsiteRedirectLocation",
)  # fmt: skip
SUMMED = {name: member for member, name in checksums.MEMBERS.items()}


def described(request: Request) -> Record:
    """What a request says of a new object, but for its body."""
    record: Record = {
        "headers": {name: request[name] for name in HEADERS if name in request},
        "meta": {
            name.lower(): value if value.isascii() else _encoded(value)
            for name, value in request.get("Metadata", {}).items()
        },
        "class": request.get("StorageClass", "STANDARD"),
    }
    if request.get("Tagging"):
        record["tags"] = validation.tag_pairs(request["Tagging"])
    return record


def _encoded(text: str) -> str:
    """Metadata that isn't ASCII, as RFC 2047 puts it in a header. Its bytes are taken for Latin-1, as S3 does."""
    return f"=?UTF-8?B?{b64encode(text.encode()).decode()}?="


def shown_sums(record: Record) -> dict[str, Any]:
    made: dict[str, Any] = {SUMMED[name]: value for name, value in record.get("sums", {}).items()}
    return made | {"ChecksumType": record["sumtype"]} if made else made


def wanted(request: Request) -> Wanted:
    """What the body of this request has to be like."""
    sums = checksums.given(request)
    body = request.get("Body")
    trailer = body.trailer if contents.is_payload(body) else ""
    if not sums and trailer.startswith("x-amz-checksum-"):
        sums = {checksums.named(trailer.removeprefix("x-amz-checksum-")): ""}
    if not sums and "ChecksumAlgorithm" in request:
        if contents.is_payload(body):
            text = (
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer "
                "headers were found."
            )
            raise model.error("InvalidRequest", text)
        sums = {checksums.named(request["ChecksumAlgorithm"]): ""}
    return Wanted(sums, validation.md5(request))


async def taking(
    ctx: Context, body: Any, wanted: Wanted, write: Callable[[Transaction, Taken], Awaitable[Record]]
) -> Record:
    """Take a body in and refer to it in one transaction; if that fails, nobody ever sees the body."""
    small = contents.take_small(body, wanted)
    if small is not None:
        return await ctx.store.transact(lambda tx: write(tx, small))
    runtime = contents.of(ctx)
    taken = await runtime.take(body, wanted)
    kept = False
    try:
        record = await ctx.store.transact(lambda tx: write(tx, taken))
        kept = True
    finally:
        await runtime.let_go(taken, kept=kept)
    return record


async def put_object(ctx: Context, request: Request) -> dict[str, Any]:
    record = described(request)
    if is_long(request):  # don't take in much for a bucket that refuses it
        await ctx.store.read(lambda tx: scope.bucket(tx, ctx, request, "PutObject", request["Key"]))

    async def write(tx: Transaction, taken: Taken) -> Record:
        bucket = await scope.bucket(tx, ctx, request, "PutObject", request["Key"])
        return await put_version(tx, ctx, bucket, request, record, taken)

    made = await taking(ctx, request.get("Body"), wanted(request), write)
    result = {"ETag": made["etag"], **written(made), **shown_sums(made)}
    return result | encryption.shown_context(request) if "sse" in made else result


def is_long(request: Request) -> bool:
    body = request.get("Body", b"")
    length = body.length if contents.is_payload(body) else len(body)
    return length is None or length > model.INLINE


def written(made: Record) -> dict[str, Any]:
    """What every answer to a write has."""
    result: dict[str, Any] = {**made.get("sse", encryption.S3_MANAGED)}
    if made["versioned"]:
        result["VersionId"] = made["v"]
    return result


async def put_version(
    tx: Transaction, ctx: Context, bucket: Record, request: Request, made: Record, taken: Taken | None = None
) -> Record:
    """Make `made`, with the body that was taken in, the key's newest version, if the request's conditions hold."""
    uid, key = bucket["uid"], request["Key"]
    newest = await storage.current(tx, uid, key)
    if ctx.principal.kind in ("user", "role"):
        check_more(ctx, bucket, request)
    _check_conditions(request, newest)
    owner = _owner(ctx, bucket, request)
    acl = grants.wanted(ctx, request, bucket, owner, _action(request))
    sse = encryption.chosen(ctx, bucket, request) if "upload" not in made else None
    versions = bucket.get("versioning") == "Enabled"
    stamp = tx.stamp()
    record = {
        **made,
        "v": storage.new_version_id(stamp) if versions else storage.NULL,
        "stamp": stamp.hex(),
        "modified": int(ctx.clock.now()),
        "owner": owner,
    }
    if acl is not None:
        record["acl"] = acl
    if sse is not None:
        record["sse"] = sse
    spare = _spare(bucket, newest) if taken is not None and taken.inline is not None else ""
    if not spare:
        await supersede(tx, ctx, bucket, key, newest)
    if taken is not None:
        record |= {
            "size": taken.size,
            "etag": f'"{taken.md5}"',
            "sums": taken.sums,
            "sumtype": "FULL_OBJECT",
            "segments": [await contents.keep(tx, taken, spare)],
        }
    await storage.put_current(tx, uid, key, record)
    record["versioned"] = versions
    return record


def check_more(ctx: Context, bucket: Record, request: Request) -> None:
    """Who puts tags or an ACL on what he writes needs the permissions for them, too."""
    if request.get("Tagging"):
        access.check(ctx, bucket, "s3:PutObjectTagging", request["Key"])
    if grants.asked(request):
        access.check(ctx, bucket, "s3:PutObjectAcl", request["Key"])


def _action(request: Request) -> str:
    return "CopyObject" if "CopySource" in request else "PutObject"


def _owner(ctx: Context, bucket: Record, request: Request) -> str:
    """The account that the object is to belong to."""
    ownership = bucket.get("ownership")
    given_away = ownership == "BucketOwnerPreferred" and request.get("ACL") == "bucket-owner-full-control"
    owner: str = bucket["owner"]
    return owner if ownership == "BucketOwnerEnforced" or given_away else ctx.principal.account


def _spare(bucket: Record, newest: Record | None) -> str:
    """The segment in the store that a new version takes over from the one that it replaces for good."""
    if newest is None or bucket.get("versioning") or newest["v"] != storage.NULL:
        return ""
    segments = newest.get("segments", ())
    return segments[0]["s"] if len(segments) == 1 and "h" not in segments[0] else ""


async def supersede(tx: Transaction, ctx: Context, bucket: Record, key: str, newest: Record | None) -> None:
    """A new version is about to take the place of the newest one."""
    uid, tasks = bucket["uid"], ctx.node.tasks
    versioning = bucket.get("versioning", "")
    if newest is not None:
        if versioning == "Enabled" or newest["v"] != storage.NULL:
            await storage.archive(tx, uid, key, newest)
        else:
            await storage.drop_segments(tx, tasks, newest.get("segments", ()))
    if versioning == "Suspended":
        for record in await storage.older(tx, uid, key):
            if record["v"] == storage.NULL:
                await storage.drop_older(tx, tasks, uid, key, record)


def _check_conditions(request: Request, newest: Record | None) -> None:
    there = newest is not None and not newest.get("marker")
    if request.get("IfNoneMatch") == "*" and there:
        raise model.precondition("If-None-Match")
    expected = request.get("IfMatch")
    if expected is not None:
        if not there or newest is None:
            raise model.error("NoSuchKey", Key=request["Key"])
        if expected != "*" and expected.strip('"') != newest["etag"].strip('"'):
            raise model.precondition("If-Match")
