"""What DynamoDB's operations need: "Actions, resources, and condition keys for Amazon DynamoDB"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need
from ...names import arn
from ...policies.documents import Policy, parsed_or_none
from ...store.interface import Transaction
from . import storage

EVERYWHERE = frozenset(
    {"ListTables", "DescribeLimits", "DescribeEndpoints", "ListBackups", "ListGlobalTables", "ListStreams"}
)
"""What is about no table."""
BATCHES = ("BatchGetItem", "BatchWriteItem")
IN_TRANSACTION = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Get": "dynamodb:GetItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}
"""A transaction needs the permission of each of its parts."""


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    action = f"dynamodb:{operation}"
    if operation in BATCHES:
        return [Need(action, _table(ctx, name)) for name in request.get("RequestItems", ())]
    if operation.startswith("Transact"):
        return _of_transaction(ctx, request)
    if operation in EVERYWHERE:
        return (Need(action, "*"),)
    resource = request.get("ResourceArn") or request.get("StreamArn") or request.get("BackupArn")
    if operation == "GetRecords":
        resource = request["ShardIterator"].partition("|")[0]
    if resource is None:
        resource = _table(ctx, request.get("TableName") or request.get("TargetTableName") or "*")
    if operation in ("Query", "Scan") and "IndexName" in request:
        resource += f"/index/{request['IndexName']}"
    return (Need(action, resource, _facts(request)),)


async def policy(ctx: Context, resource: str) -> Policy | None:
    """A table's policy speaks of its indexes, too."""
    place = storage.arn_place(resource.partition("/index/")[0])
    if place is None:
        return None

    async def body(tx: Transaction) -> str | None:
        record = await storage.policy_holder(tx, place)
        return None if record is None or "policy" not in record else str(record["policy"]["text"])

    return parsed_or_none(await ctx.store.read(body))


def _of_transaction(ctx: Context, request: dict[str, Any]) -> Sequence[Need]:
    found: dict[tuple[str, str], Need] = {}
    for item in request.get("TransactItems", ()):
        for kind, part in item.items():
            if kind in IN_TRANSACTION:
                need = Need(IN_TRANSACTION[kind], _table(ctx, part.get("TableName", "*")))
                found[need.action, need.resource] = need
    return list(found.values())


def _facts(request: dict[str, Any]) -> dict[str, Sequence[str]]:
    facts = {"dynamodb:select": "Select", "dynamodb:returnvalues": "ReturnValues"}
    return {key: (request[member],) for key, member in facts.items() if member in request}


def _table(ctx: Context, name: str) -> str:
    """The ARN of a table that is given by its name or its ARN."""
    return name if name.startswith("arn:") else arn("dynamodb", ctx.region, ctx.account, f"table/{name}")
