"""Queues: create, find, list, delete, purge."""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import replace
from typing import Any

import orjson

from ....context import Context, Node
from ....store.interface import Task, Transaction
from .. import attributes, model, storage
from ..addresses import named, url
from ..storage import Name, Queue

Response = dict[str, Any]
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


async def create_queue(ctx: Context, request: dict[str, Any]) -> Response:
    name = Name(ctx.account, ctx.region, request["QueueName"])
    given = dict(request.get("Attributes", {}))
    if given.get("FifoQueue", "").lower() == "true" or name.name.endswith(".fifo"):
        raise model.no_fifo()
    if not _NAME.fullmatch(name.name):
        raise model.invalid(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )
    wanted = attributes.checked(given, name)
    tags = request.get("tags", {})
    check_tags(name, tags)
    uid = secrets.randbits(62)

    async def body(tx: Transaction) -> None:
        existing = await storage.find(tx, name)
        if existing is not None:
            _compare(existing, wanted)
            return
        now = ctx.clock.now_ms()
        if await storage.is_name_taken(tx, name, now):
            raise model.deleted_recently()
        made = Queue(name, uid, 0, now, now, _settled({}, wanted), tags)
        await check_target(tx, made, given)
        await storage.put_queue(tx, made)

    await ctx.store.transact(body)
    return {"QueueUrl": url(ctx, name)}


def _compare(existing: Queue, wanted: dict[str, str]) -> None:
    """Creating a queue that is there with the same attributes is no error."""
    for name, value in wanted.items():
        if existing.attribute(name) != value:
            raise model.queue_exists(name)


def _settled(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Attributes after a change: one kind of encryption ends the other, "" unsets."""
    settled = {**old, **new}
    if new.get("KmsMasterKeyId"):
        settled["SqsManagedSseEnabled"] = "false"
    elif new.get("SqsManagedSseEnabled") == "true" and settled.get("KmsMasterKeyId"):
        raise model.two_encryptions()
    return {name: value for name, value in settled.items() if value != ""}


async def check_target(tx: Transaction, queue: Queue, given: dict[str, str]) -> None:
    """A dead-letter queue that a request names must be there and agree."""
    if not given.get("RedrivePolicy") or queue.dead_letters is None:
        return
    target = queue if queue.dead_letters == queue.name else await storage.find(tx, queue.dead_letters)
    if target is None:
        raise model.invalid_value(
            given["RedrivePolicy"], "RedrivePolicy", "Dead letter target does not exist."
        )
    if not attributes.allows(target.attribute("RedriveAllowPolicy"), queue.name):
        raise model.invalid_value(
            given["RedrivePolicy"],
            "RedrivePolicy",
            "The dead letter target's RedriveAllowPolicy does not allow this queue.",
        )


def check_tags(name: Name, tags: dict[str, str]) -> None:
    if len(tags) > model.MAX_TAGS:
        raise model.invalid(f"Too many tags added for queue {name.name}.")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:"):
            raise model.invalid(
                "Tag keys must be between 1 and 128 characters in length and not begin with aws:."
            )
        if len(value) > 256:
            raise model.invalid("Tag values must be between 0 and 256 characters in length.")


async def get_queue_url(ctx: Context, request: dict[str, Any]) -> Response:
    name = Name(request.get("QueueOwnerAWSAccountId") or ctx.account, ctx.region, request["QueueName"])
    await ctx.store.read(lambda tx: storage.queue(tx, name))
    return {"QueueUrl": url(ctx, name)}


def _page(request: dict[str, Any]) -> tuple[str, int]:
    """Where a page begins, and how long it is."""
    limit = request.get("MaxResults", model.LIST_PAGE)
    if not 1 <= limit <= model.LIST_PAGE:
        raise model.invalid_value(
            limit, "MaxResults", f"MaxResults must be an integer between 1 and {model.LIST_PAGE}."
        )
    token = request.get("NextToken")
    if not token:
        return "", limit
    try:
        return base64.b64decode(token, validate=True).decode(), limit
    except ValueError as error:
        raise model.invalid("Invalid or expired next token.") from error


def _listed(ctx: Context, found: list[Name], limit: int, member: str, paged: bool) -> Response:
    """A page of URLs. There is a token only if the request named a size."""
    response: Response = {member: [url(ctx, name) for name in found[:limit]]}
    if len(found) > limit and paged:
        response["NextToken"] = base64.b64encode(found[limit - 1].name.encode()).decode()
    return response


async def list_queues(ctx: Context, request: dict[str, Any]) -> Response:
    after, limit = _page(request)
    prefix = request.get("QueueNamePrefix", "")
    names = await ctx.store.read(
        lambda tx: storage.names(tx, ctx.account, ctx.region, prefix, after, limit + 1)
    )
    found = [Name(ctx.account, ctx.region, name) for name in names]
    return _listed(ctx, found, limit, "QueueUrls", "MaxResults" in request) if found else {}


async def list_dead_letter_source_queues(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, request)
    after, limit = _page(request)

    async def body(tx: Transaction) -> list[Name]:
        await storage.queue(tx, name)
        return await storage.sources(tx, name, after, limit + 1)

    found = await ctx.store.read(body)
    return _listed(ctx, found, limit, "queueUrls", "MaxResults" in request)


async def delete_queue(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, request)

    async def body(tx: Transaction) -> None:
        queue = await storage.queue(tx, name)
        await storage.delete_queue(tx, ctx.node.timers, queue, ctx.clock.now_ms())
        await _enqueue_sweep(ctx.node, tx, queue)

    await ctx.store.transact(body)
    return {}


async def purge_queue(ctx: Context, request: dict[str, Any]) -> Response:
    """All messages go at once: the queue goes on as a new generation, and the old one is swept."""
    name = named(ctx, request)

    async def body(tx: Transaction) -> None:
        queue = await storage.queue(tx, name)
        now = ctx.clock.now_ms()
        if queue.purged and 0 <= now - queue.purged < model.PURGE_SECONDS * 1000:
            raise model.purge_in_progress(name.name)
        await storage.put_queue(tx, replace(queue, generation=queue.generation + 1, purged=now), queue)
        await storage.rouse(tx, queue)
        await _enqueue_sweep(ctx.node, tx, queue)

    await ctx.store.transact(body)
    return {}


async def _enqueue_sweep(node: Node, tx: Transaction, queue: Queue) -> None:
    await node.tasks.enqueue(tx, storage.SWEEP_TASK, orjson.dumps(queue.place))


async def on_sweep(node: Node, task: Task) -> None:
    uid, generation = orjson.loads(task.payload)
    await storage.sweep(node.store, uid, generation)


async def on_retention(node: Node, tx: Transaction, id: tuple[Any, ...]) -> None:
    queue = await storage.find(tx, Name(*id))
    if queue is not None:
        await storage.expire(tx, node.timers, queue, node.clock.now_ms())


async def on_name_free(tx: Transaction, id: tuple[Any, ...]) -> None:
    await storage.free_name(tx, Name(*id))


async def set_queue_attributes(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, request)
    wanted = attributes.checked(request["Attributes"], name)

    async def body(tx: Transaction) -> None:
        old = await storage.queue(tx, name)
        now = ctx.clock.now_ms()
        new = replace(old, attributes=_settled(old.attributes, wanted), modified=now)
        await check_target(tx, new, request["Attributes"])
        await storage.put_queue(tx, new, old)
        if new.retention != old.retention:
            await storage.arm(tx, ctx.node.timers, new, await storage.total(tx, new))

    await ctx.store.transact(body)
    return {}


async def get_queue_attributes(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, request)
    wanted = set(request.get("AttributeNames", ()))
    for attribute in sorted(wanted - {"All"}):
        if attribute not in model.ATTRIBUTES:
            raise model.unknown_attribute(attribute)
    if "All" in wanted:
        wanted = set(model.ATTRIBUTES)

    async def body(tx: Transaction) -> dict[str, str]:
        queue = await storage.queue(tx, name)
        found = _described(queue)
        if wanted & model.COUNTS.keys():
            counts = await storage.counts(tx, queue, ctx.clock.now_ms())
            found |= {attribute: str(counts[kind]) for attribute, kind in model.COUNTS.items()}
        return {attribute: found[attribute] for attribute in found if attribute in wanted}

    found = await ctx.store.read(body)
    return {"Attributes": found} if found else {}


def _described(queue: Queue) -> dict[str, str]:
    found = {
        "QueueArn": queue.name.arn,
        "CreatedTimestamp": str(queue.created // 1000),
        "LastModifiedTimestamp": str(queue.modified // 1000),
        **model.DEFAULTS,
        **queue.attributes,
    }
    if "KmsMasterKeyId" in queue.attributes:
        found.setdefault("KmsDataKeyReusePeriodSeconds", "300")
    return found
