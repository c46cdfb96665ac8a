"""Keys of STS.

("sts", "credentials", access key)    the credentials as JSON: whose they are, secret, token, expiry
"""

from __future__ import annotations

from typing import Any

import orjson

from ...store.interface import Transaction
from ...store.keys import Subspace

_space = Subspace("sts")


async def put_credentials(tx: Transaction, record: dict[str, Any]) -> None:
    await tx.put(_space.pack("credentials", record["access_key"]), orjson.dumps(record))


async def credentials(tx: Transaction, access_key: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = await tx.load(_space.pack("credentials", access_key), orjson.loads)
    return found


async def delete_credentials(tx: Transaction, access_key: str) -> None:
    await tx.delete(_space.pack("credentials", access_key))
