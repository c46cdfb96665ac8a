"""WebSocket APIs on a real node, with a real function that does what its message tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.harness import REGION, client, eventually, let_gateway, python_function

SOURCE = """
import json, os, time

def handler(event, context):
    with open(os.environ["EVENTS"], "a") as file:
        file.write(json.dumps(event) + "\\n")
    kind = event.get("requestContext", {}).get("eventType")
    if kind == "MESSAGE":
        try:
            told = json.loads(event["body"])
        except ValueError:
            told = {}
    else:
        told = json.loads((event.get("queryStringParameters") or {}).get("told", "{}"))
    if "sleep" in told:
        time.sleep(told["sleep"])
    if "together" in told:
        meet(event["requestContext"]["apiId"], told["together"])
    if "fail" in told:
        raise Exception(told["fail"])
    if "give" in told:
        return told["give"]
    if "grow" in told:
        return {"statusCode": 200, "body": "x" * told["grow"]}
    body = {"you": event.get("body"), "route": event["requestContext"]["routeKey"]}
    return {"statusCode": 200, "body": json.dumps(body)}

def meet(api, many):
    \"\"\"Wait until so many messages of the API are at work at once.\"\"\"
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with open(os.environ["EVENTS"]) as file:
            if sum(api in line and '"MESSAGE"' in line for line in file) >= many:
                return
        time.sleep(0.01)
    raise Exception("nobody came")
"""


def uri_of(function_arn: str) -> str:
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function_arn}/invocations"


@dataclass
class Api:
    """An API under test, and how to get at it."""

    control: Any
    node: Any
    id: str
    stage: str
    events_file: Path
    routes: dict[str, str] = field(default_factory=dict)
    """Route ids by key."""
    integrations: dict[str, str] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/_aws/execute-api/{self.id}/{self.stage}"

    def url(self, query: str = "", path: str = "") -> str:
        address = self.node.endpoint.removeprefix("http://")
        return f"ws://{address}{path or self.path}{'?' + query if query else ''}"

    @contextmanager
    def socket(self, query: str = "", **options: Any) -> Iterator[ClientConnection]:
        options.setdefault("compression", None)
        with connect(self.url(query), **options) as socket:
            yield socket

    def ask(self, socket: ClientConnection, **message: Any) -> Any:
        socket.send(json.dumps(message))
        return json.loads(socket.recv(timeout=10))

    @property
    def management(self) -> Any:
        endpoint = self.node.endpoint + self.path
        if endpoint not in self.clients:
            self.clients[endpoint] = client("apigatewaymanagementapi", endpoint)
        return self.clients[endpoint]

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        """What the function has got."""
        if not self.events_file.exists():
            return []
        found = [json.loads(line) for line in self.events_file.read_text().splitlines()]
        mine = [event for event in found if event.get("requestContext", {}).get("apiId") == self.id]
        return [event for event in mine if not kind or event["requestContext"]["eventType"] == kind]

    def event(self, kind: str) -> dict[str, Any]:
        """The last event of a kind, once there is one."""
        return eventually(lambda: self.events(kind))[-1]


@dataclass
class Gateway:
    """Makes APIs. `function` is the ARN of the function that does what it is told."""

    node: Any
    control: Any
    function: str
    events_file: Path
    made: list[str] = field(default_factory=list)

    def api(self, expression: str = "$request.body.action", **options: Any) -> Api:
        made = self.control.create_api(
            Name="test", ProtocolType="WEBSOCKET", RouteSelectionExpression=expression, **options
        )
        self.made.append(made["ApiId"])
        return Api(self.control, self.node, made["ApiId"], "prod", self.events_file)

    def integrate(self, api: Api, name: str = "function", **options: Any) -> str:
        if "IntegrationType" not in options:
            options |= {"IntegrationType": "AWS_PROXY", "IntegrationUri": uri_of(self.function)}
        id = self.control.create_integration(ApiId=api.id, **options)["IntegrationId"]
        api.integrations[name] = id
        return str(id)

    def route(
        self, api: Api, key: str, integration: str = "", *, answers: bool = False, **options: Any
    ) -> str:
        if integration:
            options["Target"] = f"integrations/{integration}"
        made = self.control.create_route(ApiId=api.id, RouteKey=key, **options)
        api.routes[key] = made["RouteId"]
        if answers:
            self.control.create_route_response(
                ApiId=api.id, RouteId=made["RouteId"], RouteResponseKey="$default"
            )
        return str(made["RouteId"])

    def stage(self, api: Api, **options: Any) -> Api:
        self.control.create_stage(ApiId=api.id, StageName=api.stage, AutoDeploy=True, **options)
        return api

    def usual(self, *keys: str, **stage: Any) -> Api:
        """An API whose routes all go to the function and answer."""
        api = self.api()
        integration = self.integrate(api)
        for key in keys or ("$connect", "$disconnect", "$default"):
            self.route(api, key, integration, answers=key not in ("$connect", "$disconnect"))
        return self.stage(api, **stage)


@pytest.fixture(scope="session")
def told_function(node: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    events = tmp_path_factory.mktemp("events") / "events.jsonl"
    environment = {"Variables": {"EVENTS": str(events)}}
    with python_function(node.client("lambda"), "gateway-told", SOURCE, Environment=environment) as arn:
        let_gateway(node.client("lambda"), arn)
        yield arn, events


@pytest.fixture
def gateway(node: Any, told_function: tuple[str, Path]) -> Iterator[Gateway]:
    gateway = Gateway(node, node.client("apigatewayv2"), *told_function)
    yield gateway
    for id in gateway.made:
        gateway.control.delete_api(ApiId=id)
