"""A stack's operation, carried out as a durable task.

The status of the stack is the phase that the work is in, and each resource's record says how far it is; so a task that
starts again after a kill reads both and goes on.

    CREATE_IN_PROGRESS ── CREATE_COMPLETE
         └ ROLLBACK_IN_PROGRESS ── ROLLBACK_COMPLETE | ROLLBACK_FAILED
    UPDATE_IN_PROGRESS ── UPDATE_COMPLETE_CLEANUP_IN_PROGRESS ── UPDATE_COMPLETE
         └ UPDATE_ROLLBACK_IN_PROGRESS ── UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS ── UPDATE_ROLLBACK_COMPLETE
                    └ UPDATE_ROLLBACK_FAILED
    DELETE_IN_PROGRESS ── DELETE_COMPLETE | DELETE_FAILED

Within an update a record has `change` ("created", "updated" or "replaced", "" once it is over) and `previous`, the
state before it. Once the resources are as wanted, or are back, what is left over is deleted: the cleanup.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...context import Context
from ...errors import AwsError
from ...store.interface import Transaction
from . import model, outputs, parameters
from .journal import Journal
from .plan import Plan
from .provision import Failed, failed
from .storage import FORGET, Home, Record
from .walk import in_order
from .works import SNAPSHOT, Works

if TYPE_CHECKING:
    from .runtime import CloudFormation

LATE = "late"
RETAINING = frozenset({"Retain", "RetainExceptOnCreate"})


class Deployment:
    def __init__(
        self, runtime: CloudFormation, ctx: Context, stack: Record, resources: dict[str, Record]
    ) -> None:
        self._runtime = runtime
        self._ctx = ctx
        self._home = Home(ctx.account, ctx.region)
        self._stack = stack
        self._resources = resources
        self._journal = Journal(ctx, stack)
        self._works = Works(runtime, ctx, stack, resources, self._journal)
        self._halt = asyncio.Event()
        """Set when nothing more is to be begun, and what only waits is to be given up."""

    async def run(self) -> None:
        phases: dict[str, Callable[[], Awaitable[None]]] = {
            "CREATE_IN_PROGRESS": self._create,
            "ROLLBACK_IN_PROGRESS": self._roll_back_creation,
            "UPDATE_IN_PROGRESS": self._update,
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": self._clean_up,
            "UPDATE_ROLLBACK_IN_PROGRESS": self._roll_back_update,
            "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": self._clean_up_rollback,
            "DELETE_IN_PROGRESS": self._delete,
        }
        while (phase := phases.get(self._stack["status"])) is not None:
            await phase()

    # Creation

    async def _create(self) -> None:
        problem = await self._forward(self._stack)
        if not problem:
            try:
                await self._finish("CREATE_COMPLETE", self._stack)
                return
            except AwsError as error:
                problem = error.message
        if await self._stopped() == "delete":
            next_status, reason = "DELETE_IN_PROGRESS", model.USER_INITIATED
        elif self._stack["on_failure"] == "DO_NOTHING":
            next_status, reason = "CREATE_FAILED", problem
        elif self._stack["on_failure"] == "DELETE":
            next_status, reason = "DELETE_IN_PROGRESS", f"{problem} Delete requested by user."
        else:
            next_status, reason = "ROLLBACK_IN_PROGRESS", f"{problem} Rollback requested by user."
        await self._journal.status(next_status, reason, also=self._end_stop)

    async def _roll_back_creation(self) -> None:
        failures = await self._backward(self._resources, self._remove_created)
        if failures:
            await self._journal.status("ROLLBACK_FAILED", _following(failures, "delete"))
        else:
            await self._journal.status("ROLLBACK_COMPLETE")

    async def _remove_created(self, record: Record) -> None:
        retained = record["deletion_policy"] == "Retain" and record["status"] == "CREATE_COMPLETE"
        await self._works.remove(record, retain=retained)

    # Update

    async def _update(self) -> None:
        target = self._stack["target"]
        problem = await self._forward(target)
        if not problem:
            try:
                await self._finish("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", target)
                return
            except AwsError as error:
                problem = error.message
        if self._stack["disable_rollback"] and await self._stopped() == "":
            await self._journal.status("UPDATE_FAILED", problem)
        else:
            await self._journal.status("UPDATE_ROLLBACK_IN_PROGRESS", problem, also=self._end_stop)

    async def _clean_up(self) -> None:
        """Take away what the update replaced and what the template no longer has."""
        wanted = set(self._plan(self._stack).resources)
        left = {name: record for name, record in self._resources.items() if name not in wanted}
        left |= {name: record for name, record in self._resources.items() if record["change"] == "replaced"}
        await self._backward(left, lambda record: self._clean(record, record["logical_id"] in wanted))
        await self._settle_changes()
        await self._journal.status("UPDATE_COMPLETE")

    async def _clean(self, record: Record, wanted: bool) -> None:
        if wanted:
            old = {**record["previous"], "logical_id": record["logical_id"], "type": record["type"]}
            policy = record["previous"]["update_replace_policy"]
            await self._works.remove_copy(record, old, retain=policy == "Retain", snapshot=policy == SNAPSHOT)
        else:
            await self._works.remove(record, retain=record["deletion_policy"] in RETAINING, forget=True)

    async def _roll_back_update(self) -> None:
        changed = {
            name: record
            for name, record in self._resources.items()
            if record["change"] in ("updated", "replaced") and not record.get("restored")
        }
        failures: list[str] = []
        graph = {name: frozenset(record["previous"]["depends"]) for name, record in changed.items()}
        await in_order(graph, lambda name: self._guard(self._works.restore, changed[name], failures))
        if failures:
            await self._journal.status("UPDATE_ROLLBACK_FAILED", _following(failures, "update"))
        else:
            await self._journal.status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", target=None)

    async def _clean_up_rollback(self) -> None:
        """Take away what the update had made."""
        left = {
            name: record
            for name, record in self._resources.items()
            if record["change"] in ("created", "replaced")
        }
        await self._backward(left, self._clean_rolled_back)
        await self._settle_changes()
        await self._journal.status("UPDATE_ROLLBACK_COMPLETE")

    async def _clean_rolled_back(self, record: Record) -> None:
        if record["change"] == "created":
            await self._works.remove(record, retain=False, forget=True)
        else:
            made = {**record["previous"], "logical_id": record["logical_id"], "type": record["type"]}
            await self._works.remove_copy(record, made, retain=False)

    async def _settle_changes(self) -> None:
        for record in list(self._resources.values()):
            if record["change"] or record["previous"]:
                record.update(change="", previous=None, restored=False, operation="")
                await self._journal.save(record)

    # Deletion

    async def _delete(self) -> None:
        retained = set(self._stack.get("retain") or ())
        live = {
            name: record for name, record in self._resources.items() if record["status"] != "DELETE_COMPLETE"
        }
        failures = await self._backward(
            live,
            lambda record: self._works.remove(
                record, retain=record["deletion_policy"] in RETAINING or record["logical_id"] in retained
            ),
        )
        if failures:
            await self._journal.status("DELETE_FAILED", _following(failures, "delete"))
            return

        async def free_name(tx: Transaction, home: Home) -> None:
            if await home.stack_id(tx, self._stack["name"]) == self._stack["id"]:
                await home.delete_name(tx, self._stack["name"])
            await outputs.forget(tx, home, self._stack)
            await home.delete_stop(tx, self._stack["id"])
            for change_set in await home.change_sets(tx, self._stack["id"]):
                await home.delete_change_set(tx, change_set["id"])
            where = (self._ctx.account, self._ctx.region, self._stack["id"])
            await self._ctx.node.timers.set(tx, FORGET, where, now + model.REMEMBERED)

        now = self._ctx.clock.now()
        await self._journal.status("DELETE_COMPLETE", also=free_name, deleted=now)

    # Forward: resources towards the template

    def _plan(self, source: Mapping[str, Any]) -> Plan:
        plan = self._runtime.plan_of(source, self._ctx, self._stack)
        plan.resolver.ref = self._ref
        plan.resolver.att = self._att
        return plan

    def _ref(self, name: str) -> Any:
        return self._resources[name]["physical_id"]

    def _att(self, name: str, attribute: str) -> Any:
        record = self._resources[name]
        if attribute not in record["attributes"]:
            raise model.validation_error(
                f"Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt"
            )
        return record["attributes"][attribute]

    async def _forward(self, source: Mapping[str, Any]) -> str:
        """Bring every resource to what the source wants. The reason for stopping, if something failed."""
        try:
            plan = self._plan(source)
        except AwsError as error:
            return error.message
        await outputs.load_exports(self._ctx, plan.resolver)
        failures: dict[str, list[str]] = {"create": [], "update": []}

        async def one(name: str) -> bool:
            if self._halt.is_set() or await self._stopped():
                return False
            present = self._resources.get(name)
            verb = "create" if present is None or present["change"] == "created" else "update"
            done = await self._guard(
                lambda _: self._provide(plan, name), {"logical_id": name}, failures[verb]
            )
            if not done:
                self._halt.set()
            return done

        watching = asyncio.ensure_future(self._watch_for_stop())
        try:
            await in_order({name: wanted.depends for name, wanted in plan.resources.items()}, one)
        finally:
            watching.cancel()
            self._halt.clear()
        problems = [_following(names, verb) for verb, names in failures.items() if names]
        stopped = await self._stopped()
        if stopped == LATE:
            return "Stack creation time exceeded the specified timeout."
        if stopped:
            return "User Initiated." if self._stack["status"].startswith("UPDATE") else "Creation cancelled."
        return " ".join(problems)

    async def _provide(self, plan: Plan, name: str) -> None:
        """Custom resources and nested stacks may take as long as they like; they are given up at a halt."""
        wanted = plan.resources[name]
        work = self._works.provide(plan.resolver, wanted)
        if self._runtime.catalog.declaration(wanted.type) is not None:
            await work
            return
        working = asyncio.ensure_future(work)
        halted = asyncio.ensure_future(self._halt.wait())
        try:
            await asyncio.wait({working, halted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            halted.cancel()
            if not working.done():
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
        if working.cancelled():
            verb = "update" if self._stack["status"].startswith("UPDATE") else "creation"
            raise Failed(f"Resource {verb} cancelled")
        working.result()

    async def _guard(
        self, work: Callable[[Any], Awaitable[None]], record: Record, failures: list[str]
    ) -> bool:
        """Do the work; a failure is written down in the resource's record. True when it succeeded."""
        name = record["logical_id"]
        try:
            await work(record)
            return True
        except Failed as error:
            reason = str(error)
        except AwsError as error:
            reason = error.message
        except Exception as error:
            self._ctx.node.log.error("stack %s: %s failed", self._stack["name"], name, exc_info=error)
            reason = str(failed("Internal Failure", "InternalFailure"))
        failures.append(name)
        mine = self._resources[name]
        verb = mine["status"].split("_")[0]
        await self._journal.resource(mine, f"{verb}_FAILED", reason)
        return False

    # Backward: resources away

    async def _backward(
        self, records: Mapping[str, Record], work: Callable[[Record], Awaitable[None]]
    ) -> list[str]:
        """Do the work on each record after those that depend on it. The names of those that failed."""
        needed_by: dict[str, set[str]] = {name: set() for name in records}
        for name, record in records.items():
            for depend in {*record["depends"], *((record["previous"] or {}).get("depends") or ())}:
                if depend in needed_by:
                    needed_by[depend].add(name)
        failures: list[str] = []
        graph = {name: frozenset(users) for name, users in needed_by.items()}
        await in_order(graph, lambda name: self._guard(work, records[name], failures))
        return failures

    # Stopping

    async def _watch_for_stop(self) -> None:
        watch = self._ctx.store.watch(self._home.stop_key(self._stack["id"]))
        timer = None
        if self._stack["timeout"] and self._stack["status"] == "CREATE_IN_PROGRESS":
            due = self._stack["created"] + 60 * self._stack["timeout"]
            timer = self._ctx.clock.call_at(due, lambda: asyncio.ensure_future(self._time_out()))
        try:
            while not await self._stopped():
                await watch.wait()
            self._halt.set()
        finally:
            watch.close()
            if timer is not None:
                timer.cancel()

    async def _time_out(self) -> None:
        await self._ctx.store.transact(lambda tx: self._home.put_stop(tx, self._stack["id"], LATE))

    async def _stopped(self) -> str:
        """Whether the operation is to end: "", "rollback", "delete" or LATE."""
        return await self._ctx.store.read(lambda tx: self._home.stop(tx, self._stack["id"]))

    async def _end_stop(self, tx: Transaction, home: Home) -> None:
        await home.delete_stop(tx, self._stack["id"])

    async def _finish(self, status: str, source: Mapping[str, Any]) -> None:
        """The resources are as wanted: outputs and exports, and what the update was about becomes
        the stack's own."""
        plan = self._plan(source)
        await outputs.load_exports(self._ctx, plan.resolver)
        result = outputs.evaluate(plan)
        imports = outputs.imported(plan)
        fields = (
            {key: value for key, value in source.items() if key in TARGET}
            if source is not self._stack
            else {}
        )
        fields |= {
            "outputs": result,
            "imports": sorted(imports),
            "parameters": parameters.shown(plan.parameters, plan.values),
            "target": None,
        }

        async def also(tx: Transaction, home: Home) -> None:
            if await home.stop(tx, self._stack["id"]):
                raise model.validation_error("The operation was cancelled.")
            await outputs.publish(tx, home, self._stack, result, imports)

        await self._journal.status(status, also=also, **fields)


TARGET = (
    "template",
    "processed",
    "values",
    "description",
    "capabilities",
    "tags",
    "notification_arns",
    "role",
)
"""The fields of a stack that an update changes."""


def _following(names: Iterable[str], verb: str) -> str:
    return f"The following resource(s) failed to {verb}: [{', '.join(sorted(names))}]."
