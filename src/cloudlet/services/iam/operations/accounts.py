"""The account as a whole: its alias, what there is of everything, and all of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..managed import aws_managed
from . import policies
from .common import Record, encoded
from .inline import NAMES

KINDS = {"user": "User", "role": "Role", "group": "Group"}


async def create_account_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    await ctx.store.transact(lambda tx: storage.put_alias(tx, ctx.account, request["AccountAlias"]))
    return {}


async def list_account_aliases(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    alias = await ctx.store.read(lambda tx: storage.alias(tx, ctx.account))
    return {"AccountAliases": [alias] if alias else [], "IsTruncated": False}


async def delete_account_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        if await storage.alias(tx, ctx.account) != request["AccountAlias"]:
            raise model.no_such_alias(request["AccountAlias"])
        await storage.delete_alias(tx, ctx.account)

    await ctx.store.transact(body)
    return {}


async def get_account_summary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> dict[str, int]:
        counted = {
            name: len(await storage.entities(tx, ctx.account, kind))
            for name, kind in (
                ("Users", "user"),
                ("Groups", "group"),
                ("Roles", "role"),
                ("InstanceProfiles", "instance-profile"),
            )
        }
        counted["Policies"] = len(await storage.policies(tx, ctx.account))
        return counted

    quotas = {
        "AccessKeysPerUserQuota": model.ACCESS_KEYS,
        "AttachedPoliciesPerGroupQuota": model.ATTACHED_POLICIES,
        "AttachedPoliciesPerRoleQuota": model.ATTACHED_POLICIES,
        "AttachedPoliciesPerUserQuota": model.ATTACHED_POLICIES,
        "GroupPolicySizeQuota": model.INLINE_SIZE["group"],
        "GroupsPerUserQuota": model.GROUPS_OF_A_USER,
        "PolicySizeQuota": model.MANAGED_SIZE,
        "RolePolicySizeQuota": model.INLINE_SIZE["role"],
        "UserPolicySizeQuota": model.INLINE_SIZE["user"],
        "VersionsPerPolicyQuota": model.POLICY_VERSIONS,
    }
    none = dict.fromkeys(("AccountMFAEnabled", "MFADevices", "MFADevicesInUse", "Providers"), 0)
    return {"SummaryMap": {**await ctx.store.read(body), **quotas, **none}}


async def get_account_authorization_details(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Everything at once: it is one page."""
    wanted = request.get("Filter") or ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]

    async def body(tx: Transaction) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for kind, title in KINDS.items():
            entities = await storage.entities(tx, ctx.account, kind) if title in wanted else []
            found[f"{title}DetailList"] = [await _details(tx, ctx.account, kind, one) for one in entities]
        found["Policies"] = await _policies(tx, ctx.account, wanted)
        return found

    return {**await ctx.store.read(body), "IsTruncated": False}


async def _details(tx: Transaction, account: str, kind: str, entity: Record) -> Record:
    title, name = KINDS[kind], entity[NAMES[kind]]
    view = {member: value for member, value in entity.items() if member != "Tags" or value}
    view[f"{title}PolicyList"] = [
        {**each, "PolicyDocument": encoded(each["PolicyDocument"])}
        for each in await storage.inlines(tx, account, kind, name)
    ]
    view["AttachedManagedPolicies"] = await storage.attached(tx, account, kind, name)
    if kind == "user":
        view["GroupList"] = await storage.groups_of(tx, account, name)
    if kind == "role":
        view["AssumeRolePolicyDocument"] = encoded(entity["AssumeRolePolicyDocument"])
        profiles = await storage.entities(tx, account, "instance-profile")
        view["InstanceProfileList"] = [{**p, "Roles": []} for p in profiles if name in p["Roles"]]
        view.pop("Description", None)
        view.pop("MaxSessionDuration", None)
    return view


async def _policies(tx: Transaction, account: str, wanted: Sequence[str]) -> list[Record]:
    found: list[Record] = []
    for record in await storage.policies(tx, account) if "LocalManagedPolicy" in wanted else []:
        versions = await storage.versions(tx, account, record["PolicyName"])
        found.append(await _policy(tx, account, record, versions))
    for record in aws_managed().values() if "AWSManagedPolicy" in wanted else ():
        if await storage.attachments(tx, account, record["Arn"]):
            version = {**record, "VersionId": record["DefaultVersionId"]}
            found.append(await _policy(tx, account, record, [version]))
    return found


async def _policy(tx: Transaction, account: str, record: Record, versions: Sequence[Record]) -> Record:
    view = await policies.described(tx, account, record)
    view.pop("Tags", None)
    view["PolicyVersionList"] = [
        {
            "VersionId": version["VersionId"],
            "CreateDate": version["CreateDate"],
            "Document": encoded(version["Document"]),
            "IsDefaultVersion": version["VersionId"] == record["DefaultVersionId"],
        }
        for version in versions
    ]
    return view
