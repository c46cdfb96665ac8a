"""Where records of asynchronous invocations go: a function, a queue, a topic or an event bus, by its ARN."""

from __future__ import annotations

import orjson

from ...context import Context
from . import model

SERVICES = ("lambda", "sqs", "sns", "events")


def service_of(target: str) -> str:
    """The service that a destination's ARN belongs to."""
    parts = target.split(":", 5)
    service = parts[2] if len(parts) == 6 else ""
    if service not in SERVICES:
        raise model.invalid(f"The destination ARN {target} is invalid.")
    return service


async def deliver(ctx: Context, target: str, record: bytes) -> None:
    """Hand over a record. Raises what the service there raises."""
    service, name = service_of(target), target.rpartition(":")[2]
    if service == "lambda":
        event = {"FunctionName": target, "InvocationType": "Event", "Payload": record}
        await ctx.call("lambda", "Invoke", event)
    elif service == "sqs":
        owner = target.split(":")[4]
        queue = await ctx.call("sqs", "GetQueueUrl", {"QueueName": name, "QueueOwnerAWSAccountId": owner})
        await ctx.call("sqs", "SendMessage", {"QueueUrl": queue["QueueUrl"], "MessageBody": record.decode()})
    elif service == "sns":
        await ctx.call("sns", "Publish", {"TopicArn": target, "Message": record.decode()})
    else:
        await ctx.call("events", "PutEvents", {"Entries": [_entry(target, record)]})


def _entry(bus: str, record: bytes) -> dict[str, object]:
    condition = orjson.loads(record)["requestContext"]["condition"]
    kind = "Success" if condition == "Success" else "Failure"
    return {
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {kind}",
        "Detail": record.decode(),
        "EventBusName": bus,
    }
