"""Keys of Translate.

("translate", "terminology", account, region, name)    a terminology as JSON: what it is, and its rows of terms
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from ...store.interface import Transaction
from ...store.keys import Subspace

Record = dict[str, Any]
_space = Subspace("translate")


class Place(NamedTuple):
    account: str
    region: str


async def put_terminology(tx: Transaction, place: Place, record: Record) -> None:
    await tx.put(_space.pack("terminology", *place, record["Name"]), orjson.dumps(record))


async def terminology(tx: Transaction, place: Place, name: str) -> Record | None:
    found: Record | None = await tx.load(_space.pack("terminology", *place, name), orjson.loads)
    return found


async def terminologies(tx: Transaction, place: Place) -> list[Record]:
    found = await tx.range(*_space.range("terminology", *place))
    return [orjson.loads(value) for _, value in found]


async def delete_terminology(tx: Transaction, place: Place, name: str) -> None:
    await tx.delete(_space.pack("terminology", *place, name))
