"""Managed policies: the account's own, and AWS's well-known ones."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....names import arn
from ....store.interface import Transaction
from .. import model, storage
from ..managed import aws_managed
from .common import Record, new_id, page, under, with_tags, without_tags


def name_of(policy_arn: str, account: str) -> str:
    """The name of a customer managed policy. Raises for what isn't the ARN of one of this account's policies."""
    parts = policy_arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("policy/"):
        raise model.invalid_arn(policy_arn)
    if parts[4] == "aws":
        raise model.aws_managed_is_fixed(policy_arn)
    if parts[4] != account:
        raise model.no_such_policy(policy_arn)
    return parts[5].rpartition("/")[2]


async def own_policy(tx: Transaction, account: str, policy_arn: str) -> Record:
    """The record of a customer managed policy, or NoSuchEntity."""
    found = await storage.policy(tx, account, name_of(policy_arn, account))
    if found is None or found["Arn"] != policy_arn:
        raise model.no_such_policy(policy_arn)
    return found


async def described(tx: Transaction, account: str, record: Record) -> Record:
    """The API's view of a policy, with how many entities have it."""
    view = {name: value for name, value in record.items() if name not in ("LastVersion", "Document")}
    view["AttachmentCount"] = len(await storage.attachments(tx, account, record["Arn"]))
    view["PermissionsBoundaryUsageCount"] = 0
    view["IsAttachable"] = True
    return view


async def create_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name, path, now = request["PolicyName"], request.get("Path", "/"), float(int(ctx.clock.now()))
    record: Record = {
        "PolicyName": name,
        "PolicyId": new_id("ANPA"),
        "Arn": arn("iam", "", ctx.account, f"policy{path}{name}"),
        "Path": path,
        "DefaultVersionId": "v1",
        "CreateDate": now,
        "UpdateDate": now,
        "LastVersion": 1,
    }
    if "Description" in request:
        record["Description"] = request["Description"]
    if "Tags" in request:
        record = with_tags(record, request["Tags"])

    async def body(tx: Transaction) -> Record:
        if await storage.policy(tx, ctx.account, name) is not None:
            raise model.policy_exists(name)
        await storage.put_policy(tx, ctx.account, record)
        first = {"VersionId": "v1", "CreateDate": now, "Document": request["PolicyDocument"]}
        await storage.put_version(tx, ctx.account, name, 1, first)
        return await described(tx, ctx.account, record)

    return {"Policy": await ctx.store.transact(body)}


async def get_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    policy_arn = request["PolicyArn"]

    async def body(tx: Transaction) -> Record:
        if policy_arn.startswith(model.AWS_MANAGED_PREFIX):
            known = aws_managed().get(policy_arn)
            if known is None:
                raise model.no_such_policy(policy_arn)
            return await described(tx, ctx.account, known)
        return await described(tx, ctx.account, await own_policy(tx, ctx.account, policy_arn))

    return {"Policy": await ctx.store.read(body)}


async def list_policies(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    scope = request.get("Scope", "All")

    async def body(tx: Transaction) -> list[Record]:
        found = [] if scope == "AWS" else await storage.policies(tx, ctx.account)
        if scope != "Local":
            found += aws_managed().values()
        return [await described(tx, ctx.account, record) for record in found]

    records = under(request, await ctx.store.read(body))
    if request.get("OnlyAttached"):
        records = [record for record in records if record["AttachmentCount"]]
    views = [{k: v for k, v in record.items() if k not in ("Tags", "Description")} for record in records]
    return page(request, views, "Policies", "Arn")


async def delete_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        record = await own_policy(tx, ctx.account, request["PolicyArn"])
        if await storage.attachments(tx, ctx.account, record["Arn"]):
            raise model.policy_in_use()
        if len(await storage.versions(tx, ctx.account, record["PolicyName"])) > 1:
            raise model.policy_has_versions()
        await storage.delete_policy(tx, ctx.account, record["PolicyName"])

    await ctx.store.transact(body)
    return {}


async def tag_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        record = await own_policy(tx, ctx.account, request["PolicyArn"])
        await storage.put_policy(tx, ctx.account, with_tags(record, request["Tags"]))

    await ctx.store.transact(body)
    return {}


async def untag_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        record = await own_policy(tx, ctx.account, request["PolicyArn"])
        await storage.put_policy(tx, ctx.account, without_tags(record, request["TagKeys"]))

    await ctx.store.transact(body)
    return {}


async def list_policy_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        return await own_policy(tx, ctx.account, request["PolicyArn"])

    return page(request, (await ctx.store.read(body)).get("Tags", []), "Tags", "Key")
