"""New servers for a cache: their records, and ports that are free on this machine."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from ...context import Context
from ...store.interface import Transaction
from . import binary, model, ports, storage
from .storage import Name, Record

ADDRESS = "localhost"
OPEN_USER = f"default on nopass ~* &* +@all {model.RESTRICTED}"
"""The user of a cache without access control."""


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
        "cluster": False,
        "tls": "off",
        "memory": 0,
        "settings": {},
        "users": [OPEN_USER],
        "restore": "",
        "final": [],
        **settings,
    }


async def transact(
    ctx: Context,
    servers: list[Record],
    body: Callable[[Transaction, list[Record]], Awaitable[None]],
    *,
    first: int = ports.FIRST,
) -> None:
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

        async def attempt(tx: Transaction, complete: list[Record] = complete) -> None:
            await body(tx, complete)
            for server in complete:
                await storage.add_server(tx, server)

        try:
            await ctx.store.transact(attempt)
        except storage.PortTaken:
            continue
        return


async def change(tx: Transaction, cache: Record, **settings: Any) -> None:
    """Have all servers of a cache take over other settings."""
    for uid in cache["servers"]:
        server = await storage.server(tx, uid)
        if server is not None:
            await storage.put_server(tx, server | settings | {"revision": server["revision"] + 1})


async def delete(tx: Transaction, cache: Record, final: list[str]) -> None:
    """Have all servers of a cache end; the last one takes the cache along."""
    for uid in cache["servers"]:
        server = await storage.server(tx, uid)
        if server is not None:
            changes = {"state": "deleting", "final": final, "revision": server["revision"] + 1}
            await storage.put_server(tx, server | changes)
