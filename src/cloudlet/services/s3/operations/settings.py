"""What a bucket is set to: ownership, public access block, ACL, policy, tags, CORS, versioning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import access, cors, documents, encryption, grants, model, scope, storage, validation, website

Request = dict[str, Any]
Record = dict[str, Any]


async def _read(ctx: Context, request: Request, action: str, name: str, missing: str) -> Any:
    record = await ctx.store.read(lambda tx: scope.bucket(tx, ctx, request, action))
    if name not in record:
        raise model.error(missing, BucketName=record["name"])
    return record[name]


async def _change(
    ctx: Context, request: Request, action: str, change: Callable[[Record], None]
) -> dict[str, Any]:
    """Change the bucket's record; `change` gets a copy."""

    async def body(tx: Transaction) -> None:
        record = dict(await scope.bucket(tx, ctx, request, action))
        change(record)
        await storage.put_bucket(tx, record)

    await ctx.store.transact(body)
    return {}


async def get_bucket_versioning(ctx: Context, request: Request) -> dict[str, Any]:
    record = await ctx.store.read(lambda tx: scope.bucket(tx, ctx, request, "GetBucketVersioning"))
    return {"Status": record["versioning"]} if record.get("versioning") else {}


async def put_bucket_versioning(ctx: Context, request: Request) -> dict[str, Any]:
    given = request.get("VersioningConfiguration", {})
    status = given.get("Status")
    if status not in ("Enabled", "Suspended"):
        code = "MalformedXML" if status else "IllegalVersioningConfigurationException"
        raise model.error(code)
    if given.get("MFADelete") == "Enabled":
        raise model.error("NotImplemented", "Cloudlet does not have MFA delete yet")
    return await _change(ctx, request, "PutBucketVersioning", lambda record: record.update(versioning=status))


async def get_public_access_block(ctx: Context, request: Request) -> dict[str, Any]:
    missing = "NoSuchPublicAccessBlockConfiguration"
    block = await _read(ctx, request, "GetBucketPublicAccessBlock", "block", missing)
    return {"PublicAccessBlockConfiguration": block}


async def put_public_access_block(ctx: Context, request: Request) -> dict[str, Any]:
    given = request.get("PublicAccessBlockConfiguration", {})
    block = {name: bool(given.get(name, False)) for name in model.BLOCKS}
    return await _change(
        ctx, request, "PutBucketPublicAccessBlock", lambda record: record.update(block=block)
    )


async def delete_public_access_block(ctx: Context, request: Request) -> dict[str, Any]:
    return await _change(ctx, request, "PutBucketPublicAccessBlock", lambda record: _drop(record, "block"))


async def get_bucket_ownership_controls(ctx: Context, request: Request) -> dict[str, Any]:
    missing = "OwnershipControlsNotFoundError"
    ownership = await _read(ctx, request, "GetBucketOwnershipControls", "ownership", missing)
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": ownership}]}}


async def put_bucket_ownership_controls(ctx: Context, request: Request) -> dict[str, Any]:
    rules = request.get("OwnershipControls", {}).get("Rules", [])
    if len(rules) != 1 or rules[0].get("ObjectOwnership") not in model.OWNERSHIPS:
        raise model.error("MalformedXML")
    ownership = rules[0]["ObjectOwnership"]

    def change(record: Record) -> None:
        if ownership == "BucketOwnerEnforced" and record["acl"] != grants.private(record["owner"]):
            raise model.error("InvalidBucketAclWithObjectOwnership")
        record["ownership"] = ownership

    return await _change(ctx, request, "PutBucketOwnershipControls", change)


async def delete_bucket_ownership_controls(ctx: Context, request: Request) -> dict[str, Any]:
    return await _change(
        ctx, request, "PutBucketOwnershipControls", lambda record: _drop(record, "ownership")
    )


async def get_bucket_acl(ctx: Context, request: Request) -> dict[str, Any]:
    record = await ctx.store.read(lambda tx: scope.bucket(tx, ctx, request, "GetBucketAcl"))
    return grants.shown(record["owner"], record["acl"])


async def put_bucket_acl(ctx: Context, request: Request) -> dict[str, Any]:
    def change(record: Record) -> None:
        acl = grants.wanted(ctx, request, record, record["owner"], "PutBucketAcl")
        if acl is None:
            raise model.error("MissingSecurityHeader")
        record["acl"] = acl

    return await _change(ctx, request, "PutBucketAcl", change)


async def get_bucket_policy(ctx: Context, request: Request) -> dict[str, Any]:
    return {"Policy": await _read(ctx, request, "GetBucketPolicy", "policy", "NoSuchBucketPolicy")}


async def put_bucket_policy(ctx: Context, request: Request) -> dict[str, Any]:
    policy = request.get("Policy", "")

    def change(record: Record) -> None:
        documents.check(policy, record["name"])
        if record.get("block", {}).get("BlockPublicPolicy") and access.is_public_policy(policy):
            raise model.error(
                "AccessDenied",
                f"User: {ctx.principal.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "
                f'"arn:aws:s3:::{record["name"]}" because public policies are prevented by the BlockPublicPolicy '
                "setting in S3 Block Public Access.",
            )
        record["policy"] = policy

    return await _change(ctx, request, "PutBucketPolicy", change)


async def delete_bucket_policy(ctx: Context, request: Request) -> dict[str, Any]:
    return await _change(ctx, request, "DeleteBucketPolicy", lambda record: _drop(record, "policy"))


async def get_bucket_tagging(ctx: Context, request: Request) -> dict[str, Any]:
    tags = await _read(ctx, request, "GetBucketTagging", "tags", "NoSuchTagSet")
    return {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}


async def put_bucket_tagging(ctx: Context, request: Request) -> dict[str, Any]:
    tags = validation.tags(request.get("Tagging", {}).get("TagSet", []), model.MAX_BUCKET_TAGS)
    return await _change(ctx, request, "PutBucketTagging", lambda record: record.update(tags=tags))


async def delete_bucket_tagging(ctx: Context, request: Request) -> dict[str, Any]:
    return await _change(ctx, request, "PutBucketTagging", lambda record: _drop(record, "tags"))


async def get_bucket_cors(ctx: Context, request: Request) -> dict[str, Any]:
    return {"CORSRules": await _read(ctx, request, "GetBucketCORS", "cors", "NoSuchCORSConfiguration")}


async def put_bucket_cors(ctx: Context, request: Request) -> dict[str, Any]:
    rules = request.get("CORSConfiguration", {}).get("CORSRules", [])
    cors.check(rules)
    return await _change(ctx, request, "PutBucketCORS", lambda record: record.update(cors=rules))


async def delete_bucket_cors(ctx: Context, request: Request) -> dict[str, Any]:
    return await _change(ctx, request, "PutBucketCORS", lambda record: _drop(record, "cors"))


async def get_bucket_encryption(ctx: Context, request: Request) -> dict[str, Any]:
    record = await ctx.store.read(lambda tx: scope.bucket(tx, ctx, request, "GetEncryptionConfiguration"))
    rule = record.get("encryption", encryption.DEFAULT_RULE)
    return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


async def put_bucket_encryption(ctx: Context, request: Request) -> dict[str, Any]:
    given = request.get("ServerSideEncryptionConfiguration", {})
    return await _change(
        ctx,
        request,
        "PutEncryptionConfiguration",
        lambda record: record.update(encryption=encryption.rule(given)),
    )


async def delete_bucket_encryption(ctx: Context, request: Request) -> dict[str, Any]:
    return await _change(
        ctx, request, "PutEncryptionConfiguration", lambda record: _drop(record, "encryption")
    )


async def get_bucket_website(ctx: Context, request: Request) -> dict[str, Any]:
    config: dict[str, Any] = await _read(
        ctx, request, "GetBucketWebsite", "website", "NoSuchWebsiteConfiguration"
    )
    return config


async def put_bucket_website(ctx: Context, request: Request) -> dict[str, Any]:
    config = request.get("WebsiteConfiguration", {})
    website.check(config)
    return await _change(ctx, request, "PutBucketWebsite", lambda record: record.update(website=config))


async def delete_bucket_website(ctx: Context, request: Request) -> dict[str, Any]:
    return await _change(ctx, request, "DeleteBucketWebsite", lambda record: _drop(record, "website"))


def _drop(record: Record, name: str) -> None:
    record.pop(name, None)


async def options_bucket(ctx: Context, request: Request) -> dict[str, Any]:
    """A preflight: anybody may ask."""
    origin, method = request.get("Origin"), request.get("RequestMethod")
    if not origin:
        raise _no_preflight("BadRequest", "Insufficient information. Origin request header needed.")
    if method not in cors.METHODS:
        raise _no_preflight("BadRequest", f"Invalid Access-Control-Request-Method: {method or 'null'}")
    headers = [name.strip().lower() for name in request.get("RequestHeaders", "").split(",") if name.strip()]
    record = await ctx.store.read(lambda tx: scope.found(tx, request))
    rules = record.get("cors")
    if rules is None:
        raise _no_preflight("AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.", method)
    found = cors.fitting(rules, origin, method, headers)
    if found is None:
        text = (
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, "
            "request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted "
            "by the resource's CORS spec."
        )
        raise _no_preflight("AccessForbidden", text, method, "OBJECT" if "Key" in request else "BUCKET")
    return cors.answer(*found, headers)


options_object = options_bucket


def _no_preflight(code: str, text: str, method: str = "", kind: str = "BUCKET") -> Exception:
    fields = {"Method": method, "ResourceType": kind} if method else {}
    return model.error(code, text, **fields)
