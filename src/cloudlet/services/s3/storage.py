"""Where buckets and objects lie.

    ("bucket", name)                      -> bucket: uid, owner, region, settings
    ("owned", account, name)              -> nothing
    ("object", uid, key)                  -> the key's newest version (a delete marker, too)
    ("version", uid, key, stamp)          -> its older versions
    ("upload", uid, key, id)              -> a multipart upload that is going on
    ("part", upload id, number)           -> one of its parts
    ("body", segment)                     -> a body of up to 64 KB
    ("ref", sha256, segment)              -> nothing: this segment is the file of that content

A version or part has its body as a list of segments {"n": size, "s": segment, "h": sha256 of the file, if it is one}.
A version's id has its stamp inside, so that it can be found by it; the id "null" is looked for.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from functools import lru_cache
from secrets import token_bytes
from typing import Any

import orjson

from ...store.interface import Tasks, Transaction
from ...store.keys import Subspace, prefix_range, successor

SWEEP_TASK = "s3.sweep"
NULL = "null"

_space = Subspace("s3")
_bucket = _space.sub("bucket")
_owned = _space.sub("owned")
_object = _space.sub("object")
_version = _space.sub("version")
_upload = _space.sub("upload")
_part = _space.sub("part")
_body = _space.sub("body")
_ref = _space.sub("ref")

Record = dict[str, Any]


@lru_cache(maxsize=1024)
def _bucket_at(name: str) -> bytes:
    return _bucket.pack(name)


@lru_cache(maxsize=4096)
def _object_at(uid: str, key: str) -> bytes:
    return _object.pack(uid, key)


def _load(value: bytes) -> Record:
    record: Record = orjson.loads(value)
    return record


# --- buckets ------------------------------------------------------------


async def bucket(tx: Transaction, name: str) -> Record | None:
    """Shared: not to be changed."""
    return await tx.load(_bucket_at(name), _load)


async def put_bucket(tx: Transaction, record: Record) -> None:
    await tx.put(_bucket.pack(record["name"]), orjson.dumps(record))
    await tx.put(_owned.pack(record["owner"], record["name"]), b"")


async def delete_bucket(tx: Transaction, record: Record) -> None:
    await tx.delete(_bucket.pack(record["name"]))
    await tx.delete(_owned.pack(record["owner"], record["name"]))


async def buckets(tx: Transaction, account: str, prefix: str, after: str, limit: int) -> list[Record]:
    begin, end = prefix_range(_owned.pack(account, prefix)[:-1])
    if after:
        begin = max(begin, successor(_owned.pack(account, after)))
    found = []
    for key, _ in await tx.range(begin, end, limit=limit):
        record = await bucket(tx, _owned.unpack(key)[1])
        assert record is not None
        found.append(record)
    return found


async def is_empty(tx: Transaction, uid: str) -> bool:
    return not await tx.range(*_object.range(uid), limit=1)


# --- versions ------------------------------------------------------------


def new_version_id(stamp: bytes) -> str:
    return b64encode(stamp + token_bytes(14), b"._").decode()


def _stamp_of(id: str) -> bytes | None:
    try:
        return b64decode(id, b"._", validate=True)[:10] if len(id) == 32 else None
    except ValueError:
        return None


async def current(tx: Transaction, uid: str, key: str) -> Record | None:
    """The newest version, which may be a delete marker. Shared: not to be changed."""
    return await tx.load(_object_at(uid, key), _load)


async def put_current(tx: Transaction, uid: str, key: str, record: Record) -> None:
    await tx.put(_object_at(uid, key), orjson.dumps(record))


async def archive(tx: Transaction, uid: str, key: str, record: Record) -> None:
    """The newest version is to be an older one."""
    await tx.put(_version.pack(uid, key, bytes.fromhex(record["stamp"])), orjson.dumps(record))


async def version(tx: Transaction, uid: str, key: str, id: str) -> Record | None:
    newest = await current(tx, uid, key)
    if newest is not None and newest["v"] == id:
        return newest
    if id != NULL:
        stamp = _stamp_of(id)
        raw = await tx.get(_version.pack(uid, key, stamp)) if stamp else None
        found = _load(raw) if raw else None
        return found if found is not None and found["v"] == id else None
    return next((record for record in await older(tx, uid, key) if record["v"] == NULL), None)


async def older(tx: Transaction, uid: str, key: str, limit: int = 0) -> list[Record]:
    """Newest first."""
    rows = await tx.range(*_version.range(uid, key), limit=limit, reverse=True)
    return [_load(value) for _, value in rows]


async def drop_older(tx: Transaction, tasks: Tasks, uid: str, key: str, record: Record) -> None:
    await tx.delete(_version.pack(uid, key, bytes.fromhex(record["stamp"])))
    await drop_segments(tx, tasks, record.get("segments", ()))


async def put_version(tx: Transaction, uid: str, key: str, record: Record) -> None:
    """Write a version back, changed, wherever it is."""
    newest = await current(tx, uid, key)
    if newest is not None and newest["v"] == record["v"]:
        await put_current(tx, uid, key, record)
    else:
        await archive(tx, uid, key, record)


async def drop_current(tx: Transaction, tasks: Tasks, uid: str, key: str, record: Record) -> None:
    """Delete the newest version; the one before becomes the newest."""
    await drop_segments(tx, tasks, record.get("segments", ()))
    before = await older(tx, uid, key, 1)
    if before:
        await tx.delete(_version.pack(uid, key, bytes.fromhex(before[0]["stamp"])))
        await put_current(tx, uid, key, before[0])
    else:
        await tx.delete(_object.pack(uid, key))


async def objects(
    tx: Transaction, uid: str, prefix: str, begin: bytes, limit: int
) -> list[tuple[str, Record]]:
    first, end = prefix_range(_object.pack(uid, prefix)[:-1])
    rows = await tx.range(max(first, begin), end, limit=limit)
    return [(_object.unpack(key)[1], _load(value)) for key, value in rows]


def from_key(uid: str, key: str) -> bytes:
    return _object.pack(uid, key)


def after_key(uid: str, key: str) -> bytes:
    return successor(_object.pack(uid, key))


def after_prefix(uid: str, prefix: str) -> bytes:
    return prefix_range(_object.pack(uid, prefix)[:-1])[1]


# --- bodies ------------------------------------------------------------


async def new_segment(tx: Transaction, size: int, sha: str, inline: bytes | None, spare: str = "") -> Record:
    """`spare` is a segment in the store to be written over: cheaper than to delete it and to make another."""
    id = bytes.fromhex(spare) if spare else tx.stamp()
    segment: Record = {"n": size, "s": id.hex()}
    if inline is None:
        segment["h"] = sha
        await tx.put(_ref.pack(sha, id), b"")
    else:
        await tx.put(_body.pack(id), inline)
    return segment


async def copy_segment(tx: Transaction, segment: Record) -> Record:
    data = None if "h" in segment else await inline(tx, segment)
    return await new_segment(tx, segment["n"], segment.get("h", ""), data)


async def inline(tx: Transaction, segment: Record) -> bytes:
    data = await tx.get(_body.pack(bytes.fromhex(segment["s"])))
    assert data is not None
    return data


async def drop_segments(tx: Transaction, tasks: Tasks, segments: Iterable[Record]) -> None:
    for segment in segments:
        id = bytes.fromhex(segment["s"])
        if "h" in segment:
            await tx.delete(_ref.pack(segment["h"], id))
            if not await is_referred(tx, segment["h"]):
                await sweep_later(tx, tasks, segment["h"])
        else:
            await tx.delete(_body.pack(id))


async def is_referred(tx: Transaction, sha: str) -> bool:
    return bool(await tx.range(*_ref.range(sha), limit=1))


async def sweep_later(tx: Transaction, tasks: Tasks, sha: str) -> None:
    await tasks.enqueue(tx, SWEEP_TASK, sha.encode())


# --- multipart uploads ------------------------------------------------------------


async def put_upload(tx: Transaction, uid: str, key: str, id: str, record: Record) -> None:
    await tx.put(_upload.pack(uid, key, id), orjson.dumps(record))


async def upload(tx: Transaction, uid: str, key: str, id: str) -> Record | None:
    return await tx.load(_upload.pack(uid, key, id), _load)


async def uploads(
    tx: Transaction, uid: str, prefix: str = "", after: tuple[str, str] | None = None, limit: int = 0
) -> list[tuple[str, str, Record]]:
    """Key, id and record of the uploads that are going on, those after `after` ("" is before every id)."""
    begin, end = prefix_range(_upload.pack(uid, prefix)[:-1])
    if after is not None:
        last = _upload.pack(uid, *after) if after[1] else _upload.range(uid, after[0])[1]
        begin = max(begin, successor(last))
    rows = await tx.range(begin, end, limit=limit)
    return [(*_upload.unpack(key)[1:], _load(value)) for key, value in rows]


async def delete_upload(tx: Transaction, uid: str, key: str, id: str) -> None:
    """The upload and its parts' records; the parts' bodies are another's now, or have been dropped."""
    await tx.delete(_upload.pack(uid, key, id))
    await tx.delete_range(*_part.range(id))


async def put_part(tx: Transaction, upload_id: str, number: int, record: Record) -> None:
    await tx.put(_part.pack(upload_id, number), orjson.dumps(record))


async def part(tx: Transaction, upload_id: str, number: int) -> Record | None:
    raw = await tx.get(_part.pack(upload_id, number))
    return _load(raw) if raw is not None else None


async def parts(tx: Transaction, upload_id: str, after: int = 0, limit: int = 0) -> list[tuple[int, Record]]:
    begin, end = _part.range(upload_id)
    if after:
        begin = successor(_part.pack(upload_id, after))
    rows = await tx.range(begin, end, limit=limit)
    return [(_part.unpack(key)[1], _load(value)) for key, value in rows]
