"""E-mails and text messages: nothing leaves the machine. They are captured, durable, where they can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...context import Node
from ...names import request_id
from ...store.interface import Transaction
from . import model, storage
from .envelope import text_for
from .storage import Name

if TYPE_CHECKING:
    from .circles import Member
    from .fanout import Delivery

SENDER = "no-reply@sns.amazonaws.com"


async def put(node: Node, tx: Transaction, kind: str, to: str, body: str, **more: Any) -> None:
    letter = {"kind": kind, "to": to, "at": node.clock.now(), **more, "body": body}
    stamp = await storage.put_letter(tx, letter)
    due = node.clock.now() + model.OUTBOX_SECONDS
    await node.timers.set(tx, storage.OUTBOX_TIMER, (stamp,), due)
    node.events.emit("sns.outbox", to=to, letter=kind, subject=more.get("subject", ""), size=len(body))


async def capture(node: Node, tx: Transaction, delivery: Delivery, member: Member) -> None:
    """A message for an address or a number."""
    message, display = delivery.message, delivery.circle.display_name
    text = text_for(message, member.protocol)
    about = {"message_id": message["id"], "topic": Name(*message["topic"]).arn, "subscription": member.arn}
    if member.protocol == "sms":
        body = f"{display}> {text}" if display else text
        about |= sender(message["attributes"])
        await put(node, tx, "sms", member.endpoint, body[: model.MAX_SMS], **about)
        return
    if member.protocol == "email-json":
        body = delivery.notification(member).document(member.unsubscribe)
    else:
        body = f"{text}\n\n--\nTo stop these notifications, visit\n{member.unsubscribe}\n"
    subject = message.get("subject") or "AWS Notification Message"
    await put(node, tx, "email", member.endpoint, body, **_from(display), subject=subject, **about)


def sender(attributes: dict[str, Any]) -> dict[str, str]:
    """Who a text message says it is from."""
    given = attributes.get("AWS.SNS.SMS.SenderID")
    return {"from": given["StringValue"]} if given else {}


def _from(display: str) -> dict[str, str]:
    return {"from": f"{display} <{SENDER}>" if display else SENDER}


async def ask(
    node: Node,
    tx: Transaction,
    name: Name,
    record: dict[str, Any],
    words: str,
    url: str,
    display: str,
    subject: str,
) -> None:
    """The letter with which an address confirms its subscription, or takes back that it left."""
    await put(
        node,
        tx,
        "email",
        record["Endpoint"],
        f"{words}\n\n{url}\n",
        **_from(display),
        subject=subject,
        message_id=request_id(),
        topic=name.arn,
        subscription=f"{name.arn}:{record['Id']}",
        url=url,
    )
