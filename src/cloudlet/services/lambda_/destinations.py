"""Where what is told of asynchronous invocations goes: a function, a queue or a topic, by its ARN."""

from __future__ import annotations

from collections.abc import Mapping

from ...context import Context
from . import model

SERVICES = ("lambda", "sqs", "sns")
Attributes = Mapping[str, Mapping[str, str]]


def service_of(target: str) -> str:
    """The service that a destination's ARN belongs to."""
    parts = target.split(":", 5)
    service = parts[2] if len(parts) == 6 else ""
    if service in ("events", "s3"):
        raise model.invalid(f"Destinations in {service} are not supported here yet: {target}")
    if service not in SERVICES:
        raise model.invalid(f"The destination ARN {target} is invalid.")
    return service


async def deliver(ctx: Context, target: str, record: bytes) -> None:
    """Hand over an invocation record. Raises what the service there raises."""
    if service_of(target) == "lambda":
        event = {"FunctionName": target, "InvocationType": "Event", "Payload": record}
        await ctx.call("lambda", "Invoke", event)
    else:
        await send(ctx, target, record, {})


async def send(ctx: Context, target: str, text: bytes, attributes: Attributes) -> None:
    """Send a message to a queue or a topic. Raises what the service there raises."""
    more = {"MessageAttributes": attributes} if attributes else {}
    if service_of(target) == "sns":
        await ctx.call("sns", "Publish", {"TopicArn": target, "Message": text.decode(), **more})
        return
    _, _, _, _, owner, name = target.split(":", 5)
    queue = await ctx.call("sqs", "GetQueueUrl", {"QueueName": name, "QueueOwnerAWSAccountId": owner})
    await ctx.call(
        "sqs", "SendMessage", {"QueueUrl": queue["QueueUrl"], "MessageBody": text.decode(), **more}
    )
