"""New servers for a cache: their records, and ports that are free on this machine; and their changes and ends."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ...context import Context
from ...store.interface import Transaction
from . import access, binary, model, ports, storage
from .process import DATABASES
from .storage import Name, Record

T = TypeVar("T")
ADDRESS = "localhost"
SLOTS = 16384


def check_program() -> None:
    if binary.find() is None:
        raise model.no_server()


def new_server(owner: Name, **settings: Any) -> Record:
    """A server's record, but for its port."""
    return {
        "uid": secrets.token_hex(8),
        "owner": list(owner),
        "state": "creating",
        "revision": 1,
        "settled": 0,
        "starts": 0,
        "cluster": False,
        "slots": [0, SLOTS - 1],
        "peers": [],
        "tls": "off",
        "memory": 0,
        "settings": {},
        "databases": DATABASES,
        "users": access.open_to_all(),
        "restore": "",
        "final": [],
        **settings,
    }


def endpoint(server: Record) -> dict[str, Any]:
    return {"Address": ADDRESS, "Port": server["port"]}


async def transact(
    ctx: Context,
    servers: list[Record],
    body: Callable[[Transaction, list[Record]], Awaitable[T]],
    *,
    first: int | None = None,
) -> T:
    """Run `body` with the servers' records completed by ports, and add them in the same transaction."""
    while True:
        taken = await ctx.store.read(storage.ports)
        complete = []
        for server in servers:
            port = next(ports.free(ctx.node.config, taken, server["cluster"], first), None)
            if port is None:
                raise model.no_port()
            taken.add(port)
            complete.append(server | {"port": port, "bus": port + storage.BUS if server["cluster"] else 0})
        for server in complete:
            server["peers"] = peers(server, complete)

        async def attempt(tx: Transaction, complete: list[Record] = complete) -> T:
            result = await body(tx, complete)
            for server in complete:
                await storage.add_server(tx, server)
            return result

        try:
            return await ctx.store.transact(attempt)
        except storage.PortTaken:
            continue


def peers(server: Record, servers: list[Record]) -> list[Record]:
    """What one server of a cluster is told of the others."""
    others = [other for other in servers if other["uid"] != server["uid"]]
    return [{name: other[name] for name in ("uid", "port", "bus", "slots")} for other in others]


async def change(tx: Transaction, cache: Record, **settings: Any) -> None:
    """Have all servers of a cache take over other settings. There may be data in a server's last database."""
    for server in await storage.servers_of(tx, cache):
        most = max(server.get("databases", 0), settings.get("databases", DATABASES))
        changes = {**settings, "databases": most, "revision": server["revision"] + 1}
        await storage.put_server(tx, server | changes)


async def delete(tx: Transaction, cache: Record, final: list[str]) -> None:
    """Have all servers of a cache end, each after its part of a final snapshot; the last one takes the cache along."""
    for server in await storage.servers_of(tx, cache):
        changes = {"state": "deleting", "final": final, "revision": server["revision"] + 1}
        await storage.put_server(tx, server | changes)
