"""Lambda: functions, their versions and aliases, and their runs in worker processes."""

from __future__ import annotations

from functools import partial

from ...context import Edge, Node, Runtime, Service
from . import code, model, operations, permissions, runs, storage, validation
from .gates import Gates


def _runtime(node: Node) -> Runtime:
    from .runtime import LambdaRuntime  # the machinery of processes, which only a running node needs

    return LambdaRuntime(node)


def _register(node: Node) -> None:
    code.clean(node.data)
    node.timers.on(storage.SWEEP_TIMER, lambda tx, id, payload: code.on_sweep_timer(node, tx, id))
    node.tasks.on(storage.SWEEP_TASK, partial(code.on_sweep_task, node))
    node.tasks.on(
        storage.EVENT_TASK,
        partial(runs.on_event_task, node, Gates(node.clock)),
        attempts=model.EVENT_RETRIES + 1,
        backoff=runs.backoff,
        concurrency=2 * model.CONCURRENT_EXECUTIONS,
    )


def _edges(node: Node) -> list[Edge]:
    return [code.CodeEdge(node)]


SERVICE = Service(
    models=("lambda",),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    runtime=_runtime,
    register=_register,
    edges=_edges,
)
