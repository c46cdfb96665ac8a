"""SQS: standard queues."""

from __future__ import annotations

from ...context import Node, Service
from . import model, operations, permissions, storage, validation, waiting
from .operations.moves import on_move
from .operations.queues import on_name_free, on_retention, on_sweep


def _register(node: Node) -> None:
    node.timers.on(storage.RETENTION_TIMER, lambda tx, id, payload: on_retention(node, tx, id))
    node.timers.on(storage.NAME_TIMER, lambda tx, id, payload: on_name_free(tx, id))
    node.tasks.on(storage.SWEEP_TASK, lambda task: on_sweep(node, task), concurrency=2)
    node.tasks.on(storage.MOVE_TASK, lambda task: on_move(node, task))


SERVICE = Service(
    models=("sqs",),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    runtime=waiting.Bells,
    register=_register,
    patient=frozenset({"ReceiveMessage"}),
)
