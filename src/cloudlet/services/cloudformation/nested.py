"""AWS::CloudFormation::Stack: a stack as a resource of another."""

from __future__ import annotations

from typing import Any

from ...context import Context, Node
from ...errors import AwsError
from ...store.interface import Transaction
from . import model
from .provision import Failed, Job, failed
from .storage import Home, Record

SETTLED_WELL = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})


class NestedStacks:
    def __init__(self, node: Node) -> None:
        self._node = node

    async def create(self, job: Job) -> None:
        record = job.record
        if not record["physical_id"]:
            params = self._params(job) | {"StackName": record["name"]}
            try:
                made = await job.ctx.call("cloudformation", "CreateStack", params)
            except AwsError as error:
                if error.code != "AlreadyExistsException" or not job.begun:
                    raise failed(error.message, "GeneralServiceException") from error
                made = {"StackId": (await self._described(job.ctx, record["name"]))["id"]}
            record["physical_id"] = made["StackId"]
            await job.save()
        await self._settle(job)

    async def update(self, job: Job) -> None:
        params = self._params(job) | {"StackName": job.record["physical_id"]}
        params.pop("OnFailure", None)
        try:
            await job.ctx.call("cloudformation", "UpdateStack", params)
        except AwsError as error:
            if error.message != model.no_updates().message:
                raise failed(error.message, "GeneralServiceException") from error
        await self._settle(job)

    async def delete(self, job: Job) -> None:
        if not job.record["physical_id"]:
            return
        await job.ctx.call("cloudformation", "DeleteStack", {"StackName": job.record["physical_id"]})
        stack = await self._ended(job.ctx, job.record["physical_id"])
        if stack["status"] != "DELETE_COMPLETE":
            raise Failed(f"Embedded stack {stack['id']} was not successfully deleted: {stack['reason']}")

    def _params(self, job: Job) -> dict[str, Any]:
        properties = job.record["properties"]
        given = properties.get("Parameters") or {}
        params: dict[str, Any] = {
            "Parameters": [
                {
                    "ParameterKey": name,
                    "ParameterValue": ",".join(value) if isinstance(value, list) else str(value),
                }
                for name, value in given.items()
            ],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            "OnFailure": "DO_NOTHING",
        }
        for name in ("TemplateURL", "Tags", "NotificationARNs", "TemplateBody"):
            if name in properties:
                params[name] = properties[name]
        return params

    async def _settle(self, job: Job) -> None:
        stack = await self._ended(job.ctx, job.record["physical_id"])
        if stack["status"] not in SETTLED_WELL:
            raise Failed(
                f"Embedded stack {stack['id']} was not successfully created: {stack['reason']}"
                if stack["status"].startswith("CREATE")
                else f"Embedded stack {stack['id']} was not successfully updated. Currently in {stack['status']}:"
                f" {stack['reason']}"
            )
        job.record["attributes"] = {
            f"Outputs.{each['OutputKey']}": each["OutputValue"] for each in stack["outputs"]
        }

    async def _ended(self, ctx: Context, stack_id: str) -> Record:
        """The stack once nothing goes on in it."""
        watch = ctx.store.watch(Home(ctx.account, ctx.region).stack_key(stack_id))
        try:
            while True:
                stack = await self._described(ctx, stack_id)
                if not stack["status"].endswith("_IN_PROGRESS"):
                    return stack
                await watch.wait()
        finally:
            watch.close()

    async def _described(self, ctx: Context, name: str) -> Record:
        home = Home(ctx.account, ctx.region)

        async def body(tx: Transaction) -> Record | None:
            return await home.find(tx, name)

        stack = await ctx.store.read(body)
        if stack is None:
            raise Failed(f"Stack with id {name} does not exist")
        return stack
