"""What DynamoDB's operations need: "Actions, resources, and condition keys for Amazon DynamoDB"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need
from ...errors import AwsError
from ...names import arn
from ...policies.documents import Policy, parsed_or_none
from ...store.interface import Transaction
from . import fine_grained, storage

EVERYWHERE = frozenset(
    {"ListTables", "DescribeLimits", "DescribeEndpoints", "ListBackups", "ListGlobalTables", "ListStreams"}
)
"""What is about no table."""
BATCHES = ("BatchGetItem", "BatchWriteItem")
STATEMENTS = ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction")
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
    fine = fine_grained.asked(ctx.holdings)
    if operation in BATCHES:
        return [
            Need(
                action, _table(ctx, name), await fine_grained.facts(ctx, name, _parts(asked)) if fine else {}
            )
            for name, asked in request.get("RequestItems", {}).items()
        ]
    if operation in STATEMENTS:
        return await _of_statements(ctx, request, fine)
    if operation.startswith("Transact"):
        return await _of_transaction(ctx, request, fine)
    if operation in EVERYWHERE:
        return (Need(action, "*"),)
    resource = request.get("ResourceArn") or request.get("StreamArn") or request.get("BackupArn")
    if operation == "GetRecords":
        resource = request["ShardIterator"].partition("|")[0]
    if resource is None:
        resource = _table(ctx, request.get("TableName") or request.get("TargetTableName") or "*")
    if operation in ("Query", "Scan") and "IndexName" in request:
        resource += f"/index/{request['IndexName']}"
    facts = _facts(request)
    if fine and "TableName" in request:
        facts |= await fine_grained.facts(ctx, request["TableName"], [request], request.get("IndexName", ""))
    return (Need(action, resource, facts),)


def _parts(asked: Any) -> list[dict[str, Any]]:
    """What a batch asks of one table: reads share what they want of each key."""
    if isinstance(asked, list):
        return [part for write in asked for part in write.values()]
    shared = {member: value for member, value in asked.items() if member != "Keys"}
    return [{**shared, "Key": key} for key in asked.get("Keys", ())]


async def policy(ctx: Context, resource: str) -> Policy | None:
    """A table's policy speaks of its indexes, too."""
    place = storage.arn_place(resource.partition("/index/")[0])
    if place is None:
        return None

    async def body(tx: Transaction) -> str | None:
        record = await storage.policy_holder(tx, place)
        return None if record is None or "policy" not in record else str(record["policy"]["text"])

    return parsed_or_none(await ctx.store.read(body))


async def _of_transaction(ctx: Context, request: dict[str, Any], fine: bool) -> Sequence[Need]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item in request.get("TransactItems", ()):
        for kind, part in item.items():
            if kind in IN_TRANSACTION:
                found.setdefault((IN_TRANSACTION[kind], part.get("TableName", "*")), []).append(part)
    return [
        Need(action, _table(ctx, name), await fine_grained.facts(ctx, name, parts) if fine else {})
        for (action, name), parts in found.items()
    ]


async def _of_statements(ctx: Context, request: dict[str, Any], fine: bool) -> Sequence[Need]:
    """What can't be read is refused by the operation."""
    from .partiql import Exists, Select  # not before the first statement: see operations/partiql.py
    from .partiql.plans import named, prepare

    needed: list[Need] = []
    for asked in request.get("Statements") or request.get("TransactStatements") or [request]:
        try:
            bound = prepare(asked)
        except AwsError:
            continue
        statement = bound.statement
        kind = "Select" if isinstance(statement, Exists) else type(statement).__name__
        index = statement.index if isinstance(statement, Select) and statement.index else ""
        resource = _table(ctx, statement.table) + (f"/index/{index}" if index else "")
        facts = await fine_grained.facts(ctx, statement.table, named(bound), index) if fine else {}
        needed.append(Need(f"dynamodb:PartiQL{kind}", resource, facts))
    return needed


def _facts(request: dict[str, Any]) -> dict[str, Sequence[str]]:
    facts = {"dynamodb:select": "Select", "dynamodb:returnvalues": "ReturnValues"}
    return {key: (request[member],) for key, member in facts.items() if member in request}


def _table(ctx: Context, name: str) -> str:
    """The ARN of a table that is given by its name or its ARN."""
    return name if name.startswith("arn:") else arn("dynamodb", ctx.region, ctx.account, f"table/{name}")
