"""Multipart uploads, from CreateMultipartUpload to CompleteMultipartUpload or AbortMultipartUpload."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import Any

from ....context import Context
from ....names import random_id
from ....store.interface import Transaction
from .. import access, checksums, contents, encryption, grants, model, permissions, scope, storage, validation
from ..contents import Taken
from . import writing
from .writing import SUMMED

Request = dict[str, Any]
Record = dict[str, Any]

_TOLD = ("ServerSideEncryption", "SSEKMSKeyId")
_OF_UPLOAD = ("headers", "meta", "class", "tags", "sse")
"""What the object has of the request that began its upload."""


async def create_multipart_upload(ctx: Context, request: Request) -> dict[str, Any]:
    algorithm = request.get("ChecksumAlgorithm", checksums.DEFAULT).upper()
    kind = request.get("ChecksumType") or ("FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE")
    record = writing.described(request) | {
        "initiated": int(ctx.clock.now()),
        "algorithm": algorithm,
        "named": "ChecksumAlgorithm" in request,
        "sumtype": kind,
        "asked": {name: request[name] for name in ("ACL", *grants.HEADERS) if name in request},
        "told": {name: request[name] for name in _TOLD if name in request},
    }

    async def body(tx: Transaction) -> str:
        bucket = await scope.bucket(tx, ctx, request, "PutObject", request["Key"])
        id = f"{tx.stamp().hex()}{random_id(44)}"  # lists are in the order of their begin
        if ctx.principal.kind in ("user", "role"):
            writing.check_more(ctx, bucket, request)
        grants.wanted(ctx, request, bucket, bucket["owner"], "PutObject")
        sse = encryption.chosen(ctx, bucket, request)
        if sse is not None:
            record["sse"] = sse
        await storage.put_upload(tx, bucket["uid"], request["Key"], id, record)
        return id

    id = await ctx.store.transact(body)
    result = {
        "Bucket": request["Bucket"],
        "Key": request["Key"],
        "UploadId": id,
        **record.get("sse", encryption.S3_MANAGED),
        **encryption.shown_context(request),
    }
    if "ChecksumAlgorithm" in request:
        result |= {"ChecksumAlgorithm": algorithm, "ChecksumType": kind}
    return result


async def upload_of(tx: Transaction, ctx: Context, request: Request, action: str) -> tuple[Record, Record]:
    bucket, upload = await _seen(tx, ctx, request, action)
    if upload is None:
        raise model.error("NoSuchUpload", UploadId=request["UploadId"])
    return bucket, upload


async def _seen(tx: Transaction, ctx: Context, request: Request, action: str) -> tuple[Record, Record | None]:
    """The upload, if there is one, of a caller who may. Policies see of its encryption what was said at its begin."""
    bucket = await scope.found(tx, request)
    upload = await storage.upload(tx, bucket["uid"], request["Key"], request["UploadId"])
    if upload is not None and "policy" in bucket:
        ctx.facts = permissions.facts(request | upload.get("told", {}))
        access.check(ctx, bucket, f"s3:{action}", request["Key"])
        return bucket, upload
    return await scope.bucket(tx, ctx, request, action, request["Key"]), upload


async def upload_part(ctx: Context, request: Request) -> dict[str, Any]:
    _, upload = await ctx.store.read(lambda tx: upload_of(tx, ctx, request, "PutObject"))
    wanted = writing.wanted(request)
    needed = wanted.sums or upload["sumtype"] == "COMPOSITE"
    if upload.get("named") and needed and upload["algorithm"] not in wanted.sums:
        given = next(iter(wanted.sums), "null").lower()
        text = (
            f"Checksum Type mismatch occurred, expected checksum Type: {upload['algorithm'].lower()}, "
            f"actual checksum Type: {given}"
        )
        raise model.error("InvalidRequest", text)
    wanted.sums.setdefault(upload["algorithm"], "")

    async def write(tx: Transaction, taken: Taken) -> Record:
        await upload_of(tx, ctx, request, "PutObject")
        return await put_part(tx, ctx, request, taken, await contents.keep(tx, taken))

    part = await writing.taking(ctx, request.get("Body"), wanted, write)
    shown = {SUMMED[name]: value for name, value in part["sums"].items()}
    return {"ETag": part["etag"], **upload.get("sse", encryption.S3_MANAGED), **shown}


async def put_part(tx: Transaction, ctx: Context, request: Request, taken: Taken, segment: Record) -> Record:
    id, number = request["UploadId"], request["PartNumber"]
    before = await storage.part(tx, id, number)
    if before is not None:
        await storage.drop_segments(tx, ctx.node.tasks, [before["segment"]])
    record = {
        "size": taken.size,
        "etag": f'"{taken.md5}"',
        "sums": taken.sums,
        "modified": int(ctx.clock.now()),
        "segment": segment,
    }
    await storage.put_part(tx, id, number, record)
    return record


async def list_parts(ctx: Context, request: Request) -> dict[str, Any]:
    after = int(request.get("PartNumberMarker", 0) or 0)
    most = validation.page_size(request, "MaxParts", "max-parts")

    async def body(tx: Transaction) -> tuple[Record, Record, list[tuple[int, Record]]]:
        bucket, upload = await upload_of(tx, ctx, request, "ListMultipartUploadParts")
        return bucket, upload, await storage.parts(tx, request["UploadId"], after, most + 1)

    bucket, upload, found = await ctx.store.read(body)
    parts = found[:most]
    owner = {"ID": model.canonical_id(bucket["owner"])}
    named = bool(upload.get("named"))
    return {
        "Bucket": request["Bucket"],
        "Key": request["Key"],
        "UploadId": request["UploadId"],
        "PartNumberMarker": after,
        "NextPartNumberMarker": parts[-1][0] if parts else 0,
        "MaxParts": most,
        "IsTruncated": len(found) > most,
        "Parts": [
            {
                "PartNumber": number,
                "LastModified": part["modified"],
                "ETag": part["etag"],
                "Size": part["size"],
                **({SUMMED[name]: value for name, value in part["sums"].items()} if named else {}),
            }
            for number, part in parts
        ],
        "Initiator": owner,
        "Owner": owner,
        "StorageClass": upload["class"],
        **(_sums_of(upload) if named else {}),
    }


def _sums_of(upload: Record) -> Record:
    return {"ChecksumAlgorithm": upload["algorithm"], "ChecksumType": upload["sumtype"]}


async def abort_multipart_upload(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        bucket, _ = await upload_of(tx, ctx, request, "AbortMultipartUpload")
        for _, part in await storage.parts(tx, request["UploadId"]):
            await storage.drop_segments(tx, ctx.node.tasks, [part["segment"]])
        await storage.delete_upload(tx, bucket["uid"], request["Key"], request["UploadId"])

    await ctx.store.transact(body)
    return {}


async def complete_multipart_upload(ctx: Context, request: Request) -> dict[str, Any]:
    named = request.get("MultipartUpload", {}).get("Parts", [])
    if not named:
        raise model.error("InvalidRequest", "You must specify at least one part")
    numbers = [one.get("PartNumber", 0) for one in named]
    if any(a >= b for a, b in pairwise(numbers)):
        raise model.error("InvalidPartOrder", UploadId=request["UploadId"])

    async def body(tx: Transaction) -> Record:
        bucket, upload = await _seen(tx, ctx, request, "PutObject")
        id = request["UploadId"]
        if upload is None:
            return await _completed(tx, bucket, request, [one.get("ETag", "") for one in named])
        _check_sums(request, upload, named)
        there = dict(await storage.parts(tx, id))
        chosen = _chosen(request, named, there)
        made: Record = {name: upload[name] for name in _OF_UPLOAD if name in upload} | {"upload": id}
        made |= _whole(request, upload, chosen)
        if upload.get("named"):
            sums = [part["sums"][upload["algorithm"]] for part in chosen]
            made["parts"] = list(zip(numbers, sums, strict=True))
        unused = [part["segment"] for number, part in there.items() if number not in set(numbers)]
        await storage.drop_segments(tx, ctx.node.tasks, unused)
        await storage.delete_upload(tx, bucket["uid"], request["Key"], id)
        return await writing.put_version(tx, ctx, bucket, request | upload["asked"], made)

    made = await ctx.store.transact(body)
    return {
        "Location": scope.place(ctx, request["Bucket"], request["Key"]),
        "Bucket": request["Bucket"],
        "Key": request["Key"],
        "ETag": made["etag"],
        **writing.written(made),
        **writing.shown_sums(made),
    }


async def _completed(tx: Transaction, bucket: Record, request: Request, etags: list[str]) -> Record:
    """Who completes an upload again, because he didn't hear of it, hears the same, while the version is there."""
    uid, key, id = bucket["uid"], request["Key"], request["UploadId"]
    newest = await storage.current(tx, uid, key)
    for record in () if newest is None else (newest, *await storage.older(tx, uid, key)):
        if record.get("upload") == id and record["etag"] == _etag(etags):
            return record | {"versioned": record["v"] != storage.NULL}
    raise model.error("NoSuchUpload", UploadId=id)


def _check_sums(request: Request, upload: Record, named: list[Record]) -> None:
    """An upload that was begun with a checksum is ended with it."""
    if not upload.get("named"):
        return
    kind, algorithm = upload["sumtype"], upload["algorithm"]
    if request.get("ChecksumType", kind) != kind:
        text = (
            f"The upload was created using the {kind} checksum mode. The complete request must use the same "
            "checksum mode."
        )
        raise model.error("InvalidRequest", text)
    for one in named if kind == "COMPOSITE" else ():
        if SUMMED[algorithm] not in one:
            text = (
                f"The upload was created using a {algorithm.lower()} checksum. The complete request must include the "
                f"checksum for each part. It was missing for part {one.get('PartNumber')} in the request."
            )
            raise model.error("InvalidRequest", text)


def _etag(parts: list[str]) -> str:
    """The object's from those of its parts."""
    digest = hashlib.md5(usedforsecurity=False)
    for one in parts:
        try:
            digest.update(bytes.fromhex(one.strip('"')))
        except ValueError:
            return ""
    return f'"{digest.hexdigest()}-{len(parts)}"'


def _chosen(request: Request, named: list[Record], there: dict[int, Record]) -> list[Record]:
    """The parts that make up the object, each as the client says it is."""
    chosen: list[Record] = []
    for position, one in enumerate(named):
        number, etag = one.get("PartNumber", 0), one.get("ETag", "").strip('"')
        part = there.get(number)
        wrong = part is None or part["etag"].strip('"') != etag
        if part is not None:
            wrong |= any(
                one.get(member) not in (None, part["sums"].get(name, one.get(member)))
                for member, name in checksums.MEMBERS.items()
            )
        if wrong or part is None:
            raise model.error("InvalidPart", UploadId=request["UploadId"], PartNumber=number, ETag=etag)
        if part["size"] < model.MIN_PART and position < len(named) - 1:
            raise model.error(
                "EntityTooSmall",
                ProposedSize=part["size"],
                MinSizeAllowed=model.MIN_PART,
                PartNumber=number,
                ETag=etag,
            )
        chosen.append(part)
    return chosen


def _whole(request: Request, upload: Record, parts: list[Record]) -> Record:
    """The object's own size, ETag and checksum from those of its parts."""
    size = sum(part["size"] for part in parts)
    expected = request.get("MpuObjectSize")
    if expected is not None and int(expected) != size:
        text = f"The provided 'x-amz-mp-object-size' header value {expected} does not match what was computed: {size}"
        raise model.error("InvalidRequest", text)
    algorithm = upload["algorithm"]
    if upload["sumtype"] == "FULL_OBJECT":
        made = checksums.combined(algorithm, [(part["sums"][algorithm], part["size"]) for part in parts])
    else:
        made = checksums.composite(algorithm, [part["sums"][algorithm] for part in parts])
    given = request.get(SUMMED[algorithm])
    if given is not None and given.partition("-")[0] != made.partition("-")[0]:
        raise checksums.mismatch(algorithm)
    return {
        "size": size,
        "etag": _etag([part["etag"] for part in parts]),
        "sums": {algorithm: made},
        "sumtype": upload["sumtype"],
        "segments": [part["segment"] for part in parts],
    }
