"""Where EC2's records lie.

    ("region", account, region)             -> nothing: the region has had its default VPC
    (kind, account, region, id)             -> record: as Describe shows it; members that it doesn't show are lower case

Kinds are those of `model.KINDS`. Tags are a member of their record; the rules of a security group are its `rules`.
"""

from __future__ import annotations

from typing import Any

import orjson

from ...context import Context
from ...names import random_id
from ...store.interface import Transaction
from ...store.keys import Subspace
from . import model

_space = Subspace("ec2")
_HEX = "0123456789abcdef"

Record = dict[str, Any]


def new_id(start: str) -> str:
    return f"{start}-{random_id(17, _HEX)}"


class Network:
    """The records of an account in a region, within a transaction."""

    def __init__(self, ctx: Context, tx: Transaction) -> None:
        self.tx = tx
        self.account = ctx.account
        self.region = ctx.region
        self.now = ctx.clock.now()

    async def has_defaults(self) -> bool:
        return await self.tx.get(_space.pack("region", self.account, self.region)) is not None

    async def defaults_made(self) -> None:
        await self.tx.put(_space.pack("region", self.account, self.region), b"")

    async def find(self, kind: str, id: str) -> Record | None:
        value = await self.tx.get(_space.pack(kind, self.account, self.region, id))
        return None if value is None else orjson.loads(value)

    async def get(self, kind: str, id: str) -> Record:
        """Raises what EC2 says of an id that nothing has."""
        record = await self.find(kind, id)
        if record is None:
            raise model.not_found(kind, id)
        return record

    async def all(self, kind: str, **wanted: Any) -> list[Record]:
        """The records of a kind whose members are as wanted."""
        pairs = await self.tx.range(*_space.range(kind, self.account, self.region))
        records = [orjson.loads(value) for _, value in pairs]
        return [r for r in records if all(r.get(name) == value for name, value in wanted.items())]

    async def put(self, kind: str, id: str, record: Record) -> None:
        await self.tx.put(_space.pack(kind, self.account, self.region, id), orjson.dumps(record))

    async def delete(self, kind: str, id: str) -> None:
        await self.tx.delete(_space.pack(kind, self.account, self.region, id))
