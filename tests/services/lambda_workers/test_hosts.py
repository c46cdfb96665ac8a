"""Code that names AWS's real hosts works unchanged: whatever it connects with, it reaches the node.

A post to an impossible connection is refused with its id in the text, a request to an API that there is none of with
403: both by the gateway, and by nobody else.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.harness import ROLE, zipped

pytestmark = pytest.mark.node_only
NO_API = "https://abcdef1234.execute-api.us-east-1.amazonaws.com"
REFUSED = "Invalid connectionId: nobody"


@pytest.fixture(scope="module")
def api(client: Callable[[str], Any]) -> Iterator[str]:
    """A WebSocket API, by AWS's name of it."""
    gateway = client("apigatewayv2")
    made = gateway.create_api(
        Name="hosts", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.x"
    )
    id = made["ApiId"]
    mock = gateway.create_integration(ApiId=id, IntegrationType="MOCK")["IntegrationId"]
    gateway.create_route(ApiId=id, RouteKey="$default", Target=f"integrations/{mock}")
    gateway.create_stage(
        ApiId=id, StageName="prod", DeploymentId=gateway.create_deployment(ApiId=id)["DeploymentId"]
    )
    yield f"https://{id}.execute-api.us-east-1.amazonaws.com"
    gateway.delete_api(ApiId=id)


@pytest.fixture
def call(client: Callable[[str], Any], unique: Callable[[str], str]) -> Iterator[Callable[..., Any]]:
    """Make a function of these files, invoke it once."""
    functions = client("lambda")
    made = []

    def run(files: dict[str, str], event: Any = None, **settings: Any) -> Any:
        name = unique("hosts")
        settings = {
            "Runtime": "python3.11",
            "Handler": "index.handler",
            "Timeout": 60,
            "MemorySize": 512,
        } | settings
        package = {"ZipFile": zipped(dict(files))}
        functions.create_function(FunctionName=name, Role=ROLE, Code=package, **settings)
        made.append(name)
        functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload

    yield run
    for name in made:
        functions.delete_function(FunctionName=name)


class TestPython:
    def test_boto3_with_the_hosts_name(self, call: Callable[..., Any], api: str) -> None:
        code = """
import boto3
def handler(event, context):
    api = boto3.client("apigatewaymanagementapi", endpoint_url=event + "/prod")
    try:
        api.post_to_connection(ConnectionId="nobody", Data=b"x")
    except api.exceptions.ClientError as error:
        return error.response["Error"]["Message"]
"""
        assert call({"index.py": code}, api) == REFUSED

    def test_boto3_and_urllib_by_default(self, call: Callable[..., Any]) -> None:
        code = """
import boto3, urllib.error, urllib.request
def handler(event, context):
    account = boto3.client("sts").get_caller_identity()["Account"]
    codes = []
    for url in (event, event.replace("https", "http")):
        try:
            urllib.request.urlopen(url + "/prod")
        except urllib.error.HTTPError as error:
            codes.append([error.code, error.read().decode()])
    return [account, *codes]
"""
        forbidden = [403, '{"message":"Forbidden"}']
        assert call({"index.py": code}, NO_API) == ["000000000000", forbidden, forbidden]

    def test_a_copy_of_boto3_of_the_functions_own(self, call: Callable[..., Any], api: str) -> None:
        """It isn't ours to patch; TLS, the proxy and the authority lead it home."""
        code = """
import sys, shutil, os, tempfile
import boto3 as ours
copy = tempfile.mkdtemp()
for name in ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil"):
    origin = os.path.dirname(sys.modules.get(name, __import__(name)).__file__)
    skip = shutil.ignore_patterns("s3", "ec2*", "__pycache__")
    shutil.copytree(origin, os.path.join(copy, name), ignore=skip)
import six
shutil.copy(six.__file__, copy)
for name in [n for n in sys.modules if n.split(".")[0] in os.listdir(copy) or n.startswith("six")]:
    del sys.modules[name]
sys.path.insert(0, copy)
import boto3
def handler(event, context):
    api = boto3.client("apigatewaymanagementapi", endpoint_url=event + "/prod")
    try:
        api.post_to_connection(ConnectionId="nobody", Data=b"x")
    except api.exceptions.ClientError as error:
        return [boto3.__file__.startswith(copy), error.response["Error"]["Message"]]
"""
        assert call({"index.py": code}, api) == [True, REFUSED]

    def test_programs_that_a_function_starts(self, call: Callable[..., Any]) -> None:
        code = """
import subprocess
def handler(event, context):
    done = subprocess.run(["curl", "-sS", event + "/prod"], capture_output=True, text=True)
    return done.stdout + done.stderr
"""
        assert call({"index.py": code}, NO_API) == '{"message":"Forbidden"}'


@pytest.mark.skipif(shutil.which("npm") is None, reason="this machine has no node and npm")
class TestNodejs:
    @pytest.mark.slow
    @pytest.mark.parametrize("file", ["index.mjs", "index.js"])
    def test_the_sdk_is_found_and_reaches_the_node(
        self, call: Callable[..., Any], api: str, file: str
    ) -> None:
        names = "{ ApiGatewayManagementApiClient, PostToConnectionCommand }"
        package = "@aws-sdk/client-apigatewaymanagementapi"
        body = """
async function run(event) {
  const client = new ApiGatewayManagementApiClient({ endpoint: event + "/prod" })
  try {
    await client.send(new PostToConnectionCommand({ ConnectionId: "nobody", Data: "x" }))
  } catch (error) {
    return error.message
  }
}
"""
        if file.endswith(".mjs"):
            code = f'import {names} from "{package}"\n{body}\nexport const handler = run\n'
        else:
            code = f'const {names} = require("{package}")\n{body}\nexports.handler = run\n'
        assert call({file: code}, api, Runtime="nodejs20.x") == REFUSED

    @pytest.mark.slow
    def test_fetch_and_the_clients_of_node(self, call: Callable[..., Any]) -> None:
        code = """
const https = require("node:https")
const http = require("node:http")
const get = (lib, url) => new Promise((resolve, reject) =>
  lib.get(url, (response) => resolve(response.statusCode)).on("error", reject))
exports.handler = async (url) => [
  (await fetch(url + "/prod")).status,
  await get(https, url + "/prod"),
  await get(http, url.replace("https", "http") + "/prod"),
]
"""
        assert call({"index.js": code}, NO_API, Runtime="nodejs20.x") == [403, 403, 403]
