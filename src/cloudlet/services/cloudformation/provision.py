"""One resource: made, changed and deleted through the operations that its type declares.

A record of a resource has the fields of its present copy (COPY). They are saved after each operation, so that
a node that was killed goes on with the next one. What the operation that was under way at the kill had made is
undone first (see `witness`), so that each happens once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...context import Context
from ...errors import AwsError
from ...names import UPPER_ALNUM, random_id, request_id
from ...resources import Call, View
from . import model, witness
from .catalog import Catalog, PropertyError, fill
from .storage import Record

COPY = ("physical_id", "properties", "made", "attributes", "name", "step")
"""What belongs to one physical resource; a replacement has its own."""


class Failed(Exception):
    """The resource could not be made, changed or deleted; the text is the event's reason."""


@dataclass(slots=True)
class Job:
    """One resource to work on."""

    ctx: Context
    stack: Record
    record: Record
    old: dict[str, Any]
    """In an update, the properties as they were."""
    save: Callable[[], Awaitable[None]]
    """Keep the record."""
    begun: bool = False
    """An earlier run of the node began on it."""
    snapshot: bool = False
    """A deletion is to leave a snapshot, where the type has such."""

    @property
    def logical_id(self) -> str:
        return str(self.record["logical_id"])

    def env(self) -> dict[str, str]:
        return {
            "account": self.ctx.account,
            "region": self.ctx.region,
            "partition": "aws",
            "url_suffix": "amazonaws.com",
            "stack_name": self.stack["name"],
            "stack_id": self.stack["id"],
            "logical_id": self.logical_id,
        } | ({"snapshot": self._snapshot_name()} if self.snapshot else {})

    def _snapshot_name(self) -> str:
        name = physical_name(f"{self.stack['name']}-snapshot", self.logical_id, model.SNAPSHOT_NAME_MAX)
        return name.lower()

    def view(self) -> View:
        record = self.record
        return View(record["properties"], self.old, record["made"], record["physical_id"], self.env())


class Driver(Protocol):
    async def create(self, job: Job) -> None: ...

    async def update(self, job: Job) -> None: ...

    async def delete(self, job: Job) -> None: ...


class Declared:
    """The driver of the types that services declare as data."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def create(self, job: Job) -> None:
        declared = self._catalog[job.record["type"]]
        if job.begun:
            await witness.undo(job.ctx, self._place(job))
        for step in range(job.record["step"], len(declared.create)):
            try:
                await self._run(witness.context(job.ctx, self._place(job)), declared.create[step], job)
            except AwsError as error:
                raise _failed(error, declared.create[step], job) from error
            job.record["step"] = step + 1
            self._identify(job)
            await job.save()
        await witness.forget(job.ctx, self._place(job))
        self._identify(job)
        if not job.record["physical_id"]:
            job.record["physical_id"] = job.record["name"] or job.logical_id

    async def update(self, job: Job) -> None:
        declared = self._catalog[job.record["type"]]
        view = job.view()
        for call in declared.update:
            if call.when is None or view.changed(*call.when):
                try:
                    await self._run(job.ctx, call, job)
                except AwsError as error:
                    raise _failed(error, call, job) from error
        self._identify(job)

    async def delete(self, job: Job) -> None:
        if job.begun:
            await witness.undo(job.ctx, self._place(job))
        if job.record["step"] == 0 and not job.record["physical_id"]:
            return
        declared = self._catalog[job.record["type"]]
        if not job.record["physical_id"]:
            self._identify(job)
        for call in declared.delete:
            try:
                await self._run_patiently(call, job)
            except AwsError as error:
                if handler_code(error.code) != "NotFound":
                    raise _failed(error, call, job) from error

    async def _run_patiently(self, call: Call, job: Job) -> None:
        """What stands in a deletion's way may be going, too: as CloudFormation does, it is tried again for a while."""
        for pause in model.IN_THE_WAY_PAUSES:
            try:
                await self._run(job.ctx, call, job)
                return
            except AwsError as error:
                if error.code not in model.IN_THE_WAY:
                    raise
            await job.ctx.clock.sleep(pause)
        await self._run(job.ctx, call, job)

    def _place(self, job: Job) -> witness.Place:
        return job.stack["id"], job.logical_id, job.record["step"]

    async def _run(self, ctx: Context, call: Call, job: Job) -> None:
        """The call, or the several calls that its function asks for. `made` gets what they answer."""
        view = job.view()
        for params in _inputs(call, view):
            try:
                prepared = self._catalog.coerce(call, params)
            except PropertyError as error:
                raise Failed(
                    f"Properties validation failed for resource {job.logical_id} with message: [{error}]"
                ) from None
            try:
                result = await ctx.call(call.service, call.operation, prepared)
            except AwsError as error:
                if error.code in call.gone:
                    continue
                raise
            answer = result.get(call.result, {}) if call.result else result
            job.record["made"].update(_storable(answer))

    def _identify(self, job: Job) -> None:
        """The physical id and the attributes, as far as they can be told by now."""
        declared = self._catalog[job.record["type"]]
        record = job.record
        values = {**job.env(), **record["properties"], **record["made"]}
        try:
            record["physical_id"] = str(fill(declared.id, values)) if declared.id else record["name"]
        except (KeyError, TypeError):
            record["physical_id"] = record["physical_id"] or ""
        values["id"] = record["physical_id"]
        for name, format in declared.attributes.items():
            try:
                record["attributes"][name] = fill(format, values)
            except (KeyError, TypeError):
                record["attributes"].setdefault(name, "")


def _inputs(call: Call, view: View) -> Sequence[Mapping[str, Any]]:
    if call.params is None:
        return [{name: value for name, value in view.new.items() if name not in call.drop}]
    params = call.params(view)
    return [params] if isinstance(params, Mapping) else params


def _storable(value: Any) -> Any:
    """An answer without what JSON doesn't have (code, streams)."""
    if isinstance(value, dict):
        return {
            key: _storable(item) for key, item in value.items() if not isinstance(item, (bytes, bytearray))
        }
    if isinstance(value, (list, tuple)):
        return [_storable(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


# Reasons


def handler_code(code: str) -> str:
    """The HandlerErrorCode of a service's error code."""
    for part, handler in model.HANDLER_ERROR_CODES:
        if part in code:
            return handler
    return "GeneralServiceException"


def _failed(error: AwsError, call: Call, job: Job) -> Failed:
    code = handler_code(error.code)
    if code == "AlreadyExists" and "exist" in error.message.lower():
        name = job.record["name"] or job.record["physical_id"]
        return failed(
            f"Resource of type '{job.record['type']}' with identifier '{name}' already exists.", code
        )
    service = model.SERVICE_NAMES.get(call.service, call.service.capitalize())
    models = job.ctx.node.dispatcher.models
    status = error.status or models[call.service].status(error.code, error.fault)
    return failed(
        f"{error.message} (Service: {service}, Status Code: {status}, Request ID: {request_id()})", code
    )


def failed(message: str, code: str) -> Failed:
    return Failed(
        f'Resource handler returned message: "{message}" (RequestToken: {request_id()}, HandlerErrorCode: {code})'
    )


# Names


def physical_name(stack: str, logical_id: str, longest: int) -> str:
    """`{stack}-{logical}-{12 random}`; where that is too long, stack and logical id give way equally."""
    room = longest - model.RANDOM_SUFFIX - 2
    if len(stack) + len(logical_id) > room:
        half = room // 2
        if len(logical_id) <= half:
            stack = stack[: room - len(logical_id)]
        elif len(stack) <= half:
            logical_id = logical_id[: room - len(stack)]
        else:
            stack, logical_id = stack[:half], logical_id[: room - half]
    return f"{stack}-{logical_id}-{random_id(model.RANDOM_SUFFIX, UPPER_ALNUM)}"
