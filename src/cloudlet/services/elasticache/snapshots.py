"""Snapshots: Valkey's own dumps, kept as files beside the caches' folders, one for each server of the cache.

A snapshot's record is written first, with the names of its files; then each server writes its own. The files are never
changed, so a copy is another name for them.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from ...context import Node
from ...store.interface import StoreError, Task, Transaction
from . import model, resp, storage
from .storage import Name, Record

if TYPE_CHECKING:
    from .keeper import Keeper

SAVE_STEP = 0.02
ATTEMPTS = 5
BUSY = "snapshotting"
"""The status of clusters and groups meanwhile; serverless caches have no such."""
MANIFEST = "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"


def folder(data: Path) -> Path:
    return data / "elasticache" / "snapshots"


def place(data: Path, file: str) -> Path:
    return folder(data) / f"{file}.rdb"


def new(name: Name, source: Name, cache: Record, now: float, **more: Any) -> Record:
    """A snapshot that is to be taken of a cache; `source` may be a member of a group, which is the `owner` then."""
    facts = {key: value for key, value in cache.items() if key not in ("servers", "tags", "digests")}
    return {
        "name": name.name,
        "status": "creating",
        "type": "manual",
        "created": now,
        "source": list(source),
        "owner": list(source),
        "facts": facts,
        "from": cache["servers"],
        "files": [secrets.token_hex(8) for _ in cache["servers"]],
        "done": [],
        "size": 0,
        "expires": None,
        "key": None,
        "tags": {},
        **more,
    }


async def order(tx: Transaction, node: Node, name: Name, snapshot: Record) -> None:
    """Write a snapshot down, and have it taken."""
    kept = await storage.every(tx, name.account, name.region, name.kind)
    if len(kept) >= model.MAX_SNAPSHOTS:
        code = (
            "SnapshotQuotaExceededFault"
            if name.kind == "snapshot"
            else "ServerlessCacheSnapshotQuotaExceededFault"
        )
        raise model.too_many(name.kind, code, model.MAX_SNAPSHOTS)
    await storage.add(tx, name, snapshot)
    if name.kind == "snapshot":
        owner = Name(*snapshot["owner"])
        cache = await storage.need(tx, owner)
        await storage.put(tx, owner, cache | {"status": BUSY})
    await node.tasks.enqueue(tx, storage.SNAPSHOT_TASK, orjson.dumps(list(name)))


async def on_task(node: Node, task: Task) -> None:
    """Take the snapshot that a task means; a server that is down makes the task come again."""
    name = Name(*orjson.loads(task.payload))
    snapshot = await node.store.read(lambda tx: storage.find(tx, name))
    if snapshot is None:
        return
    try:
        for uid in snapshot["from"]:
            keeper: Keeper | None = node.runtimes["elasticache"].keeper(uid)
            if keeper is None:
                await mark(node, name, "failed")
                return
            await part(node, name, keeper)
    except (OSError, resp.RespError, TimeoutError) as error:
        if task.attempt < ATTEMPTS:
            raise
        node.log.warning("the snapshot %s was not taken: %s", name.name, error)
        await mark(node, name, "failed")
    await expire(node, name)


async def expire(node: Node, name: Name) -> None:
    """Delete the automatic snapshots of this kind whose days are over."""

    async def body(tx: Transaction) -> list[str]:
        files = []
        for record in await storage.every(tx, name.account, name.region, name.kind):
            if record["expires"] is not None and record["expires"] <= node.clock.now():
                await storage.delete(tx, name._replace(name=record["name"]))
                files += record["files"]
        return files

    remove(node.data, await node.store.transact(body))


async def part(node: Node, name: Name, keeper: Keeper) -> None:
    """Take one server's part of a snapshot; with the last part it is available."""
    snapshot = await node.store.read(lambda tx: storage.find(tx, name))
    uid = keeper.record["uid"]
    if snapshot is None or uid in snapshot["done"]:
        return
    size = await _save(node, keeper, snapshot["files"][snapshot["from"].index(uid)])

    async def body(tx: Transaction) -> None:
        record = await storage.find(tx, name)
        if record is not None and uid not in record["done"]:
            done = [*record["done"], uid]
            status = "available" if len(done) == len(record["from"]) else record["status"]
            await storage.put(
                tx, name, record | {"done": done, "status": status, "size": record["size"] + size}
            )
            if status == "available":
                await _set_free(tx, record)

    await node.store.transact(body)


async def last(node: Node, name: Name, keeper: Keeper) -> None:
    """The part of a server that is about to be deleted: now or never."""
    try:
        await part(node, name, keeper)
    except (OSError, resp.RespError, TimeoutError, StoreError) as error:
        node.log.warning("the final snapshot %s was not taken: %s", name.name, error)
        with contextlib.suppress(StoreError):
            await mark(node, name, "failed")


async def mark(node: Node, name: Name, status: str) -> None:
    async def body(tx: Transaction) -> None:
        record = await storage.find(tx, name)
        if record is not None:
            await storage.put(tx, name, record | {"status": status})
            await _set_free(tx, record)

    await node.store.transact(body)


async def _set_free(tx: Transaction, snapshot: Record) -> None:
    """The cache may be changed again."""
    owner = Name(*snapshot["owner"])
    cache = await storage.find(tx, owner)
    if cache is not None and cache["status"] == BUSY:
        await storage.put(tx, owner, cache | {"status": "available"})


async def _save(node: Node, keeper: Keeper, file: str) -> int:
    """Have a server write its data out, and keep that; its size."""
    before = await _saves(keeper)
    await keeper.ask(("BGSAVE",))
    while (now := await _saves(keeper)).times == before.times or now.is_busy:
        if now.run != before.run:
            raise ConnectionError("the server was started anew meanwhile")
        await node.clock.sleep(SAVE_STEP)
    if not now.is_well:
        raise ConnectionError("the server could not write its data")
    target = place(node.data, file)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.replace(keeper.folder / "dump.rdb", target)
    return target.stat().st_size


class _Saves(NamedTuple):
    """How often a server began to save since its start, and how the last time went."""

    times: str
    is_busy: bool
    is_well: bool
    run: str


async def _saves(keeper: Keeper) -> _Saves:
    parts = await keeper.ask(("INFO", "persistence"), ("INFO", "server"))
    lines = "".join(str(part) for part in parts).split("\r\n")
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    return _Saves(
        facts["rdb_saves"],
        facts["rdb_bgsave_in_progress"] != "0",
        facts["rdb_last_bgsave_status"] == "ok",
        facts["run_id"],
    )


# --- files


def lay_out(data: Path, file: str, server: Path) -> None:
    """Make a snapshot's file the data of a server that has none: the base of its append-only file."""
    target = server / "appendonlydir"
    if target.exists():
        return
    making = server / "appendonlydir.new"
    shutil.rmtree(making, ignore_errors=True)
    server.mkdir(mode=0o700, parents=True, exist_ok=True)
    making.mkdir(mode=0o700)
    shutil.copyfile(place(data, file), making / "appendonly.aof.1.base.rdb")
    (making / "appendonly.aof.1.incr.aof").touch(mode=0o600)
    (making / "appendonly.aof.manifest").write_text(MANIFEST)
    os.replace(making, target)


def link(data: Path, files: Iterable[str]) -> list[str]:
    """Other names for the same files."""
    made = []
    for file in files:
        made.append(secrets.token_hex(8))
        os.link(place(data, file), place(data, made[-1]))
    return made


def remove(data: Path, files: Iterable[str]) -> None:
    for file in files:
        place(data, file).unlink(missing_ok=True)


def sweep(data: Path, known: set[str]) -> None:
    """Files that no record speaks of are left from a deletion that was broken off."""
    with contextlib.suppress(FileNotFoundError):
        for file in folder(data).iterdir():
            if file.stem not in known:
                file.unlink()
