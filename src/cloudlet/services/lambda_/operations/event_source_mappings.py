"""Event source mappings: which queue or stream is read for which function, and how.

A change takes effect as soon as it is stored (`event_sources` follows the records), so a mapping is seen in the state
that it settles in; the answer to the change itself has the state on the way there, as AWS's has.
"""

from __future__ import annotations

from typing import Any, cast

from ....context import Context
from ....errors import AwsError
from ....names import arn
from ....store.interface import Transaction
from .. import model, roles, runs, storage
from ..arns import Reference, parse
from ..configuration import new_id
from ..destinations import OF_STREAMS, queue_url
from ..event_sources.changes import Streams
from ..event_sources.positions import NOTHING
from ..storage import Record
from ..validation import refuse_other
from .pages import page

Response = dict[str, Any]

NEEDED = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
"""What a function's role must be allowed to do with its queue."""
NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"
_KEPT = (
    "BatchSize", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes", "MetricsConfig",
    *model.STREAM_MAPPING,
)  # fmt: skip
_CLEARED = {
    "FilterCriteria": "Filters",
    "KMSKeyArn": "",
    "ProvisionedPollerConfig": "",
    "ScalingConfig": "MaximumConcurrency",
}
"""Members that go when they come empty, or without this member of theirs."""


async def create_event_source_mapping(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"])
    source = request["EventSourceArn"]
    enabled = request.get("Enabled", True)
    record: Record = {
        "UUID": new_id(),
        "EventSourceArn": source,
        "Function": [ref.account, ref.name, ref.qualifier],
        "BatchSize": model.QUEUE_BATCH,
        "MaximumBatchingWindowInSeconds": 0,
        **(model.STREAM_MAPPING if _is_stream(source) else {}),
        "FunctionResponseTypes": [],
        "State": "Enabled" if enabled else "Disabled",
        "LastModified": ctx.clock.now(),
        "tags": request.get("Tags", {}),
    }
    if "StartingPosition" in request:
        record["StartingPosition"] = request["StartingPosition"]
    _change(record, request)
    visibility = await _visibility(ctx, ref, source)
    await _check_destination(ctx, ref, record)
    latest = None
    if enabled and record.get("StartingPosition") == "LATEST":
        latest = await _streams(ctx).newest(source)

    async def body(tx: Transaction) -> None:
        await _check(tx, ref, visibility)
        for other in await storage.mappings(tx, ctx.account, ctx.region):
            if other["EventSourceArn"] == source and other["Function"] == record["Function"]:
                raise model.mapping_exists(source, ref.name, other["UUID"])
        await storage.put_mapping(tx, ctx.account, ctx.region, record)
        if latest is not None:
            await storage.put_checkpoint(tx, ctx.account, ctx.region, record["UUID"], {"done": [latest]})

    await ctx.store.transact(body)
    return _show(ctx, record, None, "Creating")


async def update_event_source_mapping(ctx: Context, request: dict[str, Any]) -> Response:
    uuid = request["UUID"]
    found = await ctx.store.read(lambda tx: storage.mapping(tx, ctx.account, ctx.region, uuid))
    refuse_other(request, _is_stream(found["EventSourceArn"]))
    reader = (
        parse(ctx, request["FunctionName"]) if "FunctionName" in request else function_of(ctx.region, found)
    )
    visibility = await _visibility(ctx, reader, found["EventSourceArn"])
    if "DestinationConfig" in request:
        await _check_destination(ctx, reader, request)
    now = ctx.clock.now()

    async def body(tx: Transaction) -> tuple[Record, Record | None, str]:
        record = await storage.mapping(tx, ctx.account, ctx.region, uuid)
        before = record["State"]
        record["Function"] = [reader.account, reader.name, reader.qualifier]
        await _check(tx, reader, visibility)
        _change(record, request)
        if "Enabled" in request:
            record["State"] = "Enabled" if request["Enabled"] else "Disabled"
        record["LastModified"] = now
        await storage.put_mapping(tx, ctx.account, ctx.region, record)
        after = record["State"]
        passing = "Updating" if before == after else "Enabling" if after == "Enabled" else "Disabling"
        return record, await storage.checkpoint(tx, uuid), passing

    return _show(ctx, *await ctx.store.transact(body))


async def delete_event_source_mapping(ctx: Context, request: dict[str, Any]) -> Response:
    async def body(tx: Transaction) -> tuple[Record, Record | None]:
        found = await _with_checkpoint(tx, ctx, request["UUID"])
        await storage.delete_mapping(tx, ctx.account, ctx.region, request["UUID"])
        return found

    return _show(ctx, *await ctx.store.transact(body), "Deleting")


async def get_event_source_mapping(ctx: Context, request: dict[str, Any]) -> Response:
    return _show(ctx, *await ctx.store.read(lambda tx: _with_checkpoint(tx, ctx, request["UUID"])))


async def _with_checkpoint(tx: Transaction, ctx: Context, uuid: str) -> tuple[Record, Record | None]:
    record = await storage.mapping(tx, ctx.account, ctx.region, uuid)
    return record, await storage.checkpoint(tx, uuid)


async def list_event_source_mappings(ctx: Context, request: dict[str, Any]) -> Response:
    ref = parse(ctx, request["FunctionName"]) if "FunctionName" in request else None
    source = request.get("EventSourceArn")

    async def body(tx: Transaction) -> list[Response]:
        if ref is not None:
            await storage.resolve(tx, ref)
        return [
            _show(ctx, record, await storage.checkpoint(tx, record["UUID"]))
            for record in await storage.mappings(tx, ctx.account, ctx.region)
            if source in (None, record["EventSourceArn"])
            and (ref is None or function_of(ctx.region, record) == ref)
        ]

    shown = await ctx.store.read(body)
    shown.sort(key=lambda mapping: mapping["LastModified"])
    items, marker = page(shown, request, model.MAPPINGS_PAGE)
    return {"EventSourceMappings": items, **marker}


def function_of(region: str, record: Record) -> Reference:
    account, name, qualifier = record["Function"]
    return Reference(account, region, name, qualifier)


def _change(record: Record, request: dict[str, Any]) -> None:
    for member in _KEPT:
        if member in request:
            record[member] = request[member]
    for member, essence in _CLEARED.items():
        given = request.get(member)
        if given and (not essence or given.get(essence)):
            record[member] = given
        elif member in request:
            record.pop(member, None)
    if _is_stream(record["EventSourceArn"]):
        if record["TumblingWindowInSeconds"] and record["ParallelizationFactor"] > 1:
            raise model.parallel_windows()
        return
    if record["BatchSize"] > model.QUEUE_BATCH and not record["MaximumBatchingWindowInSeconds"]:
        raise model.invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    if "ScalingConfig" in record and "ProvisionedPollerConfig" in record:
        raise model.two_ways_to_scale()


def _is_stream(source: str) -> bool:
    return source.split(":", 3)[2] == "dynamodb"


async def _visibility(ctx: Context, ref: Reference, source: str) -> int | None:
    """The queue's visibility timeout in seconds, asked for as the function's role. Raises, in Lambda's words, when
    there is no such queue, or when the role may not read it. None of a stream, which is looked for, too."""
    if _is_stream(source):
        await _look_at_stream(ctx, ref, source)
        return None
    if source.split(":")[3] != ctx.region:
        raise model.queue_refused(NO_QUEUE, "The specified queue does not exist.")
    try:
        spec = await runs.spec_of(ctx, ref)
    except AwsError as error:
        raise model.invalid("Function does not exist") from error
    as_role = await runs.workers(ctx.node).context(spec)
    url = queue_url(source)
    for operation in NEEDED:
        if not await as_role.permits("sqs", operation, {"QueueUrl": url}):
            raise model.role_may_not("function", operation, "SQS")
    wanted = {"QueueUrl": url, "AttributeNames": ["VisibilityTimeout"]}
    try:
        found = await as_role.call("sqs", "GetQueueAttributes", wanted)
    except AwsError as error:
        code = NO_QUEUE if error.code == "QueueDoesNotExist" else error.code
        raise model.queue_refused(code, error.message) from error
    return int(found["Attributes"]["VisibilityTimeout"])


async def _check_destination(ctx: Context, ref: Reference, asked: dict[str, Any]) -> None:
    """The function's role must be allowed to send to where discarded records go."""
    target = asked.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if not target:
        return
    as_role = await runs.workers(ctx.node).context(await runs.spec_of(ctx, ref))
    service, operation, params = roles.sending(target, OF_STREAMS)
    if not await as_role.permits(service, operation, params):
        raise model.role_may_not("function's", operation, target)


def _streams(ctx: Context) -> Streams:
    return cast(Streams, ctx.node.runtimes["dynamodbstreams"])


async def _look_at_stream(ctx: Context, ref: Reference, source: str) -> None:
    try:
        spec = await runs.spec_of(ctx, ref)
    except AwsError as error:
        raise model.invalid("Function does not exist") from error
    as_role = await runs.workers(ctx.node).context(spec)
    asked = {"StreamArn": source, "ShardIterator": f"{source}|"}
    for operation in ("GetShardIterator", "GetRecords"):
        if not await as_role.permits("dynamodbstreams", operation, asked):
            raise model.stream_refused(source)
    try:
        await as_role.call("dynamodbstreams", "DescribeStream", {"StreamArn": source})
    except AwsError as error:
        if error.code == "AccessDeniedException":
            raise model.stream_refused(source) from error
        raise model.stream_not_found(source) from error


async def _check(tx: Transaction, ref: Reference, visibility: int | None) -> None:
    """The function must be there, and end before its messages are shown to others."""
    try:
        version = await storage.resolve(tx, ref)
    except AwsError as error:
        raise model.invalid("Function does not exist") from error
    timeout = version.record["config"]["Timeout"]
    if visibility is not None and visibility < timeout:
        raise model.visibility_too_short(visibility, timeout)


def _show(ctx: Context, record: Record, checkpoint: Record | None, state: str = "") -> Response:
    """In the state that it is in, or on the way to that."""
    hidden = ("Function", "tags")
    shown = {member: value for member, value in record.items() if member not in hidden}
    shown |= {
        "FunctionArn": function_of(ctx.region, record).qualified,
        "EventSourceMappingArn": mapping_arn(ctx, record["UUID"]),
        "State": state or record["State"],
        "StateTransitionReason": "USER_INITIATED",
    }
    if _is_stream(record["EventSourceArn"]):
        shown["StateTransitionReason"] = "User action"
        shown["LastProcessingResult"] = (checkpoint or {}).get("result", NOTHING)
    return shown


def mapping_arn(ctx: Context, uuid: str) -> str:
    return arn("lambda", ctx.region, ctx.account, f"event-source-mapping:{uuid}")
