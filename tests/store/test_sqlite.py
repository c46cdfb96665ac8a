"""The SQLite engine: the contract, the same results as the model's, and what only a file can do."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from cloudlet.errors import UserError
from cloudlet.store import sqlite
from cloudlet.store.interface import StoreError, Transaction
from cloudlet.store.sqlite import SqliteStore

from .contract import Contract, everything, get, put


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path / "data")
    yield store
    await store.close()


class TestSqliteStore(Contract):
    pass


class TestRelaxedSqliteStore(Contract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[SqliteStore]:
        store = await SqliteStore.open(tmp_path / "data", durability="relaxed")
        yield store
        await store.close()


async def test_stamps_rise_across_lives(tmp_path: Path) -> None:
    stamps = []

    async def body(tx: Transaction) -> None:
        stamps.append(tx.stamp())

    for _ in range(3):
        store = await SqliteStore.open(tmp_path)
        await store.transact(body)
        await store.transact(body)
        await store.close()
    assert stamps == sorted(set(stamps))


async def test_directory_and_files_are_private(store: SqliteStore, tmp_path: Path) -> None:
    await put(store, (b"a", b"1"))
    data = tmp_path / "data"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()} == dict.fromkeys(
        ["lock", "store.sqlite", "store.sqlite-wal", "store.sqlite-shm"], 0o600
    )


async def test_a_directory_in_use_is_refused_with_the_pid(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"in use by another node \(pid {os.getpid()}\)"):
        await SqliteStore.open(tmp_path / "data")
    await put(store, (b"a", b"1"))


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    await (await SqliteStore.open(tmp_path)).close()
    db = apsw.Connection(str(tmp_path / "store.sqlite"))
    db.pragma("user_version", 99)
    db.close()
    with pytest.raises(UserError, match=r"made by a newer Cloudlet \(schema 99, this one knows 1\)"):
        await SqliteStore.open(tmp_path)


@pytest.mark.parametrize("foreign", ["text", "database"])
async def test_a_file_that_is_not_ours_is_refused_and_left_alone(tmp_path: Path, foreign: str) -> None:
    path = tmp_path / "store.sqlite"
    if foreign == "text":
        path.write_text("Dear diary, this is no database at all." * 20)
    else:
        db = apsw.Connection(str(path))
        db.execute("CREATE TABLE mine (x)")
        db.close()
    with pytest.raises(UserError, match="not a database of Cloudlet"):
        await SqliteStore.open(tmp_path)
    if foreign == "text":
        assert path.read_text().startswith("Dear diary")
    else:
        db = apsw.Connection(str(path))
        assert db.table_exists("main", "mine")
        db.close()


async def test_a_place_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"file/data can't be used: .*Not a directory"):
        await SqliteStore.open(tmp_path / "file" / "data")


async def test_others_may_read_the_file_meanwhile(store: SqliteStore, tmp_path: Path) -> None:
    await put(store, (b"a", b"1"))
    db = apsw.Connection(str(tmp_path / "data" / "store.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    assert db.execute("SELECT k, v FROM kv").fetchall() == [(b"a", b"1")]
    db.close()


async def test_the_wal_stays_small_under_load(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 32)
    monkeypatch.setattr(store, "_checkpoint_at", 32)

    async def writer(n: int) -> None:
        for turn in range(100):
            await put(store, (b"%d/%d" % (n, turn), b"x" * 3000))

    await asyncio.gather(*map(writer, range(8)))
    wal = (tmp_path / "data" / "store.sqlite-wal").stat().st_size
    assert wal < 6_000_000, "without checkpoints it has 23 MB"
    assert len(await everything(store)) == 800


async def test_another_programs_long_read_stops_nobody(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_checkpoint_at", 16)
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 16)
    await put(store, (b"a", b"1"))
    db = apsw.Connection(str(tmp_path / "data" / "store.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    db.execute("BEGIN")
    assert len(db.execute("SELECT k, v FROM kv").fetchall()) == 1
    for n in range(200):
        await put(store, (b"%d" % n, b"x" * 3000))
    assert len(db.execute("SELECT k, v FROM kv").fetchall()) == 1
    db.close()
    assert len(await everything(store)) == 201


async def test_a_read_of_what_is_not_on_disk_yet_waits(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[Any] = []
    monkeypatch.setattr(store._disk, "call", lambda job, done: held.append(done))
    await_put = asyncio.ensure_future(put(store, (b"a", b"1"), (b"b", b"2")))
    await asyncio.sleep(0)
    reads = {
        "get": lambda tx: tx.get(b"a"),
        "load": lambda tx: tx.load(b"b", int),
        "range": lambda tx: tx.range(b"a", b"c"),
    }
    waiting = [asyncio.ensure_future(store.read(body)) for body in reads.values()]

    async def fails(tx: Transaction) -> None:
        raise LookupError(await tx.get(b"a"))

    failing = asyncio.ensure_future(store.transact(fails))
    assert await get(store, b"c") is None, "it saw nothing that is being written"
    assert await store.read(lambda tx: tx.range(b"b\x00", b"c")) == []
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(task.done() for task in [await_put, failing, *waiting])
    held.pop()(None, None)
    await await_put
    assert [await task for task in waiting] == [b"1", 2, [(b"a", b"1"), (b"b", b"2")]]
    with pytest.raises(LookupError):
        await failing


async def test_a_cancelled_caller_harms_no_other(store: SqliteStore) -> None:
    first = asyncio.ensure_future(put(store, (b"a", b"1")))
    second = asyncio.ensure_future(put(store, (b"b", b"1")))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert first.cancelled()
    assert await get(store, b"b") == b"1"


async def test_a_transaction_is_of_no_use_after_its_end(store: SqliteStore) -> None:
    kept: list[Transaction] = []

    async def keep(tx: Transaction) -> None:
        kept.append(tx)

    await store.transact(keep)
    for late in (kept[0].put(b"a", b"1"), kept[0].delete(b"a")):
        with pytest.raises(RuntimeError, match="has ended"):
            await late
    assert await everything(store) == []


async def test_a_database_that_fails_under_a_write_takes_its_group_with_it(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a body writes at its end can't be taken back alone."""
    await put(store, (b"a", b"1"))
    assert await store.read(lambda tx: tx.load(b"a", int)) == 1
    execute = store._writer._execute

    def failing(sql: str, values: Any = ()) -> Any:
        if values == (b"c", b"2"):
            raise apsw.IOError("broken")
        return execute(sql, values)

    monkeypatch.setattr(store._writer, "_execute", failing)
    asked = [put(store, (b"a", b"2")), put(store, (b"b", b"2"), (b"c", b"2")), put(store, (b"d", b"2"))]
    refused = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(one, StoreError) for one in refused] == [True, True, False]
    assert await store.read(lambda tx: tx.load(b"a", int)) == 1
    assert await everything(store) == [(b"a", b"1"), (b"d", b"2")]


async def test_who_comes_while_a_group_forms_joins_it(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each commit costs as much as some writes, so that it waits for a turn of the loop that brings nothing."""
    groups: list[int] = []
    finish = store._finish
    monkeypatch.setattr(store, "_finish", lambda group: (groups.append(len(group.waiters)), finish(group)))
    asked = []
    for n in range(5):
        asked.append(asyncio.ensure_future(put(store, (b"%d" % n, b""))))
        await asyncio.sleep(0)
    await asyncio.gather(*asked)
    assert groups == [5]
