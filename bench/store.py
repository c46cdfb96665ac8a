"""The store by itself: durable transactions and reads, beside SQLite without us and the disk without SQLite."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import uvloop

from bench.table import Figure, show
from cloudlet.store.interface import Transaction
from cloudlet.store.sqlite import SqliteStore

KEYS = 20_000
VALUE = os.urandom(200)
CALLERS = 64


def figures(folder: Path, seconds: float) -> list[Figure]:
    syncs = _rate(seconds, _syncer(folder / "plain"))
    raw_one = _rate(seconds, _raw_writer(folder / "raw1", 1))
    raw_many = _rate(seconds, _raw_writer(folder / "raw64", CALLERS)) * CALLERS
    raw_reads = _rate(seconds, _raw_reader(folder / "raw64")) * 100
    one, many, mixed, reads = uvloop.run(_measure(folder / "store", seconds))
    disk = f"fdatasync {syncs:,.0f}/s"
    return [
        Figure("store: durable puts, 1 caller", one, "/s", 1_500, False, f"{disk}, raw SQLite {raw_one:,.0f}/s"),
        Figure(
            "store: durable puts, 64 callers", many, "/s", 20_000, False,
            f"raw SQLite, 64 puts a commit, {raw_many:,.0f}/s",
        ),
        Figure("store: 1 get and 3 puts, 64 callers", mixed, "/s", 10_000, False, disk),
        Figure("store: a point read", 1e6 / reads, "µs", 8, True, f"raw SQLite {1e6 / raw_reads:.2f} µs"),
    ]  # fmt: skip


async def _measure(folder: Path, seconds: float) -> tuple[float, float, float, float]:
    store = await SqliteStore.open(folder)

    async def fill(tx: Transaction) -> None:
        for n in range(KEYS):
            await tx.put(_key(n), VALUE)

    async def put(tx: Transaction) -> None:
        await tx.put(_key(random.randrange(KEYS)), VALUE)

    async def get_and_put(tx: Transaction) -> None:
        n = random.randrange(KEYS - 3)
        await tx.get(_key(n))
        for i in range(3):
            await tx.put(_key(n + i), VALUE)

    await store.transact(fill)
    one = await _load(seconds, 1, lambda: store.transact(put))
    many = await _load(seconds, CALLERS, lambda: store.transact(put))
    mixed = await _load(seconds, CALLERS, lambda: store.transact(get_and_put))
    reads = await _load(seconds, 1, lambda: store.read(lambda tx: tx.get(_key(random.randrange(KEYS)))))
    await store.close()
    return one, many, mixed, reads


async def _load(seconds: float, callers: int, call: Callable[[], object]) -> float:
    until = time.perf_counter() + seconds
    counts = [0] * callers

    async def caller(n: int) -> None:
        while time.perf_counter() < until:
            await call()  # type: ignore[misc]
            counts[n] += 1

    began = time.perf_counter()
    await asyncio.gather(*map(caller, range(callers)))
    return sum(counts) / (time.perf_counter() - began)


def _rate(seconds: float, step: Callable[[], None]) -> float:
    count, began = 0, time.perf_counter()
    while time.perf_counter() < began + seconds / 2:
        step()
        count += 1
    return count / (time.perf_counter() - began)


def _syncer(path: Path) -> Callable[[], None]:
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.pwrite(fd, b"x" * 4096 * 1024, 0)

    def step() -> None:
        os.pwrite(fd, VALUE, random.randrange(1024) * 4096)
        os.fdatasync(fd)

    return step


def _raw_writer(path: Path, puts: int) -> Callable[[], None]:
    db = _raw(path)
    execute = db.cursor().execute
    log = os.open(f"{path}-wal", os.O_RDWR)

    def step() -> None:
        execute("BEGIN IMMEDIATE")
        for _ in range(puts):
            execute("REPLACE INTO kv VALUES (?, ?)", (_key(random.randrange(KEYS)), VALUE))
        execute("COMMIT")
        os.fdatasync(log)

    return step


def _raw_reader(path: Path) -> Callable[[], None]:
    db = apsw.Connection(str(path))
    execute = db.cursor().execute
    execute("BEGIN")

    def step() -> None:
        for _ in range(100):
            execute("SELECT v FROM kv WHERE k = ?", (_key(random.randrange(KEYS)),)).fetchone()

    return step


def _raw(path: Path) -> apsw.Connection:
    db = apsw.Connection(str(path))
    db.pragma("journal_mode", "wal")
    db.pragma("synchronous", "normal")
    db.execute("CREATE TABLE kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) STRICT, WITHOUT ROWID")
    with db:
        db.executemany("INSERT INTO kv VALUES (?, ?)", ((_key(n), VALUE) for n in range(KEYS)))
    return db


def _key(n: int) -> bytes:
    return b"bench/%016x" % (n * 0x9E3779B97F4A7C15 % (1 << 64))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="cloudlet-bench-", dir=".") as folder:
        show(figures(Path(folder), 2.0))
