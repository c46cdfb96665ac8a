"""What AWS's idioms take for granted, through the whole house: function, gateway, table, certificate, proxy."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.harness import ROLE, eventually, plain_url, python_function, websocket_api, zipped

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


@pytest.mark.parametrize("way", URLS)
async def test_a_function_posts_back_at(node: Any, client: Any, unique: Any, way: str) -> None:
    source = POST_BACK.replace("URL", URLS[way])
    with (
        python_function(client("lambda"), unique("back"), source) as arn,
        websocket_api(node, arn, "$connect", "$default") as api,
    ):
        async with connect(plain_url(node, api)) as socket:
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
        Role=ROLE,
        Timeout=30,
        Code={"ZipFile": zipped({"index.mjs": NODE_POST_BACK})},
    )
    with websocket_api(node, made["FunctionArn"], "$connect", "$default") as api:
        async with connect(plain_url(node, api), open_timeout=110) as socket:
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
    with (
        python_function(client("lambda"), unique("meet"), source) as arn,
        websocket_api(node, arn, "$connect", "$default", two_way=True) as api,
    ):

        async def one(number: int) -> Any:
            async with connect(plain_url(node, api)) as socket:
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

        def ended() -> list[str]:
            found = lines()
            return found if any(line.startswith("REPORT") for line in found) else []

        found = await asyncio.to_thread(eventually, ended)
        start = next(i for i, line in enumerate(found) if line.startswith(f"START RequestId: {request_id}"))
        assert found[start + 1] == "seen this"
        assert found[start + 2] == f"END RequestId: {request_id}"
        assert found[start + 3].startswith(f"REPORT RequestId: {request_id}\tDuration: ")
