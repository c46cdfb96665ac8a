"""One delivery to one subscriber, beyond the first try of queues and functions: HTTP, retries, dead letters.

An attempt is one durable task with all that it needs, since the subscription may be gone by then. One that fails
leaves the task of the next; after the last, the message goes to the subscription's dead-letter queue, or is dropped, as
with AWS.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from ...context import Node
from ...errors import AwsError
from ...net.client import HttpFailed, request
from ...store.interface import Task, Transaction
from . import model, retries, storage
from .circles import queue_place, topics
from .envelope import Notification, arn_in_url, raw_attributes, text_for, unsubscribe_url
from .storage import Name

Work = dict[str, Any]
"""message and signature (or document and kind, of a confirmation), version of the signature, arn, subscription,
topic_policy, attempt, placed (it has waited for its place in the second)."""
AGENT = "Amazon Simple Notification Service Agent"
TOO_MANY = 429


class Refused(Exception):
    """The subscriber did not take it. `final`: and never will."""

    def __init__(self, text: str, final: bool) -> None:
        super().__init__(text)
        self.final = final


async def enqueue(node: Node, tx: Transaction, work: Work, delay: float) -> None:
    await node.tasks.enqueue(tx, storage.DELIVER_TASK, orjson.dumps(work), delay=delay)


async def after(node: Node, tx: Transaction, work: Work, error: Exception) -> None:
    """What follows a failed attempt: the next one, or the dead letter."""
    subscription = work["subscription"]
    attempt: int = work["attempt"]
    pause: float | None = None
    if not _is_final(error):
        pause = _pause(work, attempt)
    if attempt == 1:
        what = "gives up" if pause is None else "will try again"
        node.log.warning("sns %s %s: %s", what, work["arn"], error)
    if pause is not None:
        await enqueue(node, tx, {**work, "attempt": attempt + 1, "placed": False}, pause)
    elif "RedrivePolicy" in subscription["Attributes"] and "message" in work:
        await node.tasks.enqueue(tx, storage.DEAD_TASK, orjson.dumps(work))


def _is_final(error: Exception) -> bool:
    """AWS doesn't try again what is the subscriber's own fault: it is gone, or doesn't let SNS in."""
    if isinstance(error, Refused):
        return error.final
    return isinstance(error, AwsError) and error.fault == "client" and error.status != TOO_MANY


def _pause(work: Work, retry: int) -> float | None:
    subscription = work["subscription"]
    if not subscription["Protocol"].startswith("http"):
        return retries.managed_pause(retry)
    return retries.http_pause(_policy(work)["healthyRetryPolicy"], retry)


def _policy(work: Work) -> retries.Policy:
    """The delivery policy of an HTTP subscription."""
    own = work["subscription"]["Attributes"].get("DeliveryPolicy", "")
    return retries.effective(work["topic_policy"], own)


async def on_deliver(node: Node, task: Task) -> None:
    """One attempt."""
    work: Work = orjson.loads(task.payload)
    protocol = work["subscription"]["Protocol"]
    try:
        if protocol == "sqs":
            await _send(node, work, work["subscription"]["Endpoint"])
        elif protocol == "lambda":
            notification = await _notification(node, work)
            event = notification.event(work["arn"], _unsubscribe(node, work))
            await invoke(node, _topic(work), work["subscription"]["Endpoint"], event)
        elif not await _is_too_early(node, work):
            await _post(node, work)
    except (AwsError, Refused) as error:
        failed = error
        await node.store.transact(lambda tx: after(node, tx, work, failed))


async def _is_too_early(node: Node, work: Work) -> bool:
    """Whether the subscription wants no more messages in this second; then the delivery waits for its place."""
    rate = (_policy(work).get("throttlePolicy") or {}).get("maxReceivesPerSecond")
    if not rate or work.get("placed") or "message" not in work:
        return False
    pause = topics(node).pace.place(work["arn"], rate)
    if not pause:
        return False
    await node.store.transact(lambda tx: enqueue(node, tx, {**work, "placed": True}, pause))
    return True


async def on_dead(node: Node, task: Task) -> None:
    """Put what could not be delivered into the dead-letter queue, as a queue would have got it.

    What that queue refuses, too, is dropped, as with AWS.
    """
    work: Work = orjson.loads(task.payload)
    policy = orjson.loads(work["subscription"]["Attributes"]["RedrivePolicy"])
    try:
        await _send(node, work, policy["deadLetterTargetArn"])
    except AwsError as error:
        node.log.error("sns lost a message of %s, whose dead-letter queue refuses it: %s", work["arn"], error)


async def invoke(node: Node, topic: str, function: str, event: bytes) -> None:
    ctx = topics(node).context(topic, function.split(":")[3])
    await ctx.call(
        "lambda", "Invoke", {"FunctionName": function, "InvocationType": "Event", "Payload": event}
    )


async def _send(node: Node, work: Work, queue: str) -> None:
    place = queue_place(node, _topic(work), queue)
    message: dict[str, Any] = {"QueueUrl": place.url}
    if "group" in work["message"]:
        message["MessageGroupId"] = work["message"]["group"]
    if _is_raw(work):
        message["MessageBody"] = text_for(work["message"], "sqs")
        message["MessageAttributes"] = raw_attributes(work["message"])
    else:
        notification = await _notification(node, work)
        message["MessageBody"] = notification.document(_unsubscribe(node, work))
    await topics(node).context(place.topic, place.region).call("sqs", "SendMessage", message)


async def _post(node: Node, work: Work) -> None:
    """To an HTTP endpoint. Raises `Refused`."""
    subscription = work["subscription"]
    policy = _policy(work)
    kind = work.get("kind", "Notification")
    headers = {
        "x-amz-sns-message-type": kind,
        "x-amz-sns-message-id": work["message"]["id"] if "message" in work else work["id"],
        "x-amz-sns-topic-arn": _topic(work),
        "Content-Type": policy["requestPolicy"]["headerContentType"],
        "User-Agent": AGENT,
        "Accept-Encoding": "identity",
    }
    if "document" in work:
        body = work["document"]
    elif _is_raw(work):
        body = text_for(work["message"], subscription["Protocol"])
        headers["x-amz-sns-rawdelivery"] = "true"
    else:
        body = (await _notification(node, work)).document(_unsubscribe(node, work))
    if kind != "SubscriptionConfirmation":
        headers["x-amz-sns-subscription-arn"] = work["arn"]
    trust = await topics(node).trust() if subscription["Protocol"] == "https" else None
    try:
        answering = request("POST", subscription["Endpoint"], headers, {}, body.encode(), trust)
        status, _, _ = await asyncio.wait_for(answering, model.HTTP_TIMEOUT)
    except TimeoutError as error:
        raise Refused(f"{subscription['Endpoint']} did not answer within 15 s", final=False) from error
    except HttpFailed as error:
        raise Refused(str(error), final=False) from error
    if not 200 <= status < 300:
        final = 400 <= status < 500 and status != TOO_MANY
        raise Refused(f"{subscription['Endpoint']} answered {status}", final)


async def _notification(node: Node, work: Work) -> Notification:
    signer = await topics(node).signing.ready()
    text = text_for(work["message"], work["subscription"]["Protocol"])
    return Notification(node, signer, work["message"], text, work["version"], work["signature"])


def _topic(work: Work) -> str:
    arn: str = work["arn"]
    return arn.rpartition(":")[0]


def _is_raw(work: Work) -> bool:
    return bool(work["subscription"]["Attributes"].get("RawMessageDelivery") == "true")


def _unsubscribe(node: Node, work: Work) -> str:
    return unsubscribe_url(node, arn_in_url(work["arn"]))


def confirmation_work(name: Name, record: dict[str, Any], kind: str, id: str, document: str) -> Work:
    """The delivery of a confirmation to an HTTP endpoint."""
    return {
        "kind": kind,
        "id": id,
        "document": document,
        "arn": f"{name.arn}:{record['Id']}",
        "subscription": record,
        "topic_policy": "",
        "attempt": 1,
    }
