"""The control plane: what is made, read, changed, listed and deleted, and what is refused in which words."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import uri_of

EXPRESSION = "$request.body.action"
URI = uri_of("arn:aws:lambda:us-east-1:000000000000:function:f")


@pytest.fixture
def control(client: Callable[..., Any]) -> Any:
    return client("apigatewayv2")


@pytest.fixture
def api(control: Any) -> Iterator[str]:
    made = control.create_api(Name="test", ProtocolType="WEBSOCKET", RouteSelectionExpression=EXPRESSION)
    yield made["ApiId"]
    try:
        control.delete_api(ApiId=made["ApiId"])
    except control.exceptions.NotFoundException:
        return


def refused(call: Callable[..., Any], **params: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as failure:
        call(**params)
    error = failure.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"]["Message"]


def without_meta(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


class TestApis:
    def test_create_get_update_delete(self, control: Any) -> None:
        made = control.create_api(
            Name="chat",
            ProtocolType="WEBSOCKET",
            RouteSelectionExpression=EXPRESSION,
            Description="talk",
            Tags={"team": "a"},
        )
        id = made["ApiId"]
        assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
        assert len(id) == 10
        assert made["ApiEndpoint"] == f"wss://{id}.execute-api.us-east-1.amazonaws.com"
        assert made["ApiKeySelectionExpression"] == "$request.header.x-api-key"
        assert made["Tags"] == {"team": "a"}
        assert without_meta(control.get_api(ApiId=id)) == without_meta(made)
        changed = control.update_api(ApiId=id, Name="talk", Description="")
        assert (changed["Name"], "Description" in changed) == ("talk", False)
        assert id in [item["ApiId"] for item in control.get_apis(MaxResults="500")["Items"]]
        control.delete_api(ApiId=id)
        assert refused(control.get_api, ApiId=id) == (
            404,
            "NotFoundException",
            f"Invalid API identifier specified 000000000000:{id}",
        )

    def test_an_errors_message_has_the_name_that_other_sdks_read(self, node: Any) -> None:
        """The member is `Message`, on the wire it is `message`."""
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{node.endpoint}/v2/apis/none")
        answer = json.loads(refused.value.read())
        assert answer == {"message": "Invalid API identifier specified 000000000000:none"}

    def test_http_apis_are_refused_plainly(self, control: Any) -> None:
        status, code, message = refused(control.create_api, Name="x", ProtocolType="HTTP")
        assert (status, code) == (400, "BadRequestException")
        assert "not supported by Cloudlet" in message

    def test_a_selection_expression_is_required_and_read(self, control: Any) -> None:
        assert refused(control.create_api, Name="x", ProtocolType="WEBSOCKET")[:2] == (
            400,
            "BadRequestException",
        )
        broken = {"Name": "x", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "${request.body.a"}
        assert "Unclosed" in refused(control.create_api, **broken)[2]

    def test_pages(self, control: Any) -> None:
        made = {
            control.create_api(Name="p", ProtocolType="WEBSOCKET", RouteSelectionExpression=EXPRESSION)[
                "ApiId"
            ]
            for _ in range(3)
        }
        pages = list(control.get_paginator("get_apis").paginate(PaginationConfig={"PageSize": 1}))
        found = [item["ApiId"] for page in pages for item in page["Items"]]
        assert all(len(page["Items"]) == 1 for page in pages)
        assert made <= set(found) and len(found) == len(set(found))
        for id in made:
            control.delete_api(ApiId=id)

    def test_bad_pages(self, control: Any) -> None:
        assert refused(control.get_apis, MaxResults="none")[1] == "BadRequestException"
        assert refused(control.get_apis, NextToken="none")[1] == "BadRequestException"

    def test_what_is_not_offered_says_so(self, control: Any) -> None:
        status, _, message = refused(control.get_vpc_links)
        assert status == 501 and "VPC" in message
        assert "domain" in refused(control.get_domain_names)[2]


class TestRoutes:
    def test_create_get_update_delete(self, control: Any, api: str) -> None:
        integration = control.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=URI)
        target = f"integrations/{integration['IntegrationId']}"
        made = control.create_route(ApiId=api, RouteKey="join", Target=target)
        assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
        assert (made["AuthorizationType"], made["ApiKeyRequired"]) == ("NONE", False)
        ids = {"ApiId": api, "RouteId": made["RouteId"]}
        assert without_meta(control.get_route(**ids)) == without_meta(made)
        changed = control.update_route(**ids, RouteKey="leave", OperationName="Leave")
        assert (changed["RouteKey"], changed["OperationName"], changed["Target"]) == (
            "leave",
            "Leave",
            target,
        )
        assert [item["RouteKey"] for item in control.get_routes(ApiId=api)["Items"]] == ["leave"]
        control.delete_route(**ids)
        assert refused(control.get_route, **ids) == (
            404,
            "NotFoundException",
            "Invalid Route identifier specified",
        )

    def test_a_key_is_taken_once(self, control: Any, api: str) -> None:
        control.create_route(ApiId=api, RouteKey="$connect")
        other = control.create_route(ApiId=api, RouteKey="$default")["RouteId"]
        message = "Route with key $connect already exists for this API"
        assert refused(control.create_route, ApiId=api, RouteKey="$connect") == (
            409,
            "ConflictException",
            message,
        )
        assert refused(control.update_route, ApiId=api, RouteId=other, RouteKey="$connect")[0] == 409

    def test_what_it_refers_to_must_exist(self, control: Any, api: str) -> None:
        bad = refused(control.create_route, ApiId=api, RouteKey="a", Target="integrations/none")
        assert bad[:2] == (404, "NotFoundException")
        custom = {"AuthorizationType": "CUSTOM", "AuthorizerId": "none"}
        assert refused(control.create_route, ApiId=api, RouteKey="$connect", **custom)[0] == 404

    @pytest.mark.parametrize(
        "options",
        [
            {"RouteKey": ""},
            {"RouteKey": "a", "AuthorizationType": "AWS_IAM"},
            {"RouteKey": "$connect", "AuthorizationType": "JWT"},
            {"RouteKey": "$connect", "AuthorizationType": "CUSTOM"},
            {"RouteKey": "$connect", "ApiKeyRequired": True},
            {"RouteKey": "a", "Target": "somewhere"},
            {"RouteKey": "a", "AuthorizationType": "WHATEVER"},
        ],
    )
    def test_bad_requests(self, control: Any, api: str, options: dict[str, Any]) -> None:
        assert refused(control.create_route, ApiId=api, **options)[:2] == (400, "BadRequestException")

    def test_request_parameters_are_removed_one_by_one(self, control: Any, api: str) -> None:
        parameters = {
            "route.request.header.A": {"Required": True},
            "route.request.header.B": {"Required": False},
        }
        id = control.create_route(ApiId=api, RouteKey="$connect", RequestParameters=parameters)["RouteId"]
        key = {"ApiId": api, "RouteId": id, "RequestParameterKey": "route.request.header.A"}
        control.delete_route_request_parameter(**key)
        assert control.get_route(ApiId=api, RouteId=id)["RequestParameters"].keys() == {
            "route.request.header.B"
        }
        assert refused(control.delete_route_request_parameter, **key)[0] == 404


class TestIntegrations:
    def test_create_get_update_delete(self, control: Any, api: str) -> None:
        made = control.create_integration(
            ApiId=api, IntegrationType="MOCK", RequestTemplates={"200": '{"statusCode":200}', "x": "y"}
        )
        assert made["IntegrationResponseSelectionExpression"] == "${integration.response.statuscode}"
        assert (made["TimeoutInMillis"], made["PassthroughBehavior"]) == (29000, "WHEN_NO_MATCH")
        ids = {"ApiId": api, "IntegrationId": made["IntegrationId"]}
        assert without_meta(control.get_integration(**ids)) == without_meta(made)
        changed = control.update_integration(**ids, TimeoutInMillis=50, RequestTemplates={"x": "", "z": "1"})
        assert changed["TimeoutInMillis"] == 50
        assert changed["RequestTemplates"] == {"200": '{"statusCode":200}', "z": "1"}
        assert len(control.get_integrations(ApiId=api)["Items"]) == 1
        control.delete_integration(**ids)
        assert refused(control.delete_integration, **ids)[0] == 404

    def test_one_that_a_route_needs_stays(self, control: Any, api: str) -> None:
        id = control.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=URI)[
            "IntegrationId"
        ]
        route = control.create_route(ApiId=api, RouteKey="a", Target=f"integrations/{id}")["RouteId"]
        text = (
            f"Cannot delete Integration because it is referenced by the following Routes with Ids: [{route}]"
        )
        assert refused(control.delete_integration, ApiId=api, IntegrationId=id) == (
            409,
            "ConflictException",
            text,
        )

    @pytest.mark.parametrize(
        "options",
        [
            {"IntegrationType": "AWS_PROXY"},
            {"IntegrationType": "HTTP", "IntegrationUri": "http://x"},
            {"IntegrationType": "HTTP", "IntegrationUri": "ftp://x", "IntegrationMethod": "POST"},
            {"IntegrationType": "MOCK", "TimeoutInMillis": 29500},
            {"IntegrationType": "MOCK", "TimeoutInMillis": 10},
            {"IntegrationType": "MOCK", "ConnectionType": "VPC_LINK", "ConnectionId": "x"},
            {"IntegrationType": "OTHER"},
        ],
    )
    def test_bad_requests(self, control: Any, api: str, options: dict[str, Any]) -> None:
        assert refused(control.create_integration, ApiId=api, **options)[:2] == (400, "BadRequestException")

    def test_responses(self, control: Any, api: str) -> None:
        id = control.create_integration(ApiId=api, IntegrationType="MOCK")["IntegrationId"]
        parent = {"ApiId": api, "IntegrationId": id}
        made = control.create_integration_response(
            **parent, IntegrationResponseKey="/200/", ResponseTemplates={"$default": "x"}
        )
        ids = {**parent, "IntegrationResponseId": made["IntegrationResponseId"]}
        assert without_meta(control.get_integration_response(**ids)) == without_meta(made)
        twice = refused(control.create_integration_response, **parent, IntegrationResponseKey="/200/")
        assert twice[:2] == (409, "ConflictException")
        assert refused(control.create_integration_response, **parent, IntegrationResponseKey="200")[0] == 400
        changed = control.update_integration_response(**ids, TemplateSelectionExpression="${request.body.a}")
        assert changed["TemplateSelectionExpression"] == "${request.body.a}"
        assert len(control.get_integration_responses(**parent)["Items"]) == 1
        control.delete_integration_response(**ids)
        assert refused(control.get_integration_response, **ids)[0] == 404


class TestRouteResponses:
    def test_create_get_update_delete(self, control: Any, api: str) -> None:
        route = control.create_route(ApiId=api, RouteKey="a", RouteResponseSelectionExpression="$default")[
            "RouteId"
        ]
        parent = {"ApiId": api, "RouteId": route}
        made = control.create_route_response(**parent, RouteResponseKey="$default")
        ids = {**parent, "RouteResponseId": made["RouteResponseId"]}
        assert without_meta(control.get_route_response(**ids)) == without_meta(made)
        assert refused(control.create_route_response, **parent, RouteResponseKey="$default")[0] == 409
        assert refused(control.create_route_response, **parent, RouteResponseKey="other")[0] == 400
        models = control.update_route_response(**ids, ResponseModels={"application/json": "m"})
        assert models["ResponseModels"] == {"application/json": "m"}
        control.delete_route_response(**ids)
        assert control.get_route_responses(**parent)["Items"] == []


class TestStagesAndDeployments:
    def test_create_get_update_delete(self, control: Any, api: str) -> None:
        control.create_route(ApiId=api, RouteKey="a")
        deployment = control.create_deployment(ApiId=api, Description="first")
        assert (deployment["DeploymentStatus"], deployment["AutoDeployed"]) == ("DEPLOYED", False)
        made = control.create_stage(
            ApiId=api,
            StageName="prod",
            DeploymentId=deployment["DeploymentId"],
            StageVariables={"a": "1", "b": "2"},
            Tags={"x": "y"},
        )
        ids = {"ApiId": api, "StageName": "prod"}
        assert without_meta(control.get_stage(**ids)) == without_meta(made)
        changed = control.update_stage(**ids, StageVariables={"a": "", "c": "3"}, Description="live")
        assert changed["StageVariables"] == {"b": "2", "c": "3"}
        assert changed["LastUpdatedDate"] >= made["LastUpdatedDate"]
        assert refused(control.create_stage, **ids) == (409, "ConflictException", "Stage already exists")
        held = {"ApiId": api, "DeploymentId": deployment["DeploymentId"]}
        assert refused(control.delete_deployment, **held)[2] == (
            "Active stages pointing to this deployment must be moved or deleted"
        )
        assert control.update_deployment(**held, Description="renamed")["Description"] == "renamed"
        control.delete_stage(**ids)
        assert refused(control.get_stage, **ids) == (
            404,
            "NotFoundException",
            "Invalid stage identifier specified",
        )
        control.delete_deployment(**held)
        assert control.get_deployments(ApiId=api)["Items"] == []

    def test_an_api_without_routes_cannot_be_deployed(self, control: Any, api: str) -> None:
        text = "Unable to deploy API because no routes exist in this API"
        assert refused(control.create_deployment, ApiId=api) == (400, "BadRequestException", text)
        stage = control.create_stage(ApiId=api, StageName="auto", AutoDeploy=True)
        assert "DeploymentId" not in stage
        assert control.get_stage(ApiId=api, StageName="auto")["LastDeploymentStatusMessage"] == (
            f"Deployment attempt failed: {text}"
        )

    def test_auto_deploy_follows_every_change(self, control: Any, api: str) -> None:
        control.create_stage(ApiId=api, StageName="auto", AutoDeploy=True)
        seen = set()
        for key in ("a", "b"):
            control.create_route(ApiId=api, RouteKey=key)
            seen.add(control.get_stage(ApiId=api, StageName="auto")["DeploymentId"])
        assert len(seen) == 2
        deployments = control.get_deployments(ApiId=api)["Items"]
        assert [(item["AutoDeployed"], item["DeploymentId"] in seen) for item in deployments] == [
            (True, True)
        ]

    def test_a_deployment_can_name_its_stage(self, control: Any, api: str) -> None:
        control.create_route(ApiId=api, RouteKey="a")
        control.create_stage(ApiId=api, StageName="prod")
        made = control.create_deployment(ApiId=api, StageName="prod")
        assert control.get_stage(ApiId=api, StageName="prod")["DeploymentId"] == made["DeploymentId"]
        assert refused(control.create_deployment, ApiId=api, StageName="none")[0] == 404

    def test_settings(self, control: Any, api: str) -> None:
        control.create_route(ApiId=api, RouteKey="a")
        ids = {"ApiId": api, "StageName": "prod"}
        logs = {
            "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:g",
            "Format": "$context.requestId",
        }
        settings = {"a": {"ThrottlingRateLimit": 1.5, "ThrottlingBurstLimit": 2}}
        made = control.create_stage(**ids, AccessLogSettings=logs, RouteSettings=settings)
        assert (made["AccessLogSettings"], made["RouteSettings"]) == (logs, settings)
        missing = refused(control.update_stage, **ids, RouteSettings={"none": {}})
        assert missing[2] == "Unable to find Route by key none within the provided RouteSettings"
        control.delete_access_log_settings(**ids)
        control.delete_route_settings(**ids, RouteKey="a")
        left = control.get_stage(**ids)
        assert ("AccessLogSettings" in left, left["RouteSettings"]) == (False, {})

    @pytest.mark.parametrize(
        "options",
        [
            {"StageName": "a b"},
            {"StageName": "x", "StageVariables": {"a-b": "1"}},
            {"StageName": "x", "StageVariables": {"a": "sp ace"}},
            {"StageName": "x", "AutoDeploy": True, "DeploymentId": "abc"},
            {
                "StageName": "x",
                "AccessLogSettings": {"DestinationArn": "arn:aws:logs:x", "Format": "$context.requestId"},
            },
            {
                "StageName": "x",
                "AccessLogSettings": {"DestinationArn": "arn:aws:logs:r:a:log-group:g", "Format": "hello"},
            },
        ],
    )
    def test_bad_requests(self, control: Any, api: str, options: dict[str, Any]) -> None:
        assert refused(control.create_stage, ApiId=api, **options)[:2] == (400, "BadRequestException")


class TestAuthorizersAndModels:
    def test_authorizers(self, control: Any, api: str) -> None:
        source = {
            "AuthorizerType": "REQUEST",
            "AuthorizerUri": URI,
            "IdentitySource": ["route.request.header.Auth"],
        }
        made = control.create_authorizer(ApiId=api, Name="guard", **source)
        ids = {"ApiId": api, "AuthorizerId": made["AuthorizerId"]}
        assert without_meta(control.get_authorizer(**ids)) == without_meta(made)
        assert refused(control.create_authorizer, ApiId=api, Name="guard", **source)[0] == 400
        route = control.create_route(
            ApiId=api, RouteKey="$connect", AuthorizationType="CUSTOM", AuthorizerId=made["AuthorizerId"]
        )["RouteId"]
        assert refused(control.delete_authorizer, **ids)[:2] == (409, "ConflictException")
        control.delete_route(ApiId=api, RouteId=route)
        assert (
            control.update_authorizer(**ids, AuthorizerResultTtlInSeconds=5)["AuthorizerResultTtlInSeconds"]
            == 5
        )
        control.delete_authorizer(**ids)
        assert control.get_authorizers(ApiId=api)["Items"] == []

    @pytest.mark.parametrize(
        "options",
        [
            {"AuthorizerType": "JWT", "IdentitySource": ["$request.header.A"]},
            {"AuthorizerType": "REQUEST", "IdentitySource": ["route.request.header.A"]},
            {"AuthorizerType": "REQUEST", "AuthorizerUri": URI, "IdentitySource": ["cookie.a"]},
        ],
    )
    def test_bad_authorizers(self, control: Any, api: str, options: dict[str, Any]) -> None:
        assert refused(control.create_authorizer, ApiId=api, Name="x", **options)[:2] == (
            400,
            "BadRequestException",
        )

    def test_models(self, control: Any, api: str) -> None:
        made = control.create_model(ApiId=api, Name="Point", Schema='{"type":"object"}')
        assert made["ContentType"] == "application/json"
        ids = {"ApiId": api, "ModelId": made["ModelId"]}
        assert without_meta(control.get_model(**ids)) == without_meta(made)
        assert refused(control.create_model, ApiId=api, Name="Point", Schema="{}")[0] == 409
        assert refused(control.create_model, ApiId=api, Name="Bad", Schema="{")[0] == 400
        assert refused(control.create_model, ApiId=api, Name="no-good", Schema="{}")[0] == 400
        assert control.update_model(**ids, Description="a point")["Description"] == "a point"
        control.delete_model(**ids)
        assert control.get_models(ApiId=api)["Items"] == []


class TestTags:
    def test_of_an_api_and_a_stage(self, control: Any, api: str) -> None:
        control.create_stage(ApiId=api, StageName="prod")
        for path in (f"/apis/{api}", f"/apis/{api}/stages/prod"):
            arn = f"arn:aws:apigateway:us-east-1::{path}"
            control.tag_resource(ResourceArn=arn, Tags={"a": "1", "b": "2"})
            control.untag_resource(ResourceArn=arn, TagKeys=["a"])
            assert control.get_tags(ResourceArn=arn)["Tags"] == {"b": "2"}
        assert control.get_api(ApiId=api)["Tags"] == {"b": "2"}
        assert control.get_stage(ApiId=api, StageName="prod")["Tags"] == {"b": "2"}

    def test_of_nothing(self, control: Any) -> None:
        assert refused(control.get_tags, ResourceArn="arn:aws:apigateway:us-east-1::/apis/none")[0] == 404
        assert refused(control.get_tags, ResourceArn="arn:aws:s3:::bucket")[0] == 400
