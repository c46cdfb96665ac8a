"""A function's code on disk: packages checked, unpacked once, named by their content, shared and never changed.

`<data>/lambda/code/<sha256>/` is the unpacked package, `<sha256>.zip` beside it the package itself. Both appear by a
rename, so what is there is whole. A record refers to a name only after its files are there; names that nothing refers
to are swept by a durable timer, set before the files are written.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import lzma
import os
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...context import Context, Node
from ...errors import AwsError
from ...net.messages import Request, Response
from ...store.interface import Task, Transaction
from . import model, storage

_PREFIX = "/_cloudlet/lambda/code/"
_BAD = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What the zip machinery raises on bytes that are no good zip, encrypted ones and unknown methods among them."""
_BAD_NAMES = (None, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL)
_CHUNK = 1024 * 1024
MANY_FILES = 64
"""Beyond this, one sync of everything is quicker than one for each file."""


@dataclass(slots=True, frozen=True)
class Code:
    sha: str
    """Hex SHA-256 of the package."""
    size: int

    @property
    def sha256(self) -> str:
        """As `CodeSha256` gives it."""
        return b64encode(bytes.fromhex(self.sha)).decode()


async def fetch(ctx: Context, code: dict[str, Any]) -> bytes:
    """The package's bytes: sent with the request, uploaded by `deploy`, or an object in a bucket."""
    if "ZipFile" in code:
        return bytes(code["ZipFile"])
    bucket, key = code["S3Bucket"], code["S3Key"]
    if bucket == model.ARTIFACTS_BUCKET:
        return await asyncio.to_thread(_artifact, ctx.node.data / "artifacts", key)
    params = {"Bucket": bucket, "Key": key}
    if "S3ObjectVersion" in code:
        params["VersionId"] = code["S3ObjectVersion"]
    try:
        found = await ctx.call("s3", "GetObject", params)
    except AwsError as error:
        raise model.s3_error(error.code, error.message) from error
    return bytes(found["Body"])


def _artifact(folder: Path, key: str) -> bytes:
    path = (folder / key).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise model.s3_error("NoSuchKey", "The specified key does not exist.")
    return path.read_bytes()


async def keep(ctx: Context, package: bytes) -> Code:
    """Unpack a package, unless its content is there already. The files stay until the caller refers to them."""
    if not package:
        raise model.empty_zip()
    sha = await asyncio.to_thread(_digest, package)
    node = ctx.node
    now = ctx.clock.now()

    async def hold(tx: Transaction) -> None:
        await storage.hold_code(tx, sha, now + model.CODE_GRACE_SECONDS / 2)
        await release(node, tx, sha)

    await ctx.store.transact(hold)
    await asyncio.to_thread(unpack, package, storage.code_path(node.data, sha))
    return Code(sha, len(package))


def _digest(package: bytes) -> str:
    return hashlib.sha256(package).hexdigest()


async def release(node: Node, tx: Transaction, sha: str) -> None:
    """In the transaction that drops a reference: look later whether the code can go."""
    await node.timers.set(tx, storage.SWEEP_TIMER, (sha,), node.clock.now() + model.CODE_GRACE_SECONDS)


def unpack(package: bytes, target: Path) -> None:
    """Check the package and unpack it into `target`, atomically; with it the zip itself. Runs in a thread."""
    if target.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix="."))
    try:
        unpacked = staging / "code"
        unpacked.mkdir()
        _extract(package, unpacked)
        (staging / "zip").write_bytes(package)
        _sync(staging)
        os.replace(staging / "zip", target.with_name(f"{target.name}.zip"))
        try:
            os.rename(unpacked, target)
        except OSError:
            if not target.is_dir():
                raise
        _sync_one(target.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _sync(folder: Path) -> None:
    """What lies under the folder is on disk when this returns: acknowledged code survives a power cut."""
    paths = [folder, *(path for path in folder.rglob("*") if not path.is_symlink())]
    if len(paths) > MANY_FILES:
        os.sync()
        return
    for path in paths:
        _sync_one(path)


def _sync_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _extract(package: bytes, target: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            entries = archive.infolist()
            if not entries:
                raise model.empty_zip()
            if len(entries) > model.MAX_ZIP_ENTRIES:
                raise model.bad_zip()
            if sum(entry.file_size for entry in entries) > model.MAX_UNZIPPED:
                raise model.unzipped_too_large()
            links = [entry for entry in entries if stat.S_ISLNK(entry.external_attr >> 16)]
            budget = model.MAX_UNZIPPED
            for entry in entries:
                if not stat.S_ISLNK(entry.external_attr >> 16):
                    budget = _extract_entry(archive, entry, target, budget)
            # Links come last, so that no entry can be written through one.
            for entry in links:
                _extract_link(archive, entry, target)
    except _BAD as error:
        raise model.bad_zip() from error
    except OSError as error:
        if error.errno not in _BAD_NAMES:
            raise
        raise model.bad_zip() from error


def _inside(target: Path, name: str) -> Path:
    """Where an entry goes. A name that leads out of the package makes the whole package bad."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or "\x00" in name or ":" in parts[0]:
        raise model.bad_zip()
    return target.joinpath(*[part for part in parts if part not in ("", ".")])


def _extract_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, budget: int) -> int:
    """Write one file or folder; what is left of the budget. The sizes in a zip's directory may lie."""
    path = _inside(target, entry.filename)
    if entry.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return budget
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = (entry.external_attr >> 16) & 0o777
    with archive.open(entry) as source, open(path, "wb") as file:
        while piece := source.read(_CHUNK):
            budget -= len(piece)
            if budget < 0:
                raise model.unzipped_too_large()
            file.write(piece)
    # Workers run under the user's own account, which must be able to read what it owns.
    path.chmod(mode | 0o444 if mode else 0o644)
    return budget


def _extract_link(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    """A link that stays inside the package is kept, e.g. the versions of a shared library."""
    path = _inside(target, entry.filename)
    if entry.file_size > 4096:
        raise model.bad_zip()
    aim = archive.read(entry).decode()
    resolved = (path.parent / aim).resolve()
    if os.path.isabs(aim) or not resolved.is_relative_to(target.resolve()):
        raise model.bad_zip()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(aim)


async def on_sweep_timer(node: Node, tx: Transaction, id: tuple[Any, ...]) -> None:
    sha = id[0]
    if await storage.code_is_free(tx, sha, node.clock.now()):
        await node.tasks.enqueue(tx, storage.SWEEP_TASK, sha.encode())


async def on_sweep_task(node: Node, task: Task) -> None:
    """Remove code unless somebody has come to need it since."""
    sha = task.payload.decode()

    async def body(tx: Transaction) -> bool:
        free = await storage.code_is_free(tx, sha, node.clock.now())
        if free:
            await storage.forget_code(tx, sha)
        return free

    if not await node.store.transact(body):
        return
    folder = storage.code_path(node.data, sha)
    doomed = folder.with_name(f".{sha}.gone")
    # Renamed in the same turn as the answer of the store: whoever holds the code later doesn't find it half gone.
    if folder.is_dir() and not doomed.exists():
        os.rename(folder, doomed)
    storage.zip_path(node.data, sha).unlink(missing_ok=True)
    await asyncio.to_thread(shutil.rmtree, doomed, ignore_errors=True)


def clean(data: Path) -> None:
    """At the start: remove what a node left half unpacked or half removed when it was killed."""
    folder = storage.code_path(data, "")
    if folder.is_dir():
        for left in folder.glob(".*"):
            shutil.rmtree(left, ignore_errors=True)


def location(node: Node, sha: str) -> str:
    """Where GetFunction says that the package can be fetched."""
    return f"{node.url}{_PREFIX}{sha}"


class CodeEdge:
    """Serves packages to whoever has their name, which GetFunction gives."""

    paths = (_PREFIX,)

    def __init__(self, node: Node) -> None:
        self._node = node

    def claims(self, host: str, path: str) -> bool:
        return path.startswith(self.paths)

    async def handle(self, request: Request) -> Response:
        sha = request.path[len(_PREFIX) :]
        path = storage.zip_path(self._node.data, sha)
        if len(sha) != 64 or not sha.isalnum() or not path.is_file():
            return Response(404, [("content-type", "text/plain")], b"There is no such package.\n")
        body = await asyncio.to_thread(path.read_bytes)
        return Response(200, [("content-type", "application/zip")], body)
