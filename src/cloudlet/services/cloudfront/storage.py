"""Where CloudFront's records lie. The service is global: no region is part of a key.

("distribution", account, id)             -> distribution: config, etag, times, tags
("reference", noun, account, reference)   -> the id that a caller reference made
("alias", name)                           -> the id of the distribution that has it
("record", noun, account, id)             -> a policy, an access control or an access identity
("invalidation", account, id, id)         -> an invalidation of a distribution
"""

from __future__ import annotations

from typing import Any

import orjson

from ...store.interface import Transaction
from ...store.keys import Subspace, successor

_space = Subspace("cloudfront")
_distribution = _space.sub("distribution")
_reference = _space.sub("reference")
_alias = _space.sub("alias")
_record = _space.sub("record")
_invalidation = _space.sub("invalidation")

Record = dict[str, Any]
DISTRIBUTION = "distribution"


def _load(value: bytes) -> Record:
    record: Record = orjson.loads(value)
    return record


# --- distributions ------------------------------------------------------------


async def distribution(tx: Transaction, account: str, id: str) -> Record | None:
    raw = await tx.get(_distribution.pack(account, id))
    return _load(raw) if raw is not None else None


async def distributions(tx: Transaction, account: str, after: str = "", limit: int = 0) -> list[Record]:
    begin, end = _distribution.range(account)
    if after:
        begin = successor(_distribution.pack(account, after))
    return [_load(value) for _, value in await tx.range(begin, end, limit=limit)]


async def every_distribution(tx: Transaction) -> list[Record]:
    """Of all accounts."""
    return [_load(value) for _, value in await tx.range(*_distribution.range())]


async def put_distribution(tx: Transaction, record: Record) -> None:
    await tx.put(_distribution.pack(record["account"], record["id"]), orjson.dumps(record))


async def delete_distribution(tx: Transaction, record: Record) -> None:
    account, id = record["account"], record["id"]
    await tx.delete(_distribution.pack(account, id))
    await tx.delete(_reference.pack(DISTRIBUTION, account, record["config"]["CallerReference"]))
    await tx.delete_range(*_invalidation.range(account, id))


async def alias(tx: Transaction, name: str) -> str | None:
    """The id of the distribution that has the name."""
    raw = await tx.get(_alias.pack(name))
    return raw.decode() if raw is not None else None


async def put_alias(tx: Transaction, name: str, id: str) -> None:
    await tx.put(_alias.pack(name), id.encode())


async def delete_alias(tx: Transaction, name: str) -> None:
    await tx.delete(_alias.pack(name))


# --- caller references ------------------------------------------------------------


async def referred(tx: Transaction, noun: str, account: str, reference: str) -> str | None:
    raw = await tx.get(_reference.pack(noun, account, reference))
    return raw.decode() if raw is not None else None


async def put_reference(tx: Transaction, noun: str, account: str, reference: str, id: str) -> None:
    await tx.put(_reference.pack(noun, account, reference), id.encode())


async def delete_reference(tx: Transaction, noun: str, account: str, reference: str) -> None:
    await tx.delete(_reference.pack(noun, account, reference))


# --- policies, access controls, access identities ------------------------------------------------------------


async def record(tx: Transaction, noun: str, account: str, id: str) -> Record | None:
    raw = await tx.get(_record.pack(noun, account, id))
    return _load(raw) if raw is not None else None


async def records(tx: Transaction, noun: str, account: str) -> list[Record]:
    return [_load(value) for _, value in await tx.range(*_record.range(noun, account))]


async def every_record(tx: Transaction, noun: str) -> list[Record]:
    """Of all accounts."""
    return [_load(value) for _, value in await tx.range(*_record.range(noun))]


async def put_record(tx: Transaction, noun: str, record: Record) -> None:
    await tx.put(_record.pack(noun, record["account"], record["id"]), orjson.dumps(record))


async def delete_record(tx: Transaction, noun: str, account: str, id: str) -> None:
    await tx.delete(_record.pack(noun, account, id))


# --- invalidations ------------------------------------------------------------


async def invalidation(tx: Transaction, account: str, distribution: str, id: str) -> Record | None:
    raw = await tx.get(_invalidation.pack(account, distribution, id))
    return _load(raw) if raw is not None else None


async def invalidations(tx: Transaction, account: str, distribution: str) -> list[Record]:
    return [_load(value) for _, value in await tx.range(*_invalidation.range(account, distribution))]


async def put_invalidation(tx: Transaction, account: str, distribution: str, record: Record) -> None:
    await tx.put(_invalidation.pack(account, distribution, record["id"]), orjson.dumps(record))
