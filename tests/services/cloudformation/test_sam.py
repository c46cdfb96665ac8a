"""SAM templates, and a WebSocket API as AWS's samples write it."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.harness import zipped

from .conftest import CAPABILITIES, Stacks

SAM = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters: {{Stage: {{Type: String, Default: live}}}}
Globals:
  Function:
    Runtime: python3.11
    Handler: index.handler
    CodeUri: s3://cloudlet-artifacts/{sha}.zip
Resources:
  Talk:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          URL: !Sub "https://${{Api}}.execute-api.${{AWS::Region}}.amazonaws.com/${{Stage}}"
          TABLE: !Ref Table
      Policies:
        - DynamoDBCrudPolicy: {{TableName: !Ref Table}}
        - Statement:
            - Effect: Allow
              Action: execute-api:ManageConnections
              Resource: !Sub "arn:aws:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/*"
  TalkPermission:
    Type: AWS::Lambda::Permission
    Properties: {{Action: "lambda:InvokeFunction", FunctionName: !Ref Talk, Principal: apigateway.amazonaws.com}}
  Table:
    Type: AWS::Serverless::SimpleTable
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {{Name: talk, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub
        arn:aws:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{Talk.Arn}}/invocations
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: $default
      RouteResponseSelectionExpression: $default
      AuthorizationType: NONE
      OperationName: Default
      Target: !Join ["/", [integrations, !Ref Integration]]
  RouteResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {{ApiId: !Ref Api, RouteId: !Ref Route, RouteResponseKey: $default}}
  Deployment:
    Type: AWS::ApiGatewayV2::Deployment
    DependsOn: [Route, RouteResponse]
    Properties: {{ApiId: !Ref Api}}
  Live:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {{StageName: !Ref Stage, Description: the stage, DeploymentId: !Ref Deployment, ApiId: !Ref Api}}
Outputs:
  Url: {{Value: !Sub "wss://${{Api}}.execute-api.${{AWS::Region}}.amazonaws.com/${{Stage}}"}}
  Function: {{Value: !GetAtt Talk.Arn}}
"""
SOURCE = """
import os

def handler(event, context):
    return {"url": os.environ["URL"], "table": os.environ["TABLE"]}
"""


def upload(endpoint: str, files: dict[str, str | bytes]) -> str:
    content = zipped(files)
    sha = hashlib.sha256(content).hexdigest()
    url = f"{endpoint}/_cloudlet/artifacts/{sha}.zip"
    urllib.request.urlopen(urllib.request.Request(url, content, method="PUT")).close()
    return sha


@pytest.mark.node_only
class TestSam:
    def test_a_websocket_application(
        self, stacks: Stacks, name: str, node: Any, client: Callable[..., Any]
    ) -> None:
        sha = upload(node.endpoint, {"index.py": SOURCE})
        stack = stacks.create(name, SAM.format(sha=sha))
        assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.events(name)
        outputs = stacks.outputs(name)
        api = stacks.physical_id(name, "Api")
        assert outputs["Url"] == f"wss://{api}.execute-api.us-east-1.amazonaws.com/live"
        answer = client("lambda").invoke(FunctionName=outputs["Function"])
        assert json.load(answer["Payload"]) == {
            "url": f"https://{api}.execute-api.us-east-1.amazonaws.com/live",
            "table": stacks.physical_id(name, "Table"),
        }
        assert stacks.physical_id(name, "TalkRole").startswith(f"{name}-TalkRole-")
        stage = client("apigatewayv2").get_stage(ApiId=api, StageName="live")
        assert stage["DeploymentId"] == stacks.physical_id(name, "Deployment")

    def test_an_update_of_the_code_only(
        self, stacks: Stacks, name: str, node: Any, client: Callable[..., Any]
    ) -> None:
        stacks.create(name, SAM.format(sha=upload(node.endpoint, {"index.py": SOURCE})))
        sha = upload(node.endpoint, {"index.py": "def handler(event, context):\n    return 'new'\n"})
        assert stacks.update(name, SAM.format(sha=sha))["StackStatus"] == "UPDATE_COMPLETE"
        answer = client("lambda").invoke(FunctionName=stacks.outputs(name)["Function"])
        assert json.load(answer["Payload"]) == "new"

    def test_both_stages_of_the_template(self, stacks: Stacks, name: str, node: Any) -> None:
        text = SAM.format(sha=upload(node.endpoint, {"index.py": SOURCE}))
        stacks.create(name, text)
        assert stacks.client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"] == text
        processed = stacks.client.get_template(StackName=name)["TemplateBody"]
        assert processed["Resources"]["Talk"]["Type"] == "AWS::Lambda::Function"

    def test_it_needs_to_be_allowed(self, stacks: Stacks, name: str) -> None:
        with pytest.raises(ClientError, match=r"Requires capabilities : \[CAPABILITY_AUTO_EXPAND\]"):
            stacks.client.create_stack(
                StackName=name, TemplateBody=SAM.format(sha="0" * 64), Capabilities=["CAPABILITY_NAMED_IAM"]
            )

    def test_the_translators_errors(self, stacks: Stacks, name: str) -> None:
        text = """
Transform: AWS::Serverless-2016-10-31
Resources: {F: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, CodeUri: "s3://b/k"}}}
"""
        with pytest.raises(ClientError) as refused:
            stacks.client.create_stack(StackName=name, TemplateBody=text, Capabilities=CAPABILITIES)
        message = refused.value.response["Error"]["Message"]
        assert message.startswith(
            "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document."
            " Number of errors found: 1. Resource with id [F] is invalid."
        )
        assert message.endswith("(F, line 3)")

    def test_events_that_cannot_be_backed_are_named(self, stacks: Stacks, name: str) -> None:
        text = """
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.11
      CodeUri: s3://b/k
      Events: {Get: {Type: Api, Properties: {Path: /, Method: get}}}
"""
        with pytest.raises(
            ClientError, match=r"Unrecognized resource types: \[AWS::ApiGateway::Deployment, .*RestApi"
        ):
            stacks.client.create_stack(StackName=name, TemplateBody=text, Capabilities=CAPABILITIES)

    def test_other_macros_are_not_known(self, stacks: Stacks, name: str) -> None:
        with pytest.raises(ClientError, match="No transform named Mine found"):
            stacks.client.create_stack(
                StackName=name,
                TemplateBody="Transform: Mine\nResources: {A: {Type: T}}",
                Capabilities=CAPABILITIES,
            )

    def test_a_template_that_was_uploaded(self, stacks: Stacks, name: str, node: Any) -> None:
        content = b"Resources: {Group: {Type: AWS::Logs::LogGroup}}"
        sha = hashlib.sha256(content).hexdigest()
        url = f"{node.endpoint}/_cloudlet/artifacts/{sha}.zip"
        urllib.request.urlopen(urllib.request.Request(url, content, method="PUT")).close()
        for place in (url, f"https://s3.amazonaws.com/cloudlet-artifacts/{sha}.zip"):
            summary = stacks.client.get_template_summary(TemplateURL=place)
            assert summary["ResourceTypes"] == ["AWS::Logs::LogGroup"]
        with pytest.raises(ClientError, match="The specified key does not exist"):
            stacks.client.get_template_summary(
                TemplateURL="https://cloudlet-artifacts.s3.amazonaws.com/../cloudlet.db"
            )
