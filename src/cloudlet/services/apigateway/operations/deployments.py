"""Deployments: what they capture, and the automatic ones."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import model, storage
from ..storage import Record
from . import stages
from .parts import new_id, page, require, require_api


async def capture(tx: Transaction, api: Record) -> Record:
    """Everything of the API that a stage serves: routes and integrations with their responses, authorizers, models."""
    api_id = api["ApiId"]
    routes = await storage.list_parts(tx, api_id, "route")
    for route in routes:
        route["Responses"] = await storage.list_parts(tx, api_id, "routeresponse", route["RouteId"])
    integrations = await storage.list_parts(tx, api_id, "integration")
    for integration in integrations:
        id = integration["IntegrationId"]
        integration["Responses"] = await storage.list_parts(tx, api_id, "integrationresponse", id)
    return {
        "RouteSelectionExpression": api["RouteSelectionExpression"],
        "DisableSchemaValidation": api.get("DisableSchemaValidation", False),
        "Routes": routes,
        "Integrations": integrations,
        "Authorizers": await storage.list_parts(tx, api_id, "authorizer"),
        "Models": await storage.list_parts(tx, api_id, "model"),
    }


async def deploy(
    tx: Transaction, ctx: Context, api: Record, *, auto: bool, description: str | None
) -> Record:
    snapshot = await capture(tx, api)
    if not snapshot["Routes"]:
        raise model.no_routes()
    deployment: Record = {
        "AutoDeployed": auto,
        "CreatedDate": ctx.clock.now(),
        "DeploymentId": new_id(6),
        "DeploymentStatus": "DEPLOYED",
    }
    if description is not None:
        deployment["Description"] = description
    await storage.put_part(tx, api["ApiId"], "deployment", deployment["DeploymentId"], deployment)
    await storage.put_snapshot(tx, api["ApiId"], deployment["DeploymentId"], snapshot)
    return deployment


async def changed(tx: Transaction, ctx: Context, api: Record) -> None:
    """Called in the transaction that changed a part of the API: stages with AutoDeploy get a deployment of it."""
    auto = [stage for stage in await storage.list_parts(tx, api["ApiId"], "stage") if stage.get("AutoDeploy")]
    if auto:
        await deploy_to(tx, ctx, api, auto)


async def deploy_to(tx: Transaction, ctx: Context, api: Record, targets: list[Record]) -> None:
    """Deploy automatically to the stages. Deployments of this kind that no stage uses any more go away."""
    api_id = api["ApiId"]
    if not await storage.list_parts(tx, api_id, "route"):
        for stage in targets:
            stage["LastDeploymentStatusMessage"] = f"Deployment attempt failed: {model.NO_ROUTES}"
            await stages.save(tx, ctx, api, stage)
        return
    deployment = await deploy(tx, ctx, api, auto=True, description=model.AUTO_DEPLOYED)
    old = {stage.get("DeploymentId") for stage in targets}
    for stage in targets:
        use(stage, deployment["DeploymentId"], ctx.clock.now())
        await stages.save(tx, ctx, api, stage)
    used = {stage.get("DeploymentId") for stage in await storage.list_parts(tx, api_id, "stage")}
    for id in old - used - {None}:
        record = await storage.get_part(tx, api_id, "deployment", str(id))
        if record is not None and record["AutoDeployed"]:
            await _remove(tx, api_id, str(id))


def use(stage: Record, deployment_id: str, now: float) -> None:
    stage["DeploymentId"] = deployment_id
    stage["LastUpdatedDate"] = now
    stage["LastDeploymentStatusMessage"] = f"Successfully deployed stage with deployment ID '{deployment_id}'"


async def _remove(tx: Transaction, api_id: str, deployment_id: str) -> None:
    await storage.delete_part(tx, api_id, "deployment", deployment_id)
    await storage.delete_snapshot(tx, api_id, deployment_id)


async def create_deployment(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        api = await require_api(tx, ctx, request["ApiId"])
        name = request.get("StageName")
        stage = await require(tx, api["ApiId"], "stage", name) if name else None
        deployment = await deploy(tx, ctx, api, auto=False, description=request.get("Description"))
        if stage is not None:
            use(stage, deployment["DeploymentId"], ctx.clock.now())
            await stages.save(tx, ctx, api, stage)
        return deployment

    return await ctx.store.transact(body)


async def get_deployment(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        await require_api(tx, ctx, request["ApiId"])
        return await require(tx, request["ApiId"], "deployment", request["DeploymentId"])

    return await ctx.store.read(body)


async def get_deployments(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> list[Record]:
        await require_api(tx, ctx, request["ApiId"])
        return await storage.list_parts(tx, request["ApiId"], "deployment")

    newest_first = sorted(await ctx.store.read(body), key=lambda item: -item["CreatedDate"])
    return page(newest_first, request)


async def update_deployment(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    async def body(tx: Transaction) -> Record:
        await require_api(tx, ctx, request["ApiId"])
        deployment = await require(tx, request["ApiId"], "deployment", request["DeploymentId"])
        if request.get("Description") is not None:
            deployment["Description"] = request["Description"]
        await storage.put_part(tx, request["ApiId"], "deployment", request["DeploymentId"], deployment)
        return deployment

    return await ctx.store.transact(body)


async def delete_deployment(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    api_id, deployment_id = request["ApiId"], request["DeploymentId"]

    async def body(tx: Transaction) -> None:
        await require_api(tx, ctx, api_id)
        await require(tx, api_id, "deployment", deployment_id)
        for stage in await storage.list_parts(tx, api_id, "stage"):
            if stage.get("DeploymentId") == deployment_id:
                raise model.deployment_in_use()
        await _remove(tx, api_id, deployment_id)

    await ctx.store.transact(body)
    return {}
