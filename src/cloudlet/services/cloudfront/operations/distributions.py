"""Distributions: made, found, changed, copied, deleted, listed; their alternate domain names."""

from __future__ import annotations

import copy
from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage, validation
from . import nouns
from .common import (
    Record,
    Request,
    behaviors,
    changed,
    check_version,
    distribution_arn,
    identity_of,
    location,
    new_id,
    page,
    uses,
)


async def found(tx: Transaction, ctx: Context, id: str) -> Record:
    record = await storage.distribution(tx, ctx.account, id)
    if record is None:
        raise model.error("NoSuchDistribution")
    return record


def _shown(record: Record, status: str = "Deployed") -> Record:
    return {
        "Id": record["id"],
        "ARN": distribution_arn(record["account"], record["id"]),
        "Status": status,
        "LastModifiedTime": record["modified"],
        "InProgressInvalidationBatches": 0,
        "DomainName": f"{record['id'].lower()}.cloudfront.net",
        "ActiveTrustedSigners": {"Enabled": False, "Quantity": 0},
        "ActiveTrustedKeyGroups": {"Enabled": False, "Quantity": 0},
        "DistributionConfig": record["config"],
    }


def _answer(record: Record, status: str = "Deployed") -> dict[str, Any]:
    return {"Distribution": _shown(record, status), "ETag": record["etag"]}


async def create_distribution(ctx: Context, request: Request) -> dict[str, Any]:
    return await _create(ctx, request["DistributionConfig"], {})


async def create_distribution_with_tags(ctx: Context, request: Request) -> dict[str, Any]:
    return await _create(ctx, request["DistributionConfig"], request["Tags"])


async def _create(ctx: Context, config: Record, tags: dict[str, str]) -> dict[str, Any]:
    """The answer says InProgress, as AWS's does; the edge serves it by then."""
    record: Record = {
        "id": new_id(),
        "account": ctx.account,
        "etag": new_id(),
        "modified": ctx.clock.now(),
        "config": config,
        "tags": tags,
    }

    async def body(tx: Transaction) -> None:
        reference = config["CallerReference"]
        if await storage.referred(tx, storage.DISTRIBUTION, ctx.account, reference) is not None:
            raise model.error("DistributionAlreadyExists")
        if len(await storage.distributions(tx, ctx.account)) >= model.MAX_DISTRIBUTIONS:
            raise model.error("TooManyDistributions")
        await _check_references(tx, ctx, config)
        await _take_aliases(tx, record["id"], [], config)
        await storage.put_reference(tx, storage.DISTRIBUTION, ctx.account, reference, record["id"])
        await storage.put_distribution(tx, record)

    await ctx.store.transact(body)
    await changed(ctx)
    return {**_answer(record, "InProgress"), "Location": location(f"distribution/{record['id']}")}


async def _check_references(tx: Transaction, ctx: Context, config: Record) -> None:
    """What the configuration names has to be there."""
    for behavior in behaviors(config):
        for noun in (model.CACHE_POLICY, model.ORIGIN_REQUEST_POLICY, model.RESPONSE_HEADERS_POLICY):
            id = behavior.get(f"{noun.member}Id")
            if id and await nouns.find(tx, noun, ctx.account, id) is None:
                raise model.error(noun.missing)
    for origin in config["Origins"]["Items"]:
        control, identity = origin.get("OriginAccessControlId"), identity_of(origin)
        if control and await storage.record(tx, model.ACCESS_CONTROL.key, ctx.account, control) is None:
            raise model.error("InvalidOriginAccessControl")
        if identity and await storage.record(tx, model.ACCESS_IDENTITY.key, ctx.account, identity) is None:
            raise model.error("InvalidOriginAccessIdentity")


async def _take_aliases(tx: Transaction, id: str, before: list[str], config: Record) -> None:
    names = validation.items(config["Aliases"])
    for name in names:
        if await storage.alias(tx, name) not in (None, id):
            raise model.error("CNAMEAlreadyExists")
    for name in set(before) - set(names):
        await storage.delete_alias(tx, name)
    for name in names:
        await storage.put_alias(tx, name, id)


async def get_distribution(ctx: Context, request: Request) -> dict[str, Any]:
    return _answer(await ctx.store.read(lambda tx: found(tx, ctx, request["Id"])))


async def get_distribution_config(ctx: Context, request: Request) -> dict[str, Any]:
    record = await ctx.store.read(lambda tx: found(tx, ctx, request["Id"]))
    return {"DistributionConfig": record["config"], "ETag": record["etag"]}


async def update_distribution(ctx: Context, request: Request) -> dict[str, Any]:
    config = request["DistributionConfig"]

    async def body(tx: Transaction) -> Record:
        record = await found(tx, ctx, request["Id"])
        check_version(request, record)
        if config["CallerReference"] != record["config"]["CallerReference"]:
            raise model.error("IllegalUpdate", "The parameter CallerReference cannot be changed.")
        await _check_references(tx, ctx, config)
        await _take_aliases(tx, record["id"], validation.items(record["config"]["Aliases"]), config)
        record |= {"config": config, "etag": new_id(), "modified": ctx.clock.now()}
        await storage.put_distribution(tx, record)
        return record

    record = await ctx.store.transact(body)
    await changed(ctx)
    return _answer(record, "InProgress")


async def copy_distribution(ctx: Context, request: Request) -> dict[str, Any]:
    record = await ctx.store.read(lambda tx: found(tx, ctx, request["PrimaryDistributionId"]))
    check_version(request, record)
    config = copy.deepcopy(record["config"])
    config |= {"CallerReference": request["CallerReference"], "Aliases": {"Quantity": 0}}
    config["Enabled"] = request.get("Enabled", config["Enabled"])
    return await _create(ctx, config, {})


async def delete_distribution(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        record = await found(tx, ctx, request["Id"])
        check_version(request, record)
        if record["config"]["Enabled"]:
            raise model.error("DistributionNotDisabled")
        for name in validation.items(record["config"]["Aliases"]):
            await storage.delete_alias(tx, name)
        await storage.delete_distribution(tx, record)

    await ctx.store.transact(body)
    await changed(ctx)
    return {}


_SUMMARY = (
    "Aliases", "Origins", "OriginGroups", "DefaultCacheBehavior", "CacheBehaviors", "CustomErrorResponses", "Comment",
    "PriceClass", "Enabled", "ViewerCertificate", "Restrictions", "WebACLId", "HttpVersion", "IsIPV6Enabled", "Staging",
)  # fmt: skip


def _summary(record: Record) -> Record:
    shown = _shown(record)
    config = record["config"]
    plain = {name: shown[name] for name in ("Id", "ARN", "Status", "LastModifiedTime", "DomainName")}
    return {**plain, "ETag": record["etag"], **{name: config[name] for name in _SUMMARY}}


async def list_distributions(ctx: Context, request: Request) -> dict[str, Any]:
    records = await ctx.store.read(lambda tx: storage.distributions(tx, ctx.account))
    listed = page(request, [_summary(record) for record in records], lambda one: str(one["Id"]))
    return {"DistributionList": listed}


async def _list_by(ctx: Context, request: Request, noun: model.Noun) -> dict[str, Any]:
    id = request[f"{noun.member}Id"]

    async def body(tx: Transaction) -> list[Record]:
        if await nouns.find(tx, noun, ctx.account, id) is None:
            raise model.error(noun.missing)
        return await storage.distributions(tx, ctx.account)

    records = await ctx.store.read(body)
    ids = [record["id"] for record in records if uses(noun, record["config"], id)]
    return {"DistributionIdList": page(request, ids, str)}


async def list_distributions_by_cache_policy_id(ctx: Context, request: Request) -> dict[str, Any]:
    return await _list_by(ctx, request, model.CACHE_POLICY)


async def list_distributions_by_origin_request_policy_id(ctx: Context, request: Request) -> dict[str, Any]:
    return await _list_by(ctx, request, model.ORIGIN_REQUEST_POLICY)


async def list_distributions_by_response_headers_policy_id(ctx: Context, request: Request) -> dict[str, Any]:
    return await _list_by(ctx, request, model.RESPONSE_HEADERS_POLICY)


async def associate_alias(ctx: Context, request: Request) -> dict[str, Any]:
    """Moves a name to a distribution of the same account, from the one that has it."""
    name = request["Alias"].lower()

    async def body(tx: Transaction) -> None:
        target = await found(tx, ctx, request["TargetDistributionId"])
        if target["config"]["ViewerCertificate"]["CloudFrontDefaultCertificate"]:
            raise model.invalid("The target distribution has no certificate for the alias.")
        holder = await storage.alias(tx, name)
        if holder == target["id"]:
            return
        if holder is not None:
            await _change_aliases(tx, await found(tx, ctx, holder), remove=name)
        await _change_aliases(tx, target, add=name)
        await storage.put_alias(tx, name, target["id"])

    await ctx.store.transact(body)
    await changed(ctx)
    return {}


async def _change_aliases(tx: Transaction, record: Record, *, add: str = "", remove: str = "") -> None:
    names = [name for name in validation.items(record["config"]["Aliases"]) if name != remove]
    names += [add] if add else []
    if len(names) > model.MAX_ALIASES:
        raise model.error("TooManyDistributionCNAMEs")
    record["config"]["Aliases"] = {"Quantity": len(names), **({"Items": names} if names else {})}
    record["etag"] = new_id()
    await storage.put_distribution(tx, record)


async def list_conflicting_aliases(ctx: Context, request: Request) -> dict[str, Any]:
    """Who else has the name, or one that overlaps with it."""
    name = request["Alias"].lower()
    parent = name.partition(".")[2]

    async def body(tx: Transaction) -> list[Record]:
        await found(tx, ctx, request["DistributionId"])
        return await storage.every_distribution(tx)

    clashes = [
        {"Alias": alias, "DistributionId": _hidden(record["id"]), "AccountId": _hidden(record["account"])}
        for record in await ctx.store.read(body)
        if record["id"] != request["DistributionId"]
        for alias in validation.items(record["config"]["Aliases"])
        if alias in (name, f"*.{parent}") or (name.startswith("*.") and alias.partition(".")[2] == parent)
    ]
    result: dict[str, Any] = {"MaxItems": request.get("MaxItems", model.PAGE), "Quantity": len(clashes)}
    if clashes:
        result["Items"] = clashes
    return {"ConflictingAliasesList": result}


def _hidden(text: str) -> str:
    """CloudFront shows the last five characters of others' ids."""
    return "*" * (len(text) - 5) + text[-5:]
