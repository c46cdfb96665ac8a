"""Subscribe, ConfirmSubscription, Unsubscribe.

Queues, functions and phones are subscribed at once. HTTP endpoints and e-mail addresses have to confirm: they are sent
a token, by a delivery like any other, or by a letter into the outbox.
"""

from __future__ import annotations

import secrets
from typing import Any

from ....context import Context, Node
from ....names import request_id
from ....store.interface import Transaction
from .. import attributes, delivering, filters, model, outbox, storage
from ..circles import topics
from ..envelope import confirmation, subscribe_url
from ..storage import Name, Record, name_of

Response = dict[str, Any]
PENDING = "pending confirmation"
CONFIRM, LEFT = "SubscriptionConfirmation", "UnsubscribeConfirmation"
SUBJECTS = {
    CONFIRM: "AWS Notification - Subscription Confirmation",
    LEFT: "AWS Notification - Unsubscribe Confirmation",
}


async def subscribe(ctx: Context, request: dict[str, Any]) -> Response:
    name = name_of(request["TopicArn"])
    record = _record(ctx, request)
    token = new_token()
    signer = await topics(ctx.node).signing.ready() if record["Protocol"].startswith("http") else None

    async def body(tx: Transaction) -> Record:
        topic = await storage.topic(tx, name)
        found = await storage.subscribed(tx, name, record["Protocol"], record["Endpoint"])
        if found is not None:
            _check_same(found, record["Attributes"])
            if not found["Pending"]:
                return found
        made = found or {**record, "Since": tx.stamp().hex()}
        if found is None:
            await storage.put_subscription(tx, name, made)
        if made["Pending"]:
            await _ask(ctx.node, tx, name, topic, made, token, CONFIRM, signer)
        return made

    made = await ctx.store.transact(body)
    arn = f"{name.arn}:{made['Id']}"
    return {
        "SubscriptionArn": PENDING if made["Pending"] and not request.get("ReturnSubscriptionArn") else arn
    }


def _record(ctx: Context, request: dict[str, Any]) -> Record:
    record: Record = {
        "Id": request_id(),
        "Protocol": request["Protocol"],
        "Endpoint": request["Endpoint"],
        "Owner": ctx.account,
        "Principal": ctx.principal.arn,
        "Pending": request["Protocol"] in model.CONFIRMED_BY_HAND,
        "Authenticated": request["Protocol"] not in model.CONFIRMED_BY_HAND,
        "Attributes": {},
    }
    given = dict(request.get("Attributes") or {})
    for key in sorted(given, key=lambda key: key != "FilterPolicyScope"):  # a policy is read in its scope
        kept = attributes.check_subscription(key, given[key] or "", record, subscribing=True)
        if kept:
            record["Attributes"][key] = kept
    return record


def _check_same(found: Record, wanted: dict[str, str]) -> None:
    defaults = {"RawMessageDelivery": "false", "FilterPolicyScope": filters.ATTRIBUTES}
    for key, value in wanted.items():
        if found["Attributes"].get(key, defaults.get(key, "")) != value:
            raise model.invalid("Attributes Reason: Subscription already exists with different attributes")


def new_token() -> str:
    return secrets.token_hex(144)


async def _ask(
    node: Node,
    tx: Transaction,
    name: Name,
    topic: Record,
    record: Record,
    token: str,
    kind: str,
    signer: Any,
    restores: bool = False,
) -> None:
    """Send a token to the endpoint: to confirm, or to take back that it left."""
    await storage.put_token(tx, name, token, record["Id"], record if restores else None)
    due = node.clock.now() + model.PENDING_SECONDS
    await node.timers.set(tx, storage.TOKEN_TIMER, (name.account, name.region, name.name, token), due)
    words = _words(name, record, kind)
    if record["Protocol"].startswith("http"):
        id, version = request_id(), topic["Attributes"].get("SignatureVersion", "1")
        document = confirmation(node, signer, kind, name, id, node.clock.now_ms(), token, words, version)
        work = delivering.confirmation_work(name, record, kind, id, document)
        await delivering.enqueue(node, tx, work, 0.0)
    else:
        display = topic["Attributes"].get("DisplayName", "")
        url = subscribe_url(node, name, token)
        await outbox.ask(node, tx, name, record, words, url, display, SUBJECTS[kind])


def _words(name: Name, record: Record, kind: str) -> str:
    if kind == CONFIRM:
        return (
            f"You have chosen to subscribe to the topic {name.arn}.\n"
            "To confirm the subscription, visit the SubscribeURL included in this message."
        )
    return (
        f"You have chosen to deactivate subscription {name.arn}:{record['Id']}.\n"
        "To cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
    )


async def confirm_subscription(ctx: Context, request: dict[str, Any]) -> Response:
    name = name_of(request["TopicArn"])
    signed = bool(ctx.principal.access_key)

    async def body(tx: Transaction) -> str:
        await storage.topic(tx, name)
        meant = await storage.token(tx, name, request["Token"])
        if meant is None:
            raise model.invalid("Token")
        id, restored = meant
        found = await storage.find_subscription(tx, name, id)
        if found is None and restored is None:
            raise model.invalid("Token")
        if found is None and restored is not None:
            await storage.put_subscription(
                tx, name, {**restored, "Pending": False, "Since": tx.stamp().hex()}
            )
        elif found is not None and found["Pending"]:
            by_owner = signed and request.get("AuthenticateOnUnsubscribe", "").lower() == "true"
            confirmed = {**found, "Pending": False, "Authenticated": signed, "OwnerOnly": by_owner}
            await storage.put_subscription(tx, name, {**confirmed, "Since": tx.stamp().hex()}, found)
        return id

    id = await ctx.store.transact(body)
    return {"SubscriptionArn": f"{name.arn}:{id}"}


async def unsubscribe(ctx: Context, request: dict[str, Any]) -> Response:
    """Leaving twice is no error. Who leaves by a link, unsigned, is told how to come back."""
    name, id = storage.split(request["SubscriptionArn"])
    signer = await topics(ctx.node).signing.ready() if not ctx.principal.access_key else None
    token = new_token()

    async def body(tx: Transaction) -> None:
        found = await storage.find_subscription(tx, name, id)
        topic = await storage.find(tx, name)
        if found is None or topic is None:
            return
        if found.get("OwnerOnly") and not ctx.principal.access_key:
            raise model.authentication_needed()
        await storage.delete_subscription(tx, name, found)
        by_hand = found["Protocol"] in model.CONFIRMED_BY_HAND and not found["Pending"]
        if by_hand and not ctx.principal.access_key:
            await _ask(ctx.node, tx, name, topic, found, token, LEFT, signer, restores=True)

    await ctx.store.transact(body)
    return {}


async def on_token(node: Node, tx: Transaction, id: tuple[Any, ...]) -> None:
    """A token expires; a subscription that it was to confirm goes with it."""
    account, region, topic, token = id
    name = Name(account, region, topic)
    meant = await storage.token(tx, name, token)
    if meant is None:
        return
    await storage.delete_token(tx, account, region, token)
    found = await storage.find_subscription(tx, name, meant[0])
    if found is not None and found["Pending"]:
        await storage.delete_subscription(tx, name, found)
