"""PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy: of tables and of streams."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import storage
from ..model import policy_not_found, resource_not_found, validation_error
from ..table import Record
from .tables import new_policy

Request = dict[str, Any]


async def _record(tx: Transaction, ctx: Context, arn: str) -> Record:
    """A copy of the record of the table or stream with this ARN."""
    place = storage.arn_place(arn)
    if place is None:
        raise validation_error(f"Invalid ResourceArn: Invalid ResourceArn provided as input {arn}")
    record = None
    if place[:2] == (ctx.account, ctx.region):
        record = await storage.policy_holder(tx, place)
    if record is None:
        raise resource_not_found(f"Requested resource not found: {arn} not found")
    return dict(record)


async def _keep(tx: Transaction, ctx: Context, record: Record) -> None:
    keep = storage.put_stream if "table_id" in record else storage.put_table
    await keep(tx, ctx.account, ctx.region, record)


def _expect(record: Record, request: Request) -> None:
    """The revision is the one that the caller knows; of a policy that mustn't be there, NO_POLICY."""
    expected = request.get("ExpectedRevisionId")
    held = record.get("policy")
    if expected is not None and expected != (held["revision"] if held else "NO_POLICY"):
        raise policy_not_found(request["ResourceArn"])


async def put_resource_policy(ctx: Context, request: Request) -> dict[str, Any]:
    policy = new_policy(request["Policy"])

    async def body(tx: Transaction) -> str:
        record = await _record(tx, ctx, request["ResourceArn"])
        _expect(record, request)
        held = record.get("policy")
        if held is not None and held["text"] == request["Policy"]:
            return str(held["revision"])
        await _keep(tx, ctx, {**record, "policy": policy})
        return str(policy["revision"])

    return {"RevisionId": await ctx.store.transact(body)}


async def get_resource_policy(ctx: Context, request: Request) -> dict[str, Any]:
    record = await ctx.store.read(lambda tx: _record(tx, ctx, request["ResourceArn"]))
    policy = record.get("policy")
    if policy is None:
        raise policy_not_found(request["ResourceArn"])
    return {"Policy": policy["text"], "RevisionId": policy["revision"]}


async def delete_resource_policy(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> dict[str, Any]:
        record = await _record(tx, ctx, request["ResourceArn"])
        _expect(record, request)
        policy = record.pop("policy", None)
        if policy is None:
            return {}
        await _keep(tx, ctx, record)
        return {"RevisionId": policy["revision"]}

    return await ctx.store.transact(body)
