"""Holds the processes to the records: one keeper per server that the store has.

The fleet reads the servers' records when it starts and whenever one is written; it starts a keeper for each that is
new, tells each keeper of its record, and ends those whose record is gone. What a keeper finds out (the server answers,
it took over a change, it is gone) it tells to `lifecycle`, which writes it down.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any, cast

from ...context import Context, Node
from . import binary, process, snapshots, storage
from .keeper import Keeper

LONGEST_SOCKET = 100
"""Of the path of a socket file; the system takes 103 to 107 bytes."""
START_SECONDS = 1.0


class Fleet:
    def __init__(self, node: Node) -> None:
        self.node = node
        self.folder = node.data / "elasticache" / "servers"
        self._keepers: dict[str, Keeper] = {}
        self._watching: asyncio.Task[None] | None = None
        self._short: Path | None = None

    async def start(self) -> None:
        """Every cache is to be there when the node is, but one with much data isn't waited for."""
        program = binary.find()
        if program is None:
            return
        watch = self.node.store.watch(storage.SERVERS)
        records = await self.node.store.read(storage.servers)
        self._sweep({record["uid"] for record in records})
        snapshots.sweep(self.node.data, await self.node.store.read(storage.files))
        self._follow(program, records)
        if self._keepers:
            waits = [asyncio.create_task(keeper.up.wait()) for keeper in self._keepers.values()]
            await asyncio.wait(waits, timeout=START_SECONDS)
            for wait in waits:
                wait.cancel()
        self._watching = asyncio.create_task(self._watch(watch, program))

    async def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        await asyncio.gather(*(keeper.stop() for keeper in self._keepers.values()))
        self._keepers.clear()
        if self._short is not None:
            shutil.rmtree(self._short, ignore_errors=True)

    def keeper(self, uid: str) -> Keeper | None:
        return self._keepers.get(uid)

    async def _watch(self, watch: Any, program: str) -> None:
        try:
            while True:
                await watch.wait()
                self._follow(program, await self.node.store.read(storage.servers))
        finally:
            watch.close()

    def _follow(self, program: str, records: list[storage.Record]) -> None:
        wanted = {record["uid"]: record for record in records}
        for uid, record in wanted.items():
            keeper = self._keepers.get(uid)
            if keeper is None:
                folder = self.folder / uid
                self._keepers[uid] = keeper = Keeper(self.node, program, folder, self._socket(uid), record)
                keeper.begin()
            else:
                keeper.renew(record)
        for uid in self._keepers.keys() - wanted.keys():
            self._keepers.pop(uid).forsake()

    def _socket(self, uid: str) -> Path:
        """Where a server's socket file is reached: by a short way if the folder's path is too long for one."""
        direct = self.folder / uid / "valkey.sock"
        if len(os.fsencode(direct)) <= LONGEST_SOCKET:
            return direct
        if self._short is None:
            self._short = _short_way(self.folder.absolute())
        return self._short / "s" / uid / "valkey.sock"

    def _sweep(self, known: set[str]) -> None:
        """Folders that no record speaks of are left from a deletion that was broken off."""
        with contextlib.suppress(FileNotFoundError):
            for folder in self.folder.iterdir():
                if folder.name not in known:
                    process.remove(folder)


def _short_way(folder: Path) -> Path:
    """A folder with a link `s` to the given one; the same at each start, so a node that was killed often leaves one."""
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    way = Path(tempfile.gettempdir()) / f"cloudlet-{name}"
    try:
        way.mkdir(mode=0o700)
    except FileExistsError:
        found = way.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            way = Path(tempfile.mkdtemp(prefix="cloudlet-"))
    (way / "s").unlink(missing_ok=True)
    (way / "s").symlink_to(folder)
    return way


def of(ctx: Context) -> Fleet:
    return cast(Fleet, ctx.node.runtimes["elasticache"])
