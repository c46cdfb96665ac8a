"""The way of a firing to its target: attempts with growing pauses, and the dead-letter queue after the last.

An attempt is one durable task; one that fails leaves the task of the next, so a node that is killed goes on.
"""

from __future__ import annotations

from typing import Any

import orjson

from ...context import Context, Node
from ...errors import AwsError
from ...store.interface import Task
from . import model, roles, storage, targets
from .storage import Name

Delivery = dict[str, Any]
TOO_OLD, TOO_OFTEN = "MaximumEventAgeInSeconds", "MaximumRetryAttempts"
NEVER = 501
"""The status of what this node doesn't have: trying again is of no use."""
EXPIRED = ("EventExpired", "The invocation was older than the maximum event age of its retry policy.")


async def _acting(node: Node, name: Name, role: str) -> Context:
    """As the target's role, for the schedule's group."""
    ctx = node.context(account=name.account, region=name.region)
    return await ctx.as_role(
        model.SERVICE_PRINCIPAL, role, roles.SESSION, storage.group_arn(name.place, name.group)
    )


async def on_deliver(node: Node, task: Task) -> None:
    """One attempt."""
    delivery: Delivery = orjson.loads(task.payload)
    name = Name(*delivery["schedule"])
    if _age(node, delivery) > delivery["retry"][TOO_OLD]:
        error = delivery.get("error") or list(EXPIRED)
        await _bury(node, name, {**delivery, "attempt": delivery["attempt"] - 1, "error": error}, TOO_OLD)
        return
    target = delivery["target"]
    try:
        text = targets.text_of(name, target, delivery)
        wanted = targets.call(node, name, target, text)
        ctx = await _acting(node, name, target["RoleArn"])
        await ctx.call(wanted.service, wanted.operation, wanted.params)
    except AwsError as error:
        await _failed(node, name, delivery, error)
    else:
        _tell(node, name, delivery, "")


async def _failed(node: Node, name: Name, delivery: Delivery, error: AwsError) -> None:
    """Leave the next attempt, or the dead letter."""
    delivery = {**delivery, "error": [_code(node, delivery["target"]["Arn"], error), error.message]}
    _tell(node, name, delivery, f"{error.code}: {error.message}")
    attempt: int = delivery["attempt"]
    delay = min(model.BACKOFF_MAX, 2.0 ** min(attempt - 1, 20))
    if attempt > delivery["retry"][TOO_OFTEN] or error.status == NEVER:
        await _bury(node, name, delivery, TOO_OFTEN)
    elif _age(node, delivery) + delay > delivery["retry"][TOO_OLD]:
        await _bury(node, name, delivery, TOO_OLD)
    else:
        if attempt == 1:
            node.log.warning("schedule %s failed and will be tried again: %s", name.arn, error)
        following = orjson.dumps({**delivery, "attempt": attempt + 1})
        await node.store.transact(
            lambda tx: node.tasks.enqueue(tx, storage.DELIVER_TASK, following, delay=delay)
        )


async def _bury(node: Node, name: Name, delivery: Delivery, condition: str) -> None:
    code, message = delivery["error"]
    node.log.warning("schedule %s gave up (%s): %s: %s", name.arn, condition, code, message)
    if "DeadLetterConfig" in delivery["target"]:
        letter = orjson.dumps({**delivery, "condition": condition})
        await node.store.transact(lambda tx: node.tasks.enqueue(tx, storage.DEAD_TASK, letter))


async def on_dead(node: Node, task: Task) -> None:
    """Send what was not delivered to the dead-letter queue, as the role."""
    letter: Delivery = orjson.loads(task.payload)
    name = Name(*letter["schedule"])
    target = letter["target"]
    account, queue = target["DeadLetterConfig"]["Arn"].split(":")[4:6]
    asked, arn = targets.request_of(node, name, target, letter)
    attributes = {
        "ERROR_CODE": letter["error"][0],
        "ERROR_MESSAGE": letter["error"][1] or letter["error"][0],
        "EXECUTION_ID": letter["execution"],
        "EXHAUSTED_RETRY_CONDITION": letter["condition"],
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": str(max(0, letter["attempt"] - 1)),
        "SCHEDULED_TIME": targets.moment(letter["time"]),
        "SCHEDULE_ARN": name.arn,
        "TARGET_ARN": arn,
    }
    size = sum(len(key) + len("String") + len(value.encode()) for key, value in attributes.items())
    body, room = asked.encode(), model.MAX_LETTER - size
    if len(body) > room:
        asked = body[:room].decode(errors="ignore")
        attributes["IS_PAYLOAD_TRUNCATED"] = "true"
    ctx = await _acting(node, name, target["RoleArn"])
    message = {
        "QueueUrl": f"http://{node.config.home}/{account}/{queue}",
        "MessageBody": asked,
        "MessageAttributes": {
            key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()
        },
    }
    await ctx.call("sqs", "SendMessage", message)


def _age(node: Node, delivery: Delivery) -> float:
    age: float = node.clock.now() - delivery["due"]
    return age


def _code(node: Node, arn: str, error: AwsError) -> str:
    """The error's name as an SDK shows it."""
    universal = arn.startswith(targets.UNIVERSAL)
    service = arn.removeprefix(targets.UNIVERSAL).split(":")[0] if universal else arn.split(":")[2]
    service = model.SDK_NAMES.get(service, service)
    if service not in node.dispatcher.services:
        return error.code
    return node.dispatcher.models[service].query_code(error.code) or error.code


def _tell(node: Node, name: Name, delivery: Delivery, error: str) -> None:
    node.events.emit(
        "schedule.fire",
        schedule=f"{name.group}/{name.name}",
        target=delivery["target"]["Arn"],
        time=delivery["time"],
        attempt=delivery["attempt"],
        error=error,
    )
