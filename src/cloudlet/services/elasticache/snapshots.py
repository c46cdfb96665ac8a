"""Snapshots: Valkey's own dumps, kept as files beside the caches' folders."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...context import Node
from ...store.interface import Transaction
from . import storage
from .storage import Name

if TYPE_CHECKING:
    from .keeper import Keeper

SAVE_STEP = 0.02
MANIFEST = "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"


def place(data: Path, uid: str) -> Path:
    return data / "elasticache" / "snapshots" / f"{uid}.rdb"


async def take(node: Node, keeper: Keeper, uid: str) -> int:
    """Write a server's data to the file of a snapshot; its size. Raises what a server that is down or full gives."""
    before = await _saves(keeper)
    await keeper.ask(("BGSAVE",))
    while (now := await _saves(keeper))[0] == before[0] or now[1] != "0":
        await node.clock.sleep(SAVE_STEP)
        if now[2] != "ok" and now[1] == "0":
            raise ConnectionError("the server could not write its data")
    target = place(node.data, uid)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.replace(keeper.folder / "dump.rdb", target)
    return target.stat().st_size


async def _saves(keeper: Keeper) -> tuple[str, str, str]:
    """How often it saved, whether it is at it, how it went."""
    (text,) = await keeper.ask(("INFO", "persistence"))
    facts: dict[str, Any] = dict(line.split(":", 1) for line in str(text).split("\r\n") if ":" in line)
    return facts["rdb_saves"], facts["rdb_bgsave_in_progress"], facts["rdb_last_bgsave_status"]


async def finish(node: Node, final: list[str], keeper: Keeper) -> None:
    """Take a snapshot that has been written down as being created."""
    name = Name(*final)

    async def uid_of(tx: Transaction) -> str:
        record = await storage.find_snapshot(tx, name)
        return record["uid"] if record is not None else ""

    uid = await node.store.read(uid_of)
    if not uid:
        return
    size = await take(node, keeper, uid)

    async def body(tx: Transaction) -> None:
        record = await storage.find_snapshot(tx, name)
        if record is not None:
            await storage.put_snapshot(tx, name, record | {"status": "available", "size": size})

    await node.store.transact(body)


def lay_out(data: Path, uid: str, folder: Path) -> None:
    """Make a snapshot the data of a server that has none: the base of its append-only file."""
    target = folder / "appendonlydir"
    if target.exists():
        return
    making = folder / "appendonlydir.new"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700, parents=True)
    shutil.copyfile(place(data, uid), making / "appendonly.aof.1.base.rdb")
    (making / "appendonly.aof.1.incr.aof").touch(mode=0o600)
    (making / "appendonly.aof.manifest").write_text(MANIFEST)
    os.replace(making, target)
