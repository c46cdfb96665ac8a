"""A queue's tags and its policy's permissions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from ....context import Context
from ....errors import AwsError
from ....store.interface import Transaction
from .. import model, storage
from ..addresses import named
from .queues import check_tags

Response = dict[str, Any]


async def list_queue_tags(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, request)
    queue = await ctx.store.read(lambda tx: storage.queue(tx, name))
    return {"Tags": queue.tags} if queue.tags else {}


async def tag_queue(ctx: Context, request: dict[str, Any]) -> Response:
    return await _retag(ctx, request, request["Tags"], [])


async def untag_queue(ctx: Context, request: dict[str, Any]) -> Response:
    return await _retag(ctx, request, {}, request["TagKeys"])


async def _retag(ctx: Context, request: dict[str, Any], put: dict[str, str], drop: list[str]) -> Response:
    name = named(ctx, request)

    async def body(tx: Transaction) -> None:
        queue = await storage.queue(tx, name)
        tags = {key: value for key, value in queue.tags.items() if key not in drop} | put
        check_tags(name, tags)
        await storage.put_queue(tx, replace(queue, tags=tags), queue)

    await ctx.store.transact(body)
    return {}


async def add_permission(ctx: Context, request: dict[str, Any]) -> Response:
    """A statement with the label as its Sid."""
    name = named(ctx, request)
    label, accounts, actions = request["Label"], request["AWSAccountIds"], request["Actions"]
    _check_grant(accounts, actions)
    statement = {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": _few([f"arn:aws:iam::{account}:root" for account in accounts])},
        "Action": _few([f"SQS:{action}" for action in actions]),
        "Resource": name.arn,
    }

    async def body(tx: Transaction) -> None:
        queue = await storage.queue(tx, name)
        policy = _policy(queue) or {
            "Version": "2008-10-17",
            "Id": f"{name.arn}/SQSDefaultPolicy",
            "Statement": [],
        }
        if any(one.get("Sid") == label for one in policy["Statement"]):
            raise model.invalid_value(label, "Label", "Already exists.")
        policy["Statement"].append(statement)
        await _put_policy(ctx, tx, queue, policy)

    await ctx.store.transact(body)
    return {}


def _few(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _check_grant(accounts: list[str], actions: list[str]) -> None:
    if len(actions) > model.MAX_LABEL_ACTIONS:
        raise AwsError(
            "OverLimit",
            f"{len(actions)} Actions were found, maximum allowed is {model.MAX_LABEL_ACTIONS}.",
        )
    for account in accounts:
        if not (account.isdigit() and len(account) == 12):
            raise model.invalid_value(f"[{account}]", "PrincipalId", "Unable to verify.")
    for action in actions:
        if action not in model.ACTIONS:
            raise model.invalid_value(
                f"SQS:{action}", "ActionName", "Only the queue owner is allowed to invoke this action."
            )


async def remove_permission(ctx: Context, request: dict[str, Any]) -> Response:
    name = named(ctx, request)
    label = request["Label"]

    async def body(tx: Transaction) -> None:
        queue = await storage.queue(tx, name)
        policy = _policy(queue) or {"Statement": []}
        left = [one for one in policy["Statement"] if one.get("Sid") != label]
        if len(left) == len(policy["Statement"]):
            raise model.invalid_value(label, "Label", "can't find label.")
        policy["Statement"] = left
        await _put_policy(ctx, tx, queue, policy)

    await ctx.store.transact(body)
    return {}


def _policy(queue: storage.Queue) -> dict[str, Any] | None:
    """The policy with its statements as a list."""
    text = queue.attribute("Policy")
    if not text:
        return None
    policy: dict[str, Any] = orjson.loads(text)
    statements = policy.get("Statement", [])
    policy["Statement"] = statements if isinstance(statements, list) else [statements]
    return policy


async def _put_policy(ctx: Context, tx: Transaction, queue: storage.Queue, policy: dict[str, Any]) -> None:
    """A policy without statements is none."""
    attributes = {name: value for name, value in queue.attributes.items() if name != "Policy"}
    if policy["Statement"]:
        attributes["Policy"] = orjson.dumps(policy).decode()
    changed = replace(queue, attributes=attributes, modified=ctx.clock.now_ms())
    await storage.put_queue(tx, changed, queue)
