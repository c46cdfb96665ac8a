"""CloudFront: distributions that serve, from S3 and custom origins, with a cache that follows the clock."""

from __future__ import annotations

from ...context import Edge, Node, Runtime, Service
from . import model, operations, permissions, validation


def _runtime(node: Node) -> Runtime:
    from .cdn import Cdn  # the edge, which only a running node needs

    return Cdn(node)


def _edges(node: Node) -> list[Edge]:
    from .edge import CloudFrontEdge

    return [CloudFrontEdge(node)]


SERVICE = Service(
    models=("cloudfront",),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    runtime=_runtime,
    edges=_edges,
)
