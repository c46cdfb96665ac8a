"""Temporary credentials: made, kept until they expire and a day longer, and resolved to whom they belong to."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from ...context import Context, KnownKey, Node, Principal
from ...names import UPPER_ALNUM, random_id
from ...store.interface import Transaction
from . import model, storage

EXPIRY = "sts.expire"


async def issue(ctx: Context, principal: Principal, seconds: float, **about: Any) -> dict[str, Any]:
    """Make credentials with which `principal` acts; `about` is kept beside them. The answer is the API's shape."""
    now = ctx.clock.now()
    record = {
        "access_key": "ASIA" + random_id(16, UPPER_ALNUM),
        "secret": secrets.token_urlsafe(30),
        "token": base64.b64encode(secrets.token_bytes(240)).decode(),
        "expires": float(int(now + seconds)),
        "kind": principal.kind,
        "account": principal.account,
        "arn": principal.arn,
        "user_id": principal.user_id,
        "role": principal.role,
        "session": principal.session,
        "tags": principal.tags,
        **about,
    }

    async def body(tx: Transaction) -> None:
        await storage.put_credentials(tx, record)
        due = record["expires"] + model.KEPT_AFTER_EXPIRY
        await ctx.node.timers.set(tx, EXPIRY, (record["access_key"],), due)

    await ctx.store.transact(body)
    return {
        "AccessKeyId": record["access_key"],
        "SecretAccessKey": record["secret"],
        "SessionToken": record["token"],
        "Expiration": record["expires"],
    }


class Credentials:
    """STS's runtime: whose key is this?"""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def start(self) -> None:
        """Nothing is needed to answer; expiry is the timers' business."""

    async def stop(self) -> None:
        """Nothing is held."""

    async def known(self, access_key: str) -> KnownKey | None:
        """Who acts with the key; None if it isn't ours. Raises ExpiredToken."""

        async def body(tx: Transaction) -> dict[str, Any] | None:
            return await storage.credentials(tx, access_key)

        found = await self._node.store.read(body)
        if found is None:
            return None
        if found["expires"] <= self._node.clock.now():
            raise model.expired()
        who = Principal(
            found["kind"],
            found["account"],
            found["arn"],
            found["user_id"],
            access_key,
            found["role"],
            tuple(found["session"]),
            tuple((key, value) for key, value in found["tags"]),
        )
        return KnownKey(who, found["expires"], found["secret"], found["token"])


def register(node: Node) -> None:
    async def forget(tx: Transaction, id: tuple[Any, ...], payload: bytes) -> None:
        await storage.delete_credentials(tx, id[0])

    node.timers.on(EXPIRY, forget)
