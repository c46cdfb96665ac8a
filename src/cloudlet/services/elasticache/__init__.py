"""ElastiCache: serverless caches, clusters and replication groups, each a real Valkey server."""

from ...context import Node, Service
from . import daily, fleet, model, operations, permissions, snapshots, storage, validation


def _register(node: Node) -> None:
    node.timers.on(storage.DAILY_TIMER, lambda tx, id, payload: daily.on_timer(node, tx, id))
    node.tasks.on(
        storage.SNAPSHOT_TASK,
        lambda task: snapshots.on_task(node, task),
        attempts=snapshots.ATTEMPTS,
        concurrency=4,
    )


SERVICE = Service(
    models=("elasticache",),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    runtime=fleet.Fleet,
    register=_register,
)
