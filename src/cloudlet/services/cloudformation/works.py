"""What is done to a stack's resources, one by one: provided as the template wants them, brought back, taken away.

Each step is written in the journal before it is taken and after, so that the next life of the node knows where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...context import Context
from ...errors import AwsError
from . import model
from .catalog import is_custom
from .changes import Difference, difference
from .intrinsics import Resolver
from .journal import Journal
from .plan import Wanted
from .provision import COPY, Failed, Job, physical_name
from .storage import Record

if TYPE_CHECKING:
    from .runtime import CloudFormation

KEPT = (*COPY, "depends", "deletion_policy", "update_replace_policy", "metadata", "description", "status")
"""What `previous` remembers of a record."""
SNAPSHOT = "Snapshot"
"""The policy that leaves a snapshot of what is deleted."""


class Works:
    def __init__(
        self,
        runtime: CloudFormation,
        ctx: Context,
        stack: Record,
        resources: dict[str, Record],
        journal: Journal,
    ) -> None:
        self._runtime = runtime
        self._ctx = ctx
        self._stack = stack
        self._resources = resources
        self._journal = journal
        self._interrupted = {
            name for name, record in resources.items() if record["status"].endswith("_IN_PROGRESS")
        }
        """What an earlier life of the node was at work on."""

    async def provide(self, resolver: Resolver, wanted: Wanted) -> None:
        record = self._resources.get(wanted.logical_id)
        operation = self._stack["operation"]
        if record is not None and record["operation"] == operation and record["status"].endswith("_COMPLETE"):
            return
        if record is not None and record["status"] == "CREATE_FAILED" and record["physical_id"]:
            await self._runtime.driver(record["type"]).delete(self._job(record, old={}))
        if record is None or record["status"] in ("DELETE_COMPLETE", "CREATE_FAILED"):
            record = self._resources[wanted.logical_id] = self._blank(wanted)
        properties, problem = self._resolved(resolver, wanted)
        if record["status"] == "" or (record["status"] == "CREATE_IN_PROGRESS" and not record["previous"]):
            await self._make(record, wanted, properties, problem)
            return
        if record["change"] == "replaced" and record["operation"] == operation:
            await self._replace(record, wanted, record["properties"])
            return
        before = record["previous"]["properties"] if record["change"] == "updated" else record["properties"]
        change = (
            Difference("none")
            if problem
            else difference(self._runtime.catalog, wanted.type, before, properties)
        )
        policies = (wanted.deletion_policy, wanted.update_replace_policy, wanted.metadata, wanted.description)
        if problem:
            record["status"] = "UPDATE_IN_PROGRESS"
            raise problem
        if change.kind == "none":
            names = ("deletion_policy", "update_replace_policy", "metadata", "description")
            record.update(
                dict(zip(names, policies, strict=True)), depends=sorted(wanted.depends), operation=operation
            )
            await self._journal.save(record)
            return
        if record["change"] != "updated":
            record["previous"] = {key: record[key] for key in KEPT}
        record.update(operation=operation, change="replaced" if change.kind == "replace" else "updated")
        if change.kind == "replace":
            self._check_renamed(record, wanted, properties)
            record.update(physical_id="", made={}, attributes={}, name="", step=0, properties=properties)
            await self._replace(record, wanted, properties)
        else:
            await self._change(record, wanted, properties)

    def _resolved(self, resolver: Resolver, wanted: Wanted) -> tuple[dict[str, Any], AwsError | None]:
        try:
            return resolver.resolve(wanted.properties), None
        except AwsError as error:
            return {}, error

    def _blank(self, wanted: Wanted) -> Record:
        return {
            "logical_id": wanted.logical_id,
            "type": wanted.type,
            "status": "",
            "reason": "",
            "updated": 0.0,
            "depends": sorted(wanted.depends),
            "deletion_policy": wanted.deletion_policy,
            "update_replace_policy": wanted.update_replace_policy,
            "metadata": wanted.metadata,
            "description": wanted.description,
            "physical_id": "",
            "properties": {},
            "made": {},
            "attributes": {},
            "name": "",
            "step": 0,
            "operation": self._stack["operation"],
            "change": "created" if self._stack["status"].startswith("UPDATE") else "",
            "previous": None,
        }

    async def _make(
        self, record: Record, wanted: Wanted, properties: dict[str, Any], problem: AwsError | None
    ) -> None:
        """Create a resource that the stack didn't have."""
        record["properties"] = properties
        self._name(record)
        if record["status"] == "" or problem:
            await self._journal.resource(record, "CREATE_IN_PROGRESS")
        if problem:
            raise problem
        await self._create_copy(record, "CREATE")

    async def _change(self, record: Record, wanted: Wanted, properties: dict[str, Any]) -> None:
        before = record["previous"]["properties"]
        record.update(
            properties=properties,
            depends=sorted(wanted.depends),
            deletion_policy=wanted.deletion_policy,
            update_replace_policy=wanted.update_replace_policy,
            metadata=wanted.metadata,
        )
        self._name(record)
        await self._journal.resource(record, "UPDATE_IN_PROGRESS")
        await self._runtime.driver(record["type"]).update(self._job(record, old=before))
        if is_custom(record["type"]) and record["physical_id"] != record["previous"]["physical_id"]:
            record["change"] = "replaced"
        await self._journal.resource(record, "UPDATE_COMPLETE")

    async def _replace(self, record: Record, wanted: Wanted, properties: dict[str, Any]) -> None:
        if not record["name"]:
            record.update(
                properties=properties,
                depends=sorted(wanted.depends),
                deletion_policy=wanted.deletion_policy,
                update_replace_policy=wanted.update_replace_policy,
                metadata=wanted.metadata,
            )
            self._name(record)
            old = {**record["previous"]}
            record["status"] = "UPDATE_IN_PROGRESS"
            await self._journal.resource(record, "UPDATE_IN_PROGRESS", model.NEEDS_REPLACEMENT, of=old)
        await self._create_copy(record, "UPDATE")

    async def _create_copy(self, record: Record, verb: str) -> None:
        job = self._job(record, old={})
        job.begun = record["logical_id"] in self._interrupted
        announced = False

        async def save() -> None:
            nonlocal announced
            if record["physical_id"] and not announced:
                announced = True
                await self._journal.resource(record, f"{verb}_IN_PROGRESS", model.CREATION_INITIATED)
            else:
                await self._journal.save(record)

        job.save = save
        await self._runtime.driver(record["type"]).create(job)
        await self._journal.resource(record, f"{verb}_COMPLETE")

    def _name(self, record: Record) -> None:
        """The name that CloudFormation gives, among the properties where the type has one for it."""
        property, longest = self._runtime.name_of(record["type"])
        if property and property in record["properties"]:
            record["name"] = str(record["properties"][property])
            return
        if not record["name"]:
            name = physical_name(self._stack["name"], record["logical_id"], longest)
            record["name"] = name.lower() if self._runtime.is_lower_case(record["type"]) else name
        if property:
            record["properties"] = {**record["properties"], property: record["name"]}

    def _check_renamed(self, record: Record, wanted: Wanted, properties: Mapping[str, Any]) -> None:
        property, _ = self._runtime.name_of(record["type"])
        if property and property in properties and properties[property] == record["previous"]["name"]:
            record.update(change="", previous=None, status="UPDATE_IN_PROGRESS")
            raise model.validation_error(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename"
                f" {record['name']} and update the stack again."
            )

    async def restore(self, record: Record) -> None:
        """Bring a resource back to its state before the update."""
        previous = record["previous"]
        if record["change"] == "replaced":
            mine = {key: record[key] for key in KEPT}
            record.update(previous, previous=mine, restored=True)
            await self._journal.resource(record, "UPDATE_COMPLETE")
            return
        await self._journal.resource(record, "UPDATE_IN_PROGRESS")
        tried = record["properties"]
        record.update({key: previous[key] for key in ("depends", "deletion_policy", "update_replace_policy")})
        record["properties"] = previous["properties"]
        await self._runtime.driver(record["type"]).update(self._job(record, old=tried))
        record["restored"] = True
        await self._journal.resource(record, "UPDATE_COMPLETE")

    async def remove(self, record: Record, *, retain: bool, forget: bool = False) -> None:
        if record["status"] == "DELETE_COMPLETE":
            return
        if retain:
            await self._journal.resource(record, "DELETE_SKIPPED", gone=forget)
        else:
            begun = record["logical_id"] in self._interrupted
            await self._journal.resource(record, "DELETE_IN_PROGRESS")
            job = self._job(record, old={})
            job.begun = begun
            job.snapshot = record["deletion_policy"] == SNAPSHOT and record["step"] > 0
            await self._runtime.driver(record["type"]).delete(job)
            await self._journal.resource(record, "DELETE_COMPLETE", gone=forget)
        if forget:
            self._resources.pop(record["logical_id"], None)

    async def remove_copy(
        self, record: Record, copy: Record, *, retain: bool, snapshot: bool = False
    ) -> None:
        """Delete a copy that isn't the resource's present one."""
        if retain:
            await self._journal.resource(record, "DELETE_SKIPPED", of=copy)
        else:
            await self._journal.resource(record, "DELETE_IN_PROGRESS", of=copy)
            job = self._job(copy, old={})
            job.begun = record["logical_id"] in self._interrupted
            job.snapshot = snapshot
            try:
                await self._runtime.driver(record["type"]).delete(job)
            except Failed as error:
                await self._journal.resource(record, "DELETE_FAILED", str(error), of=copy)
                return
            await self._journal.resource(record, "DELETE_COMPLETE", of=copy)
        record.update(change="", previous=None)
        await self._journal.save(record)

    def _job(self, record: Record, *, old: dict[str, Any]) -> Job:
        return Job(self._ctx, self._stack, record, old, lambda: self._journal.save(record))
