"""What stacks, their events and their resources are."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

import orjson

from ....context import Context
from ....store.interface import Transaction
from .. import model
from ..storage import Record, home

T = TypeVar("T")


async def describe_stacks(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here = home(ctx)
    name = request.get("StackName", "")
    if name:
        stack = await ctx.store.read(lambda tx: here.find(tx, name))
        if stack is None:
            raise model.stack_does_not_exist(name)
        if working(stack):
            stack = await _patiently(ctx, stack)
        return {"Stacks": [stack_description(stack)]}
    live = [stack for stack in await ctx.store.read(here.stacks) if stack["status"] != "DELETE_COMPLETE"]
    live.sort(key=lambda stack: float(stack["created"]), reverse=True)
    page, token = paged(live, request)
    return {"Stacks": [stack_description(stack) for stack in page], **token}


def working(stack: Record) -> bool:
    """Whether an operation goes on; a stack that waits for its change set is at rest."""
    status = str(stack["status"])
    return status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"


async def _patiently(ctx: Context, stack: Record) -> Record:
    """The stack once its operation is over, or as it is after a moment.

    Operations take milliseconds here, and the waiters of the AWS CLI and the SDKs sleep for 30 seconds if their first
    look comes too early; so that look takes a little longer instead.
    """
    here, stack_id = home(ctx), stack["id"]
    watch = ctx.store.watch(here.stack_key(stack_id))
    over = asyncio.Event()
    timer = ctx.clock.call_later(model.PATIENCE, over.set)
    ended = asyncio.ensure_future(over.wait())
    try:
        while True:
            present = await ctx.store.read(lambda tx: here.stack(tx, stack_id))
            if present is None or not working(present) or over.is_set():
                return present or stack
            woken = asyncio.ensure_future(watch.wait())
            await asyncio.wait({woken, ended}, return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
    finally:
        timer.cancel()
        ended.cancel()
        watch.close()


def stack_description(stack: Record) -> dict[str, Any]:
    result = {
        "StackId": stack["id"],
        "StackName": stack["name"],
        "CreationTime": stack["created"],
        "StackStatus": stack["status"],
        "DisableRollback": bool(stack["disable_rollback"]),
        "NotificationARNs": stack["notification_arns"],
        "Capabilities": stack["capabilities"],
        "Parameters": stack["parameters"],
        "Outputs": stack["outputs"],
        "Tags": stack["tags"],
        "RollbackConfiguration": {},
        "EnableTerminationProtection": stack["termination_protection"],
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    optional = {
        "Description": stack["description"],
        "StackStatusReason": stack["reason"],
        "LastUpdatedTime": stack["updated"],
        "DeletionTime": stack["deleted"],
        "TimeoutInMinutes": stack["timeout"],
        "RoleARN": stack["role"],
        "ChangeSetId": stack["change_set_id"],
    }
    return result | {name: value for name, value in optional.items() if value}


async def list_stacks(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here = home(ctx)
    wanted = set(request.get("StackStatusFilter") or ())
    stacks = [row for row in await ctx.store.read(here.stacks) if not wanted or row["status"] in wanted]
    stacks.sort(key=lambda stack: float(stack["created"]), reverse=True)
    page, token = paged(stacks, request)
    return {"StackSummaries": [_summary(stack) for stack in page], **token}


def _summary(stack: Record) -> dict[str, Any]:
    result = {
        "StackId": stack["id"],
        "StackName": stack["name"],
        "CreationTime": stack["created"],
        "StackStatus": stack["status"],
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    optional = {
        "TemplateDescription": stack["description"],
        "StackStatusReason": stack["reason"],
        "LastUpdatedTime": stack["updated"],
        "DeletionTime": stack["deleted"],
    }
    return result | {name: value for name, value in optional.items() if value}


async def describe_stack_events(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here = home(ctx)
    before = _decoded(request.get("NextToken", ""))

    async def body(tx: Transaction) -> list[tuple[bytes, Record]]:
        stack = await here.find(tx, request["StackName"])
        if stack is None:
            raise model.stack_missing(request["StackName"])
        return await here.events(tx, stack["id"], before, model.PAGE + 1)

    rows = await ctx.store.read(body)
    result: dict[str, Any] = {"StackEvents": [event for _, event in rows[: model.PAGE]]}
    if len(rows) > model.PAGE:
        result["NextToken"] = base64.urlsafe_b64encode(rows[model.PAGE - 1][0]).decode()
    return result


def _decoded(token: str) -> bytes | None:
    if not token:
        return None
    try:
        return base64.urlsafe_b64decode(token)
    except (binascii.Error, ValueError):
        raise model.validation_error("Invalid NextToken") from None


async def describe_stack_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here, logical_id = home(ctx), request["LogicalResourceId"]

    async def body(tx: Transaction) -> tuple[Record, dict[str, Record]]:
        stack = await here.find(tx, request["StackName"])
        if stack is None:
            raise model.validation_error(f"Stack '{request['StackName']}' does not exist")
        return stack, await here.resources(tx, stack["id"])

    stack, resources = await ctx.store.read(body)
    record = resources.get(logical_id)
    if record is None:
        raise model.validation_error(f"Resource {logical_id} does not exist for stack {stack['name']}")
    detail = _resource(record) | {
        "StackName": stack["name"],
        "StackId": stack["id"],
        "LastUpdatedTimestamp": record["updated"],
        "Metadata": orjson.dumps(record["metadata"] or {}).decode(),
    }
    return {"StackResourceDetail": detail}


async def describe_stack_resources(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here = home(ctx)

    async def body(tx: Transaction) -> tuple[Record | None, dict[str, Record]]:
        name = request.get("StackName", "")
        if not name:
            found = await here.by_physical_id(tx, request["PhysicalResourceId"])
            if not found:
                raise model.validation_error(f"Stack for {request['PhysicalResourceId']} does not exist")
            name = found[0][0]
        stack = await here.find(tx, name)
        return stack, {} if stack is None else await here.resources(tx, stack["id"])

    stack, resources = await ctx.store.read(body)
    if stack is None:
        raise model.stack_does_not_exist(request["StackName"])
    wanted = request.get("LogicalResourceId", "")
    if wanted and wanted not in resources:
        raise model.validation_error(f"Resource {wanted} does not exist for stack {stack['name']}")
    return {
        "StackResources": [
            _resource(record)
            | {"StackName": stack["name"], "StackId": stack["id"], "Timestamp": record["updated"]}
            for name, record in resources.items()
            if wanted in ("", name)
        ]
    }


async def list_stack_resources(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here = home(ctx)

    async def body(tx: Transaction) -> list[Record]:
        stack = await here.find(tx, request["StackName"])
        if stack is None:
            raise model.stack_does_not_exist(request["StackName"])
        return list((await here.resources(tx, stack["id"])).values())

    page, token = paged(await ctx.store.read(body), request)
    summaries = [_resource(record) | {"LastUpdatedTimestamp": record["updated"]} for record in page]
    return {"StackResourceSummaries": summaries, **token}


def _resource(record: Record) -> dict[str, Any]:
    result = {
        "LogicalResourceId": record["logical_id"],
        "PhysicalResourceId": record["physical_id"],
        "ResourceType": record["type"],
        "ResourceStatus": record["status"],
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }
    if record["reason"]:
        result["ResourceStatusReason"] = record["reason"]
    return result


async def describe_account_limits(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {
        "AccountLimits": [
            {"Name": "StackLimit", "Value": 2000},
            {"Name": "StackOutputsLimit", "Value": model.MAX_OUTPUTS},
        ]
    }


def paged(rows: Sequence[T], request: dict[str, Any]) -> tuple[Sequence[T], dict[str, str]]:
    """The page that the request's NextToken asks for, and the token of the next, if there is one."""
    token = request.get("NextToken", "") or "0"
    if not token.isdigit():
        raise model.validation_error("Invalid NextToken")
    start = int(token)
    end = start + model.PAGE
    return rows[start:end], {"NextToken": str(end)} if end < len(rows) else {}
