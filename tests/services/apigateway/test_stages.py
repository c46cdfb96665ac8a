"""What a stage serves: its deployment and no other, its variables, its limits, its models, its log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.harness import eventually

from .conftest import Api, Gateway, uri_of

pytestmark = pytest.mark.node_only


class TestDeployments:
    def test_a_stage_serves_what_its_deployment_captured(self, gateway: Gateway) -> None:
        api = gateway.api()
        integration = gateway.integrate(api)
        gateway.route(api, "first", integration, answers=True)
        first = gateway.control.create_deployment(ApiId=api.id)["DeploymentId"]
        gateway.control.create_stage(ApiId=api.id, StageName="prod", DeploymentId=first)
        gateway.route(api, "second", integration, answers=True)
        with api.socket() as socket:
            assert api.ask(socket, action="second")["message"] == "Forbidden"
            second = gateway.control.create_deployment(ApiId=api.id, StageName="prod")["DeploymentId"]
            assert api.ask(socket, action="second")["route"] == "second"
            gateway.control.delete_route(ApiId=api.id, RouteId=api.routes["first"])
            assert api.ask(socket, action="first")["route"] == "first"
            gateway.control.update_stage(ApiId=api.id, StageName="prod", DeploymentId=first)
            assert api.ask(socket, action="second")["message"] == "Forbidden"
        assert first != second

    def test_auto_deploy_reaches_open_connections(self, gateway: Gateway) -> None:
        api = gateway.usual("$default")
        with api.socket() as socket:
            assert api.ask(socket, action="new")["route"] == "$default"
            gateway.route(api, "new", api.integrations["function"], answers=True)
            assert api.ask(socket, action="new")["route"] == "new"

    def test_two_stages_serve_two_deployments(self, gateway: Gateway) -> None:
        api = gateway.usual("a")
        gateway.control.create_stage(
            ApiId=api.id,
            StageName="frozen",
            DeploymentId=gateway.control.create_deployment(ApiId=api.id)["DeploymentId"],
        )
        gateway.route(api, "b", api.integrations["function"], answers=True)
        with api.socket() as socket:
            assert api.ask(socket, action="b")["route"] == "b"
        api.stage = "frozen"
        with api.socket() as socket:
            assert api.ask(socket, action="b")["message"] == "Forbidden"

    def test_a_stage_without_a_deployment_is_not_there(self, gateway: Gateway) -> None:
        api = gateway.api()
        gateway.control.create_stage(ApiId=api.id, StageName="prod")
        assert status(api) == 403

    def test_deleting_the_stage_ends_its_connections(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket() as socket:
            gateway.control.delete_stage(ApiId=api.id, StageName="prod")
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=10)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1001
        assert status(api) == 403

    def test_an_endpoint_can_be_switched_off(self, gateway: Gateway) -> None:
        api = gateway.usual()
        gateway.control.update_api(ApiId=api.id, DisableExecuteApiEndpoint=True)
        assert status(api) == 403
        gateway.control.update_api(ApiId=api.id, DisableExecuteApiEndpoint=False)
        assert status(api) == 101


def status(api: Api) -> int:
    try:
        with api.socket():
            return 101
    except InvalidStatus as error:
        return error.response.status_code


class TestStageVariables:
    def test_they_name_the_function(self, gateway: Gateway) -> None:
        api = gateway.api()
        name = gateway.function.rpartition(":")[2]
        uri = uri_of(gateway.function.replace(name, "${stageVariables.function}"))
        integration = gateway.integrate(api, IntegrationType="AWS_PROXY", IntegrationUri=uri)
        gateway.route(api, "$default", integration, answers=True)
        gateway.stage(api, StageVariables={"function": name})
        with api.socket() as socket:
            assert api.ask(socket)["route"] == "$default"
            gateway.control.update_stage(ApiId=api.id, StageName="prod", StageVariables={"function": "none"})
            assert api.ask(socket)["message"] == "Internal server error"


class TestThrottling:
    def test_a_route_has_its_burst_and_its_rate(self, gateway: Gateway) -> None:
        settings = {"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 0.001}
        api = gateway.usual("slow", "$default")
        gateway.control.update_stage(ApiId=api.id, StageName="prod", RouteSettings={"slow": settings})
        with api.socket() as socket:
            answers = [api.ask(socket, action="slow").get("message", "") for _ in range(3)]
            assert answers == ["", "", "Too Many Requests"]
            assert api.ask(socket)["route"] == "$default"

    def test_connects_are_throttled_with_429(self, gateway: Gateway) -> None:
        settings = {"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 0.001}
        api = gateway.usual(DefaultRouteSettings=settings)
        assert [status(api), status(api)] == [101, 429]


class TestModels:
    def test_a_message_must_be_what_its_model_says(self, gateway: Gateway) -> None:
        api = gateway.api()
        schema = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}
        gateway.control.create_model(ApiId=api.id, Name="Point", Schema=json.dumps(schema))
        gateway.route(api, "draw", gateway.integrate(api), answers=True, RequestModels={"$default": "Point"})
        gateway.stage(api)
        with api.socket() as socket:
            assert api.ask(socket, action="draw", x="no")["message"] == "Invalid request body"
            assert api.ask(socket, action="draw", x=1)["route"] == "draw"


class TestAccessLogs:
    def test_every_request_is_a_line_in_the_stages_format(self, gateway: Gateway, unique: Any) -> None:
        logs = gateway.node.client("logs")
        group = unique("access")
        logs.create_log_group(logGroupName=group)
        format = json.dumps(
            {
                name: f"$context.{name}"
                for name in (
                    "requestId",
                    "routeKey",
                    "eventType",
                    "status",
                    "connectionId",
                    "identity.sourceIp",
                    "none",
                )
            }
        )
        destination = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
        api = gateway.usual(AccessLogSettings={"DestinationArn": destination, "Format": format})
        with api.socket() as socket:
            api.ask(socket)
            api.ask(socket, fail="boo")
        api.event("DISCONNECT")

        def lines() -> list[dict[str, str]]:
            gateway.node.advance(2)
            return [
                json.loads(event["message"]) for event in logs.filter_log_events(logGroupName=group)["events"]
            ]

        found = eventually(lambda: found if len(found := lines()) == 4 else [])
        assert [line["routeKey"] for line in found] == ["$connect", "$default", "$default", "$disconnect"]
        assert [line["status"] for line in found] == ["200", "200", "502", "200"]
        assert {line["identity.sourceIp"] for line in found} == {"127.0.0.1"}
        assert {line["none"] for line in found} == {"-"}
        logs.delete_log_group(logGroupName=group)
