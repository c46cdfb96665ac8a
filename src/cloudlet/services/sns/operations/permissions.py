"""AddPermission and RemovePermission: single statements of a topic's policy."""

from __future__ import annotations

from typing import Any

import orjson

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Name, Record, name_of

Response = dict[str, Any]


async def add_permission(ctx: Context, request: dict[str, Any]) -> Response:
    name = name_of(request["TopicArn"])
    statement = {
        "Sid": request["Label"],
        "Effect": "Allow",
        "Principal": {"AWS": _one([f"arn:aws:iam::{account}:root" for account in request["AWSAccountId"]])},
        "Action": _one([f"SNS:{action}" for action in request["ActionName"]]),
        "Resource": name.arn,
    }

    async def body(tx: Transaction) -> None:
        topic, policy = await _policy(tx, name)
        if any(one.get("Sid") == request["Label"] for one in policy["Statement"]):
            raise model.invalid("Statement already exists")
        await _put(tx, name, topic, {**policy, "Statement": [*policy["Statement"], statement]})

    await ctx.store.transact(body)
    return {}


async def remove_permission(ctx: Context, request: dict[str, Any]) -> Response:
    name = name_of(request["TopicArn"])

    async def body(tx: Transaction) -> None:
        topic, policy = await _policy(tx, name)
        left = [one for one in policy["Statement"] if one.get("Sid") != request["Label"]]
        await _put(tx, name, topic, {**policy, "Statement": left})

    await ctx.store.transact(body)
    return {}


async def _policy(tx: Transaction, name: Name) -> tuple[Record, Record]:
    """A topic and its policy, whose statements are a list."""
    topic = await storage.topic(tx, name)
    text = topic["Attributes"].get("Policy")
    policy = orjson.loads(text) if text else model.default_policy(name.arn, name.account)
    statements = policy["Statement"]
    return topic, {**policy, "Statement": statements if isinstance(statements, list) else [statements]}


async def _put(tx: Transaction, name: Name, topic: Record, policy: Record) -> None:
    text = orjson.dumps(policy).decode()
    await storage.put_topic(tx, name, {**topic, "Attributes": {**topic["Attributes"], "Policy": text}})


def _one(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
