"""EventBridge Scheduler: schedules that fire on time, once, and survive a restart."""

from __future__ import annotations

from ...context import Node, Service
from . import delivering, firing, model, operations, permissions, storage, validation
from .operations.groups import on_sweep
from .rewinding import Rewinding


def _register(node: Node) -> None:
    node.timers.on(storage.FIRE_TIMER, lambda tx, id, payload: firing.on_fire(node, tx, id, payload))
    node.tasks.on(
        storage.DELIVER_TASK, lambda task: delivering.on_deliver(node, task), attempts=5, concurrency=256
    )
    node.tasks.on(storage.DEAD_TASK, lambda task: delivering.on_dead(node, task), attempts=5)
    node.tasks.on(storage.SWEEP_TASK, lambda task: on_sweep(node, task), concurrency=2)


SERVICE = Service(
    models=("scheduler",),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    register=_register,
    runtime=Rewinding,
)
