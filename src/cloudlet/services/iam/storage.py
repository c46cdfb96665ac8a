"""Keys of IAM. An entity is a role, a user or a group; names are kept as given and compared without case, as IAM does.

("iam", account, "role" | "user" | "group", name)                    the entity's record
("iam", account, "instance-profile", name)                           an instance profile's record, its roles by name
("iam", account, "alias")                                            the account's alias
("iam", account, "inline", kind, name, policy name)                  an inline policy's document
("iam", account, "attached", kind, name, policy arn)                 a managed policy on an entity: its name
("iam", account, "attachment", policy arn, kind, name)               the same, found from the policy
("iam", account, "policy", name)                                     a customer managed policy's record
("iam", account, "version", policy name, number)                     one version of it: document and date
("iam", account, "key", user, access key)                            an access key's record
("iam", account, "member", user, group)                              a user in a group: the group's name
("iam", account, "members", group, user)                             the same, found from the group: the user's name
("iam owner", access key)                                            account and user of an access key
("iam generation", account)                                          a stamp, new with whatever changes permissions
"""

from __future__ import annotations

from typing import Any

import orjson

from ...store.interface import Transaction
from ...store.keys import Subspace

Record = dict[str, Any]

_space = Subspace("iam")
_owners = Subspace("iam owner")
_generations = Subspace("iam generation")


async def _get(tx: Transaction, key: bytes) -> Record | None:
    value = await tx.get(key)
    return orjson.loads(value) if value is not None else None


async def _records(tx: Transaction, *parts: Any) -> list[Record]:
    return [orjson.loads(value) for _, value in await tx.range(*_space.range(*parts))]


async def generation(tx: Transaction, account: str) -> bytes:
    return await tx.load(_generations.pack(account), bytes) or b""


async def _renew(tx: Transaction, account: str) -> None:
    await tx.put(_generations.pack(account), tx.stamp())


# --- roles, users and groups


async def entity(tx: Transaction, account: str, kind: str, name: str) -> Record | None:
    return await _get(tx, _space.pack(account, kind, name.lower()))


async def put_entity(tx: Transaction, account: str, kind: str, name: str, record: Record) -> None:
    await _renew(tx, account)
    await tx.put(_space.pack(account, kind, name.lower()), orjson.dumps(record))


async def delete_entity(tx: Transaction, account: str, kind: str, name: str) -> None:
    await _renew(tx, account)
    await tx.delete(_space.pack(account, kind, name.lower()))


async def entities(tx: Transaction, account: str, kind: str) -> list[Record]:
    return await _records(tx, account, kind)


async def alias(tx: Transaction, account: str) -> str:
    return (await tx.get(_space.pack(account, "alias")) or b"").decode()


async def put_alias(tx: Transaction, account: str, alias: str) -> None:
    await tx.put(_space.pack(account, "alias"), alias.encode())


async def delete_alias(tx: Transaction, account: str) -> None:
    await tx.delete(_space.pack(account, "alias"))


# --- members of groups


async def join(tx: Transaction, account: str, user: str, group: str) -> None:
    await _renew(tx, account)
    await tx.put(_space.pack(account, "member", user.lower(), group.lower()), group.encode())
    await tx.put(_space.pack(account, "members", group.lower(), user.lower()), user.encode())


async def leave(tx: Transaction, account: str, user: str, group: str) -> None:
    await _renew(tx, account)
    await tx.delete(_space.pack(account, "member", user.lower(), group.lower()))
    await tx.delete(_space.pack(account, "members", group.lower(), user.lower()))


async def groups_of(tx: Transaction, account: str, user: str) -> list[str]:
    return [value.decode() for _, value in await tx.range(*_space.range(account, "member", user.lower()))]


async def members_of(tx: Transaction, account: str, group: str) -> list[str]:
    return [value.decode() for _, value in await tx.range(*_space.range(account, "members", group.lower()))]


# --- inline policies


async def inline(tx: Transaction, account: str, kind: str, name: str, policy: str) -> Record | None:
    return await _get(tx, _space.pack(account, "inline", kind, name.lower(), policy))


async def put_inline(tx: Transaction, account: str, kind: str, name: str, policy: str, document: str) -> None:
    await _renew(tx, account)
    record = {"PolicyName": policy, "PolicyDocument": document}
    await tx.put(_space.pack(account, "inline", kind, name.lower(), policy), orjson.dumps(record))


async def delete_inline(tx: Transaction, account: str, kind: str, name: str, policy: str) -> None:
    await _renew(tx, account)
    await tx.delete(_space.pack(account, "inline", kind, name.lower(), policy))


async def inlines(tx: Transaction, account: str, kind: str, name: str) -> list[Record]:
    return await _records(tx, account, "inline", kind, name.lower())


# --- attached policies


async def attach(tx: Transaction, account: str, kind: str, owner: Record, policy: Record) -> None:
    await _renew(tx, account)
    name = owner[f"{kind.capitalize()}Name"]
    arn = policy["PolicyArn"]
    await tx.put(_space.pack(account, "attached", kind, name.lower(), arn), orjson.dumps(policy))
    about = {"kind": kind, "name": name, "id": owner[f"{kind.capitalize()}Id"]}
    await tx.put(_space.pack(account, "attachment", arn, kind, name.lower()), orjson.dumps(about))


async def detach(tx: Transaction, account: str, kind: str, name: str, arn: str) -> None:
    await _renew(tx, account)
    await tx.delete(_space.pack(account, "attached", kind, name.lower(), arn))
    await tx.delete(_space.pack(account, "attachment", arn, kind, name.lower()))


async def is_attached(tx: Transaction, account: str, kind: str, name: str, arn: str) -> bool:
    return await tx.get(_space.pack(account, "attached", kind, name.lower(), arn)) is not None


async def attached(tx: Transaction, account: str, kind: str, name: str) -> list[Record]:
    return await _records(tx, account, "attached", kind, name.lower())


async def attachments(tx: Transaction, account: str, arn: str) -> list[Record]:
    return await _records(tx, account, "attachment", arn)


# --- managed policies


async def policy(tx: Transaction, account: str, name: str) -> Record | None:
    return await _get(tx, _space.pack(account, "policy", name.lower()))


async def put_policy(tx: Transaction, account: str, record: Record) -> None:
    await _renew(tx, account)
    await tx.put(_space.pack(account, "policy", record["PolicyName"].lower()), orjson.dumps(record))


async def delete_policy(tx: Transaction, account: str, name: str) -> None:
    await _renew(tx, account)
    await tx.delete(_space.pack(account, "policy", name.lower()))
    await tx.delete_range(*_space.range(account, "version", name.lower()))


async def policies(tx: Transaction, account: str) -> list[Record]:
    return await _records(tx, account, "policy")


async def version(tx: Transaction, account: str, name: str, number: int) -> Record | None:
    return await _get(tx, _space.pack(account, "version", name.lower(), number))


async def put_version(tx: Transaction, account: str, name: str, number: int, record: Record) -> None:
    await _renew(tx, account)
    await tx.put(_space.pack(account, "version", name.lower(), number), orjson.dumps(record))


async def delete_version(tx: Transaction, account: str, name: str, number: int) -> None:
    await _renew(tx, account)
    await tx.delete(_space.pack(account, "version", name.lower(), number))


async def versions(tx: Transaction, account: str, name: str) -> list[Record]:
    return await _records(tx, account, "version", name.lower())


# --- access keys


async def access_key(tx: Transaction, account: str, user: str, key: str) -> Record | None:
    return await _get(tx, _space.pack(account, "key", user.lower(), key))


async def put_access_key(tx: Transaction, account: str, record: Record) -> None:
    user, key = record["UserName"], record["AccessKeyId"]
    await tx.put(_space.pack(account, "key", user.lower(), key), orjson.dumps(record))
    await tx.put(_owners.pack(key), orjson.dumps([account, user]))


async def delete_access_key(tx: Transaction, account: str, user: str, key: str) -> None:
    await tx.delete(_space.pack(account, "key", user.lower(), key))
    await tx.delete(_owners.pack(key))


async def access_keys(tx: Transaction, account: str, user: str) -> list[Record]:
    return await _records(tx, account, "key", user.lower())


async def key_owner(tx: Transaction, key: str) -> tuple[str, str] | None:
    value = await tx.get(_owners.pack(key))
    if value is None:
        return None
    account, user = orjson.loads(value)
    return account, user
