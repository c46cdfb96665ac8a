"""Who else may use a layer version, statement by statement."""

from __future__ import annotations

from typing import Any

import orjson

from ....context import Context
from ....store.interface import Transaction
from .. import configuration, model, storage
from ..layers import LayerVersion, parse
from ..storage import Record

Response = dict[str, Any]


def _statement(ref: LayerVersion, request: dict[str, Any]) -> Record:
    principal = request["Principal"]
    if principal.isdigit():
        principal = f"arn:aws:iam::{principal}:root"
    statement: Record = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": principal,
        "Action": request["Action"],
        "Resource": ref.arn,
    }
    if "OrganizationId" in request:
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": request["OrganizationId"]}}
    return statement


def _document(record: Record) -> str:
    statements = [
        {**s, "Principal": s["Principal"] if s["Principal"] == "*" else {"AWS": s["Principal"]}}
        for s in record["statements"]
    ]
    return orjson.dumps({"Version": "2012-10-17", "Id": "default", "Statement": statements}).decode()


async def _owned(ctx: Context, tx: Transaction, ref: LayerVersion) -> Record:
    """The version's record. Only its owner may speak of its policy."""
    if ref.account != ctx.account:
        raise model.layer_access_denied(ctx.principal.arn, ref.arn)
    record = await storage.layer_version(tx, ref)
    if record is None:
        raise model.no_layer_version(ref.arn)
    return record


def _check_revision(record: Record, request: dict[str, Any]) -> None:
    if request.get("RevisionId", record["revision"]) != record["revision"]:
        raise model.layer_revision_mismatch()


async def add_layer_version_permission(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["LayerName"], request["VersionNumber"])
    if request["Principal"] != "*" and "OrganizationId" in request:
        raise model.invalid("OrganizationId may only be given with the principal *.")
    statement = _statement(ref, request)
    revision = configuration.new_id()

    async def body(tx: Transaction) -> None:
        record = await _owned(ctx, tx, ref)
        if any(known["Sid"] == statement["Sid"] for known in record["statements"]):
            raise model.statement_exists(statement["Sid"])
        _check_revision(record, request)
        record["statements"].append(statement)
        size = len(_document(record))
        if size > model.MAX_LAYER_POLICY:
            raise model.policy_too_long(size)
        await storage.put_layer_version(tx, ref, {**record, "revision": revision})

    await ctx.store.transact(body)
    return {"Statement": orjson.dumps(statement).decode(), "RevisionId": revision}


async def remove_layer_version_permission(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["LayerName"], request["VersionNumber"])
    sid = request["StatementId"]
    revision = configuration.new_id()

    async def body(tx: Transaction) -> None:
        record = await _owned(ctx, tx, ref)
        _check_revision(record, request)
        kept = [known for known in record["statements"] if known["Sid"] != sid]
        if len(kept) == len(record["statements"]):
            raise model.not_found(f"Statement {sid} is not found in resource policy.")
        await storage.put_layer_version(tx, ref, {**record, "statements": kept, "revision": revision})

    await ctx.store.transact(body)
    return {}


async def get_layer_version_policy(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["LayerName"], request["VersionNumber"])
    record = await ctx.store.read(lambda tx: _owned(ctx, tx, ref))
    if not record["statements"]:
        raise model.not_found("No policy is associated with the given resource.")
    return {"Policy": _document(record), "RevisionId": record["revision"]}
