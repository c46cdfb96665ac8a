"""Versions of managed policies: up to five, one of them the default."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..managed import aws_managed
from .common import Record, encoded, page
from .policies import own_policy


def _number(version_id: str) -> int:
    return int(version_id.removeprefix("v"))


def _described(version: Record, default: str) -> Record:
    view = {"VersionId": version["VersionId"], "CreateDate": version["CreateDate"]}
    return {**view, "IsDefaultVersion": version["VersionId"] == default}


async def create_policy_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    now = float(int(ctx.clock.now()))

    async def body(tx: Transaction) -> Record:
        policy = await own_policy(tx, ctx.account, request["PolicyArn"])
        name = policy["PolicyName"]
        if len(await storage.versions(tx, ctx.account, name)) >= model.POLICY_VERSIONS:
            raise model.too_many_versions()
        number = policy["LastVersion"] + 1
        version = {"VersionId": f"v{number}", "CreateDate": now, "Document": request["PolicyDocument"]}
        await storage.put_version(tx, ctx.account, name, number, version)
        policy = {**policy, "LastVersion": number}
        if request.get("SetAsDefault"):
            policy.update(DefaultVersionId=version["VersionId"], UpdateDate=now)
        await storage.put_policy(tx, ctx.account, policy)
        return _described(version, policy["DefaultVersionId"])

    return {"PolicyVersion": await ctx.store.transact(body)}


async def get_policy_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    arn, version_id = request["PolicyArn"], request["VersionId"]

    async def body(tx: Transaction) -> tuple[Record, str]:
        known = aws_managed().get(arn)
        if known is not None:
            if version_id != known["DefaultVersionId"]:
                raise model.no_such_version(arn, version_id)
            return {**known, "VersionId": version_id}, version_id
        policy = await own_policy(tx, ctx.account, arn)
        found = await storage.version(tx, ctx.account, policy["PolicyName"], _number(version_id))
        if found is None:
            raise model.no_such_version(arn, version_id)
        return found, policy["DefaultVersionId"]

    version, default = await ctx.store.read(body)
    return {"PolicyVersion": {**_described(version, default), "Document": encoded(version["Document"])}}


async def list_policy_versions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> list[Record]:
        known = aws_managed().get(request["PolicyArn"])
        if known is not None:
            default = known["DefaultVersionId"]
            return [_described({**known, "VersionId": default}, default)]
        policy = await own_policy(tx, ctx.account, request["PolicyArn"])
        versions = await storage.versions(tx, ctx.account, policy["PolicyName"])
        return [_described(version, policy["DefaultVersionId"]) for version in reversed(versions)]

    return page(request, await ctx.store.read(body), "Versions", "VersionId")


async def set_default_policy_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    version_id = request["VersionId"]

    async def body(tx: Transaction) -> None:
        policy = await own_policy(tx, ctx.account, request["PolicyArn"])
        if await storage.version(tx, ctx.account, policy["PolicyName"], _number(version_id)) is None:
            raise model.no_such_version(request["PolicyArn"], version_id)
        changed = {"DefaultVersionId": version_id, "UpdateDate": float(int(ctx.clock.now()))}
        await storage.put_policy(tx, ctx.account, {**policy, **changed})

    await ctx.store.transact(body)
    return {}


async def delete_policy_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    version_id = request["VersionId"]

    async def body(tx: Transaction) -> None:
        policy = await own_policy(tx, ctx.account, request["PolicyArn"])
        if version_id == policy["DefaultVersionId"]:
            raise model.default_version()
        number = _number(version_id)
        if await storage.version(tx, ctx.account, policy["PolicyName"], number) is None:
            raise model.no_such_version(request["PolicyArn"], version_id)
        await storage.delete_version(tx, ctx.account, policy["PolicyName"], number)

    await ctx.store.transact(body)
    return {}
