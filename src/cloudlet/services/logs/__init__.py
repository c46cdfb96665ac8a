"""CloudWatch Logs: groups, streams, events and their filters."""

from __future__ import annotations

from ...context import Node, Service
from . import model, operations, permissions, storage, validation
from .operations.groups import on_retention_timer


def _register(node: Node) -> None:
    node.timers.on(storage.RETENTION_TIMER, lambda tx, id, payload: on_retention_timer(node, tx, id))


SERVICE = Service(
    models=("logs",),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    register=_register,
)
