"""What becomes of a cache when something becomes of its servers: the keepers tell, this writes it down."""

from __future__ import annotations

from ...context import Node
from ...store.interface import Transaction
from . import launch, ports, storage
from .storage import Name, Record

PASSING = ("creating", "modifying", "rebooting cluster nodes")
"""Statuses that end when all servers have settled."""


async def settled(node: Node, record: Record) -> None:
    """A server answers, and goes by this record."""

    async def body(tx: Transaction) -> None:
        server = await storage.server(tx, record["uid"])
        if server is None:
            return
        changes = {"settled": record["revision"]}
        if server["state"] == "creating":
            changes |= {"state": "running", "restore": ""}
        if not changes.items() <= server.items():
            await storage.put_server(tx, server | changes)
        await _settle_owner(tx, node, Name(*server["owner"]))

    await node.store.transact(body)


async def _settle_owner(tx: Transaction, node: Node, name: Name) -> None:
    cache = await storage.find(tx, name)
    if cache is None or cache["status"] not in (*PASSING, FAILED[name.kind]):
        return
    for uid in cache["servers"]:
        server = await storage.server(tx, uid)
        if server is None or server["state"] != "running" or server["settled"] != server["revision"]:
            return
    if cache["status"] in ("creating", FAILED[name.kind]):
        await storage.add_event(tx, name, node.clock.now_ms(), f"{WHAT[name.kind]} created")
    await storage.put(tx, name, cache | {"status": "available"})


FAILED = {"serverless": "create-failed", "cluster": "restore-failed", "group": "create-failed"}
WHAT = {"serverless": "Serverless cache", "cluster": "Cache cluster", "group": "Replication group"}


async def failed(node: Node, record: Record, reason: str) -> None:
    """A server did not start. One that is new and lost its port to somebody gets another; else its cache says so."""
    taken = await node.store.read(storage.ports)
    lost = record["state"] == "creating" and not ports.is_free(node.config, record["port"], record["cluster"])
    port = next(ports.free(node.config, taken, record["cluster"]), None) if lost else None

    async def body(tx: Transaction) -> None:
        server = await storage.server(tx, record["uid"])
        if server is None:
            return
        name = Name(*server["owner"])
        if reason:
            text = f"The server did not start: {reason}"
            await storage.add_event(tx, name, node.clock.now_ms(), text)
        if port is not None:
            await storage.move_server(tx, server, port)
            await _rejoin(tx, name)
        elif server["state"] == "creating":
            await _mark_failed(tx, name)

    try:
        await node.store.transact(body)
    except storage.PortTaken:
        return  # the next attempt looks again


async def _rejoin(tx: Transaction, name: Name) -> None:
    """Tell the shards of a cluster anew where the others are."""
    cache = await storage.find(tx, name)
    servers = await storage.servers_of(tx, cache) if cache is not None else []
    for server in servers:
        peers = launch.peers(server, servers)
        if peers != server["peers"]:
            await storage.put_server(tx, server | {"peers": peers, "revision": server["revision"] + 1})


async def _mark_failed(tx: Transaction, name: Name) -> None:
    cache = await storage.find(tx, name)
    if cache is not None and cache["status"] == "creating":
        await storage.put(tx, name, cache | {"status": FAILED[name.kind]})


async def gone(node: Node, record: Record) -> None:
    """A server that was to be deleted is; with its last server a cache is, too."""

    async def body(tx: Transaction) -> None:
        await storage.delete_server(tx, record)
        name = Name(*record["owner"])
        cache = await storage.find(tx, name)
        if cache is None:
            return
        left = [uid for uid in cache["servers"] if uid != record["uid"]]
        if left or cache["status"] != "deleting":
            await storage.put(tx, name, cache | {"servers": left})
        else:
            await storage.delete(tx, name)
            await storage.add_event(tx, name, node.clock.now_ms(), f"{WHAT[name.kind]} deleted")

    await node.store.transact(body)
