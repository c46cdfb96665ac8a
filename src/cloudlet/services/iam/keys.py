"""IAM's runtime: access keys, resolved to the users they belong to, and what principals hold."""

from __future__ import annotations

from ...context import KnownKey, Principal
from ...store.interface import Transaction
from . import model, storage
from .holdings import Holder


class AccessKeys(Holder):
    """Whose key is this, and what does he hold?"""

    async def start(self) -> None:
        """Nothing is needed to answer."""

    async def stop(self) -> None:
        """Nothing is held."""

    async def known(self, access_key: str) -> KnownKey | None:
        """Who acts with the key; None if nobody made it. Raises InvalidClientTokenId."""

        async def body(tx: Transaction) -> tuple[str, storage.Record, storage.Record] | None:
            owner = await storage.key_owner(tx, access_key)
            if owner is None:
                return None
            account, name = owner
            user = await storage.entity(tx, account, "user", name)
            key = await storage.access_key(tx, account, name, access_key)
            return None if user is None or key is None else (account, user, key)

        found = await self._node.store.read(body)
        if found is None:
            return None
        account, user, key = found
        if key["Status"] != "Active":
            raise model.inactive_key()
        tags = tuple((tag["Key"], tag["Value"]) for tag in user.get("Tags", ()))
        who = Principal("user", account, user["Arn"], user["UserId"], access_key, tags=tags)
        return KnownKey(who, self._node.clock.now() + model.KEY_BELIEVED, key["SecretAccessKey"])

    async def owner(self, access_key: str) -> str | None:
        """The account that a key belongs to."""

        async def body(tx: Transaction) -> tuple[str, str] | None:
            return await storage.key_owner(tx, access_key)

        found = await self._node.store.read(body)
        return found[0] if found is not None else None
