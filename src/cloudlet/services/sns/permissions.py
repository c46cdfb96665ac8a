"""What SNS's operations need, and the topics' own policies: "Actions, resources, and condition keys for Amazon SNS"."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson

from ...context import Context, Need
from ...errors import AwsError
from ...policies.documents import Policy, parsed_or_none
from ...store.interface import Transaction
from . import model, storage
from .storage import Name, name_of

ACTIONS = {"PublishBatch": "sns:Publish"}
TOPICS = ("TopicArn", "TargetArn", "ResourceArn")
"""Members that name a topic; other operations have no resource."""


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    action = ACTIONS.get(operation, f"sns:{operation}")
    if operation == "CreateTopic":
        return (Need(action, Name(ctx.account, ctx.region, request.get("Name", "")).arn),)
    given = next((request[member] for member in TOPICS if request.get(member)), None)
    if given is None:
        return (Need(action, "*"),)
    try:
        name = name_of(given)
    except AwsError:
        return ()  # the operation says what is wrong with it
    facts: dict[str, Sequence[str]] = {
        f"sns:{member.lower()}": (request[member],)
        for member in ("Protocol", "Endpoint")
        if request.get(member)
    }
    if ctx.principal.kind == "service":
        facts["aws:sourceowner"] = (ctx.principal.account,)
    return (Need(action, name.arn, facts, name.account),)


async def policy(ctx: Context, resource: str) -> Policy | None:
    """The topic's policy; one that was given none has AWS's."""
    if resource == "*":
        return None
    name = name_of(resource)

    async def body(tx: Transaction) -> str | None:
        found = await storage.find(tx, name)
        return None if found is None else found["Attributes"].get("Policy") or _default(name)

    return parsed_or_none(await ctx.store.read(body))


@lru_cache(maxsize=256)
def _default(name: Name) -> str:
    return orjson.dumps(model.default_policy(name.arn, name.account)).decode()
