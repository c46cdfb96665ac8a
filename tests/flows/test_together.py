"""What AWS's idioms take for granted, through the whole house: function, gateway, table, certificate, proxy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.harness import ACCOUNT, REGION, python_function, zipped

pytestmark = pytest.mark.node_only

POST_BACK = """
import boto3, os
def handler(event, context):
    at = event["requestContext"]
    if at["eventType"] != "MESSAGE":
        return {"statusCode": 200}
    url = URL
    api = boto3.client("apigatewaymanagementapi", endpoint_url=url)
    api.post_to_connection(ConnectionId=at["connectionId"], Data=event["body"].upper())
    return {"statusCode": 200}
"""
URLS = {
    "the event's domain name": """f"https://{at['domainName']}/{at['stage']}\"""",
    "the real host name": """f"https://{at['apiId']}.execute-api.{os.environ['AWS_REGION']}.amazonaws.com/{at['stage']}\"""",
    "the node's plain path": """f"{os.environ['AWS_ENDPOINT_URL']}/_aws/execute-api/{at['apiId']}/{at['stage']}\"""",
}
NODE_POST_BACK = """
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
export const handler = async (event) => {
  const at = event.requestContext;
  if (at.eventType !== "MESSAGE") return { statusCode: 200 };
  const api = new ApiGatewayManagementApiClient({ endpoint: `https://${at.domainName}/${at.stage}` });
  await api.send(new PostToConnectionCommand({ ConnectionId: at.connectionId, Data: event.body.toUpperCase() }));
  return { statusCode: 200 };
};
"""


@contextmanager
def api_for(node: Any, arn: str) -> Iterator[str]:
    """An API with $connect and $default leading to the function; its plain URL."""
    api = node.client("apigatewayv2")
    id = api.create_api(Name="t", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")[
        "ApiId"
    ]
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"
    made = api.create_integration(ApiId=id, IntegrationType="AWS_PROXY", IntegrationUri=uri)
    node.client("lambda").add_permission(
        FunctionName=arn,
        StatementId=f"api-{id}",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{id}/*",
    )
    for key in ("$connect", "$default"):
        api.create_route(ApiId=id, RouteKey=key, Target=f"integrations/{made['IntegrationId']}")
    api.create_stage(ApiId=id, StageName="dev", AutoDeploy=True)
    try:
        yield f"ws://127.0.0.1:{node.port}/_aws/execute-api/{id}/dev"
    finally:
        api.delete_api(ApiId=id)


@pytest.mark.parametrize("way", URLS)
async def test_a_function_posts_back_at(node: Any, client: Any, unique: Any, way: str) -> None:
    source = POST_BACK.replace("URL", URLS[way])
    with python_function(client("lambda"), unique("back"), source) as arn, api_for(node, arn) as url:
        async with connect(url) as socket:
            await socket.send("hello")
            assert await asyncio.wait_for(socket.recv(), 30) == "HELLO"


@pytest.mark.slow
async def test_a_node_js_function_posts_back_with_its_sdk(node: Any, client: Any, unique: Any) -> None:
    functions = client("lambda")
    name = unique("node")
    made = functions.create_function(
        FunctionName=name,
        Runtime="nodejs20.x",
        Handler="index.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/test",
        Timeout=30,
        Code={"ZipFile": zipped({"index.mjs": NODE_POST_BACK})},
    )
    with api_for(node, made["FunctionArn"]) as url:
        async with connect(url, open_timeout=110) as socket:
            await socket.send("hello")
            assert await asyncio.wait_for(socket.recv(), 60) == "HELLO"
    functions.delete_function(FunctionName=name)


async def test_eight_sockets_handlers_run_at_once(
    node: Any, client: Any, unique: Any, tmp_path: Path
) -> None:
    """Each handler waits until eight have begun; run one after another they would never end."""
    source = f"""
import pathlib, time
meeting = pathlib.Path({str(tmp_path)!r})
def handler(event, context):
    at = event["requestContext"]
    if at["eventType"] != "MESSAGE":
        return {{"statusCode": 200}}
    (meeting / event["body"]).touch()
    while len(list(meeting.iterdir())) < 8:
        time.sleep(0.01)
    return {{"statusCode": 200, "body": "met"}}
"""
    with python_function(client("lambda"), unique("meet"), source) as arn, api_for(node, arn) as url:
        api = node.client("apigatewayv2")
        id = url.split("/")[-2]
        route = next(r for r in api.get_routes(ApiId=id)["Items"] if r["RouteKey"] == "$default")
        api.update_route(ApiId=id, RouteId=route["RouteId"], RouteResponseSelectionExpression="$default")
        api.create_route_response(ApiId=id, RouteId=route["RouteId"], RouteResponseKey="$default")

        async def one(number: int) -> Any:
            async with connect(url) as socket:
                await socket.send(str(number))
                return await asyncio.wait_for(socket.recv(), 30)

        assert await asyncio.gather(*(one(n) for n in range(8))) == ["met"] * 8


async def test_what_a_function_prints_is_in_its_log(node: Any, client: Any, unique: Any) -> None:
    name = unique("prints")
    with python_function(client("lambda"), name, "def handler(e, c): print('seen', e)"):
        answer = client("lambda").invoke(FunctionName=name, Payload=json.dumps("this").encode())
        request_id = answer["ResponseMetadata"]["RequestId"]
        group = f"/aws/lambda/{name}"

        def lines() -> list[str]:
            try:
                events = client("logs").filter_log_events(logGroupName=group)["events"]
            except client("logs").exceptions.ResourceNotFoundException:
                return []
            return [event["message"].strip() for event in events]

        for _ in range(2000):
            if any(line.startswith("REPORT") for line in lines()):
                break
            await asyncio.sleep(0.01)
        found = lines()
        start = next(i for i, line in enumerate(found) if line.startswith(f"START RequestId: {request_id}"))
        assert found[start + 1] == "seen this"
        assert found[start + 2] == f"END RequestId: {request_id}"
        assert found[start + 3].startswith(f"REPORT RequestId: {request_id}\tDuration: ")
