"""Topics and their attributes."""

from __future__ import annotations

from typing import Any

import orjson

from ....context import Context
from ....store.interface import Transaction
from .. import model, retries, storage
from ..storage import Name, Record, name_of
from . import pages

Response = dict[str, Any]
UNSET = ("DisplayName",)
"""Attributes that are shown when they are empty."""


async def create_topic(ctx: Context, request: dict[str, Any]) -> Response:
    name = Name(ctx.account, ctx.region, request["Name"])
    given = {
        key: value
        for key, value in (request.get("Attributes") or {}).items()
        if key not in ("FifoTopic", "ContentBasedDeduplication")
    }
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or ()}

    async def body(tx: Transaction) -> None:
        found = await storage.find(tx, name)
        if found is None:
            record = {"Attributes": given, "Tags": tags, "Created": ctx.clock.now()}
            await storage.put_topic(tx, name, record)
            return
        if any(found["Attributes"].get(key, "") != value for key, value in given.items()):
            raise model.invalid("Attributes Reason: Topic already exists with different attributes")
        if "Tags" in request and found["Tags"] != tags:
            raise model.invalid("Tags Reason: Topic already exists with different tags")

    await ctx.store.transact(body)
    return {"TopicArn": name.arn}


async def delete_topic(ctx: Context, request: dict[str, Any]) -> Response:
    """Deleting what is not there is no error."""
    name = name_of(request["TopicArn"])
    await ctx.store.transact(lambda tx: storage.delete_topic(tx, name))
    return {}


async def get_topic_attributes(ctx: Context, request: dict[str, Any]) -> Response:
    name = name_of(request["TopicArn"])

    async def body(tx: Transaction) -> tuple[Record, storage.Audience]:
        return await storage.topic(tx, name), await storage.audience(tx, name)

    topic, audience = await ctx.store.read(body)
    given = {key: value for key, value in topic["Attributes"].items() if value or key in UNSET}
    shown = {
        "TopicArn": name.arn,
        "Owner": name.account,
        "DisplayName": "",
        "Policy": orjson.dumps(model.default_policy(name.arn, name.account)).decode(),
        "SubscriptionsConfirmed": str(audience.confirmed),
        "SubscriptionsPending": str(audience.pending),
        "SubscriptionsDeleted": str(audience.deleted),
        "EffectiveDeliveryPolicy": orjson.dumps(
            retries.effective_of_topic(given.get("DeliveryPolicy", ""))
        ).decode(),
        **given,
    }
    return {"Attributes": shown}


async def set_topic_attributes(ctx: Context, request: dict[str, Any]) -> Response:
    name = name_of(request["TopicArn"])
    changed = {request["AttributeName"]: request.get("AttributeValue") or ""}

    async def body(tx: Transaction) -> None:
        found = await storage.topic(tx, name)
        await storage.put_topic(tx, name, {**found, "Attributes": {**found["Attributes"], **changed}})

    await ctx.store.transact(body)
    return {}


async def list_topics(ctx: Context, request: dict[str, Any]) -> Response:
    after = pages.place(request, 1)

    async def body(tx: Transaction) -> list[Name]:
        return await storage.topics(tx, ctx.account, ctx.region, after, model.PAGE + 1)

    found = await ctx.store.read(body)
    response: Response = {"Topics": [{"TopicArn": name.arn} for name in found[: model.PAGE]]}
    if len(found) > model.PAGE:
        response["NextToken"] = pages.token(found[model.PAGE - 1].name)
    return response
