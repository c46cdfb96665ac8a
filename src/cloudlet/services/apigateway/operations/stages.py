"""Stages, and the record from which the gateway serves them."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Record
from . import deployments
from .parts import merged, page, require, require_api, taken, within_quota
from .tags import stage_arn

MEMBERS = (
    "AccessLogSettings", "AutoDeploy", "ClientCertificateId", "DefaultRouteSettings", "DeploymentId", "Description",
    "RouteSettings", "StageVariables",
)  # fmt: skip


async def serve(tx: Transaction, ctx: Context, api: Record, stage: Record, *, flush: bool = False) -> None:
    """Write what the gateway reads: once here, instead of five lookups there."""
    name = stage["StageName"]
    deployment_id = stage.get("DeploymentId")
    if deployment_id is None or api["DisableExecuteApiEndpoint"]:
        await storage.delete_served(tx, api["ApiId"], name)
        return
    before = await storage.get_served(tx, api["ApiId"], name)
    served = {
        "Account": ctx.account,
        "Region": ctx.region,
        "ApiId": api["ApiId"],
        "Flush": (before["Flush"] if before else 0) + flush,
        "Stage": stage,
        "Snapshot": await storage.get_snapshot(tx, api["ApiId"], deployment_id),
    }
    if served != before:
        await storage.put_served(tx, api["ApiId"], name, served)


async def save(tx: Transaction, ctx: Context, api: Record, stage: Record) -> None:
    await storage.put_part(tx, api["ApiId"], "stage", stage["StageName"], stage)
    await serve(tx, ctx, api, stage)


async def remove(tx: Transaction, ctx: Context, api_id: str, name: str) -> None:
    await storage.delete_part(tx, api_id, "stage", name)
    await storage.delete_served(tx, api_id, name)
    await storage.put_tags(tx, stage_arn(ctx, api_id, name), {})


async def _check_settings(tx: Transaction, api_id: str, stage: Record) -> None:
    keys = {route["RouteKey"] for route in await storage.list_parts(tx, api_id, "route")}
    for key in stage["RouteSettings"]:
        if key not in keys:
            raise model.not_found(f"Unable to find Route by key {key} within the provided RouteSettings")


async def create_stage(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id, name = request["ApiId"], request["StageName"]
    now = ctx.clock.now()
    tags = request.get("Tags") or {}

    async def body(tx: Transaction) -> Record:
        api = await require_api(tx, ctx, api_id)
        if await storage.get_part(tx, api_id, "stage", name) is not None:
            raise model.stage_exists()
        await within_quota(tx, api_id, "stage", model.STAGES_PER_API)
        stage = {
            "AutoDeploy": False,
            "DefaultRouteSettings": model.DEFAULT_ROUTE_SETTINGS,
            "RouteSettings": {},
            "StageVariables": {},
            **taken(request, MEMBERS),
            "CreatedDate": now,
            "LastUpdatedDate": now,
            "StageName": name,
        }
        if "DeploymentId" in stage:
            await require(tx, api_id, "deployment", stage["DeploymentId"])
        await _check_settings(tx, api_id, stage)
        await save(tx, ctx, api, stage)
        await storage.put_tags(tx, stage_arn(ctx, api_id, name), tags)
        if stage["AutoDeploy"]:
            await deployments.deploy_to(tx, ctx, api, [stage])
        return stage

    return {**await ctx.store.transact(body), "Tags": tags}


async def get_stage(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        await require_api(tx, ctx, request["ApiId"])
        stage = await require(tx, request["ApiId"], "stage", request["StageName"])
        return await _tagged(tx, ctx, request["ApiId"], stage)

    return await ctx.store.read(body)


async def get_stages(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> list[Record]:
        await require_api(tx, ctx, request["ApiId"])
        found = await storage.list_parts(tx, request["ApiId"], "stage")
        return [await _tagged(tx, ctx, request["ApiId"], stage) for stage in found]

    return page(await ctx.store.read(body), request)


async def update_stage(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id = request["ApiId"]

    async def body(tx: Transaction) -> Record:
        api = await require_api(tx, ctx, api_id)
        old = await require(tx, api_id, "stage", request["StageName"])
        stage = merged(old, request, MEMBERS, maps=("RouteSettings", "StageVariables"))
        stage["LastUpdatedDate"] = ctx.clock.now()
        if stage.get("DeploymentId") != old.get("DeploymentId"):
            if stage["AutoDeploy"]:
                raise model.bad_request("Deployment ID cannot be set on a stage with auto deploy enabled")
            await require(tx, api_id, "deployment", stage["DeploymentId"])
        if "RouteSettings" in request:
            await _check_settings(tx, api_id, stage)
        await save(tx, ctx, api, stage)
        if stage["AutoDeploy"] and not old["AutoDeploy"]:
            await deployments.deploy_to(tx, ctx, api, [stage])
        return await _tagged(tx, ctx, api_id, stage)

    return await ctx.store.transact(body)


async def delete_stage(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        await require_api(tx, ctx, request["ApiId"])
        await require(tx, request["ApiId"], "stage", request["StageName"])
        await remove(tx, ctx, request["ApiId"], request["StageName"])

    await ctx.store.transact(body)
    return {}


async def delete_access_log_settings(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        api = await require_api(tx, ctx, request["ApiId"])
        stage = await require(tx, request["ApiId"], "stage", request["StageName"])
        stage.pop("AccessLogSettings", None)
        stage["LastUpdatedDate"] = ctx.clock.now()
        await save(tx, ctx, api, stage)

    await ctx.store.transact(body)
    return {}


async def delete_route_settings(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> None:
        api = await require_api(tx, ctx, request["ApiId"])
        stage = await require(tx, request["ApiId"], "stage", request["StageName"])
        if stage["RouteSettings"].pop(request["RouteKey"], None) is None:
            raise model.not_found(
                f"Unable to find Route by key {request['RouteKey']} within the provided RouteSettings"
            )
        stage["LastUpdatedDate"] = ctx.clock.now()
        await save(tx, ctx, api, stage)

    await ctx.store.transact(body)
    return {}


async def _tagged(tx: Transaction, ctx: Context, api_id: str, stage: Record) -> Record:
    return {**stage, "Tags": await storage.get_tags(tx, stage_arn(ctx, api_id, stage["StageName"]))}
