"""Amazon S3."""

from __future__ import annotations

from ...context import Node, Service
from . import cors, integrity, model, operations, permissions, storage, validation
from .contents import Contents
from .site import WebsiteEdge


def _register(node: Node) -> None:
    contents: Contents = node.runtimes["s3"]
    node.tasks.on(storage.SWEEP_TASK, contents.sweep, concurrency=2)


SERVICE = Service(
    models=("s3",),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    runtime=Contents,
    register=_register,
    edges=lambda node: [WebsiteEdge(node)],
    dress=cors.dress,
    inspect=integrity.inspect,
)
