"""Policies, origin access controls and origin access identities: each a configuration under an id, with a version."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from ....context import Context
from ....names import request_id
from ....store.interface import Transaction
from .. import managed, model, storage
from .common import Record, Request, changed, check_version, location, new_id, page, uses

Operation = Callable[[Context, Request], Awaitable[dict[str, Any]]]

MANAGED = {
    model.CACHE_POLICY.key: managed.CACHE,
    model.ORIGIN_REQUEST_POLICY.key: managed.ORIGIN_REQUEST,
    model.RESPONSE_HEADERS_POLICY.key: managed.RESPONSE_HEADERS,
}
MANAGED_SINCE = 1_600_000_000.0
MANAGED_ETAG = "E23ZP02F085DFQ"


def canonical_user(id: str) -> str:
    """The canonical user id of an access identity: to S3 it is an account of its own, and ids are made of accounts."""
    return hashlib.sha256(f"canonical user of {id}".encode()).hexdigest()


def _managed(noun: model.Noun, id: str) -> Record | None:
    config = MANAGED.get(noun.key, {}).get(id)
    return _managed_record(id, config) if config is not None else None


def _managed_record(id: str, config: Record) -> Record:
    return {"id": id, "config": config, "etag": MANAGED_ETAG, "modified": MANAGED_SINCE, "managed": True}


async def find(tx: Transaction, noun: model.Noun, account: str, id: str) -> Record | None:
    return _managed(noun, id) or await storage.record(tx, noun.key, account, id)


async def _found(tx: Transaction, noun: model.Noun, ctx: Context, id: str) -> Record:
    record = await find(tx, noun, ctx.account, id)
    if record is None:
        raise model.error(noun.missing)
    return record


def _shown(noun: model.Noun, record: Record) -> Record:
    shown = {"Id": record["id"], noun.config: record["config"]}
    if noun is model.ACCESS_IDENTITY:
        shown["S3CanonicalUserId"] = canonical_user(record["id"])
    elif noun is not model.ACCESS_CONTROL:
        shown["LastModifiedTime"] = record["modified"]
    return shown


def _answer(noun: model.Noun, record: Record) -> dict[str, Any]:
    return {noun.member: _shown(noun, record), "ETag": record["etag"]}


def _create(noun: model.Noun) -> Operation:
    async def create(ctx: Context, request: Request) -> dict[str, Any]:
        config = request[noun.config]
        id = request_id() if noun.unique == "Name" and noun is not model.ACCESS_CONTROL else new_id()
        record = {
            "id": id,
            "account": ctx.account,
            "config": config,
            "etag": new_id(),
            "modified": ctx.clock.now(),
        }

        async def body(tx: Transaction) -> Record:
            there = await storage.records(tx, noun.key, ctx.account)
            for one in there:
                if one["config"][noun.unique] == config[noun.unique]:
                    if noun is model.ACCESS_IDENTITY and one["config"] == config:
                        return one
                    raise model.error(noun.exists)
            if len(there) >= noun.most:
                raise model.error(noun.too_many)
            await storage.put_record(tx, noun.key, record)
            return record

        kept = await ctx.store.transact(body)
        return {**_answer(noun, kept), "Location": location(f"{noun.path}/{kept['id']}")}

    return create


def _get(noun: model.Noun) -> Operation:
    async def get(ctx: Context, request: Request) -> dict[str, Any]:
        return _answer(noun, await ctx.store.read(lambda tx: _found(tx, noun, ctx, request["Id"])))

    return get


def _get_config(noun: model.Noun) -> Operation:
    async def get_config(ctx: Context, request: Request) -> dict[str, Any]:
        record = await ctx.store.read(lambda tx: _found(tx, noun, ctx, request["Id"]))
        return {noun.config: record["config"], "ETag": record["etag"]}

    return get_config


def _update(noun: model.Noun) -> Operation:
    async def update(ctx: Context, request: Request) -> dict[str, Any]:
        config = request[noun.config]

        async def body(tx: Transaction) -> Record:
            record = await _found(tx, noun, ctx, request["Id"])
            if record.get("managed"):
                raise model.error("IllegalUpdate")
            check_version(request, record)
            if noun is model.ACCESS_IDENTITY:
                if config["CallerReference"] != record["config"]["CallerReference"]:
                    raise model.error("IllegalUpdate")
            elif any(
                one["id"] != record["id"] and one["config"][noun.unique] == config[noun.unique]
                for one in await storage.records(tx, noun.key, ctx.account)
            ):
                raise model.error(noun.exists)
            record |= {"config": config, "etag": new_id(), "modified": ctx.clock.now()}
            await storage.put_record(tx, noun.key, record)
            return record

        record = await ctx.store.transact(body)
        await changed(ctx)
        return _answer(noun, record)

    return update


def _delete(noun: model.Noun) -> Operation:
    async def delete(ctx: Context, request: Request) -> dict[str, Any]:
        async def body(tx: Transaction) -> None:
            record = await _found(tx, noun, ctx, request["Id"])
            if record.get("managed"):
                raise model.error("IllegalDelete")
            check_version(request, record)
            users = await storage.distributions(tx, ctx.account)
            if any(uses(noun, user["config"], record["id"]) for user in users):
                raise model.error(noun.in_use)
            await storage.delete_record(tx, noun.key, ctx.account, record["id"])

        await ctx.store.transact(body)
        return {}

    return delete


def _list_policies(noun: model.Noun) -> Operation:
    async def list_policies(ctx: Context, request: Request) -> dict[str, Any]:
        wanted = request.get("Type")
        own = await ctx.store.read(lambda tx: storage.records(tx, noun.key, ctx.account))
        given = [_managed_record(id, config) for id, config in MANAGED[noun.key].items()]
        found: list[Record] = [
            {"Type": kind, noun.member: _shown(noun, record)}
            for kind, records in (("managed", given), ("custom", own))
            for record in records
            if wanted in (None, kind)
        ]
        found.sort(key=lambda one: str(one[noun.member]["Id"]))
        listed = page(request, found, lambda one: str(one[noun.member]["Id"]))
        return {f"{noun.member}List": listed}

    return list_policies


async def list_origin_access_controls(ctx: Context, request: Request) -> dict[str, Any]:
    records = await ctx.store.read(lambda tx: storage.records(tx, model.ACCESS_CONTROL.key, ctx.account))
    found = [{"Id": record["id"], **record["config"]} for record in records]
    return {"OriginAccessControlList": page(request, found, lambda one: str(one["Id"]))}


async def list_cloud_front_origin_access_identities(ctx: Context, request: Request) -> dict[str, Any]:
    records = await ctx.store.read(lambda tx: storage.records(tx, model.ACCESS_IDENTITY.key, ctx.account))
    found = [
        {
            "Id": record["id"],
            "S3CanonicalUserId": canonical_user(record["id"]),
            "Comment": record["config"]["Comment"],
        }
        for record in records
    ]
    return {"CloudFrontOriginAccessIdentityList": page(request, found, lambda one: str(one["Id"]))}


create_cache_policy = _create(model.CACHE_POLICY)
get_cache_policy = _get(model.CACHE_POLICY)
get_cache_policy_config = _get_config(model.CACHE_POLICY)
update_cache_policy = _update(model.CACHE_POLICY)
delete_cache_policy = _delete(model.CACHE_POLICY)
list_cache_policies = _list_policies(model.CACHE_POLICY)

create_origin_request_policy = _create(model.ORIGIN_REQUEST_POLICY)
get_origin_request_policy = _get(model.ORIGIN_REQUEST_POLICY)
get_origin_request_policy_config = _get_config(model.ORIGIN_REQUEST_POLICY)
update_origin_request_policy = _update(model.ORIGIN_REQUEST_POLICY)
delete_origin_request_policy = _delete(model.ORIGIN_REQUEST_POLICY)
list_origin_request_policies = _list_policies(model.ORIGIN_REQUEST_POLICY)

create_response_headers_policy = _create(model.RESPONSE_HEADERS_POLICY)
get_response_headers_policy = _get(model.RESPONSE_HEADERS_POLICY)
get_response_headers_policy_config = _get_config(model.RESPONSE_HEADERS_POLICY)
update_response_headers_policy = _update(model.RESPONSE_HEADERS_POLICY)
delete_response_headers_policy = _delete(model.RESPONSE_HEADERS_POLICY)
list_response_headers_policies = _list_policies(model.RESPONSE_HEADERS_POLICY)

create_origin_access_control = _create(model.ACCESS_CONTROL)
get_origin_access_control = _get(model.ACCESS_CONTROL)
get_origin_access_control_config = _get_config(model.ACCESS_CONTROL)
update_origin_access_control = _update(model.ACCESS_CONTROL)
delete_origin_access_control = _delete(model.ACCESS_CONTROL)

create_cloud_front_origin_access_identity = _create(model.ACCESS_IDENTITY)
get_cloud_front_origin_access_identity = _get(model.ACCESS_IDENTITY)
get_cloud_front_origin_access_identity_config = _get_config(model.ACCESS_IDENTITY)
update_cloud_front_origin_access_identity = _update(model.ACCESS_IDENTITY)
delete_cloud_front_origin_access_identity = _delete(model.ACCESS_IDENTITY)
