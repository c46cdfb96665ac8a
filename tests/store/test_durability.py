"""What was acknowledged survives a kill; a full or failing disk harms nobody for longer than it lasts."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloudlet.store import files
from cloudlet.store.interface import StoreError
from cloudlet.store.sqlite import SqliteStore

from .contract import everything, get, put
from .waiting import until

CHILD = [sys.executable, "-m", "tests.store.child"]


@pytest.mark.slow
async def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    acknowledged: dict[int, int] = {}
    for round in range(8):
        child = subprocess.Popen([*CHILD, str(tmp_path), "counters"], stdout=subprocess.PIPE)
        assert child.stdout is not None
        lines = [child.stdout.readline()]
        lines += os.read(child.stdout.fileno(), 1 << random.Random(round).randint(4, 16)).splitlines()
        child.kill()
        child.wait()
        with child.stdout:
            lines += child.stdout.readlines()
        complete = [line for line in lines if len(line.split()) == 2]
        assert complete
        for line in complete[:-1]:  # the last may be cut within its number
            caller, number = map(int, line.split())
            acknowledged[caller] = max(number, acknowledged.get(caller, 0))
        await check_counters(tmp_path, acknowledged)


async def check_counters(directory: Path, acknowledged: dict[int, int]) -> None:
    store = await SqliteStore.open(directory)
    pairs = dict(await everything(store))
    await store.close()
    counts = {n: int(pairs.get(b"caller %d" % n, b"0")) for n in range(8)}
    assert all(counts[n] >= number for n, number in acknowledged.items()), "acknowledged and lost"
    assert int(pairs[b"sum"]) == sum(counts.values()), "half a transaction"
    logs = {key for key in pairs if key.startswith(b"log")}
    assert logs == {
        b"log %d %d" % (n, number)
        for n, count in counts.items()
        for number in range(1, count + 1)
        if number % 7 != 6 or number == count
    }


async def test_a_power_cut_loses_nothing_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk has what the log was when the last sync that has ended began; nothing later can be relied upon."""
    on_disk = b""

    def sync_file(fd: int) -> None:
        nonlocal on_disk
        content = os.pread(fd, os.fstat(fd).st_size, 0)
        on_disk = content

    store = await SqliteStore.open(tmp_path / "data")
    database = (tmp_path / "data" / "store.sqlite").read_bytes()
    monkeypatch.setattr(files, "sync_file", sync_file)
    acknowledged: set[bytes] = set()
    cuts: list[tuple[bytes, set[bytes]]] = []

    async def caller(n: int) -> None:
        for turn in range(20):
            key = b"%d/%d" % (n, turn)
            await put(store, (key, b"x" * 100))
            acknowledged.add(key)
            if turn % 5 == n:
                cuts.append((on_disk, set(acknowledged)))

    await asyncio.gather(*map(caller, range(5)))
    await store.close()
    for number, (log, acked) in enumerate(cuts):
        left = tmp_path / f"cut{number}"
        left.mkdir()
        (left / "store.sqlite").write_bytes(database)
        (left / "store.sqlite-wal").write_bytes(log)
        again = await SqliteStore.open(left)
        assert acked <= {key for key, _ in await everything(again)}
        await again.close()
    assert len(cuts) == 20


@pytest.mark.slow
@pytest.mark.parametrize("limit", [150_000, 400_000])
def test_full_disk(tmp_path: Path, limit: int) -> None:
    child = subprocess.run(
        [*CHILD, str(tmp_path), "full", str(limit)], capture_output=True, text=True, timeout=60
    )
    assert child.returncode == 0, child.stderr
    kept, lost, *texts = child.stdout.splitlines()
    assert int(kept) > 0
    assert int(lost) == 40
    assert texts
    assert all(text.startswith("the disk did not take the transaction") for text in texts), texts


class Disk:
    """Stands for `files.sync_file`: fails as often as it is told to."""

    def __init__(self) -> None:
        self.failures = 0
        self.syncs = 0

    def sync_file(self, fd: int) -> None:
        self.syncs += 1
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.fixture
async def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[SqliteStore, Disk]]:
    store, disk = await SqliteStore.open(tmp_path), Disk()
    monkeypatch.setattr(files, "sync_file", disk.sync_file)
    yield store, disk
    await store.close()


async def test_a_failed_sync_acknowledges_nothing(failing: tuple[SqliteStore, Disk]) -> None:
    store, disk = failing
    await put(store, (b"a", b"0"))
    disk.failures = 2
    results = await asyncio.gather(
        *(put(store, (b"a%d" % n, b"1")) for n in range(4)), return_exceptions=True
    )
    assert [str(error) for error in results] == ["the disk failed: [Errno 5] Input/output error"] * 4
    with pytest.raises(StoreError, match="the disk failed"):
        await get(store, b"a1")


async def test_a_failed_sync_fails_those_that_built_on_it(failing: tuple[SqliteStore, Disk]) -> None:
    store, disk = failing
    disk.failures = 1
    first = asyncio.ensure_future(put(store, (b"a", b"1")))
    while store._flight is None:
        await asyncio.sleep(0)
    second = asyncio.ensure_future(put(store, (b"b", b"1")))
    reader = asyncio.ensure_future(get(store, b"a"))
    for task in (first, second, reader):
        with pytest.raises(StoreError, match="the disk failed"):
            await task


async def test_usable_again_once_the_log_is_written_anew(failing: tuple[SqliteStore, Disk]) -> None:
    store, disk = failing
    await put(store, (b"a", b"0"))
    disk.failures = 3
    with pytest.raises(StoreError):
        await put(store, (b"b", b"1"))
    while disk.failures:
        with pytest.raises(StoreError):
            await get(store, b"a")
        await asyncio.sleep(0)
    await until(lambda: not store._barred or store._refusal() is None)
    assert await get(store, b"a") == b"0"
    await put(store, (b"c", b"1"))
    assert await get(store, b"c") == b"1"
