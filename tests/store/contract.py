"""What every engine of the store must do. An engine's test module subclasses `Contract` and gives the `store` fixture.

`programs` and `run_program` are for comparing two engines: random transactions, some of which fail, run on both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from hypothesis import strategies as st

from cloudlet.store.interface import MAX_KEY, Store, StoreError, Transaction


async def put(store: Store, *pairs: tuple[bytes, bytes]) -> None:
    async def body(tx: Transaction) -> None:
        for key, value in pairs:
            await tx.put(key, value)

    await store.transact(body)


async def get(store: Store, key: bytes) -> bytes | None:
    return await store.read(lambda tx: tx.get(key))


async def everything(store: Store) -> list[tuple[bytes, bytes]]:
    return await store.read(lambda tx: tx.range(b"", b"\xff" * 8))


class Contract:
    async def test_what_is_put_is_there(self, store: Store) -> None:
        await put(store, (b"a", b"1"), (b"b", b""), (b"\x00\xff", b"\x00" * 10))
        assert await get(store, b"a") == b"1"
        assert await get(store, b"b") == b""
        assert await get(store, b"\x00\xff") == b"\x00" * 10
        assert await get(store, b"c") is None
        await put(store, (b"a", b"2"))
        assert await get(store, b"a") == b"2"

    async def test_deleting(self, store: Store) -> None:
        await put(store, (b"a", b"1"))
        await store.transact(lambda tx: tx.delete(b"a"))
        await store.transact(lambda tx: tx.delete(b"never there"))
        assert await everything(store) == []

    async def test_range(self, store: Store) -> None:
        pairs = [(bytes([n]), b"%d" % n) for n in range(10)]
        await put(store, *reversed(pairs))

        async def body(tx: Transaction) -> None:
            assert await tx.range(b"\x02", b"\x05") == pairs[2:5]
            assert await tx.range(b"\x02", b"\x05", reverse=True) == pairs[4:1:-1]
            assert await tx.range(b"\x02", b"\xff", limit=3) == pairs[2:5]
            assert await tx.range(b"\x02", b"\xff", limit=3, reverse=True) == pairs[:6:-1]
            assert await tx.range(b"\x05", b"\x05") == []
            assert await tx.range(b"\x06", b"\x05") == []

        await store.read(body)

    async def test_delete_range(self, store: Store) -> None:
        pairs = [(bytes([n]), b"%d" % n) for n in range(10)]
        await put(store, *pairs)
        await store.transact(lambda tx: tx.delete_range(b"\x02", b"\x05"))
        assert await everything(store) == pairs[:2] + pairs[5:]

    async def test_a_body_sees_its_own_writes(self, store: Store) -> None:
        await put(store, (b"a", b"1"), (b"b", b"1"), (b"c", b"1"))

        async def body(tx: Transaction) -> Any:
            await tx.put(b"a", b"2")
            await tx.delete(b"b")
            await tx.put(b"d", b"2")
            await tx.delete_range(b"c", b"d")
            return await tx.get(b"a"), await tx.get(b"b"), await tx.range(b"a", b"z")

        assert await store.transact(body) == (b"2", None, [(b"a", b"2"), (b"d", b"2")])

    async def test_a_body_that_raises_leaves_nothing(self, store: Store) -> None:
        await put(store, (b"a", b"1"), (b"b", b"1"))

        async def body(tx: Transaction) -> None:
            await tx.put(b"a", b"2")
            await tx.delete_range(b"b", b"c")
            await tx.claim(b"a", b"b", 1)
            raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            await store.transact(body)
        assert await everything(store) == [(b"a", b"1"), (b"b", b"1")]

    async def test_a_body_that_raises_before_it_has_begun(self, store: Store) -> None:
        """As `lambda tx: read(tx, name(request))` does where there is no such name."""

        def body(tx: Transaction) -> Awaitable[None]:
            raise LookupError("mine")

        for start in (store.transact, store.read):
            with pytest.raises(LookupError, match="mine"):
                await start(body)
        await put(store, (b"a", b"1"))
        assert await everything(store) == [(b"a", b"1")]

    async def test_one_that_raises_takes_no_neighbour_with_it(self, store: Store) -> None:
        async def body(tx: Transaction, n: int) -> int:
            old = int(await tx.get(b"sum") or b"0")
            await tx.put(b"sum", b"%d" % (old + n))
            await tx.put(b"k%d" % n, b"")
            if n % 3 == 0:
                raise LookupError(n)
            return n

        async def one(n: int) -> int:
            return await store.transact(lambda tx: body(tx, n))

        results = await asyncio.gather(*map(one, range(30)), return_exceptions=True)
        good = [n for n in range(30) if n % 3]
        assert [n for n in results if isinstance(n, int)] == good
        assert await get(store, b"sum") == b"%d" % sum(good)
        assert sorted(key for key, _ in await everything(store)) == sorted(
            [*(b"k%d" % n for n in good), b"sum"]
        )

    async def test_a_body_must_not_wait(self, store: Store) -> None:
        async def body(tx: Transaction) -> None:
            await tx.put(b"a", b"1")
            await asyncio.sleep(0)

        with pytest.raises(RuntimeError, match="await nothing but"):
            await store.transact(body)
        with pytest.raises(RuntimeError, match="await nothing but"):
            await store.read(lambda tx: asyncio.sleep(0))
        assert await everything(store) == []

    async def test_a_body_must_not_start_another(self, store: Store) -> None:
        async def body(tx: Transaction) -> None:
            await tx.put(b"a", b"1")
            await put(store, (b"b", b"1"))

        with pytest.raises(RuntimeError, match="another transaction"):
            await store.transact(body)
        assert await everything(store) == []

    async def test_read_does_not_write(self, store: Store) -> None:
        for write in (
            lambda tx: tx.put(b"a", b"1"),
            lambda tx: tx.delete(b"a"),
            lambda tx: tx.delete_range(b"a", b"b"),
        ):
            await put(store, (b"a", b"0"))
            with pytest.raises(TypeError, match="read body"):
                await store.read(write)
        with pytest.raises(TypeError, match="read body"):
            await store.read(lambda tx: tx.claim(b"a", b"b", 1))
        assert await everything(store) == [(b"a", b"0")]

    async def test_only_bytes_and_not_too_many(self, store: Store) -> None:
        with pytest.raises(TypeError):
            await put(store, (b"a", "text"))  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="too large"):
            await put(store, (b"a" * (MAX_KEY + 1), b""))
        await put(store, (b"a" * MAX_KEY, b"x" * 1_000_000))
        assert await get(store, b"a" * MAX_KEY) == b"x" * 1_000_000

    async def test_claim(self, store: Store) -> None:
        await put(store, *((b"q%02d" % n, b"") for n in range(20)), (b"r", b""))

        async def one(limit: int) -> list[bytes]:
            return [key for key, _ in await store.transact(lambda tx: tx.claim(b"q", b"r", limit))]

        assert await one(0) == []
        claimed = await asyncio.gather(*(one(3) for _ in range(8)))
        assert [key for keys in claimed for key in keys] == [b"q%02d" % n for n in range(20)]
        assert await everything(store) == [(b"r", b"")]

    async def test_load(self, store: Store) -> None:
        async def load(tx: Transaction) -> int | None:
            return await tx.load(b"a", int)

        assert await store.read(load) is None
        await put(store, (b"a", b"1"))
        assert await store.read(load) == 1
        assert await store.read(load) == 1
        await put(store, (b"a", b"2"))
        assert await store.read(load) == 2
        await store.transact(lambda tx: tx.delete_range(b"a", b"b"))
        assert await store.read(load) is None
        await put(store, (b"a", b"3"))
        assert await store.read(load) == 3
        await store.transact(lambda tx: tx.claim(b"a", b"b", 1))
        assert await store.read(load) is None

    @pytest.mark.parametrize("looks", [False, True])
    async def test_load_does_not_remember_what_was_rolled_back(self, store: Store, looks: bool) -> None:
        await put(store, (b"a", b"1"))
        assert await store.read(lambda tx: tx.load(b"a", int)) == 1

        async def body(tx: Transaction) -> None:
            await tx.put(b"a", b"2")
            if looks:
                assert await tx.range(b"a", b"b") == [(b"a", b"2")]
            assert await tx.load(b"a", int) == 2
            raise LookupError

        with pytest.raises(LookupError):
            await store.transact(body)
        assert await store.read(lambda tx: tx.load(b"a", int)) == 1

    async def test_stamps_rise(self, store: Store) -> None:
        stamps: list[bytes] = []

        async def body(tx: Transaction) -> None:
            stamps.extend([tx.stamp(), tx.stamp()])

        async def fails(tx: Transaction) -> None:
            stamps.append(tx.stamp())
            raise LookupError

        for _ in range(50):
            await store.transact(body)
            with pytest.raises(LookupError):
                await store.transact(fails)
        assert all(len(stamp) == 10 for stamp in stamps)
        assert stamps == sorted(set(stamps))

    async def test_watch(self, store: Store) -> None:
        watch = store.watch(b"ab")
        waiter = asyncio.ensure_future(watch.wait())
        await put(store, (b"a", b""), (b"b", b""), (b"aa", b""))
        await asyncio.sleep(0)
        assert not waiter.done()
        await put(store, (b"abc", b""))
        await asyncio.wait_for(waiter, 5)
        await put(store, (b"ab", b""))  # while nobody waits
        await asyncio.wait_for(watch.wait(), 5)
        waiter = asyncio.ensure_future(watch.wait())
        await store.transact(lambda tx: tx.delete(b"abc"))
        await asyncio.wait_for(waiter, 5)
        await store.transact(lambda tx: tx.delete_range(b"a", b"b"))
        await asyncio.wait_for(watch.wait(), 5)
        watch.close()

    async def test_a_watcher_finds_what_woke_it(self, store: Store) -> None:
        watch = store.watch(b"n")
        found: list[bytes | None] = []

        async def follow() -> None:
            while found[-1:] != [b"99"]:
                await watch.wait()
                found.append(await get(store, b"n"))

        follower = asyncio.ensure_future(follow())
        for n in range(100):
            await put(store, (b"n", b"%d" % n))
        await asyncio.wait_for(follower, 5)
        watch.close()

    async def test_closed(self, store: Store) -> None:
        await put(store, (b"a", b"1"))
        await store.close()
        with pytest.raises(StoreError, match="closed"):
            await get(store, b"a")
        with pytest.raises(StoreError, match="closed"):
            await put(store, (b"a", b"1"))


keys = st.binary(max_size=2) | st.sampled_from([b"a", b"b", b"a\x00", b"\xff", b"\xff\xff"])
steps = st.one_of(
    st.tuples(st.just("put"), keys, st.binary(max_size=3)),
    st.tuples(st.just("get"), keys),
    st.tuples(st.just("load"), keys),
    st.tuples(st.just("delete"), keys),
    st.tuples(st.just("delete_range"), keys, keys),
    st.tuples(st.just("range"), keys, keys, st.integers(0, 3), st.booleans()),
    st.tuples(st.just("claim"), keys, keys, st.integers(0, 3)),
)
bodies = st.tuples(st.lists(steps, max_size=6), st.sampled_from(["keep", "keep", "read", "raise"]))
programs = st.lists(st.lists(bodies, min_size=1, max_size=4), max_size=8)
"""Turns of bodies that run at once; a body is its steps and how it ends."""


async def run_program(store: Store, program: Any) -> list[Any]:
    """All results in order, and what is in the store at the end."""
    seen: list[Any] = []
    for turn in program:
        seen.append(await asyncio.gather(*(_run_body(store, *body) for body in turn)))
    seen.append(await everything(store))
    return seen


async def _run_body(store: Store, steps: list[Any], ending: str) -> list[Any]:
    results: list[Any] = []

    async def body(tx: Transaction) -> None:
        for name, *args in steps:
            if name == "range":
                begin, end, limit, reverse = args
                results.append(await tx.range(begin, end, limit=limit, reverse=reverse))
            elif name == "load":
                results.append(await tx.load(args[0], bytes.hex))
            else:
                results.append(await getattr(tx, name)(*args))
        if ending == "raise":
            raise LookupError

    try:
        await (store.read(body) if ending == "read" else store.transact(body))
    except (LookupError, TypeError) as error:
        results.append(type(error).__name__)
    return results
