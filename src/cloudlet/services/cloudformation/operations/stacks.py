"""Creating, updating and deleting stacks."""

from __future__ import annotations

from typing import Any

import orjson

from ....context import Context
from ....names import arn, request_id
from ....store.interface import Transaction
from .. import acting, model, outputs, parameters, runtime, sources
from ..changes import compare
from ..journal import stack_event, tell
from ..storage import TASK, Home, Record, home

IN_PROGRESS = "_IN_PROGRESS"


async def create_stack(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name, here = request["StackName"], home(ctx)
    token = request.get("ClientRequestToken", "")
    existing = await ctx.store.read(lambda tx: here.find(tx, name))
    if existing is not None:
        if token and existing["token"] == token:
            return {"StackId": existing["id"]}
        raise model.stack_exists(name)
    stack_id = arn("cloudformation", ctx.region, ctx.account, f"stack/{name}/{request_id()}")
    now = ctx.clock.now()
    stack = sources.new_stack(name, stack_id, now)
    source = await sources.read(ctx, request, stack)
    compare(source.plan, {}, runtime.of(ctx.node).catalog)
    on_failure = request.get("OnFailure") or ("DO_NOTHING" if request.get("DisableRollback") else "ROLLBACK")
    stack |= source.fields | {
        "status": "CREATE_IN_PROGRESS",
        "reason": model.USER_INITIATED,
        "parameters": parameters.shown(source.plan.parameters, source.plan.values),
        "on_failure": on_failure,
        "disable_rollback": on_failure == "DO_NOTHING",
        "termination_protection": bool(request.get("EnableTerminationProtection", False)),
        "policy": request.get("StackPolicyBody", ""),
        "timeout": request.get("TimeoutInMinutes", 0),
        "token": token,
        "operation": request_id(),
    }

    async def body(tx: Transaction) -> None:
        if await here.stack_id(tx, name) is not None:
            raise model.stack_exists(name)
        await here.put_name(tx, name, stack_id)
        await begin(ctx, tx, here, stack)

    await ctx.store.transact(body)
    tell(ctx, stack_event(stack, now))
    return {"StackId": stack_id}


async def update_stack(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here = home(ctx)

    async def load(tx: Transaction) -> tuple[Record | None, dict[str, Record]]:
        found = await here.find(tx, request["StackName"])
        return found, {} if found is None else await here.resources(tx, found["id"])

    stack, resources = await ctx.store.read(load)
    if stack is None or stack["status"] == "DELETE_COMPLETE":
        raise model.stack_missing(request["StackName"])
    token = request.get("ClientRequestToken", "")
    if token and stack["token"] == token:
        return {"StackId": stack["id"]}
    check_updatable(stack)
    source = await sources.read(ctx, request, stack)
    if not changed(ctx, stack, source, resources):
        raise model.no_updates()
    policy = request.get("StackPolicyBody", stack["policy"])
    stack = await begin_update(ctx, stack, source.fields, request, token=token, policy=policy)
    return {"StackId": stack["id"]}


def check_updatable(stack: Record) -> None:
    updatable = stack["status"] in model.UPDATABLE
    if stack["status"] in ("UPDATE_FAILED", "CREATE_FAILED"):
        updatable = bool(stack["disable_rollback"])
    if not updatable:
        raise model.busy(stack["id"], stack["status"])


def changed(ctx: Context, stack: Record, source: sources.Source, resources: dict[str, Record]) -> bool:
    """Whether the source asks for anything that the stack isn't already."""
    if compare(source.plan, resources, runtime.of(ctx.node).catalog):
        return True
    if source.fields["tags"] != stack["tags"]:
        return True
    return bool(outputs.evaluate(source.plan) != stack["outputs"])


async def begin_update(
    ctx: Context, stack: Record, target: dict[str, Any], request: dict[str, Any], **fields: Any
) -> Record:
    """Set the stack to work towards the target."""
    here, now = home(ctx), ctx.clock.now()
    stack = stack | {
        "status": "UPDATE_IN_PROGRESS",
        "reason": model.USER_INITIATED,
        "updated": now,
        "target": target,
        "operation": request_id(),
        "disable_rollback": bool(request.get("DisableRollback", False)),
        **fields,
    }

    async def body(tx: Transaction) -> None:
        present = await here.stack(tx, stack["id"])
        if present is None or present["status"].endswith(IN_PROGRESS):
            raise model.busy(stack["id"], present["status"] if present else "DELETE_COMPLETE")
        await begin(ctx, tx, here, stack)

    await ctx.store.transact(body)
    tell(ctx, stack_event(stack, now))
    return stack


async def delete_stack(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here, now = home(ctx), ctx.clock.now()

    async def body(tx: Transaction) -> Record | None:
        stack = await here.find(tx, request["StackName"])
        if stack is None or stack["status"] in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
            return None
        if stack["termination_protection"]:
            raise model.validation_error(
                f"Stack [{stack['name']}] cannot be deleted while TerminationProtection is enabled"
            )
        status = stack["status"]
        if request.get("RetainResources") and status != "DELETE_FAILED":
            raise model.validation_error(
                f"Invalid operation on stack [{stack['id']}]. RetainResources can only be used when"
                " the stack is in the"
                " DELETE_FAILED state"
            )
        stack["token"] = request.get("ClientRequestToken", "")
        if status == "CREATE_IN_PROGRESS":
            await here.put_stop(tx, stack["id"], "delete")
            await carry_on(ctx, tx, stack)
            return None
        if status.endswith(IN_PROGRESS) and status != "REVIEW_IN_PROGRESS":
            raise model.validation_error(
                f"Stack [{stack['name']}] cannot be deleted while in status {status}"
            )
        in_use = await outputs.check_deletable(tx, here, stack)
        if in_use:
            stack["reason"] = in_use
            await here.put_stack(tx, stack)
            await here.put_event(tx, stack["id"], stack_event(stack, now))
            return stack
        stack |= {
            "status": "DELETE_IN_PROGRESS",
            "reason": model.USER_INITIATED,
            "deleted": now,
            "retain": list(request.get("RetainResources") or ()),
            "operation": request_id(),
        }
        await begin(ctx, tx, here, stack)
        return stack

    stack = await ctx.store.transact(body)
    if stack is not None:
        tell(ctx, stack_event(stack, now))
    return {}


async def begin(ctx: Context, tx: Transaction, here: Home, stack: Record) -> None:
    """Write the stack, the event of its status, and the task that goes on from there."""
    stack["asked_by"] = acting.kept(ctx.principal)
    await here.put_stack(tx, stack)
    await here.put_event(tx, stack["id"], stack_event(stack, ctx.clock.now()))
    await carry_on(ctx, tx, stack)


async def carry_on(ctx: Context, tx: Transaction, stack: Record) -> None:
    """Enqueue the task that works on the stack. A second one beside one that runs finds nothing left to do."""
    payload = orjson.dumps({"account": ctx.account, "region": ctx.region, "stack": stack["id"]})
    await ctx.node.tasks.enqueue(tx, TASK, payload)


async def cancel_update_stack(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here = home(ctx)

    async def body(tx: Transaction) -> None:
        stack = await here.find(tx, request["StackName"])
        if stack is None:
            raise model.stack_missing(request["StackName"])
        if stack["status"] != "UPDATE_IN_PROGRESS":
            raise model.validation_error("CancelUpdateStack cannot be called from current stack status")
        await here.put_stop(tx, stack["id"], "rollback")
        await carry_on(ctx, tx, stack)

    await ctx.store.transact(body)
    return {}


async def continue_update_rollback(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here, now = home(ctx), ctx.clock.now()
    skip = {name.rpartition(".")[2] for name in request.get("ResourcesToSkip") or ()}

    async def body(tx: Transaction) -> Record:
        stack = await here.find(tx, request["StackName"])
        if stack is None:
            raise model.stack_missing(request["StackName"])
        if stack["status"] != "UPDATE_ROLLBACK_FAILED":
            raise model.validation_error(
                f"Stack:{stack['id']} is in {stack['status']} state and can not continue rollback."
            )
        resources = await here.resources(tx, stack["id"])
        for name in sorted(skip):
            if name not in resources or resources[name]["status"] != "UPDATE_FAILED":
                raise model.validation_error(
                    f"Resource [{name}] cannot be skipped: it did not fail in the rollback"
                )
            resources[name] |= {"restored": True, "status": "UPDATE_COMPLETE", "updated": now}
            await here.put_resource(tx, stack["id"], resources[name])
        stack |= {"status": "UPDATE_ROLLBACK_IN_PROGRESS", "reason": model.USER_INITIATED}
        await begin(ctx, tx, here, stack)
        return stack

    tell(ctx, stack_event(await ctx.store.transact(body), now))
    return {}


async def update_termination_protection(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {
        "StackId": await _set(
            ctx, request, termination_protection=bool(request["EnableTerminationProtection"])
        )
    }


async def set_stack_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    policy = request.get("StackPolicyBody", "")
    try:
        orjson.loads(policy)
    except orjson.JSONDecodeError:
        raise model.validation_error("Error validating stack policy: Invalid stack policy") from None
    await _set(ctx, request, policy=policy)
    return {}


async def get_stack_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here = home(ctx)
    stack = await ctx.store.read(lambda tx: here.find(tx, request["StackName"]))
    if stack is None:
        raise model.stack_missing(request["StackName"])
    return {"StackPolicyBody": stack["policy"]} if stack["policy"] else {}


async def _set(ctx: Context, request: dict[str, Any], **fields: Any) -> str:
    here = home(ctx)

    async def body(tx: Transaction) -> str:
        stack = await here.find(tx, request["StackName"])
        if stack is None:
            raise model.stack_missing(request["StackName"])
        await here.put_stack(tx, stack | fields)
        return str(stack["id"])

    return await ctx.store.transact(body)
