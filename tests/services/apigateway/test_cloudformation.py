"""The AWS::ApiGatewayV2 types, through real stacks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import eventually

from .conftest import Api, Gateway, uri_of

pytestmark = pytest.mark.node_only


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def template(function: str, **changes: Any) -> str:
    """A WebSocket API of every type, as people write it."""
    api = {"ApiId": ref("Api")}

    def target(name: str) -> dict[str, Any]:
        return {"Fn::Join": ["/", ["integrations", ref(name)]]}

    resources: dict[str, tuple[str, dict[str, Any]]] = {
        "Api": ("Api", {"Name": "stacked", "ProtocolType": "WEBSOCKET", "Tags": {"a": "1"},
                        "RouteSelectionExpression": "$request.body.action"}),
        "Function": ("Integration", {**api, "IntegrationType": "AWS_PROXY", "IntegrationUri": uri_of(function)}),
        "Mock": ("Integration", {**api, "IntegrationType": "MOCK", "TimeoutInMillis": "5000",
                                 "RequestTemplates": {"$default": '{"statusCode":200}'}}),
        "MockAnswer": ("IntegrationResponse", {**api, "IntegrationId": ref("Mock"),
                                               "IntegrationResponseKey": "$default",
                                               "ResponseTemplates": {"$default": '{"pong":true}'}}),
        "Default": ("Route", {**api, "RouteKey": "$default", "Target": target("Function"),
                              "RouteResponseSelectionExpression": "$default"}),
        "DefaultAnswer": ("RouteResponse", {**api, "RouteId": ref("Default"), "RouteResponseKey": "$default"}),
        "Ping": ("Route", {**api, "RouteKey": "ping", "Target": target("Mock")}),
        "PingAnswer": ("RouteResponse", {**api, "RouteId": ref("Ping"), "RouteResponseKey": "$default"}),
        "Guard": ("Authorizer", {**api, "Name": "guard", "AuthorizerType": "REQUEST", "AuthorizerUri": uri_of(function),
                                 "IdentitySource": ["route.request.querystring.token"]}),
        "Point": ("Model", {**api, "Name": "Point", "Schema": {"type": "object"}}),
        "Deployment": ("Deployment", api),
        "Stage": ("Stage", {**api, "StageName": "prod", "DeploymentId": ref("Deployment"),
                            "StageVariables": {"colour": "blue"}, "Tags": {"b": "2"}}),
    }  # fmt: skip
    made: dict[str, Any] = {
        name: {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": {**properties, **changes.get(name, {})}}
        for name, (kind, properties) in resources.items()
    }
    made["Deployment"]["DependsOn"] = ["DefaultAnswer", "PingAnswer", "MockAnswer"]
    endpoint = {"Fn::GetAtt": ["Api", "ApiEndpoint"]}
    outputs = {name: {"Value": value} for name, value in (("Id", ref("Api")), ("Endpoint", endpoint))}
    return json.dumps({"Resources": made, "Outputs": outputs})


class TestStack:
    def test_made_changed_and_deleted(self, gateway: Gateway, unique: Callable[[str], str]) -> None:
        stacks = gateway.node.client("cloudformation")
        name = unique("gateway")
        stacks.create_stack(StackName=name, TemplateBody=template(gateway.function))
        outputs = settled(stacks, name, "CREATE_COMPLETE")
        id = outputs["Id"]
        assert outputs["Endpoint"] == f"wss://{id}.execute-api.us-east-1.amazonaws.com"
        api = Api(gateway.control, gateway.node, id, "prod", gateway.events_file)
        with api.socket() as socket:
            assert api.ask(socket)["route"] == "$default"
            assert api.ask(socket, action="ping") == {"pong": True}
        assert api.event("MESSAGE")["stageVariables"] == {"colour": "blue"}

        changes = {
            "Api": {"Description": "changed", "Tags": {"c": "3"}},
            "Stage": {"StageVariables": {"sound": "loud"}, "Tags": {"b": "3"}},
            "Guard": {"AuthorizerResultTtlInSeconds": 60},
            "Mock": {"TimeoutInMillis": 6000},
        }
        stacks.update_stack(StackName=name, TemplateBody=template(gateway.function, **changes))
        assert settled(stacks, name, "UPDATE_COMPLETE")["Id"] == id
        control = gateway.control
        stage = control.get_stage(ApiId=id, StageName="prod")
        assert (stage["StageVariables"], stage["Tags"]) == ({"sound": "loud"}, {"b": "3"})
        changed = control.get_api(ApiId=id)
        assert (changed["Description"], changed["Tags"]) == ("changed", {"c": "3"})
        assert control.get_authorizers(ApiId=id)["Items"][0]["AuthorizerResultTtlInSeconds"] == 60
        timeouts = {
            item["IntegrationType"]: item["TimeoutInMillis"]
            for item in control.get_integrations(ApiId=id)["Items"]
        }
        assert timeouts == {"AWS_PROXY": 29000, "MOCK": 6000}

        stacks.delete_stack(StackName=name)
        eventually(lambda: id not in [item["ApiId"] for item in control.get_apis(MaxResults="500")["Items"]])


def settled(stacks: Any, name: str, status: str) -> dict[str, str]:
    """The stack's outputs, once it has this status."""

    def probe() -> Any:
        stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            reasons = [
                event.get("ResourceStatusReason")
                for event in stacks.describe_stack_events(StackName=name)["StackEvents"]
            ]
            assert stack["StackStatus"] == status, reasons
            return stack
        return None

    outputs = eventually(probe).get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}
