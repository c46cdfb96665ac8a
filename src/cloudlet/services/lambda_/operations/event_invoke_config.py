"""How asynchronous events of a function, version or alias are retried, and where their records go."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....errors import AwsError
from ....store.interface import Transaction
from .. import model, roles, storage
from ..arns import Reference, parse
from ..destinations import service_of
from ..runs import spec_of, workers
from ..storage import Record
from .pages import page

Response = dict[str, Any]
_MEMBERS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")


def _show(ref: Reference, qualifier: str, record: Record) -> Response:
    arn = ref._replace(qualifier=qualifier or model.LATEST).qualified
    return {"FunctionArn": arn, "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}}, **record}


def _missing(ref: Reference) -> Exception:
    arn = ref._replace(qualifier=ref.qualifier or model.LATEST).qualified
    return model.not_found(f"The function {arn} doesn't have an EventInvokeConfig")


async def _check_destinations(tx: Transaction, ref: Reference, ctx: Context, request: dict[str, Any]) -> None:
    """Functions must be there, and another than this one. Whether a queue is there is seen when a record goes to it."""
    for destination in request.get("DestinationConfig", {}).values():
        target = destination.get("Destination")
        if not target or service_of(target) != "lambda":
            continue
        other = parse(ctx, target)
        if other.name == ref.name:
            raise model.invalid("You can't specify the function as a destination for itself.")
        if not await storage.exists(tx, other):
            raise model.invalid(f"The destination ARN {target} is invalid.")


async def _check_role(ctx: Context, ref: Reference, request: dict[str, Any]) -> None:
    """The function's role must be allowed to send to what is named."""
    targets = [one.get("Destination") for one in request.get("DestinationConfig", {}).values()]
    if not any(targets):
        return
    await ctx.store.read(lambda tx: _check_function(tx, ref))
    as_role = await workers(ctx.node).context(await spec_of(ctx, ref))
    for target in filter(None, targets):
        service, operation, params = roles.sending(target)
        if not await as_role.permits(service, operation, params):
            action = "InvokeFunction" if operation == "Invoke" else operation
            raise model.role_may_not("function's", action, target)


async def _check_function(tx: Transaction, ref: Reference) -> None:
    try:
        await storage.resolve(tx, ref)
    except AwsError as error:
        raise model.not_found("The function doesn't exist.") from error


async def _put(ctx: Context, request: dict[str, Any], *, update: bool) -> Response:
    ref = parse(ctx, request["FunctionName"], request.get("Qualifier", ""))
    now = ctx.clock.now()
    await _check_role(ctx, ref, request)

    async def body(tx: Transaction) -> Record:
        await _check_function(tx, ref)
        await _check_destinations(tx, ref, ctx, request)
        old = await storage.event_config(tx, ref, ref.qualifier)
        if update and old is None:
            raise _missing(ref)
        record: Record = dict(old) if update and old else {}
        record.update({member: request[member] for member in _MEMBERS if member in request})
        record["LastModified"] = now
        await storage.put_event_config(tx, ref, ref.qualifier, record)
        return record

    return _show(ref, ref.qualifier, await ctx.store.transact(body))


async def put_function_event_invoke_config(ctx: Context, request: dict[str, Any]) -> Response:
    return await _put(ctx, request, update=False)


async def update_function_event_invoke_config(ctx: Context, request: dict[str, Any]) -> Response:
    return await _put(ctx, request, update=True)


async def get_function_event_invoke_config(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"], request.get("Qualifier", ""))

    async def body(tx: Transaction) -> Record:
        await _check_function(tx, ref)
        record = await storage.event_config(tx, ref, ref.qualifier)
        if record is None:
            raise _missing(ref)
        return record

    return _show(ref, ref.qualifier, await ctx.store.read(body))


async def delete_function_event_invoke_config(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"], request.get("Qualifier", ""))

    async def body(tx: Transaction) -> None:
        await _check_function(tx, ref)
        if await storage.event_config(tx, ref, ref.qualifier) is None:
            raise _missing(ref)
        await storage.delete_event_config(tx, ref, ref.qualifier)

    await ctx.store.transact(body)
    return {}


async def list_function_event_invoke_configs(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"])._replace(qualifier="")

    async def body(tx: Transaction) -> list[tuple[str, Record]]:
        await storage.load_function(tx, ref)
        return await storage.event_configs(tx, ref)

    shown = [_show(ref, qualifier, record) for qualifier, record in await ctx.store.read(body)]
    items, marker = page(shown, request)
    return {"FunctionEventInvokeConfigs": items, **marker}
