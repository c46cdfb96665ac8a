"""Publish and PublishBatch: a message is acknowledged once its task is on disk."""

from __future__ import annotations

from typing import Any

import orjson

from ....context import Context
from ....errors import AwsError
from ....names import request_id
from ....store.interface import Transaction
from .. import model, outbox, storage, validation
from ..storage import Name, Record, name_of

Response = dict[str, Any]


async def publish(ctx: Context, request: dict[str, Any]) -> Response:
    id = request_id()
    phone = request.get("PhoneNumber")
    if phone is not None:
        await _text(ctx, phone, id, request)
        return {"MessageId": id}
    name = name_of(request.get("TopicArn") or request["TargetArn"])
    payload = _payload(ctx, name, id, request)

    async def body(tx: Transaction) -> None:
        await storage.topic(tx, name)
        if (await storage.audience(tx, name)).confirmed:
            await ctx.node.tasks.enqueue(tx, storage.FANOUT_TASK, payload)

    await ctx.store.transact(body)
    ctx.node.events.emit("sns.publish", topic=name.name, size=len(request["Message"]))
    return {"MessageId": id}


async def publish_batch(ctx: Context, request: dict[str, Any]) -> Response:
    name = name_of(request["TopicArn"])
    payloads: dict[str, tuple[str, bytes]] = {}
    failed: list[Response] = []
    for entry in request["PublishBatchRequestEntries"]:
        try:
            validation.check_entry(entry)
        except AwsError as error:
            failed.append(
                {"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": True}
            )
            continue
        id = request_id()
        payloads[entry["Id"]] = id, _payload(ctx, name, id, entry)

    async def body(tx: Transaction) -> None:
        await storage.topic(tx, name)
        if (await storage.audience(tx, name)).confirmed:
            for _, payload in payloads.values():
                await ctx.node.tasks.enqueue(tx, storage.FANOUT_TASK, payload)

    await ctx.store.transact(body)
    for entry in request["PublishBatchRequestEntries"]:
        if entry["Id"] in payloads:
            ctx.node.events.emit("sns.publish", topic=name.name, size=len(entry["Message"]))
    return {
        "Successful": [{"Id": entry, "MessageId": id} for entry, (id, _) in payloads.items()],
        "Failed": failed,
    }


def _payload(ctx: Context, name: Name, id: str, entry: dict[str, Any]) -> bytes:
    """The task's payload: a message as `envelope` knows it."""
    message: Record = {
        "topic": list(name),
        "id": id,
        "at": ctx.clock.now_ms(),
        "texts": validation.texts_of(entry),
        "attributes": {
            key: _packed(attribute) for key, attribute in (entry.get("MessageAttributes") or {}).items()
        },
    }
    if "Subject" in entry:
        message["subject"] = entry["Subject"]
    if "MessageGroupId" in entry:
        message["group"] = entry["MessageGroupId"]
    return orjson.dumps(message)


def _packed(attribute: Record) -> Record:
    """An attribute as JSON can have it; binary values in base64."""
    kept = {"DataType": attribute["DataType"]}
    if attribute.get("BinaryValue"):
        return kept | {"BinaryValue": validation.base64(attribute["BinaryValue"])}
    return kept | {"StringValue": attribute["StringValue"]}


async def _text(ctx: Context, phone: str, id: str, request: dict[str, Any]) -> None:
    """A text message to a number: into the outbox."""
    texts = validation.texts_of(request)
    words = texts.get("sms", texts[""])[: model.MAX_SMS]
    about = outbox.sender(request.get("MessageAttributes") or {})
    await ctx.store.transact(lambda tx: outbox.put(ctx.node, tx, "sms", phone, words, message_id=id, **about))
