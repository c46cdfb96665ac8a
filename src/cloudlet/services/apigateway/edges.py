"""Where WebSocket APIs are reached: by their host names, and by a plain path for clients that can't resolve those.

    {api}.execute-api.{region}.amazonaws.com/{stage}      also {api}.execute-api.{region}.localhost
                                                          and {api}.execute-api.localhost.localstack.cloud
    /_aws/execute-api/{api}/{stage}

and `/@connections/{id}` behind each. The management API goes through the pipeline like every AWS request.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import orjson

from ...context import Node
from ...net.messages import Request, Response, Tunnel, Upgrade
from . import identifiers, model
from .gateway import Gateway

PREFIX = "/_aws/execute-api/"
MANAGEMENT = "apigatewaymanagementapi"
CONNECTIONS = "/@connections/"
ENCODED = "/%40connections/"
OPERATIONS = {"POST": "PostToConnection", "GET": "GetConnection", "DELETE": "DeleteConnection"}
_HOST = re.compile(
    r"([a-z0-9-]+)\.execute-api\.(?:[a-z0-9-]+\.(?:amazonaws\.com(?:\.cn)?|localhost)|localhost\.localstack\.cloud|localhost)"
)
_NOBODY = "AAAAAAAAAAAAAAA="
"""A connection id that nobody has. For this API, a connection of another one is as gone."""


class ExecuteApi:
    paths = (PREFIX,)

    def __init__(self, node: Node) -> None:
        self._node = node
        self._gateway: Gateway = node.runtimes[MANAGEMENT]

    def claims(self, host: str, path: str) -> bool:
        return path.startswith(PREFIX) or (".execute-api." in host and _HOST.fullmatch(host) is not None)

    async def handle(self, request: Request) -> Response | Upgrade | Tunnel:
        api_id, name, rest = _address(request)
        stage = await self._gateway.stage(api_id, name)
        if stage is None:
            return _plain(403, model.FORBIDDEN, "ForbiddenException")
        if rest.startswith(CONNECTIONS):
            return await self._manage(request, api_id, name, unquote(rest[len(CONNECTIONS) :]))
        if rest.startswith(ENCODED):
            return await self._manage(request, api_id, name, unquote(rest[len(ENCODED) :]))
        if rest not in ("", "/"):
            return _plain(403, model.FORBIDDEN, "ForbiddenException")
        if not request.wants_websocket:
            return _plain(426, "Upgrade Required", "UpgradeRequiredException")
        if len(request.path) + len(request.query) > model.URL_CHARACTERS:
            return _plain(414, "Request-URI Too Long", "RequestUriTooLongException")
        return await self._gateway.connect(request, stage)

    async def _manage(self, request: Request, api_id: str, name: str, id: str) -> Response:
        operation = OPERATIONS.get(request.method)
        if operation is None:
            return _plain(403, model.NO_TOKEN, "MissingAuthenticationTokenException")
        session = self._gateway.sessions.get(id)
        if session is not None and (session.stage.api_id, session.stage.name) != (api_id, name):
            id = _NOBODY
        return await self._node.dispatcher.handle_operation(
            request, MANAGEMENT, operation, {"connectionId": id}
        )


def _address(request: Request) -> tuple[str, str, str]:
    """API, stage and the path behind them."""
    if request.path.startswith(PREFIX):
        api_id, _, path = request.path[len(PREFIX) :].partition("/")
    else:
        api_id = request.host.partition(".")[0].lower()
        path = request.path.removeprefix("/")
    name, slash, rest = path.partition("/")
    return api_id, unquote(name), slash + rest


def _plain(status: int, message: str, kind: str) -> Response:
    headers = [
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", identifiers.request_id()),
        ("x-amzn-ErrorType", kind),
    ]
    return Response(status, headers, orjson.dumps({"message": message}))
