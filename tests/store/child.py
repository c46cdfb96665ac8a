"""A process that writes to a store and says on its standard output what was acknowledged. Killed or starved by tests.

child.py DIRECTORY counters      transactions of several callers, each acknowledged as one line `caller number`
child.py DIRECTORY full BYTES    writes until the file size limit, then once more without it
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from pathlib import Path

from cloudlet.store import sqlite
from cloudlet.store.interface import StoreError, Transaction
from cloudlet.store.sqlite import SqliteStore


async def counters(store: SqliteStore) -> None:
    """Each caller counts in its own key, and in a common one; both are written in one transaction."""

    async def caller(me: int) -> None:
        async def body(tx: Transaction) -> int:
            number = int(await tx.get(b"caller %d" % me) or b"0") + 1
            await tx.put(b"caller %d" % me, b"%d" % number)
            await tx.put(b"sum", b"%d" % (int(await tx.get(b"sum") or b"0") + 1))
            await tx.put(b"log %d %d" % (me, number), os.urandom(200))
            if number % 7 == 0:
                await tx.delete(b"log %d %d" % (me, number - 1))
            return number

        while True:
            number = await store.transact(body)
            os.write(1, b"%d %d\n" % (me, number))

    await asyncio.gather(*map(caller, range(8)))


async def full(store: SqliteStore, limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    async def put(n: int) -> str:
        try:
            await store.transact(lambda tx: tx.put(b"n%06d" % n, b"x" * 500))
        except StoreError as error:
            return str(error)
        return ""

    kept: list[int] = []
    lost: list[int] = []
    texts: set[str] = set()
    for turn in range(10_000):
        numbers = [turn * 4 + i for i in range(4)]
        errors = await asyncio.gather(*map(put, numbers))
        assert all(errors) or not any(errors), "a group stands and falls together"
        (lost if errors[0] else kept).extend(numbers)
        texts.update(filter(None, errors))
        if len(lost) == 40:
            break
    assert await there(store) == kept, "readable while the disk is full"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for n in lost:
        assert await put(n) == "", "usable when there is room again"
    assert await there(store) == kept + lost
    await store.close()
    print(len(kept), len(lost), *texts, sep="\n")


async def there(store: SqliteStore) -> list[int]:
    return [int(key[1:]) for key, _ in await store.read(lambda tx: tx.range(b"n", b"o"))]


async def main() -> None:
    sqlite.CHECKPOINT_PAGES = 200  # so that kills also meet checkpoints
    store = await SqliteStore.open(Path(sys.argv[1]))
    if sys.argv[2] == "counters":
        await counters(store)
    else:
        await full(store, int(sys.argv[3]))


if __name__ == "__main__":
    asyncio.run(main())
