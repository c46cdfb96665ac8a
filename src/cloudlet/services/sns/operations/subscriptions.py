"""Subscriptions shown and changed."""

from __future__ import annotations

from typing import Any

import orjson

from ....context import Context
from ....store.interface import Transaction
from .. import attributes, filters, model, retries, storage
from ..storage import Name, Record, name_of, split
from . import pages

Response = dict[str, Any]
PENDING = "PendingConfirmation"


async def get_subscription_attributes(ctx: Context, request: dict[str, Any]) -> Response:
    name, id = split(request["SubscriptionArn"])

    async def body(tx: Transaction) -> tuple[Record, Record]:
        found = await storage.subscription(tx, name, id)
        return found, await storage.topic(tx, name)

    record, topic = await ctx.store.read(body)
    return {"Attributes": _shown(name, record, topic)}


def _shown(name: Name, record: Record, topic: Record) -> dict[str, str]:
    given = dict(record["Attributes"])
    if "FilterPolicy" in given:
        given.setdefault("FilterPolicyScope", filters.ATTRIBUTES)
    else:
        given.pop("FilterPolicyScope", None)
    if record["Protocol"].startswith("http"):
        policy = retries.effective(
            topic["Attributes"].get("DeliveryPolicy", ""), given.get("DeliveryPolicy", "")
        )
        given["EffectiveDeliveryPolicy"] = orjson.dumps(policy).decode()
    return {
        "SubscriptionArn": f"{name.arn}:{record['Id']}",
        "TopicArn": name.arn,
        "Owner": record["Owner"],
        "Protocol": record["Protocol"],
        "Endpoint": record["Endpoint"],
        "RawMessageDelivery": "false",
        "PendingConfirmation": "true" if record["Pending"] else "false",
        "ConfirmationWasAuthenticated": "true" if record["Authenticated"] else "false",
        "SubscriptionPrincipal": record["Principal"],
        **given,
    }


async def set_subscription_attributes(ctx: Context, request: dict[str, Any]) -> Response:
    name, id = split(request["SubscriptionArn"])
    key, value = request["AttributeName"], request.get("AttributeValue") or ""

    async def body(tx: Transaction) -> None:
        old = await storage.subscription(tx, name, id)
        kept = attributes.check_subscription(key, value, old, subscribing=False)
        changed = {other: old["Attributes"][other] for other in old["Attributes"] if other != key}
        record = {**old, "Attributes": changed | ({key: kept} if kept else {})}
        await storage.put_subscription(tx, name, record, old)

    await ctx.store.transact(body)
    return {}


async def list_subscriptions(ctx: Context, request: dict[str, Any]) -> Response:
    return await _list(ctx, (ctx.account, ctx.region), pages.place(request, 2))


async def list_subscriptions_by_topic(ctx: Context, request: dict[str, Any]) -> Response:
    name = name_of(request["TopicArn"])
    after = pages.place(request, 2)
    await ctx.store.read(lambda tx: storage.topic(tx, name))
    return await _list(ctx, name, after)


async def _list(ctx: Context, place: tuple[str, ...], after: list[str]) -> Response:
    async def body(tx: Transaction) -> list[tuple[Name, Record]]:
        return await storage.subscriptions(tx, place, after, model.PAGE + 1)

    found = await ctx.store.read(body)
    response: Response = {"Subscriptions": [_summary(name, record) for name, record in found[: model.PAGE]]}
    if len(found) > model.PAGE:
        name, record = found[model.PAGE - 1]
        response["NextToken"] = pages.token(name.name, record["Id"])
    return response


def _summary(name: Name, record: Record) -> Response:
    return {
        "SubscriptionArn": PENDING if record["Pending"] else f"{name.arn}:{record['Id']}",
        "Owner": record["Owner"],
        "Protocol": record["Protocol"],
        "Endpoint": record["Endpoint"],
        "TopicArn": name.arn,
    }
