"""Access keys of users, resolved to the users they belong to: IAM's runtime."""

from __future__ import annotations

from ...context import Node, Principal
from ...store.interface import Transaction
from . import model, storage


class AccessKeys:
    def __init__(self, node: Node) -> None:
        self._node = node

    async def start(self) -> None:
        """Nothing is needed to answer."""

    async def stop(self) -> None:
        """Nothing is held."""

    async def principal(self, access_key: str) -> tuple[Principal, float] | None:
        """Who acts with the key, and until when to believe it; None if nobody made it. Raises InvalidClientTokenId."""

        async def body(tx: Transaction) -> tuple[str, str, str, str] | None:
            owner = await storage.key_owner(tx, access_key)
            if owner is None:
                return None
            account, name = owner
            user = await storage.entity(tx, account, "user", name)
            key = await storage.access_key(tx, account, name, access_key)
            if user is None or key is None:
                return None
            return account, user["Arn"], user["UserId"], key["Status"]

        found = await self._node.store.read(body)
        if found is None:
            return None
        account, arn, user_id, status = found
        if status != "Active":
            raise model.inactive_key()
        who = Principal("user", account, arn, user_id, access_key)
        return who, self._node.clock.now() + model.KEY_BELIEVED

    async def owner(self, access_key: str) -> str | None:
        """The account that a key belongs to."""

        async def body(tx: Transaction) -> tuple[str, str] | None:
            return await storage.key_owner(tx, access_key)

        found = await self._node.store.read(body)
        return found[0] if found is not None else None
