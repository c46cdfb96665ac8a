"""What SQS's operations need, and the queues' own policies: "Amazon SQS API permissions" in the developer guide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need
from ...errors import AwsError
from ...names import arn
from ...permissions import wording
from ...policies.decision import Reason, Verdict
from ...policies.documents import Policy, parsed_or_none
from ...store.interface import Transaction
from . import addresses, storage

ACTIONS = {
    "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "DeleteMessageBatch": "sqs:DeleteMessage",
    "SendMessageBatch": "sqs:SendMessage",
}


OWNERS_ONLY = frozenset((
    "AddPermission", "CancelMessageMoveTask", "CreateQueue", "DeleteQueue", "ListMessageMoveTasks", "ListQueueTags",
    "ListQueues", "RemovePermission", "SetQueueAttributes", "StartMessageMoveTask", "TagQueue", "UntagQueue",
))  # fmt: skip
"""What no policy of a queue gives to other accounts."""


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    action = ACTIONS.get(operation, f"sqs:{operation}")
    if "QueueUrl" in request:
        try:
            name = addresses.named(ctx, request)
        except AwsError:
            return ()  # the operation says what is wrong with it
        resource, owner = name.arn, name.account
    elif operation in ("CreateQueue", "GetQueueUrl"):
        owner = request.get("QueueOwnerAWSAccountId") or ctx.account
        resource = arn("sqs", ctx.region, owner, request.get("QueueName", ""))
    else:
        resource = request.get("SourceArn") or arn("sqs", ctx.region, ctx.account, "*")
        source = storage.name_of(resource)
        owner = ctx.account if source is None else source.account
    if operation in OWNERS_ONLY and owner != ctx.account:
        verb = f"sqs:{operation.lower()}"
        text = wording(ctx, verb, resource, Verdict(False, Reason.RESOURCE))
        raise AwsError("AccessDeniedException", text, status=403)
    return (Need(action, resource, owner=owner),)


async def policy(ctx: Context, resource: str) -> Policy | None:
    parts = resource.split(":", 5)

    async def body(tx: Transaction) -> str | None:
        queue = await storage.find(tx, storage.Name(parts[4], parts[3], parts[5]))
        return queue.attributes.get("Policy") if queue is not None else None

    return parsed_or_none(await ctx.store.read(body))
