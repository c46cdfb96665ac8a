"""API Gateway: WebSocket APIs (`apigatewayv2`), and the gateway that serves them with its `@connections`."""

from ...context import Edge, Node, Service
from . import model, operations, permissions, validation
from .edges import ExecuteApi
from .gateway import Gateway


def _edges(node: Node) -> list[Edge]:
    return [ExecuteApi(node)]


SERVICE = Service(
    models=("apigatewayv2", "apigatewaymanagementapi"),
    operations=operations,
    validation=validation,
    model=model,
    permissions=permissions,
    runtime=Gateway,
    edges=_edges,
)
