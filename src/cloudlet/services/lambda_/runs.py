"""Asynchronous invocations: events that are kept as durable tasks until the function has taken them.

An event that the function fails is tried again after one minute and then after two. One that is throttled, or that the
service fails, waits longer each time, up to five minutes, until it is too old. `MaximumRetryAttempts` and
`MaximumEventAgeInSeconds` make that less. A function with no concurrency at all gets no events: they are given up.
A task's payload is one line of JSON about the event, then the event as it came.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import orjson

from ...context import Context, Node
from ...errors import AwsError
from ...store.interface import Task, Transaction
from . import model, storage
from .arns import Reference
from .gates import Gates
from .records import Event
from .spec import FunctionSpec

if TYPE_CHECKING:
    from .runtime import LambdaRuntime
    from .workers import Workers


class FunctionFailed(Exception):
    """The function ended an event with an error; the event's task is tried again."""


def workers(node: Node) -> Workers:
    return cast("LambdaRuntime", node.runtimes["lambda"]).workers


def prepare(node: Node, runtime: str) -> None:
    """Warm up what functions of this runtime start from, beside the answer to the caller."""
    task = asyncio.ensure_future(workers(node).prepare(runtime))
    task.add_done_callback(partial(_prepared, node, runtime))


def _prepared(node: Node, runtime: str, task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        node.log.warning("the runtime %s can't be prepared: %s", runtime, error)


async def spec_of(ctx: Context, ref: Reference) -> FunctionSpec:
    """What the reference means just now, as it is to be run. Raises when it isn't there."""
    data = ctx.node.data

    async def body(tx: Transaction) -> FunctionSpec:
        function = await storage.load_function(tx, ref)
        if not ref.qualifier or ref.qualifier == model.LATEST:
            return function.latest.spec(ref, data, function.reserved)
        return (await storage.resolve(tx, ref)).spec(ref, data, function.reserved)

    return await ctx.store.read(body)


async def enqueue(ctx: Context, ref: Reference, payload: bytes, client_context: str) -> None:
    """Accept an event: it is on disk when this returns."""
    about = {
        "account": ref.account,
        "region": ref.region,
        "name": ref.name,
        "qualifier": ref.qualifier,
        "request_id": ctx.request_id,
        "client_context": client_context,
        "at": ctx.clock.now(),
        "failures": 0,
        "throttles": 0,
    }
    task = orjson.dumps(about) + b"\n" + payload

    async def body(tx: Transaction) -> None:
        await storage.resolve(tx, ref)
        await ctx.node.tasks.enqueue(tx, storage.EVENT_TASK, task)

    await ctx.store.transact(body)


def backoff(attempt: int) -> float:
    return model.EVENT_RETRY_SECONDS * attempt


async def on_event_task(node: Node, gates: Gates, task: Task) -> None:
    head, _, payload = task.payload.partition(b"\n")
    about: dict[str, Any] = orjson.loads(head)
    ref = Reference(about["account"], about["region"], about["name"], about["qualifier"])
    ctx = node.context(account=ref.account, region=ref.region)
    failures = about["failures"] + task.attempt - 1

    async def body(tx: Transaction) -> tuple[FunctionSpec, dict[str, Any], dict[str, Any]]:
        function = await storage.load_function(tx, ref)
        version = await storage.resolve(tx, ref)
        rules = await storage.event_config(tx, ref, ref.qualifier) or {}
        spec = version.spec(ref, node.data, function.reserved)
        return spec, rules, version.record["config"].get("DeadLetterConfig", {})

    try:
        spec, rules, dead_letters = await ctx.store.read(body)
    except AwsError as error:
        node.log.info("an event for %s is dropped: %s", ref.qualified, error.message)
        return
    event = Event(ctx, workers(node).context, ref, about, payload, spec, rules, dead_letters)
    end = about["at"] + rules.get("MaximumEventAgeInSeconds", model.EVENT_MAX_AGE)
    if spec.reserved == 0:
        await event.failed("ZeroReservedConcurrency", failures, None)
        return
    if ctx.clock.now() >= end:
        await event.failed("EventAgeExceeded", failures, None)
        return
    gate = gates.of(ref.account, ref.region, ref.name)
    if not await gate.enter(model.CONCURRENT_EXECUTIONS if spec.reserved is None else spec.reserved):
        await _later(node, about, payload, failures, end, gate.pause())
        return
    try:
        outcome = await workers(node).invoke(
            spec, payload, request_id=about["request_id"], client_context=about["client_context"].encode()
        )
    except AwsError:
        await _later(node, about, payload, failures, end)
        return
    finally:
        gate.leave()
    if outcome.error is None:
        await event.succeeded(failures + 1, outcome)
        return
    failures += 1
    if failures > rules.get("MaximumRetryAttempts", model.EVENT_RETRIES):
        await event.failed("RetriesExhausted", failures, outcome)
    elif ctx.clock.now() + backoff(task.attempt) >= end:
        await event.failed("EventAgeExceeded", failures, outcome)
    else:
        raise FunctionFailed(outcome.payload.decode(errors="replace"))


async def _later(
    node: Node, about: dict[str, Any], payload: bytes, failures: int, end: float, pause: float = 0.0
) -> None:
    """Put an event back, which doesn't count as a try: for `pause` seconds, or as long as throttled ones wait, or until
    it is too old."""
    again = {**about, "failures": failures}
    if not pause:
        pause = min(model.THROTTLE_MAX_DELAY, model.THROTTLE_FIRST_DELAY * 2 ** about["throttles"])
        again["throttles"] = min(about["throttles"] + 1, 16)
    pause = min(pause, max(0.0, end - node.clock.now()))
    task = orjson.dumps(again) + b"\n" + payload
    await node.store.transact(lambda tx: node.tasks.enqueue(tx, storage.EVENT_TASK, task, delay=pause))
