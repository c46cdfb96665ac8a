"""Layers: publish, read, list, delete versions."""

from __future__ import annotations

import asyncio
from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import code as packages
from .. import configuration, layers, layers_public, model, storage
from ..layers import LayerVersion, listed, parse, shown
from ..layers_public import Package
from ..runs import workers
from ..storage import Record
from .pages import page

Response = dict[str, Any]


async def publish_layer_version(ctx: Context, request: dict[str, Any]) -> Response:
    layer = parse(ctx, request["LayerName"])
    if (layer.account, layer.region) != (ctx.account, ctx.region):
        raise model.layer_access_denied(ctx.principal.arn, layer.layer_arn)
    code = await packages.keep(ctx, await packages.fetch(ctx, request["Content"]))
    record: Record = {
        "description": request.get("Description", ""),
        "created": layers.created(ctx.clock.now()),
        "runtimes": request.get("CompatibleRuntimes"),
        "architectures": request.get("CompatibleArchitectures"),
        "license": request.get("LicenseInfo"),
        "code": code.sha,
        "size": code.size,
        "revision": configuration.new_id(),
        "statements": [],
    }

    async def body(tx: Transaction) -> LayerVersion:
        ref = layer._replace(number=await storage.next_layer_version(tx, layer))
        await storage.put_layer_version(tx, ref, record)
        await storage.use_layer_code(tx, ref, code.sha)
        return ref

    ref = await ctx.store.transact(body)
    return shown(ref, record, packages.location(ctx.node, code.sha))


async def get_layer_version(ctx: Context, request: dict[str, Any]) -> Response:
    return await _get(ctx, parse(ctx, request["LayerName"], request["VersionNumber"]))


async def get_layer_version_by_arn(ctx: Context, request: dict[str, Any]) -> Response:
    return await _get(ctx, parse(ctx, request["Arn"]))


async def _get(ctx: Context, ref: LayerVersion) -> Response:
    package = layers_public.package_of(ref.account, ref.name)
    if package is not None:
        record = await _public(ctx, package, ref)
        return shown(ref, record, packages.location(ctx.node, record["code"]))
    found = await ctx.store.read(lambda tx: storage.layer_version(tx, ref))
    if not layers.allows(ctx, ref, found):
        raise model.layer_access_denied(ctx.principal.arn, ref.arn)
    if found is None:
        raise model.no_resource()
    return shown(ref, found, packages.location(ctx.node, found["code"]))


async def _public(ctx: Context, package: Package, ref: LayerVersion) -> Record:
    """A public layer as if it had been published here. Its zip stays for a while."""
    folder = await workers(ctx.node).public_layer(package, ref.arn)
    code = await packages.keep(ctx, await asyncio.to_thread(layers_public.zipped, folder))
    return {
        "description": f"{package.name} of the package index, installed for {package.runtime}",
        "created": layers.created(folder.stat().st_mtime),
        "runtimes": [package.runtime],
        "code": code.sha,
        "size": code.size,
    }


async def delete_layer_version(ctx: Context, request: dict[str, Any]) -> Response:
    """Deleting what isn't there is no error. Functions that have the version keep its content."""
    ref = parse(ctx, request["LayerName"], request["VersionNumber"])
    if ref.account != ctx.account:
        raise model.layer_access_denied(ctx.principal.arn, ref.arn)

    async def body(tx: Transaction) -> None:
        record = await storage.layer_version(tx, ref)
        if record is not None:
            await storage.delete_layer_version(tx, ref, record["code"])
            await packages.release(ctx.node, tx, record["code"])

    await ctx.store.transact(body)
    return {}


async def list_layer_versions(ctx: Context, request: dict[str, Any]) -> Response:
    """The newest first."""
    layer = parse(ctx, request["LayerName"])
    if layer.account != ctx.account:
        raise model.layer_access_denied(ctx.principal.arn, layer.layer_arn)
    found = await ctx.store.read(
        lambda tx: storage.layer_versions(tx, layer.account, layer.region, layer.name)
    )
    versions = [
        listed(layer._replace(number=number), record)
        for _, number, record in reversed(found)
        if _fits(record, request)
    ]
    shown, more = page(versions, request)
    return {"LayerVersions": shown, **more}


async def list_layers(ctx: Context, request: dict[str, Any]) -> Response:
    """Each layer with the newest of its versions that fits."""
    found = await ctx.store.read(lambda tx: storage.layer_versions(tx, ctx.account, ctx.region))
    newest = {name: (number, record) for name, number, record in found if _fits(record, request)}
    items = []
    for name, (number, record) in newest.items():
        ref = LayerVersion(ctx.account, ctx.region, name, number)
        items.append(
            {"LayerName": name, "LayerArn": ref.layer_arn, "LatestMatchingVersion": listed(ref, record)}
        )
    shown, more = page(items, request)
    return {"Layers": shown, **more}


def _fits(record: Record, request: dict[str, Any]) -> bool:
    """Whether a version says of itself that it is compatible with what the request asks for."""
    for member, said in (("CompatibleRuntime", "runtimes"), ("CompatibleArchitecture", "architectures")):
        if member in request and request[member] not in (record.get(said) or ()):
            return False
    return True
