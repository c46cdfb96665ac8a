"""Log groups: create, delete, list, retention, protection."""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64encode
from typing import Any

from ....context import Context, Node
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Group, Record

Response = dict[str, Any]


def named(ctx: Context, request: dict[str, Any]) -> Group:
    """The group that `logGroupName` or `logGroupIdentifier` (a name or an ARN) means."""
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if name is not None and identifier is not None:
        raise model.validation("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
    if name is not None:
        return Group(ctx.account, ctx.region, name)
    if identifier is None:
        raise model.invalid("Either logGroupName or logGroupIdentifier must be provided.")
    return (
        by_arn(ctx, identifier)
        if identifier.startswith("arn:")
        else Group(ctx.account, ctx.region, identifier)
    )


def by_arn(ctx: Context, arn: str) -> Group:
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[2] != "logs" or parts[5] != "log-group":
        raise model.invalid(f"The ARN {arn} is not that of a log group.")
    return Group(parts[4] or ctx.account, parts[3] or ctx.region, parts[6].removesuffix(":*"))


def mark(name: str) -> str:
    return urlsafe_b64encode(name.encode()).decode()


def unmark(token: str) -> str:
    try:
        return b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise model.bad_token() from error


async def create_log_group(ctx: Context, request: dict[str, Any]) -> Response:
    group = named(ctx, request)
    record: Record = {
        "created": ctx.clock.now_ms(),
        "class": request.get("logGroupClass", "STANDARD"),
        "tags": request.get("tags", {}),
    }
    if "kmsKeyId" in request:
        record["kms"] = request["kmsKeyId"]
    if request.get("deletionProtectionEnabled"):
        record["protected"] = True

    async def body(tx: Transaction) -> None:
        if await storage.group_exists(tx, group):
            raise model.group_exists()
        await storage.put_group(tx, group, record)

    await ctx.store.transact(body)
    return {}


async def delete_log_group(ctx: Context, request: dict[str, Any]) -> Response:
    group = named(ctx, request)

    async def body(tx: Transaction) -> None:
        if (await storage.group(tx, group)).get("protected"):
            raise model.protected()
        await storage.delete_group(tx, group)
        await ctx.node.timers.cancel(tx, storage.RETENTION_TIMER, tuple(group))

    await ctx.store.transact(body)
    return {}


def _show(group: Group, record: Record, size: int) -> Response:
    shown: Response = {
        "logGroupName": group.name,
        "creationTime": record["created"],
        "metricFilterCount": 0,
        "arn": f"{group.arn}:*",
        "storedBytes": size,
        "logGroupClass": record["class"],
        "logGroupArn": group.arn,
        "deletionProtectionEnabled": bool(record.get("protected")),
    }
    if "retention" in record:
        shown["retentionInDays"] = record["retention"]
    if "kms" in record:
        shown["kmsKeyId"] = record["kms"]
    return shown


async def describe_log_groups(ctx: Context, request: dict[str, Any]) -> Response:
    limit = request.get("limit", model.LIST_PAGE)
    prefix, pattern = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
    if prefix and pattern:
        raise model.invalid(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
        )
    after = unmark(request["nextToken"]) if "nextToken" in request else ""
    only = {_identified(ctx, one).name for one in request.get("logGroupIdentifiers", ())}
    kind = request.get("logGroupClass")

    async def body(tx: Transaction) -> list[Response]:
        found = []
        for name, record in await storage.groups(tx, ctx.account, ctx.region, after):
            if not name.startswith(prefix) or pattern.lower() not in name.lower():
                continue
            if (only and name not in only) or kind not in (None, record["class"]):
                continue
            group = Group(ctx.account, ctx.region, name)
            found.append(_show(group, record, await storage.stored_bytes(tx, group)))
            if len(found) > limit:
                break
        return found

    found = await ctx.store.read(body)
    response: Response = {"logGroups": found[:limit]}
    if len(found) > limit:
        response["nextToken"] = mark(found[limit - 1]["logGroupName"])
    return response


def _identified(ctx: Context, identifier: str) -> Group:
    return named(ctx, {"logGroupIdentifier": identifier})


async def list_log_groups(ctx: Context, request: dict[str, Any]) -> Response:
    """Like DescribeLogGroups, by a regular expression and in short."""
    limit = request.get("limit", model.LIST_PAGE)
    after = unmark(request["nextToken"]) if "nextToken" in request else ""
    kind = request.get("logGroupClass")
    try:
        pattern = re.compile(request.get("logGroupNamePattern", ""))
    except re.error as error:
        raise model.invalid("The logGroupNamePattern is not a valid regular expression.") from error
    records = await ctx.store.read(lambda tx: storage.groups(tx, ctx.account, ctx.region, after))
    found = [
        {
            "logGroupName": name,
            "logGroupArn": Group(ctx.account, ctx.region, name).arn,
            "logGroupClass": record["class"],
        }
        for name, record in records
        if pattern.search(name) and kind in (None, record["class"])
    ]
    response: Response = {"logGroups": found[:limit]}
    if len(found) > limit:
        response["nextToken"] = mark(found[limit - 1]["logGroupName"])
    return response


async def put_retention_policy(ctx: Context, request: dict[str, Any]) -> Response:
    group, days = named(ctx, request), request["retentionInDays"]

    async def body(tx: Transaction) -> None:
        record = {**await storage.group(tx, group), "retention": days}
        await storage.put_group(tx, group, record)
        await arm_retention(ctx.node, tx, group, days)

    await ctx.store.transact(body)
    return {}


async def delete_retention_policy(ctx: Context, request: dict[str, Any]) -> Response:
    group = named(ctx, request)

    async def body(tx: Transaction) -> None:
        record = {**await storage.group(tx, group)}
        record.pop("retention", None)
        await storage.put_group(tx, group, record)
        await ctx.node.timers.cancel(tx, storage.RETENTION_TIMER, tuple(group))

    await ctx.store.transact(body)
    return {}


async def arm_retention(node: Node, tx: Transaction, group: Group, days: int) -> None:
    """Set the timer to when the oldest events expire. An empty group needs none: its first events set it."""
    oldest = await storage.oldest(tx, group)
    if oldest is not None:
        due = (oldest + 2 * model.CHUNK_SPAN_MS + days * model.DAY_MS) / 1000
        await node.timers.set(tx, storage.RETENTION_TIMER, tuple(group), due)


async def on_retention_timer(node: Node, tx: Transaction, id: tuple[Any, ...]) -> None:
    """Delete what expired, then wait for what expires next (at once, if there was more than one turn's worth)."""
    group = Group(*id)
    if not await storage.group_exists(tx, group):
        return
    days = (await storage.group(tx, group)).get("retention")
    if days is not None:
        await storage.expire(tx, group, node.clock.now_ms() - days * model.DAY_MS)
        await arm_retention(node, tx, group, days)


async def put_log_group_deletion_protection(ctx: Context, request: dict[str, Any]) -> Response:
    group = named(ctx, request)

    async def body(tx: Transaction) -> None:
        record = {**await storage.group(tx, group), "protected": request["deletionProtectionEnabled"]}
        await storage.put_group(tx, group, record)

    await ctx.store.transact(body)
    return {}
