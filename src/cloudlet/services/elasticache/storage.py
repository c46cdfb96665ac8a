"""Where caches lie.

    ("cache", account, region, kind, name)     -> a cache: "serverless", "cluster" or "group"
    ("server", uid)                            -> a Valkey server that a cache is made of
    ("port", number)                           -> uid of the server that has the port, for as long as it lives
    ("snapshot", account, region, kind, name)  -> a snapshot: "serverless" or "node"; its data are a file
    ("event", account, region, ms, stamp)      -> what DescribeEvents tells

A server's record says all that its process is started with; the fleet holds the processes to the records. `revision`
grows with each change that a running server has to take over.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from ...store.interface import Transaction
from ...store.keys import Subspace
from . import model

Record = dict[str, Any]

SPACE = Subspace("elasticache")
_caches = SPACE.sub("cache")
SERVERS = SPACE.sub("server")
_ports = SPACE.sub("port")
_snapshots = SPACE.sub("snapshot")
_events = SPACE.sub("event")

EVENT_MS = 14 * 86_400_000
"""Events are kept for 14 days."""

BUS = 10_000
"""The distance between a server's port and that of its cluster bus, Valkey's own custom."""


class PortTaken(Exception):
    """Somebody else's server got the port in the meantime; choose another."""


class Name(NamedTuple):
    account: str
    region: str
    kind: str
    name: str


async def _get(tx: Transaction, key: bytes) -> Record | None:
    value = await tx.get(key)
    return orjson.loads(value) if value is not None else None


async def _records(tx: Transaction, begin: bytes, end: bytes) -> list[Record]:
    return [orjson.loads(value) for _, value in await tx.range(begin, end)]


# --- caches


def cache_key(name: Name) -> bytes:
    return _caches.pack(*name)


async def find(tx: Transaction, name: Name) -> Record | None:
    return await _get(tx, cache_key(name))


async def cache(tx: Transaction, name: Name) -> Record:
    """The cache, or the error that says that there is none."""
    found = await find(tx, name)
    if found is None:
        raise model.not_found(name.kind, name.name)
    return found


async def put_cache(tx: Transaction, name: Name, record: Record) -> None:
    await tx.put(cache_key(name), orjson.dumps(record))


async def delete_cache(tx: Transaction, name: Name) -> None:
    await tx.delete(cache_key(name))


async def caches(tx: Transaction, account: str, region: str, kind: str) -> list[Record]:
    return await _records(tx, *_caches.range(account, region, kind))


# --- servers


def decode_server(value: bytes) -> Record:
    record: Record = orjson.loads(value)
    return record


async def server(tx: Transaction, uid: str) -> Record | None:
    return await _get(tx, SERVERS.pack(uid))


async def servers(tx: Transaction) -> list[Record]:
    return await _records(tx, *SERVERS.range())


async def add_server(tx: Transaction, record: Record) -> None:
    """A new server, with the port that its record names."""
    key = _ports.pack(record["port"])
    if await tx.get(key) is not None:
        raise PortTaken
    await tx.put(key, record["uid"].encode())
    await put_server(tx, record)


async def put_server(tx: Transaction, record: Record) -> None:
    await tx.put(SERVERS.pack(record["uid"]), orjson.dumps(record))


async def delete_server(tx: Transaction, record: Record) -> None:
    await tx.delete(SERVERS.pack(record["uid"]))
    await tx.delete(_ports.pack(record["port"]))


async def move_server(tx: Transaction, record: Record, port: int) -> None:
    """Give a server another port."""
    await tx.delete(_ports.pack(record["port"]))
    await add_server(tx, record | {"port": port, "revision": record["revision"] + 1})


async def ports(tx: Transaction) -> set[int]:
    return {_ports.unpack(key)[0] for key, _ in await tx.range(*_ports.range())}


# --- snapshots


async def find_snapshot(tx: Transaction, name: Name) -> Record | None:
    return await _get(tx, _snapshots.pack(*name))


async def put_snapshot(tx: Transaction, name: Name, record: Record) -> None:
    await tx.put(_snapshots.pack(*name), orjson.dumps(record))


async def delete_snapshot(tx: Transaction, name: Name) -> None:
    await tx.delete(_snapshots.pack(*name))


async def snapshots(tx: Transaction, account: str, region: str, kind: str) -> list[Record]:
    return await _records(tx, *_snapshots.range(account, region, kind))


# --- events


async def add_event(tx: Transaction, about: Name, now: int, message: str) -> None:
    begin = _events.pack(about.account, about.region)
    await tx.delete_range(begin, _events.pack(about.account, about.region, now - EVENT_MS))
    record = {"kind": about.kind, "name": about.name, "at": now, "message": message}
    await tx.put(_events.pack(about.account, about.region, now, tx.stamp()), orjson.dumps(record))


async def events(tx: Transaction, account: str, region: str, begin: int, end: int) -> list[Record]:
    return await _records(tx, _events.pack(account, region, begin), _events.pack(account, region, end))
