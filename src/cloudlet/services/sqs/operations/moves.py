"""Message move tasks: dead letters go back to where they came from, or elsewhere, at a rate.

What a task has done is its record, written with each step's messages, so a node that starts again goes on where the
last one stopped.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from ....context import Context, Node
from ....names import request_id
from ....store.interface import Task, Transaction
from .. import model, storage
from ..storage import Name, Queue, Record, name_of

Response = dict[str, Any]
STEP = 64
"""How many messages one transaction moves when no rate is given."""
PER_SECOND = 10
"""How many steps a second has when a rate is given, at most."""


def _handle(source: Name, id: str) -> str:
    return base64.b64encode(orjson.dumps({"taskId": id, "sourceArn": source.arn})).decode()


async def start_message_move_task(ctx: Context, request: dict[str, Any]) -> Response:
    source = name_of(request["SourceArn"])
    destination = request.get("DestinationArn")
    id = request_id()

    async def body(tx: Transaction) -> Name:
        queue = await storage.find(tx, source) if source is not None else None
        if queue is None or source is None:
            raise model.not_found(
                "The resource that you specified for the SourceArn parameter doesn't exist."
            )
        if not await storage.sources(tx, source, limit=1):
            raise model.invalid("Source queue must be configured as a Dead Letter Queue.")
        if destination is not None:
            await _check_destination(tx, source, destination)
        earlier = await storage.moves(tx, source)
        if any(move["status"] in ("RUNNING", "CANCELLING") for move in earlier):
            raise model.invalid(
                "There is already a task running. Only one active task is allowed for a source queue arn at a given"
                " time."
            )
        for move in earlier[model.MOVES_SHOWN - 1 :]:
            await storage.delete_move(tx, source, move)
        now = ctx.clock.now_ms()
        move = {
            "id": id,
            "status": "RUNNING",
            "destination": destination,
            "rate": request.get("MaxNumberOfMessagesPerSecond"),
            "moved": 0,
            "to_move": (await storage.counts(tx, queue, now))["visible"],
            "started": now,
        }
        await storage.put_move(tx, source, move)
        await ctx.node.tasks.enqueue(tx, storage.MOVE_TASK, orjson.dumps([list(source), id]))
        return source

    return {"TaskHandle": _handle(await ctx.store.transact(body), id)}


async def _check_destination(tx: Transaction, source: Name, arn: str) -> None:
    target = name_of(arn)
    if target is None or await storage.find(tx, target) is None:
        raise model.not_found(
            "The resource that you specified for the DestinationArn parameter doesn't exist."
        )
    if target == source:
        raise model.invalid("Source queue arn and destination queue arn cannot be the same.")


async def list_message_move_tasks(ctx: Context, request: dict[str, Any]) -> Response:
    source = name_of(request["SourceArn"])
    limit = request.get("MaxResults", 1)
    if not 1 <= limit <= model.MOVES_SHOWN:
        raise model.invalid_value(
            limit, "MaxResults", f"Must be between 1 and {model.MOVES_SHOWN}, if provided."
        )

    async def body(tx: Transaction) -> list[Record]:
        if source is None or await storage.find(tx, source) is None:
            raise model.not_found(
                "The resource that you specified for the SourceArn parameter doesn't exist."
            )
        return await storage.moves(tx, source)

    found = await ctx.store.read(body)
    return {"Results": [_shown(request["SourceArn"], move) for move in found[:limit]]} if found else {}


def _shown(arn: str, move: Record) -> Response:
    shown: Response = {
        "Status": move["status"],
        "SourceArn": arn,
        "ApproximateNumberOfMessagesMoved": move["moved"],
        "ApproximateNumberOfMessagesToMove": move["to_move"],
        "StartedTimestamp": move["started"],
    }
    source = name_of(arn)
    if move["status"] == "RUNNING" and source is not None:
        shown["TaskHandle"] = _handle(source, move["id"])
    for member, field in (
        ("DestinationArn", "destination"),
        ("MaxNumberOfMessagesPerSecond", "rate"),
        ("FailureReason", "reason"),
    ):
        if move.get(field) is not None:
            shown[member] = move[field]
    return shown


async def cancel_message_move_task(ctx: Context, request: dict[str, Any]) -> Response:
    source, id = _read_handle(request["TaskHandle"])

    async def body(tx: Transaction) -> Record:
        if source is None or await storage.find(tx, source) is None:
            raise model.not_found(
                "The resource that you specified for the SourceArn parameter doesn't exist."
            )
        move = await storage.move(tx, source, id)
        if move is None:
            raise model.not_found("Task does not exist.")
        if move["status"] != "RUNNING":
            raise model.invalid("Only a task that is running can be cancelled.")
        await storage.put_move(tx, source, {**move, "status": "CANCELLING"})
        return move

    return {"ApproximateNumberOfMessagesMoved": (await ctx.store.transact(body))["moved"]}


def _read_handle(text: str) -> tuple[Name | None, str]:
    try:
        found = orjson.loads(base64.b64decode(text, validate=True))
        return name_of(str(found["sourceArn"])), str(found["taskId"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise model.invalid("Value for parameter TaskHandle is invalid.") from error


async def on_move(node: Node, task: Task) -> None:
    """Do a task, or what is left of it, step by step."""
    parts, id = orjson.loads(task.payload)
    source = Name(*parts)
    while True:
        pause = await node.store.transact(lambda tx: _step(node, tx, source, id))
        if pause is None:
            return
        if pause:
            await node.clock.sleep(pause)


async def _step(node: Node, tx: Transaction, source: Name, id: str) -> float | None:
    """Move some messages. How long to wait before the next step; None if there is none."""
    move = await storage.move(tx, source, id)
    queue = await storage.find(tx, source)
    if move is None or queue is None or move["status"] not in ("RUNNING", "CANCELLING"):
        return None
    if move["status"] == "CANCELLING":
        await storage.put_move(tx, source, {**move, "status": "CANCELLED"})
        return None
    rate = move["rate"]
    step = STEP if rate is None else max(1, rate // PER_SECOND)
    left = move["to_move"] - move["moved"]
    moved, reason = await _move(node, tx, queue, move["destination"], min(step, left))
    move["moved"] += moved
    if reason:
        move |= {"status": "FAILED", "reason": reason}
    elif moved == 0 or moved == left:
        move["status"] = "COMPLETED"
    await storage.put_move(tx, source, move)
    if move["status"] != "RUNNING":
        return None
    return 0.0 if rate is None else step / rate


async def _move(
    node: Node, tx: Transaction, queue: Queue, destination: str | None, limit: int
) -> tuple[int, str]:
    """Moved messages are new ones: with an id, an age and counts of their own. Also why it can't go on, if so."""
    now = node.clock.now_ms()
    moved = 0
    for _ in range(limit):
        found = await storage.first_visible(tx, queue, now)
        if found is None:
            break
        arn = destination or found.get("DeadLetterQueueSourceArn")
        if arn is None:
            return moved, "CouldNotDetermineMessageSource"
        name = name_of(arn)
        target = await storage.find(tx, name) if name is not None else None
        if target is None:
            return moved, "AWS.SimpleQueueService.NonExistentQueue"
        await storage.pull_first(tx, queue, now)
        fresh = {key: value for key, value in found.items() if key not in storage.HISTORY}
        await storage.add(tx, node.timers, target, [{**fresh, "MessageId": request_id()}], now, [0])
        moved += 1
    return moved, ""
