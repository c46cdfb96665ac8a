"""Bodies of objects: taken in, kept, given out, swept.

    <data>/s3/uploads/<random>         a body on its way in; what a dead node left is removed at the start
    <data>/s3/objects/<2 hex>/<sha256> bodies of more than 64 KB, named by content; smaller ones lie in the store

A file is complete and on disk before a transaction refers to it. From its rename until that transaction is through it
is *pinned*. Whoever drops a reference leaves a task, which unlinks the file if nothing refers to it or pins it; an
upload of the same content that comes between the look and the unlinking touches the name, and the sweep leaves it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeGuard

from ...context import Context, Node
from ...store.interface import Task, Transaction
from . import checksums, model, storage

PIECE = 128 * 1024
"""What is held of a body on its way in or out: a thousand slow clients hold a thousand times as much."""


class Payload(Protocol):
    """A request's body, as the protocol hands it over."""

    length: int | None
    sha256: str
    trailer: str
    trailers: dict[str, str]

    def pieces(self) -> AsyncIterator[bytes]: ...
    def whole(self) -> bytes | None: ...


def is_payload(body: Any) -> TypeGuard[Payload]:
    """Cheaper than a protocol that is checked at run time."""
    return hasattr(body, "pieces")


@dataclass(slots=True)
class Wanted:
    """What a body has to be like, and which checksums are to be made of it."""

    sums: dict[str, str] = field(default_factory=dict)
    """Expected, "" if not known."""
    md5: str = ""
    limit: int = model.MAX_PUT
    default: str = checksums.DEFAULT
    measured: bool = True
    """Whether somebody has to have said how long it is."""


@dataclass(slots=True)
class Taken:
    size: int
    md5: str
    sha256: str
    sums: dict[str, str]
    inline: bytes | None = None
    """The body, if it is small; else there is a pinned file."""


class _Intake:
    """Hashes and, once it is more than a little, writes; called in a thread when it is much."""

    def __init__(self, folder: Path, wanted: Wanted) -> None:
        self.size = 0
        self._folder = folder
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha = hashlib.sha256()
        self._sums = {name: checksums.new(name) for name in wanted.sums or (wanted.default,)}
        self._small: bytes | None = b""
        self._fd = -1
        self._path = Path()

    def add(self, data: bytes) -> None:
        self.size += len(data)
        self._md5.update(data)
        self._sha.update(data)
        for one in self._sums.values():
            one.update(data)
        if self._small is not None and len(self._small) + len(data) <= model.INLINE:
            self._small += data
            return
        if self._fd < 0:
            self._path = self._folder / os.urandom(12).hex()
            self._fd = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        if self._small:
            data = self._small + data
        self._small = None
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]

    def taken(self) -> Taken:
        sums = {name: checksums.text(one) for name, one in self._sums.items()}
        return Taken(self.size, self._md5.hexdigest(), self._sha.hexdigest(), sums, self._small)

    def settle(self, target: Path) -> None:
        """Put the file on disk under its name."""
        os.fdatasync(self._fd)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(self._path, target)
        os.close(self._fd)
        self._fd = -1
        for folder in (target.parent, target.parent.parent):
            fd = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    def drop(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._path.unlink(missing_ok=True)
            self._fd = -1


class Contents:
    """S3's runtime."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._folder = node.data / "s3" / "objects"
        self._uploads = node.data / "s3" / "uploads"
        self._pins: Counter[str] = Counter()
        self._sweeping: set[str] = set()
        self._cleaning: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._uploads.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for left in self._uploads.iterdir():
            left.unlink()
        self._cleaning = asyncio.create_task(self._clean())

    async def stop(self) -> None:
        if self._cleaning is not None:
            self._cleaning.cancel()
            await asyncio.wait([self._cleaning])

    def path(self, sha: str) -> Path:
        return self._folder / sha[:2] / sha

    # --- in ------------------------------------------------------------

    async def take(self, body: Any, wanted: Wanted) -> Taken:
        """Read a body to its end and put it on disk. Follow with `let_go`, whatever becomes of it."""
        intake = _Intake(self._uploads, wanted)
        settled = False
        try:
            if is_payload(body):
                await self._read(body, intake, wanted)
            else:
                await _add(intake, bytes(body or b""))
            taken = intake.taken()
            _check(taken, body, wanted)
            if taken.inline is None:
                self.pin(taken.sha256)
                try:
                    await _finished(intake.settle, self.path(taken.sha256))
                    settled = True
                finally:
                    if not settled:
                        self._unpin(taken.sha256)
            return taken
        finally:
            if not settled:
                intake.drop()

    async def _read(self, body: Payload, intake: _Intake, wanted: Wanted) -> None:
        if body.length is not None and body.length > wanted.limit:
            raise _too_large(body.length, wanted.limit)
        whole = body.whole()
        if whole is not None:
            await _add(intake, whole)
        else:
            if body.length is None and wanted.measured:
                raise model.error("MissingContentLength")
            held: list[bytes] = []
            size = 0
            async for piece in body.pieces():
                held.append(piece)
                size += len(piece)
                if size >= PIECE:
                    await _finished(intake.add, b"".join(held))
                    held, size = [], 0
                    if intake.size > wanted.limit:
                        raise _too_large(intake.size, wanted.limit)
            await _add(intake, b"".join(held))
        if body.length is not None and intake.size != body.length:
            raise model.error("IncompleteBody")

    def pin(self, sha: str) -> None:
        self._pins[sha] += 1
        self._sweeping.discard(sha)

    def _unpin(self, sha: str) -> None:
        self._pins[sha] -= 1
        if self._pins[sha] <= 0:
            del self._pins[sha]

    async def let_go(self, taken: Taken, *, kept: bool) -> None:
        """The transaction is through; `kept` says whether it refers to the body."""
        if taken.inline is None:
            self._unpin(taken.sha256)
            if not kept:
                await self._node.store.transact(
                    lambda tx: storage.sweep_later(tx, self._node.tasks, taken.sha256)
                )

    # --- out ------------------------------------------------------------

    def open(self, sha: str) -> File:
        """The file, which stays readable if it is swept. Raises FileNotFoundError if it has been."""
        return File(self.path(sha))

    # --- sweeping ------------------------------------------------------------

    async def sweep(self, task: Task) -> None:
        await self.sweep_one(task.payload.decode())

    async def sweep_one(self, sha: str) -> None:
        self._sweeping.add(sha)
        if await self._node.store.read(lambda tx: storage.is_referred(tx, sha)):
            self._sweeping.discard(sha)
        elif sha in self._sweeping:
            self._sweeping.discard(sha)
            if sha not in self._pins:
                self.path(sha).unlink(missing_ok=True)

    async def _clean(self) -> None:
        """Sweep what a node left that died between the rename and the transaction."""
        for folder in await asyncio.to_thread(_listed, self._folder):
            for file in await asyncio.to_thread(_listed, folder):
                if file.name not in self._pins:
                    await self.sweep_one(file.name)


def take_small(body: Any, wanted: Wanted) -> Taken | None:
    """A body that is here already and is to lie in the store, in one go. Its SHA-256 is nobody's name there, so it is
    made only where one was signed."""
    streams = is_payload(body)
    data = body.whole() if streams else bytes(body or b"")
    if data is None or len(data) > model.INLINE:
        return None
    if streams and body.length not in (None, len(data)):
        raise model.error("IncompleteBody")
    sums = {name: checksums.of(name, data) for name in wanted.sums or (wanted.default,)}
    sha = hashlib.sha256(data).hexdigest() if streams and body.sha256 else ""
    taken = Taken(len(data), hashlib.md5(data, usedforsecurity=False).hexdigest(), sha, sums, data)
    _check(taken, body, wanted)
    return taken


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def _finished(work: Callable[..., None], *arguments: Any) -> None:
    """Work in a thread; who is cancelled meanwhile waits for its end: it writes to a file that would be closed."""
    thread = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        raise


async def _add(intake: _Intake, data: bytes) -> None:
    if len(data) <= model.INLINE and intake.size == 0:
        intake.add(data)
    elif data:
        await _finished(intake.add, data)


def _too_large(size: int, limit: int) -> Exception:
    return model.error("EntityTooLarge", ProposedSize=size, MaxSizeAllowed=limit)


def _check(taken: Taken, body: Any, wanted: Wanted) -> None:
    expected = wanted.sums
    if is_payload(body):
        if body.sha256 and body.sha256 != taken.sha256:
            raise model.error(
                "XAmzContentSHA256Mismatch",
                ClientComputedContentSHA256=body.sha256,
                S3ComputedContentSHA256=taken.sha256,
            )
        if body.trailer and body.trailer not in body.trailers:
            raise model.error("MalformedTrailerError")
        if body.trailers:
            expected = expected | _trailing(body.trailers, expected)
    if wanted.md5 and wanted.md5 != taken.md5:
        raise checksums.wrong_digest(wanted.md5, taken.md5)
    for algorithm, value in expected.items():
        if value and value != taken.sums[algorithm]:
            raise checksums.mismatch(algorithm)


def _trailing(trailers: dict[str, str], expected: dict[str, str]) -> dict[str, str]:
    named = {name.removeprefix("x-amz-checksum-").upper(): value for name, value in trailers.items()}
    return {name: checksums.checked(name, value) for name, value in named.items() if name in expected}


class File:
    """Closed when the last who uses it lets it go: a thread may still be reading when its reader has gone."""

    __slots__ = ("fd",)

    def __init__(self, path: Path) -> None:
        self.fd = -1
        self.fd = os.open(path, os.O_RDONLY)

    def read(self, size: int, at: int) -> bytes:
        return os.pread(self.fd, size, at)

    def __del__(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)


@dataclass(slots=True)
class Slice:
    """A part of one segment: of a file, or of the bytes themselves."""

    source: File | bytes
    begin: int
    end: int


async def pieces(slices: list[Slice]) -> AsyncIterator[bytes]:
    for one in slices:
        if isinstance(one.source, bytes):
            yield one.source[one.begin : one.end]
            continue
        at = one.begin
        while at < one.end:
            data = await asyncio.to_thread(one.source.read, min(PIECE, one.end - at), at)
            if not data:
                raise OSError("a file of S3 is shorter than its object")
            at += len(data)
            yield data


def of(ctx: Context) -> Contents:
    contents: Contents = ctx.node.runtimes["s3"]
    return contents


async def keep(tx: Transaction, taken: Taken, spare: str = "") -> dict[str, Any]:
    """A segment that refers to what was taken; `spare` is one in the store that nobody needs any more."""
    return await storage.new_segment(tx, taken.size, taken.sha256, taken.inline, spare)
