"""What SQS's operations need, and the queues' own policies: "Amazon SQS API permissions" in the developer guide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need
from ...errors import AwsError
from ...names import arn
from ...policies.documents import Policy, parsed_or_none
from ...store.interface import Transaction
from . import addresses, storage

ACTIONS = {
    "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "DeleteMessageBatch": "sqs:DeleteMessage",
    "SendMessageBatch": "sqs:SendMessage",
}


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    action = ACTIONS.get(operation, f"sqs:{operation}")
    if "QueueUrl" in request:
        try:
            name = addresses.named(ctx, request)
        except AwsError:
            return ()  # the operation says what is wrong with it
        return (Need(action, name.arn, owner=name.account),)
    if operation in ("CreateQueue", "GetQueueUrl"):
        owner = request.get("QueueOwnerAWSAccountId") or ctx.account
        return (Need(action, arn("sqs", ctx.region, owner, request.get("QueueName", "")), owner=owner),)
    return (Need(action, request.get("SourceArn") or arn("sqs", ctx.region, ctx.account, "*")),)


async def policy(ctx: Context, resource: str) -> Policy | None:
    parts = resource.split(":", 5)

    async def body(tx: Transaction) -> str | None:
        queue = await storage.find(tx, storage.Name(parts[4], parts[3], parts[5]))
        return queue.attributes.get("Policy") if queue is not None else None

    return parsed_or_none(await ctx.store.read(body))
