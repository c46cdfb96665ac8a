"""SNS: standard topics."""

from __future__ import annotations

from ...context import Edge, Node, Service
from . import circles, delivering, fanout, model, operations, permissions, storage, validation
from .operations.subscribing import on_token
from .signing import CertificateEdge


def _register(node: Node) -> None:
    node.timers.on(storage.TOKEN_TIMER, lambda tx, id, payload: on_token(node, tx, id))
    node.timers.on(storage.OUTBOX_TIMER, lambda tx, id, payload: storage.delete_letter(tx, id[0]))
    node.tasks.on(storage.FANOUT_TASK, lambda task: fanout.on_fanout(node, task), attempts=10)
    node.tasks.on(
        storage.DELIVER_TASK, lambda task: delivering.on_deliver(node, task), attempts=10, concurrency=256
    )
    node.tasks.on(storage.DEAD_TASK, lambda task: delivering.on_dead(node, task), attempts=5)


def _edges(node: Node) -> list[Edge]:
    return [CertificateEdge(circles.topics(node).signing)]


SERVICE = Service(
    models=("sns",),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    runtime=circles.Topics,
    register=_register,
    edges=_edges,
)
