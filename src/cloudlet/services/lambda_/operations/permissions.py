"""Resource policies: who else may use a function, statement by statement."""

from __future__ import annotations

import re
from typing import Any

import orjson

from ....context import Context
from ....store.interface import Transaction
from .. import configuration, model, storage
from ..arns import Reference, parse
from ..storage import Record

Response = dict[str, Any]
_ACCOUNT = re.compile(r"\d{12}")
_PRINCIPAL_ARN = re.compile(r"arn:aws[a-z-]*:(iam|sts)::(\d{12}|cloudfront):.+")


def _principal(principal: str, org: str | None) -> Any:
    if principal == "*":
        return "*"
    if _ACCOUNT.fullmatch(principal):
        return {"AWS": f"arn:aws:iam::{principal}:root"}
    if _PRINCIPAL_ARN.fullmatch(principal):
        return {"AWS": principal}
    if "." in principal and org is None:
        return {"Service": principal}
    raise model.invalid("The provided principal was invalid. Please check the principal and try again.")


def _conditions(request: dict[str, Any]) -> dict[str, dict[str, str]]:
    conditions: dict[str, dict[str, str]] = {}
    equals = {
        "AWS:SourceAccount": request.get("SourceAccount"),
        "aws:PrincipalOrgID": request.get("PrincipalOrgID"),
        "lambda:EventSourceToken": request.get("EventSourceToken"),
        "lambda:FunctionUrlAuthType": request.get("FunctionUrlAuthType"),
    }
    found = {key: value for key, value in equals.items() if value is not None}
    if found:
        conditions["StringEquals"] = found
    if "InvokedViaFunctionUrl" in request:
        conditions["Bool"] = {"lambda:InvokedViaFunctionUrl": str(request["InvokedViaFunctionUrl"]).lower()}
    if "SourceArn" in request:
        conditions["ArnLike"] = {"AWS:SourceArn": request["SourceArn"]}
    return conditions


def _statement(request: dict[str, Any], resource: str) -> Record:
    statement: Record = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(request["Principal"], request.get("PrincipalOrgID")),
        "Action": request["Action"],
        "Resource": resource,
    }
    conditions = _conditions(request)
    if conditions:
        statement["Condition"] = conditions
    return statement


def _document(record: Record) -> str:
    return orjson.dumps(
        {"Version": "2012-10-17", "Id": "default", "Statement": record["statements"]}
    ).decode()


async def _revise(tx: Transaction, ref: Reference, request: dict[str, Any], new: str) -> None:
    """A policy's revision is that of the function, version or alias that it hangs on, and a change makes a new one."""
    if request.get("RevisionId", current := await storage.revision(tx, ref)) != current:
        raise model.revision_mismatch()
    await storage.set_revision(tx, ref, new)


async def add_permission(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"], request.get("Qualifier", ""))
    if ref.qualifier == model.LATEST:
        raise model.invalid("We currently do not support adding policies for $LATEST.")
    statement = _statement(request, ref.qualified)
    revision = configuration.new_id()

    async def body(tx: Transaction) -> None:
        await storage.load_function(tx, ref)
        await _revise(tx, ref, request, revision)
        record = await storage.policy(tx, ref) or {"statements": []}
        if any(known["Sid"] == statement["Sid"] for known in record["statements"]):
            raise model.statement_exists(statement["Sid"])
        record["statements"].append(statement)
        size = len(_document(record))
        if size > model.MAX_POLICY:
            raise model.policy_too_long(size)
        await storage.put_policy(tx, ref, record)

    await ctx.store.transact(body)
    return {"Statement": orjson.dumps(statement).decode()}


async def remove_permission(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"], request.get("Qualifier", ""))
    sid = request["StatementId"]
    revision = configuration.new_id()

    async def body(tx: Transaction) -> None:
        await storage.load_function(tx, ref)
        record = await storage.policy(tx, ref)
        if record is None:
            raise model.not_found("No policy is associated with the given resource.")
        kept = [known for known in record["statements"] if known["Sid"] != sid]
        if len(kept) == len(record["statements"]):
            raise model.not_found(f"Statement {sid} is not found in resource policy.")
        await _revise(tx, ref, request, revision)
        await storage.put_policy(tx, ref, {"statements": kept})

    await ctx.store.transact(body)
    return {}


async def get_policy(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"], request.get("Qualifier", ""))

    async def body(tx: Transaction) -> tuple[Record, str]:
        revision = await storage.revision(tx, ref)
        record = await storage.policy(tx, ref)
        if record is None:
            raise model.no_resource()
        return record, revision

    record, revision = await ctx.store.read(body)
    return {"Policy": _document(record), "RevisionId": revision}
