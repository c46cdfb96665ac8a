"""Where caches and what belongs to them lie.

    ("record", account, region, kind, name)   -> a cache ("serverless", "cluster", "group"), "user", "usergroup",
                                                 "subnetgroup", "parametergroup", "snapshot", "serverlesssnapshot"
    ("server", uid)                           -> a Valkey server that a cache is made of
    ("port", number)                          -> uid of the server that has the port, for as long as it lives
    ("event", account, region, ms, stamp)     -> what DescribeEvents tells

A server's record says all that its process is started with; the fleet holds the processes to the records. `revision`
grows with each change that a running server has to take over, `settled` is the one it goes by.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from ...store.interface import Transaction
from ...store.keys import Subspace
from . import model

Record = dict[str, Any]

_space = Subspace("elasticache")
_record = _space.sub("record")
_server = _space.sub("server")
_port = _space.sub("port")
_event = _space.sub("event")

SERVERS = _server.prefix
"""What the fleet watches."""
BUS = 10_000
"""The distance between a server's port and that of its cluster bus, Valkey's own custom."""
EVENT_MS = 14 * 86_400_000
"""Events are kept for 14 days."""
DAILY_TIMER = "elasticache.daily"
SNAPSHOT_TASK = "elasticache.snapshot"


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


# --- records


def key(name: Name) -> bytes:
    return _record.pack(*name)


async def find(tx: Transaction, name: Name) -> Record | None:
    return await _get(tx, key(name))


async def need(tx: Transaction, name: Name) -> Record:
    """The record, or the error that says that there is none."""
    found = await find(tx, name)
    if found is None:
        raise model.not_found(name.kind, name.name)
    return found


async def add(tx: Transaction, name: Name, record: Record) -> None:
    """A new record, or the error that says that there is one."""
    if await tx.get(key(name)) is not None:
        raise model.exists(name.kind, name.name)
    await put(tx, name, record)


async def put(tx: Transaction, name: Name, record: Record) -> None:
    await tx.put(key(name), orjson.dumps(record))


async def delete(tx: Transaction, name: Name) -> None:
    await tx.delete(key(name))


async def every(tx: Transaction, account: str, region: str, kind: str) -> list[Record]:
    return await _records(tx, *_record.range(account, region, kind))


async def files(tx: Transaction) -> set[str]:
    """The files of all snapshots."""
    return {file for record in await _records(tx, *_record.range()) for file in record.get("files", ())}


# --- servers


async def server(tx: Transaction, uid: str) -> Record | None:
    return await _get(tx, _server.pack(uid))


async def servers(tx: Transaction) -> list[Record]:
    return await _records(tx, *_server.range())


async def servers_of(tx: Transaction, cache: Record) -> list[Record]:
    found = [await server(tx, uid) for uid in cache["servers"]]
    return [record for record in found if record is not None]


async def add_server(tx: Transaction, record: Record) -> None:
    """A new server, with the port that its record names."""
    port = _port.pack(record["port"])
    if await tx.get(port) is not None:
        raise PortTaken
    await tx.put(port, record["uid"].encode())
    await put_server(tx, record)


async def put_server(tx: Transaction, record: Record) -> None:
    await tx.put(_server.pack(record["uid"]), orjson.dumps(record))


async def delete_server(tx: Transaction, record: Record) -> None:
    await tx.delete(_server.pack(record["uid"]))
    await tx.delete(_port.pack(record["port"]))


async def move_server(tx: Transaction, record: Record, port: int) -> None:
    """Give a server another port."""
    await tx.delete(_port.pack(record["port"]))
    bus = port + BUS if record["bus"] else 0
    await add_server(tx, record | {"port": port, "bus": bus, "revision": record["revision"] + 1})


async def ports(tx: Transaction) -> set[int]:
    return {_port.unpack(key)[0] for key, _ in await tx.range(*_port.range())}


# --- events


async def add_event(tx: Transaction, about: Name, now: int, message: str) -> None:
    begin = _event.pack(about.account, about.region)
    await tx.delete_range(begin, _event.pack(about.account, about.region, now - EVENT_MS))
    record = {"kind": about.kind, "name": about.name, "at": now, "message": message}
    await tx.put(_event.pack(about.account, about.region, now, tx.stamp()), orjson.dumps(record))


async def events(tx: Transaction, account: str, region: str, begin: int, end: int) -> list[Record]:
    return await _records(tx, _event.pack(account, region, begin), _event.pack(account, region, end))
