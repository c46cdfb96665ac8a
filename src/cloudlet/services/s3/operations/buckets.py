"""Buckets: made, found, listed, deleted."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....names import random_id
from ....store.interface import Transaction
from .. import access, grants, model, scope, storage, validation, website

Request = dict[str, Any]
OPEN = dict.fromkeys(model.BLOCKS, True)
"""What the public access block of a new bucket is."""


async def create_bucket(ctx: Context, request: Request) -> dict[str, Any]:
    account = _account(ctx)
    region = _region(ctx, request)
    name = request["Bucket"]
    record = {
        "name": name,
        "uid": random_id(12),
        "owner": account,
        "region": region,
        "created": int(ctx.clock.now()),
        "ownership": request.get("ObjectOwnership", "BucketOwnerEnforced"),
        "block": OPEN,
        "acl": grants.private(account),
    }
    given = request.get("CreateBucketConfiguration", {}).get("Tags")
    if given:
        record["tags"] = validation.tags(given, model.MAX_BUCKET_TAGS)
    if grants.asked(request):
        record["acl"] = _first_acl(request, record)

    async def body(tx: Transaction) -> None:
        there = await storage.bucket(tx, name)
        if there is None:
            await storage.put_bucket(tx, record)
        elif there["owner"] != account:
            raise model.error("BucketAlreadyExists", BucketName=name)
        elif region != "us-east-1" or there["region"] != region:
            raise model.error("BucketAlreadyOwnedByYou", BucketName=name)

    await ctx.store.transact(body)
    # CloudFormation wants the website's address; the model has no such member, so it doesn't go over the wire.
    return {"Location": f"/{name}", "WebsiteURL": website.url(name, region)}


def _first_acl(request: Request, record: dict[str, Any]) -> list[list[str]]:
    acl = grants.given(request, record, record["owner"])
    if record["ownership"] == "BucketOwnerEnforced" and acl != record["acl"]:
        raise model.error("InvalidBucketAclWithObjectOwnership")
    if access.is_public_acl(acl):
        raise model.error("InvalidBucketAclWithBlockPublicAccessError")
    return acl


def _account(ctx: Context) -> str:
    if ctx.principal.kind == "anonymous":
        raise model.error("AccessDenied")
    return ctx.account


def _region(ctx: Context, request: Request) -> str:
    wanted = request.get("CreateBucketConfiguration", {}).get("LocationConstraint")
    if wanted is None:
        if ctx.region != "us-east-1":
            raise model.error("IllegalLocationConstraintException")
        return ctx.region
    region = "eu-west-1" if wanted == "EU" else str(wanted)
    if region == "us-east-1" or region.count("-") < 2:
        raise model.error("InvalidLocationConstraint", LocationConstraint=wanted)
    if ctx.region not in (region, "us-east-1"):
        text = (
            f"The {wanted} location constraint is incompatible for the region specific endpoint this request was "
            "sent to."
        )
        raise model.error("IllegalLocationConstraintException", text)
    return region


async def delete_bucket(ctx: Context, request: Request) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        record = await scope.bucket(tx, ctx, request, "DeleteBucket")
        if not await storage.is_empty(tx, record["uid"]):
            text = (
                ""
                if not record.get("versioning")
                else (
                    "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
                )
            )
            raise model.error("BucketNotEmpty", text, BucketName=record["name"])
        for key, id, _ in await storage.uploads(tx, record["uid"]):
            for _, part in await storage.parts(tx, id):
                await storage.drop_segments(tx, ctx.node.tasks, [part["segment"]])
            await storage.delete_upload(tx, record["uid"], key, id)
        await storage.delete_bucket(tx, record)

    await ctx.store.transact(body)
    return {}


async def head_bucket(ctx: Context, request: Request) -> dict[str, Any]:
    record = await ctx.store.read(lambda tx: scope.bucket(tx, ctx, request, "ListBucket"))
    return {
        "BucketRegion": record["region"],
        "AccessPointAlias": False,
        "BucketArn": f"arn:aws:s3:::{record['name']}",
    }


async def get_bucket_location(ctx: Context, request: Request) -> dict[str, Any]:
    record = await ctx.store.read(lambda tx: scope.bucket(tx, ctx, request, "GetBucketLocation"))
    return {} if record["region"] == "us-east-1" else {"LocationConstraint": record["region"]}


async def list_buckets(ctx: Context, request: Request) -> dict[str, Any]:
    account = _account(ctx)
    prefix, after = request.get("Prefix", ""), request.get("ContinuationToken", "")
    most = request.get("MaxBuckets", model.MAX_BUCKETS)

    found = await ctx.store.read(lambda tx: storage.buckets(tx, account, prefix, after, most + 1))
    wanted = request.get("BucketRegion")
    shown = [
        {"Name": record["name"], "CreationDate": record["created"], "BucketRegion": record["region"]}
        for record in found[:most]
        if wanted in (None, record["region"])
    ]
    result: dict[str, Any] = {"Buckets": shown, "Owner": {"ID": model.canonical_id(account)}}
    if "Prefix" in request:
        result["Prefix"] = prefix
    if len(found) > most:
        result["ContinuationToken"] = found[most - 1]["name"]
    return result


async def get_bucket_policy_status(ctx: Context, request: Request) -> dict[str, Any]:
    record = await ctx.store.read(lambda tx: scope.bucket(tx, ctx, request, "GetBucketPolicyStatus"))
    if "policy" not in record:
        raise model.error("NoSuchBucketPolicy", BucketName=record["name"])
    return {"PolicyStatus": {"IsPublic": access.is_public_policy(record["policy"])}}
