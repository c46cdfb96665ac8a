"""SendMessage and SendMessageBatch."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....errors import AwsError
from ....names import request_id
from ....store.interface import Transaction
from .. import messages, model, storage, validation
from ..addresses import named
from ..storage import Record

Response = dict[str, Any]


class Draft:
    """A message that was checked, but for the limit of its queue."""

    __slots__ = ("answer", "delay", "record", "size")

    def __init__(self, ctx: Context, entry: dict[str, Any]) -> None:
        """Raises for what can't be sent at all."""
        body = messages.checked_body(entry.get("MessageBody"))
        delay = entry.get("DelaySeconds")
        self.delay: int | None = None if delay is None else delay * 1000
        id = request_id()
        digest = messages.body_digest(body)
        self.size = len(body)
        self.record: Record = {
            "MessageId": id,
            "Body": entry["MessageBody"],
            "MD5OfBody": digest,
            "SenderId": ctx.principal.user_id or ctx.account,
        }
        self.answer: Response = {"MD5OfMessageBody": digest, "MessageId": id}
        attributes = entry.get("MessageAttributes")
        if attributes:
            self.size = messages.size_of(body, attributes)
            self.record["MessageAttributes"] = messages.packed(attributes)
            self.answer["MD5OfMessageAttributes"] = messages.digest(attributes)
        system = entry.get("MessageSystemAttributes")
        if system:
            self.record["AWSTraceHeader"] = system["AWSTraceHeader"]["StringValue"]
            self.answer["MD5OfMessageSystemAttributes"] = messages.digest(system)
        if "MessageGroupId" in entry:
            self.record["MessageGroupId"] = entry["MessageGroupId"]


async def send_message(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, request)
    draft = Draft(ctx, request)

    async def body(tx: Transaction) -> None:
        queue = await storage.queue(tx, name)
        if draft.size > queue.max_size:
            raise model.too_long(queue.max_size)
        delay = queue.delay if draft.delay is None else draft.delay
        await storage.add(tx, ctx.node.timers, queue, [draft.record], ctx.clock.now_ms(), [delay])

    await ctx.store.transact(body)
    ctx.node.events.emit("sqs.send", queue=name.name, size=draft.size)
    return draft.answer


async def send_message_batch(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, request)
    drafts: dict[str, Draft] = {}
    refused: dict[str, AwsError] = {}
    for entry in request["Entries"]:
        try:
            messages.checked_body(entry.get("MessageBody"))
            validation.check_extras(entry)
            drafts[entry["Id"]] = Draft(ctx, entry)
        except AwsError as error:
            refused[entry["Id"]] = error

    async def body(tx: Transaction) -> tuple[list[str], dict[str, AwsError]]:
        queue = await storage.queue(tx, name)
        failed = dict(refused)
        sent = []
        for id, draft in drafts.items():
            if draft.size > queue.max_size:
                failed[id] = model.too_long(queue.max_size)
            else:
                sent.append(id)
        if sent:
            await storage.add(
                tx,
                ctx.node.timers,
                queue,
                [drafts[id].record for id in sent],
                ctx.clock.now_ms(),
                [queue.delay if (delay := drafts[id].delay) is None else delay for id in sent],
            )
        return sent, failed

    sent, failed = await ctx.store.transact(body)
    for id in sent:
        ctx.node.events.emit("sqs.send", queue=name.name, size=drafts[id].size)
    return outcome([{"Id": id, **drafts[id].answer} for id in sent], failed)


def outcome(successful: list[Response], failed: dict[str, AwsError]) -> Response:
    """What a batch answers; a list with nothing in it is left out."""
    response: Response = {}
    if successful:
        response["Successful"] = successful
    if failed:
        response["Failed"] = [
            {
                "Id": id,
                "SenderFault": True,
                "Code": model.BATCH_CODES.get(error.code, error.code),
                "Message": error.message,
            }
            for id, error in failed.items()
        ]
    return response
