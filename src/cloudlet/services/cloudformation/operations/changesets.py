"""Change sets: what an update, or a creation, would do, and doing it."""

from __future__ import annotations

from typing import Any

from ....context import Context
from ....errors import AwsError
from ....names import arn, request_id
from ....store.interface import Transaction
from .. import model, outputs, parameters, runtime, sources
from ..changes import compare, described
from ..journal import stack_event, tell
from ..storage import Record, home
from .describe import paged
from .stacks import begin, begin_update, check_updatable

NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


async def create_change_set(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here, now = home(ctx), ctx.clock.now()
    creates = request.get("ChangeSetType", "UPDATE") == "CREATE"
    stack, resources = await _stack_for(ctx, request["StackName"], creates)
    name = request["ChangeSetName"]
    change_set: Record = {
        "id": arn("cloudformation", ctx.region, ctx.account, f"changeSet/{name}/{request_id()}"),
        "name": name,
        "stack_id": stack["id"],
        "stack_name": stack["name"],
        "type": "CREATE" if creates else "UPDATE",
        "description": request.get("Description", ""),
        "created": now,
        "on_failure": request.get("OnStackFailure", ""),
        "status": "CREATE_COMPLETE",
        "execution_status": "AVAILABLE",
        "reason": "",
        "changes": [],
        "parameters": [],
        "source": {
            "template": request.get("TemplateBody", ""),
            "processed": None,
            "tags": [],
            "capabilities": [],
        },
    }
    failure = await _examine(ctx, request, stack, resources, change_set)
    if failure:
        change_set |= {"status": "FAILED", "execution_status": "UNAVAILABLE", "reason": failure}

    async def body(tx: Transaction) -> bool:
        for each in await here.change_sets(tx, stack["id"]):
            if each["name"] != name:
                continue
            # The AWS CLI names its change sets by the second, in which two deployments have their place here.
            if each["execution_status"] != "EXECUTE_COMPLETE":
                raise AwsError("AlreadyExistsException", f"ChangeSet {name} already exists", status=400)
            await here.delete_change_set(tx, each["id"])
        await here.put_change_set(tx, change_set)
        if creates and await here.stack_id(tx, stack["name"]) is None:
            await here.put_name(tx, stack["name"], stack["id"])
            await here.put_stack(tx, stack)
            await here.put_event(tx, stack["id"], stack_event(stack, now))
            return True
        return False

    if await ctx.store.transact(body):
        tell(ctx, stack_event(stack, now))
    return {"Id": change_set["id"], "StackId": stack["id"]}


async def _stack_for(ctx: Context, name: str, creates: bool) -> tuple[Record, dict[str, Record]]:
    here = home(ctx)

    async def load(tx: Transaction) -> tuple[Record | None, dict[str, Record]]:
        found = await here.find(tx, name)
        return found, {} if found is None else await here.resources(tx, found["id"])

    stack, resources = await ctx.store.read(load)
    if creates:
        if stack is None:
            stack_id = arn("cloudformation", ctx.region, ctx.account, f"stack/{name}/{request_id()}")
            return sources.new_stack(name, stack_id, ctx.clock.now()) | {"reason": model.USER_INITIATED}, {}
        if stack["status"] != "REVIEW_IN_PROGRESS":
            raise model.validation_error(
                f"Stack [{name}] already exists and cannot be created again with the changeSet [CREATE]."
            )
        return stack, {}
    if stack is None or stack["status"] == "DELETE_COMPLETE":
        raise model.stack_missing(name)
    check_updatable(stack)
    return stack, resources


async def _examine(
    ctx: Context, request: dict[str, Any], stack: Record, resources: dict[str, Record], change_set: Record
) -> str:
    """Fill the change set in. The reason for its failure, if what failed is told in the change set itself."""
    try:
        source = await sources.read(ctx, request, stack, expand=False)
    except AwsError as error:
        if error.message.startswith("Transform "):
            return error.message
        raise
    changes = compare(source.plan, resources, runtime.of(ctx.node).catalog)
    change_set["source"] = source.fields
    change_set["parameters"] = parameters.shown(source.plan.parameters, source.plan.values)
    change_set["changes"] = [described(change, source.plan) for change in changes]
    if not changes and change_set["type"] == "UPDATE":
        same = source.fields["tags"] == stack["tags"] and outputs.evaluate(source.plan) == stack["outputs"]
        return NO_CHANGES if same else ""
    return ""


async def describe_change_set(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    change_set = await find_change_set(ctx, request)
    page, token = paged(change_set["changes"], request)
    source = change_set["source"]
    result = {
        "ChangeSetName": change_set["name"],
        "ChangeSetId": change_set["id"],
        "StackId": change_set["stack_id"],
        "StackName": change_set["stack_name"],
        "CreationTime": change_set["created"],
        "ExecutionStatus": change_set["execution_status"],
        "Status": change_set["status"],
        "NotificationARNs": source.get("notification_arns", []),
        "RollbackConfiguration": {},
        "Capabilities": source["capabilities"],
        "Tags": source["tags"],
        "Parameters": change_set["parameters"],
        "Changes": list(page),
        "IncludeNestedStacks": False,
        **token,
    }
    optional = {
        "Description": change_set["description"],
        "StatusReason": change_set["reason"],
        "OnStackFailure": change_set["on_failure"],
    }
    return result | {name: value for name, value in optional.items() if value}


async def list_change_sets(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here = home(ctx)

    async def body(tx: Transaction) -> list[Record]:
        stack = await here.find(tx, request["StackName"])
        if stack is None:
            raise model.stack_missing(request["StackName"])
        return await here.change_sets(tx, stack["id"])

    page, token = paged(await ctx.store.read(body), request)
    return {"Summaries": [_summary(each) for each in page], **token}


def _summary(change_set: Record) -> dict[str, Any]:
    result = {
        "StackId": change_set["stack_id"],
        "StackName": change_set["stack_name"],
        "ChangeSetId": change_set["id"],
        "ChangeSetName": change_set["name"],
        "ExecutionStatus": change_set["execution_status"],
        "Status": change_set["status"],
        "CreationTime": change_set["created"],
    }
    optional = {"StatusReason": change_set["reason"], "Description": change_set["description"]}
    return result | {name: value for name, value in optional.items() if value}


async def delete_change_set(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here = home(ctx)
    try:
        change_set = await find_change_set(ctx, request)
    except AwsError as error:
        if error.code == "ChangeSetNotFound" and not request["ChangeSetName"].startswith("arn:"):
            return {}
        raise

    async def body(tx: Transaction) -> None:
        await here.delete_change_set(tx, change_set["id"])

    await ctx.store.transact(body)
    return {}


async def execute_change_set(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    here = home(ctx)
    change_set = await find_change_set(ctx, request)
    if change_set["execution_status"] != "AVAILABLE":
        raise model.invalid_change_set_status(change_set["id"], change_set["status"])
    stack = await ctx.store.read(lambda tx: here.stack(tx, change_set["stack_id"]))
    if stack is None:
        raise model.stack_missing(change_set["stack_name"])
    token = request.get("ClientRequestToken", "")
    on_failure = change_set["on_failure"] or ("DO_NOTHING" if request.get("DisableRollback") else "ROLLBACK")
    if change_set["type"] == "CREATE":
        await _begin_creation(ctx, stack, change_set, on_failure, token)
    else:
        check_updatable(stack)
        disable = on_failure == "DO_NOTHING"
        await begin_update(
            ctx,
            stack,
            change_set["source"],
            {"DisableRollback": disable},
            token=token,
            change_set_id=change_set["id"],
        )

    async def used(tx: Transaction) -> None:
        for each in await here.change_sets(tx, stack["id"]):
            if each["id"] == change_set["id"]:
                await here.put_change_set(tx, each | {"execution_status": "EXECUTE_COMPLETE"})
            else:
                await here.delete_change_set(tx, each["id"])

    await ctx.store.transact(used)
    return {}


async def _begin_creation(
    ctx: Context, stack: Record, change_set: Record, on_failure: str, token: str
) -> None:
    here = home(ctx)
    stack = (
        stack
        | change_set["source"]
        | {
            "status": "CREATE_IN_PROGRESS",
            "reason": model.USER_INITIATED,
            "parameters": change_set["parameters"],
            "on_failure": on_failure,
            "disable_rollback": on_failure == "DO_NOTHING",
            "change_set_id": change_set["id"],
            "token": token,
            "operation": request_id(),
        }
    )

    async def body(tx: Transaction) -> None:
        present = await here.stack(tx, stack["id"])
        if present is None or present["status"] != "REVIEW_IN_PROGRESS":
            raise model.busy(stack["id"], present["status"] if present else "DELETE_COMPLETE")
        await begin(ctx, tx, here, stack)

    await ctx.store.transact(body)
    tell(ctx, stack_event(stack, ctx.clock.now()))


async def find_change_set(ctx: Context, request: dict[str, Any]) -> Record:
    """By its id, or by its name and the stack's."""
    here, name = home(ctx), request["ChangeSetName"]
    if name.startswith("arn:"):
        found = await ctx.store.read(lambda tx: here.change_set(tx, name))
        if found is None:
            raise model.change_set_not_found(name)
        return found
    if not request.get("StackName"):
        raise model.validation_error(
            "StackName must be specified if ChangeSetName is not specified as an ARN."
        )

    async def body(tx: Transaction) -> list[Record]:
        stack = await here.find(tx, request["StackName"])
        if stack is None:
            raise model.stack_missing(request["StackName"])
        return await here.change_sets(tx, stack["id"])

    for each in await ctx.store.read(body):
        if each["name"] == name:
            return each
    raise model.change_set_not_found(name)
