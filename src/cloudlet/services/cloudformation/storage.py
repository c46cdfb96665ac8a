"""CloudFormation's keys, and what lies under them. All values are JSON.

    ("stack", account, region, stack id)                        a stack, live or deleted
    ("name", account, region, stack name)                       the id of the live stack of that name
    ("resource", account, region, stack id, logical id)         a resource as it is
    ("event", account, region, stack id, stamp)                 what happened, oldest first
    ("export", account, region, export name)                    {value, stack_id}
    ("import", account, region, export name, stack name)        a stack that uses the export
    ("changeset", account, region, change set id)               a change set
    ("stop", account, region, stack id)                         a wish to stop the running operation: {then}
    ("witness", stack id, logical id, step, stamp)              the keys that a create operation made, see `witness`
    ("reply", token)                                            what a custom resource's function answered

A stack's record names its phase in `status`; the deployment goes on from there, whoever reads it.
"""

from __future__ import annotations

from typing import Any

import orjson

from ...context import Context
from ...store.interface import Transaction
from ...store.keys import Subspace

SPACE = Subspace("cloudformation")
TASK = "cloudformation.deploy"
FORGET = "cloudformation.forget"

Record = dict[str, Any]


class Home:
    """Reads and writes for one account and region."""

    __slots__ = ("account", "region")

    def __init__(self, account: str, region: str) -> None:
        self.account = account
        self.region = region

    def _key(self, kind: str, *parts: Any) -> bytes:
        return SPACE.pack(kind, self.account, self.region, *parts)

    def _range(self, kind: str, *parts: Any) -> tuple[bytes, bytes]:
        return SPACE.range(kind, self.account, self.region, *parts)

    # Stacks

    def stack_key(self, stack_id: str) -> bytes:
        return self._key("stack", stack_id)

    async def stack(self, tx: Transaction, stack_id: str) -> Record | None:
        return _load(await tx.get(self._key("stack", stack_id)))

    async def put_stack(self, tx: Transaction, stack: Record) -> None:
        await tx.put(self._key("stack", stack["id"]), orjson.dumps(stack))

    async def stacks(self, tx: Transaction) -> list[Record]:
        return [orjson.loads(value) for _, value in await tx.range(*self._range("stack"))]

    async def stack_id(self, tx: Transaction, name: str) -> str | None:
        value = await tx.get(self._key("name", name))
        return None if value is None else str(orjson.loads(value))

    async def put_name(self, tx: Transaction, name: str, stack_id: str) -> None:
        await tx.put(self._key("name", name), orjson.dumps(stack_id))

    async def delete_name(self, tx: Transaction, name: str) -> None:
        await tx.delete(self._key("name", name))

    async def find(self, tx: Transaction, name_or_id: str) -> Record | None:
        """A stack by its name while it lives, or by its id for as long as it is remembered."""
        if name_or_id.startswith("arn:"):
            return await self.stack(tx, name_or_id)
        stack_id = await self.stack_id(tx, name_or_id)
        return None if stack_id is None else await self.stack(tx, stack_id)

    # Resources

    async def resources(self, tx: Transaction, stack_id: str) -> dict[str, Record]:
        rows = [orjson.loads(value) for _, value in await tx.range(*self._range("resource", stack_id))]
        return {row["logical_id"]: row for row in rows}

    async def put_resource(self, tx: Transaction, stack_id: str, resource: Record) -> None:
        await tx.put(self._key("resource", stack_id, resource["logical_id"]), orjson.dumps(resource))

    async def delete_resource(self, tx: Transaction, stack_id: str, logical_id: str) -> None:
        await tx.delete(self._key("resource", stack_id, logical_id))

    async def by_physical_id(self, tx: Transaction, physical_id: str) -> list[tuple[str, Record]]:
        found = []
        begin, end = self._range("resource")
        for key, value in await tx.range(begin, end):
            row = orjson.loads(value)
            if row.get("physical_id") == physical_id:
                found.append((str(SPACE.unpack(key)[3]), row))
        return found

    # Events

    async def put_event(self, tx: Transaction, stack_id: str, event: Record) -> None:
        await tx.put(self._key("event", stack_id, tx.stamp()), orjson.dumps(event))

    async def events(
        self, tx: Transaction, stack_id: str, before: bytes | None, limit: int
    ) -> list[tuple[bytes, Record]]:
        """Newest first, each with its stamp; `before` is the stamp to go on from."""
        begin, end = self._range("event", stack_id)
        if before is not None:
            end = self._key("event", stack_id, before)
        rows = await tx.range(begin, end, limit=limit, reverse=True)
        return [(SPACE.unpack(key)[4], orjson.loads(value)) for key, value in rows]

    # Exports and imports

    async def export(self, tx: Transaction, name: str) -> Record | None:
        return _load(await tx.get(self._key("export", name)))

    async def put_export(self, tx: Transaction, name: str, value: str, stack_id: str) -> None:
        await tx.put(
            self._key("export", name), orjson.dumps({"name": name, "value": value, "stack_id": stack_id})
        )

    async def delete_export(self, tx: Transaction, name: str) -> None:
        await tx.delete(self._key("export", name))

    async def exports(self, tx: Transaction) -> list[Record]:
        return [orjson.loads(value) for _, value in await tx.range(*self._range("export"))]

    async def importers(self, tx: Transaction, name: str) -> list[str]:
        """The names of the stacks that use an export."""
        return [str(SPACE.unpack(key)[4]) for key, _ in await tx.range(*self._range("import", name))]

    async def put_import(self, tx: Transaction, name: str, stack_name: str) -> None:
        await tx.put(self._key("import", name, stack_name), b"{}")

    async def delete_import(self, tx: Transaction, name: str, stack_name: str) -> None:
        await tx.delete(self._key("import", name, stack_name))

    # Change sets

    async def change_set(self, tx: Transaction, id: str) -> Record | None:
        return _load(await tx.get(self._key("changeset", id)))

    async def put_change_set(self, tx: Transaction, change_set: Record) -> None:
        await tx.put(self._key("changeset", change_set["id"]), orjson.dumps(change_set))

    async def delete_change_set(self, tx: Transaction, id: str) -> None:
        await tx.delete(self._key("changeset", id))

    async def change_sets(self, tx: Transaction, stack_id: str) -> list[Record]:
        rows = [orjson.loads(value) for _, value in await tx.range(*self._range("changeset"))]
        return sorted(
            (row for row in rows if row["stack_id"] == stack_id), key=lambda row: float(row["created"])
        )

    # Stopping what runs

    def stop_key(self, stack_id: str) -> bytes:
        return self._key("stop", stack_id)

    async def put_stop(self, tx: Transaction, stack_id: str, then: str) -> None:
        await tx.put(self._key("stop", stack_id), orjson.dumps({"then": then}))

    async def stop(self, tx: Transaction, stack_id: str) -> str:
        """What is to follow: "rollback", "delete", "late" for a timeout; "" without a wish."""
        wish = _load(await tx.get(self._key("stop", stack_id)))
        return "" if wish is None else str(wish["then"])

    async def delete_stop(self, tx: Transaction, stack_id: str) -> None:
        await tx.delete(self._key("stop", stack_id))


async def forget_stack(tx: Transaction, id: tuple[Any, ...], payload: bytes) -> None:
    """The timer of a deleted stack: nothing of it is kept."""
    account, region, stack_id = id
    for kind in ("stack", "resource", "event", "stop"):
        await tx.delete_range(*SPACE.range(kind, account, region, stack_id))


async def put_reply(tx: Transaction, token: str, reply: Record) -> None:
    await tx.put(SPACE.pack("reply", token), orjson.dumps(reply))


async def take_reply(tx: Transaction, token: str) -> Record | None:
    key = SPACE.pack("reply", token)
    reply = _load(await tx.get(key))
    if reply is not None:
        await tx.delete(key)
    return reply


def reply_key(token: str) -> bytes:
    return SPACE.pack("reply", token)


def home(ctx: Context) -> Home:
    return Home(ctx.account, ctx.region)


def _load(value: bytes | None) -> Record | None:
    if value is None:
        return None
    record: Record = orjson.loads(value)
    return record
