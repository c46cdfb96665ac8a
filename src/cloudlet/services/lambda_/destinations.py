"""Where what is told of invocations goes, by its ARN: of asynchronous ones a function, a queue or a topic; of records
of a stream a queue, a topic or a bucket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...context import Context
from . import model

SERVICES = ("lambda", "sqs", "sns")
OF_STREAMS = ("sqs", "sns", "s3")
Attributes = Mapping[str, Mapping[str, str]]


def service_of(target: str, services: Sequence[str] = SERVICES) -> str:
    """The service that a destination's ARN belongs to."""
    parts = target.split(":", 5)
    service = parts[2] if len(parts) == 6 else ""
    if services is SERVICES and service in ("events", "s3"):
        raise model.invalid(f"Destinations in {service} are not supported here yet: {target}")
    if service not in services:
        raise model.invalid(f"The destination ARN {target} is invalid.")
    return service


def queue_url(target: str) -> str:
    """A queue's URL as AWS has it, from its ARN; asking for it is no right that roles have."""
    _, _, _, region, owner, name = target.split(":", 5)
    return f"https://sqs.{region}.amazonaws.com/{owner}/{name}"


async def deliver(ctx: Context, target: str, text: bytes, attributes: Attributes) -> None:
    """Hand over a record, or a dead letter with its attributes. Raises what the service there raises."""
    service = service_of(target)
    more = {"MessageAttributes": attributes} if attributes else {}
    if service == "lambda":
        event = {"FunctionName": target, "InvocationType": "Event", "Payload": text}
        await ctx.call("lambda", "Invoke", event)
    elif service == "sns":
        await ctx.call("sns", "Publish", {"TopicArn": target, "Message": text.decode(), **more})
    else:
        message = {"QueueUrl": queue_url(target), "MessageBody": text.decode(), **more}
        await ctx.call("sqs", "SendMessage", message)
