"""The long-lived part: the resource types, their drivers, the SAM translator, and the running of deployments."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast
from weakref import WeakValueDictionary

import orjson

from ...context import Context, Node
from ...resources import Resource
from ...store.interface import Task, Transaction
from . import acting, catalog, model, plan, template
from .custom import CustomResources
from .deploy import Deployment
from .nested import NestedStacks
from .provision import Declared, Driver
from .storage import FORGET, TASK, Home, Record, forget_stack
from .transform import Translator

ATTEMPTS = 3


class CloudFormation:
    def __init__(self, node: Node) -> None:
        self._node = node
        self.catalog = catalog.Catalog(catalog.collect(), node.dispatcher.models)
        self.translator = Translator(node.clock)
        self._declared = Declared(self.catalog)
        self._custom = CustomResources(node)
        self._nested = NestedStacks(node)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        await self.translator.stop()

    def driver(self, type: str) -> Driver:
        if type == model.STACK_TYPE:
            return self._nested
        return self._custom if catalog.is_custom(type) else self._declared

    def name_of(self, type: str) -> tuple[str, int]:
        """The property that names resources of a type, and how long it may be."""
        declared: Resource | None = self.catalog.declaration(type)
        return ("", 255) if declared is None else (declared.name, declared.name_max)

    def is_lower_case(self, type: str) -> bool:
        declared: Resource | None = self.catalog.declaration(type)
        return declared is not None and declared.lower_case

    def plan_of(self, source: Mapping[str, Any], ctx: Context, stack: Record) -> plan.Plan:
        """The plan of a stack, or of the target of its update, with its own parameters."""
        read = template_of(source)
        entries = [
            {"ParameterKey": name, "ParameterValue": value} for name, value in source["values"].items()
        ]
        return plan.make(read, self.catalog, entries, {}, pseudo_parameters(ctx, stack, source))

    async def deploy(self, task: Task) -> None:
        """Carry on the operation of the stack that the task names."""
        where = orjson.loads(task.payload)
        ctx = self._node.context(account=where["account"], region=where["region"])
        home = Home(ctx.account, ctx.region)

        async def load(tx: Transaction) -> tuple[Record | None, dict[str, Record]]:
            return await home.stack(tx, where["stack"]), await home.resources(tx, where["stack"])

        lock = self._locks.setdefault(where["stack"], asyncio.Lock())
        async with lock:
            stack, resources = await ctx.store.read(load)
            if stack is not None:
                working = await acting.context(self._node, stack, ctx.account, ctx.region)
                await Deployment(self, working, stack, resources).run()


def template_of(source: Mapping[str, Any]) -> template.Template:
    """The template that is carried out, with the lines of the one that was given."""
    given = template.parse(source["template"])
    if not source.get("processed"):
        return given
    return template.Template(given.text, orjson.loads(source["processed"]), given.lines)


def pseudo_parameters(ctx: Context, stack: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "AWS::AccountId": ctx.account,
        "AWS::NotificationARNs": list(source.get("notification_arns") or ()),
        "AWS::Partition": "aws",
        "AWS::Region": ctx.region,
        "AWS::StackId": stack["id"],
        "AWS::StackName": stack["name"],
        "AWS::URLSuffix": "amazonaws.com",
    }


def register(node: Node) -> None:
    runtime = of(node)
    node.tasks.on(TASK, runtime.deploy, attempts=ATTEMPTS)
    node.timers.on(FORGET, forget_stack)


def of(node: Node) -> CloudFormation:
    return cast(CloudFormation, node.runtimes["cloudformation"])
