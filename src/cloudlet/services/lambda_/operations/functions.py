"""Functions: create, read, change, delete, list."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from typing import Any

from ....context import Context
from ....store.interface import Transaction
from .. import code as packages
from .. import configuration, layers, model, roles, storage, vpc
from ..arns import Reference, is_version, parse
from ..runs import prepare, workers
from ..storage import Record
from .versions import publish

Response = dict[str, Any]


async def create_function(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"])._replace(qualifier="")

    async def check(tx: Transaction) -> None:
        if await storage.exists(tx, ref):
            raise model.function_exists(ref.name)

    await ctx.store.read(check)
    await roles.check(ctx, ref.name, request["Role"], request)
    request = await vpc.resolved(ctx, request, "CreateFunction")
    kept = await layers.entries(ctx, request.get("Layers", ()))
    code = await packages.keep(ctx, await packages.fetch(ctx, request["Code"]))
    await layers.check_size(ctx, code.sha, kept)
    now = ctx.clock.now()
    config = configuration.create(request, ref.name, ref.region, code, now)
    content = configuration.new_id()

    async def body(tx: Transaction) -> Record:
        await check(tx)
        record: Record = {
            "next": 1,
            "tags": request.get("Tags", {}),
            "latest": {"config": config, "code": code.sha, "content": content},
        }
        _set_layers(record["latest"], kept)
        await _use(ctx, tx, ref, set(), record["latest"])
        made = await publish(tx, ref, record, now) if request.get("Publish") else config
        await storage.put_function(tx, ref, record)
        return made

    made = await ctx.store.transact(body)
    prepare(ctx.node, config["Runtime"])
    # A function made with Publish is answered with its version's number, but without it in the ARN.
    return configuration.show(made, ref)


async def get_function(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"], request.get("Qualifier", ""))

    async def body(tx: Transaction) -> tuple[Record, Record]:
        return (await storage.load_function(tx, ref)).record, (await storage.resolve(tx, ref)).record

    function, version = await ctx.store.read(body)
    response: Response = {
        "Configuration": configuration.show(version["config"], ref),
        "Code": {"RepositoryType": "S3", "Location": packages.location(ctx.node, version["code"])},
    }
    if function["tags"]:
        response["Tags"] = function["tags"]
    if "reserved" in function:
        response["Concurrency"] = {"ReservedConcurrentExecutions": function["reserved"]}
    return response


async def get_function_configuration(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"], request.get("Qualifier", ""))
    version = await ctx.store.read(lambda tx: storage.resolve(tx, ref))
    return configuration.show(version.record["config"], ref)


async def get_function_code_signing_config(ctx: Context, request: dict[str, Any]) -> Response:
    """No function has one, which is said so."""
    ref = parse(ctx, request["FunctionName"])
    await ctx.store.read(lambda tx: storage.load_function(tx, ref))
    return {"FunctionName": ref.name}


async def get_runtime_management_config(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"], request.get("Qualifier", ""))
    await ctx.store.read(lambda tx: storage.resolve(tx, ref))
    return {"FunctionArn": ref.qualified, "UpdateRuntimeOn": "Auto"}


async def get_function_recursion_config(ctx: Context, request: dict[str, Any]) -> Response:
    """Loops are not looked for, so all are allowed."""
    ref = parse(ctx, request["FunctionName"])
    await ctx.store.read(lambda tx: storage.load_function(tx, ref))
    return {"RecursiveLoop": "Allow"}


async def update_function_code(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"])._replace(qualifier="")
    function = await ctx.store.read(lambda tx: storage.load_function(tx, ref))
    code = await packages.keep(ctx, await packages.fetch(ctx, request))
    await layers.check_size(ctx, code.sha, function.record["latest"].get("layers", ()))
    now = ctx.clock.now()
    content = configuration.new_id()

    async def body(tx: Transaction) -> Record:
        record = await storage.function(tx, ref)
        latest = record["latest"]
        config: Record = latest["config"]
        old: str = latest["code"]
        _check_revision(config, request)
        architectures = request.get("Architectures", config["Architectures"])
        changed = old != code.sha or architectures != config["Architectures"]
        config["Architectures"] = architectures
        configuration.change_code(config, code)
        configuration.touch(config, now)
        before = storage.contents(latest)
        latest["code"] = code.sha
        if changed:
            latest["content"] = content
        if request.get("DryRun"):
            return config
        await _use(ctx, tx, ref, before, latest)
        made = await publish(tx, ref, record, now) if request.get("Publish") else config
        await storage.put_function(tx, ref, record)
        return made

    config = await ctx.store.transact(body)
    return configuration.show(config, _published(ref, config))


async def _use(ctx: Context, tx: Transaction, ref: Reference, before: set[str], latest: Record) -> None:
    """Refer to what `$LATEST` needs now, and let go of what it needed `before`."""
    needed = storage.contents(latest)
    for sha in before - needed:
        await storage.drop_code(tx, sha, ref, 0)
        await packages.release(ctx.node, tx, sha)
    for sha in needed - before:
        await storage.use_code(tx, sha, ref, 0)


def _set_layers(latest: Record, kept: list[Record]) -> None:
    if kept:
        latest["layers"] = kept
        latest["config"]["Layers"] = layers.configured(kept)
    else:
        latest.pop("layers", None)
        latest["config"].pop("Layers", None)


def _published(ref: Reference, config: Record) -> Reference:
    number = config["Version"]
    return ref if number == model.LATEST else ref._replace(qualifier=number)


def _check_revision(config: Record, request: dict[str, Any]) -> None:
    wanted = request.get("RevisionId")
    if wanted and wanted != config["RevisionId"]:
        raise model.revision_mismatch()


async def update_function_configuration(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"])._replace(qualifier="")
    now = ctx.clock.now()
    content = configuration.new_id()
    await _check_role(ctx, ref, request)
    request = await vpc.resolved(ctx, request, "UpdateFunctionConfiguration")
    kept = await _wanted_layers(ctx, ref, request)

    async def body(tx: Transaction) -> Record:
        record = await storage.function(tx, ref)
        latest = record["latest"]
        config: Record = latest["config"]
        _check_revision(config, request)
        configuration.change(config, request, ref.region)
        if kept is not None:
            before = storage.contents(latest)
            _set_layers(latest, kept)
            await _use(ctx, tx, ref, before, latest)
        configuration.touch(config, now)
        latest["content"] = content
        await storage.put_function(tx, ref, record)
        return config

    config = await ctx.store.transact(body)
    prepare(ctx.node, config["Runtime"])
    return configuration.show(config, ref)


async def _check_role(ctx: Context, ref: Reference, request: dict[str, Any]) -> None:
    if not request.keys() & {"Role", "VpcConfig", "DeadLetterConfig"}:
        return
    function = await ctx.store.read(lambda tx: storage.load_function(tx, ref))
    settings = {**function.record["latest"]["config"], **request}
    await roles.check(ctx, ref.name, settings["Role"], settings)


async def _wanted_layers(ctx: Context, ref: Reference, request: dict[str, Any]) -> list[Record] | None:
    """The layers that an update asks for; None when it leaves them as they are."""
    if "Layers" not in request:
        return None
    function = await ctx.store.read(lambda tx: storage.load_function(tx, ref))
    kept = await layers.entries(ctx, request["Layers"])
    await layers.check_size(ctx, function.record["latest"]["code"], kept)
    return kept


async def delete_function(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"], request.get("Qualifier", ""))
    if ref.qualifier == model.LATEST:
        raise model.invalid("$LATEST version cannot be deleted without deleting the function.")
    if ref.qualifier and not is_version(ref.qualifier):
        raise model.invalid("Deletion of aliases is not currently supported.")
    if ref.qualifier:
        await ctx.store.transact(lambda tx: _delete_version(ctx, tx, ref))
    else:
        await ctx.store.transact(lambda tx: _delete_function(ctx, tx, ref))
    workers(ctx.node).retire(ref.qualified)
    return {"StatusCode": 204}


async def _delete_version(ctx: Context, tx: Transaction, ref: Reference) -> None:
    """Deleting a version that isn't there is no error, as long as the function is."""
    await storage.load_function(tx, ref)
    number = int(ref.qualifier)
    pointing = [alias["Name"] for alias in await storage.aliases(tx, ref) if _points(alias, ref.qualifier)]
    if pointing:
        raise model.conflict(
            f"Unable to delete version because the following aliases reference it: [{', '.join(pointing)}]"
        )
    version = await storage.version(tx, ref, number)
    if version is not None:
        await storage.delete_version(tx, ref, number)
        for sha in storage.contents(version):
            await storage.drop_code(tx, sha, ref, number)
            await packages.release(ctx.node, tx, sha)


def _points(alias: Record, number: str) -> bool:
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return alias["FunctionVersion"] == number or number in weights


async def _delete_function(ctx: Context, tx: Transaction, ref: Reference) -> None:
    record = await storage.function(tx, ref)
    uses = [(sha, 0) for sha in storage.contents(record["latest"])]
    for version in await storage.versions(tx, ref):
        uses += [(sha, int(version["config"]["Version"])) for sha in storage.contents(version)]
    await storage.delete_function(tx, ref)
    for sha, number in uses:
        await storage.drop_code(tx, sha, ref, number)
        await packages.release(ctx.node, tx, sha)


async def list_functions(ctx: Context, request: dict[str, Any]) -> Response:
    """Pages by function: with `FunctionVersion=ALL` a function's versions stay together."""
    limit = min(request.get("MaxItems", model.LIST_PAGE), model.LIST_PAGE)
    after = _unmark(request.get("Marker", ""))
    whole = "FunctionVersion" in request

    async def body(tx: Transaction) -> tuple[list[Record], list[Response]]:
        records = await storage.functions(tx, ctx.account, ctx.region, after, limit + 1)
        shown: list[Response] = []
        for record in records[:limit]:
            config = record["latest"]["config"]
            ref = Reference(ctx.account, ctx.region, config["FunctionName"], model.LATEST if whole else "")
            shown.append(configuration.show_listed(config, ref))
            if whole:
                shown += [_listed_version(ref, version) for version in await storage.versions(tx, ref)]
        return records, shown

    records, shown = await ctx.store.read(body)
    response: Response = {"Functions": shown}
    if len(records) > limit:
        response["NextMarker"] = _mark(records[limit - 1]["latest"]["config"]["FunctionName"])
    return response


def _listed_version(ref: Reference, version: Record) -> Response:
    config = version["config"]
    return configuration.show_listed(config, ref._replace(qualifier=config["Version"]))


def _mark(name: str) -> str:
    return urlsafe_b64encode(name.encode()).decode()


def _unmark(marker: str) -> str:
    try:
        return b64decode(marker, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise model.invalid("Invalid Marker") from error
