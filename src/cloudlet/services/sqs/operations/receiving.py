"""ReceiveMessage, with its long poll, and what is done with a receipt handle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ....context import Context
from ....errors import AwsError
from ....store.interface import Transaction
from .. import handles, messages, model, storage, validation
from ..addresses import named
from ..storage import Name, Queue, Taken
from ..waiting import bells
from .sending import outcome

Response = dict[str, Any]


async def receive_message(ctx: Context, request: dict[str, Any]) -> Response:
    """Answers at once if there are messages; else, if it may wait, as soon as there is one."""
    name = named(ctx, request)
    queue, taken, _ = await _look(ctx, name, request)
    wait = request.get("WaitTimeSeconds", queue.wait)
    if not taken and wait:
        queue, taken = await _wait(ctx, name, request, queue, wait)
    if not taken:
        return {}
    ctx.node.events.emit("sqs.receive", queue=name.name, size=len(taken))
    return {"Messages": [_shown(queue, one, request) for one in taken]}


async def _look(ctx: Context, name: Name, request: dict[str, Any]) -> tuple[Queue, list[Taken], int | None]:
    """The queue, messages, and if there are none when the next hidden one can be had. Who is cancelled meanwhile has
    received nothing."""
    got: tuple[Queue, list[Taken]] | None = None

    async def body(tx: Transaction) -> tuple[bool, int | None]:
        nonlocal got
        queue, taken, early, shown = await _take(ctx, tx, name, request)
        got = queue, taken
        return early, shown

    try:
        while True:
            early, shown = await ctx.store.transact(body)
            assert got is not None
            if got[1] or not early:
                return *got, shown
    except asyncio.CancelledError:
        if got is not None and got[1]:
            queue, taken = got
            await ctx.store.transact(lambda tx: storage.put_back(tx, queue, taken, ctx.clock.now_ms()))
        raise


async def _take(
    ctx: Context, tx: Transaction, name: Name, request: dict[str, Any]
) -> tuple[Queue, list[Taken], bool, int | None]:
    queue = await storage.queue(tx, name)
    now = ctx.clock.now_ms()
    limit = request.get("MaxNumberOfMessages", 1)
    if await storage.total(tx, queue) >= model.MAX_IN_FLIGHT:
        limit = min(limit, model.MAX_IN_FLIGHT - (await storage.counts(tx, queue, now))["in_flight"])
        if limit <= 0 and not request.get("WaitTimeSeconds", queue.wait):
            raise model.over_limit()
    seconds = request.get("VisibilityTimeout")
    visibility = queue.visibility if seconds is None else seconds * 1000
    taken: list[Taken] = []
    early = False
    if limit > 0:
        taken, early = await storage.take(tx, ctx.node.timers, queue, now, limit, visibility)
    return queue, taken, early, None if taken or early else await storage.next_shown(tx, queue, now)


async def _wait(
    ctx: Context, name: Name, request: dict[str, Any], queue: Queue, seconds: float
) -> tuple[Queue, list[Taken]]:
    """Read again at each ring of the queue's bell. A purge begins a new generation, which has a bell of its own. If
    time is set back meanwhile, the end lies further ahead than it ever did: that is the end, too."""
    ringing = bells(ctx.node)
    until = ctx.clock.now() + seconds
    while True:
        prefix = queue.order.prefix
        bell = ringing.join(prefix)
        try:
            while True:
                seen = bell.rings
                queue, taken, shown = await _look(ctx, name, request)
                if taken:
                    bell.ring()
                    return queue, taken
                left = until - ctx.clock.now()
                if ringing.released or not 0 < left < seconds + 1:
                    return queue, []
                if queue.order.prefix != prefix:
                    break
                if shown is not None:
                    bell.ring_at(shown / 1000)
                await bell.wait(seen, left)
        finally:
            ringing.leave(prefix, bell)


def _shown(queue: Queue, taken: Taken, request: dict[str, Any]) -> Response:
    message = taken.message
    shown: Response = {
        "MessageId": message["MessageId"],
        "ReceiptHandle": handles.make(queue, taken.id, taken.held.receives),
        "MD5OfBody": message["MD5OfBody"],
        "Body": message["Body"],
    }
    wanted = {*request.get("AttributeNames", ()), *request.get("MessageSystemAttributeNames", ())}
    if wanted:
        system = _system_attributes(taken)
        chosen = system if "All" in wanted else {k: v for k, v in system.items() if k in wanted}
        if chosen:
            shown["Attributes"] = chosen
    names = request.get("MessageAttributeNames")
    if names and "MessageAttributes" in message:
        attributes = messages.unpacked(messages.selected(message["MessageAttributes"], names))
        if attributes:
            shown["MessageAttributes"] = attributes
            shown["MD5OfMessageAttributes"] = messages.digest(attributes)
    return shown


def _system_attributes(taken: Taken) -> dict[str, str]:
    attributes = {
        "SenderId": taken.message["SenderId"],
        "ApproximateFirstReceiveTimestamp": str(taken.held.first),
        "ApproximateReceiveCount": str(taken.held.receives),
        "SentTimestamp": str(taken.id.sent),
    }
    for name in ("AWSTraceHeader", "DeadLetterQueueSourceArn", "MessageGroupId"):
        if name in taken.message:
            attributes[name] = taken.message[name]
    return attributes


async def delete_message(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, request)
    await ctx.store.transact(lambda tx: _one(ctx, tx, name, request, _delete))
    return {}


async def delete_message_batch(ctx: Context, request: dict[str, Any]) -> Response:
    return await _each(ctx, request, _delete)


async def change_message_visibility(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, request)
    await ctx.store.transact(lambda tx: _one(ctx, tx, name, request, _change))
    return {}


async def change_message_visibility_batch(ctx: Context, request: dict[str, Any]) -> Response:
    return await _each(ctx, request, _change)


Act = Callable[[Context, Transaction, Queue, dict[str, Any]], Awaitable[None]]


async def _one(ctx: Context, tx: Transaction, name: Name, request: dict[str, Any], act: Act) -> None:
    await act(ctx, tx, await storage.queue(tx, name), request)


async def _each(ctx: Context, request: dict[str, Any], act: Act) -> Response:
    """Do it with each entry of a batch; what is wrong with one is no matter of the others."""
    name = named(ctx, request)

    async def body(tx: Transaction) -> tuple[list[Response], dict[str, AwsError]]:
        queue = await storage.queue(tx, name)
        done: list[Response] = []
        failed: dict[str, AwsError] = {}
        for entry in request["Entries"]:
            try:
                await act(ctx, tx, queue, entry)
                done.append({"Id": entry["Id"]})
            except AwsError as error:
                failed[entry["Id"]] = error
        return done, failed

    return outcome(*await ctx.store.transact(body))


async def _delete(ctx: Context, tx: Transaction, queue: Queue, entry: dict[str, Any]) -> None:
    """With the handle of the last receive, whether or not its time is over. An older one deletes nothing, and says so
    to nobody, as in AWS."""
    if not entry.get("ReceiptHandle"):
        raise model.missing("ReceiptHandle")
    handle = handles.read(queue, entry["ReceiptHandle"])
    if handle.generation == queue.generation:
        await storage.delete(tx, queue, handle.id, handle.receives, ctx.clock.now_ms())


async def _change(ctx: Context, tx: Transaction, queue: Queue, entry: dict[str, Any]) -> None:
    text = entry.get("ReceiptHandle")
    if not text:
        raise model.missing("ReceiptHandle")
    timeout = validation.check_visibility(entry.get("VisibilityTimeout")) * 1000
    handle = handles.read(queue, text)
    held = await storage.held(tx, queue, handle.id, handle.receives)
    now = ctx.clock.now_ms()
    if held is None or handle.generation != queue.generation or handle.id.sent + queue.retention <= now:
        raise model.not_available(text)
    if held.visible <= now:
        raise model.not_in_flight()
    if (now - held.last) // 1000 * 1000 + timeout > model.MAX_VISIBILITY * 1000:
        raise model.invalid_value(
            timeout // 1000,
            "VisibilityTimeout",
            f"Total VisibilityTimeout for the message is beyond the limit [{model.MAX_VISIBILITY} seconds].",
        )
    await storage.show_at(tx, queue, handle.id, held, now + timeout, now)
