"""Routes that want a signature: who signs, and what his policies say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.harness import ACCOUNT, REGION, plain_url, python_function

from .conftest import uri_of

SOURCE = """
def handler(event, context):
    identity = event["requestContext"]["identity"]
    return {"statusCode": 200 if "chat-user" in identity["userArn"] else 500}
"""


@pytest.fixture
def keys(client: Callable[..., Any], unique: Callable[[str], str]) -> Iterator[dict[str, str]]:
    iam, name = client("iam"), unique("chat-user")
    iam.create_user(UserName=name)
    made: dict[str, str] = iam.create_access_key(UserName=name)["AccessKey"]
    yield made


@pytest.fixture
def api(node: Any, client: Callable[..., Any], unique: Callable[[str], str]) -> Iterator[str]:
    gateway = client("apigatewayv2")
    with python_function(client("lambda"), unique("signed"), SOURCE) as arn:
        client("lambda").add_permission(
            FunctionName=arn,
            StatementId="gateway",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        )
        id = gateway.create_api(
            Name="signed", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
        )["ApiId"]
        made = gateway.create_integration(ApiId=id, IntegrationType="AWS_PROXY", IntegrationUri=uri_of(arn))
        gateway.create_route(
            ApiId=id,
            RouteKey="$connect",
            AuthorizationType="AWS_IAM",
            Target=f"integrations/{made['IntegrationId']}",
        )
        gateway.create_stage(ApiId=id, StageName="dev", AutoDeploy=True)
        yield id
        gateway.delete_api(ApiId=id)


def signed(url: str, keys: dict[str, str], query: bool = False, secret: str = "") -> dict[str, Any]:
    """What a client connects with: the URL, and headers."""
    request = AWSRequest("GET", url.replace("ws:", "http:"), headers={"host": url.split("/")[2]})
    given = Credentials(keys["AccessKeyId"], secret or keys["SecretAccessKey"])
    (SigV4QueryAuth if query else SigV4Auth)(given, "execute-api", REGION).add_auth(request)
    headers = {} if query else {name: request.headers[name] for name in ("Authorization", "X-Amz-Date")}
    return {"uri": request.url.replace("http:", "ws:"), "additional_headers": headers}


def answer(**how: Any) -> tuple[int, dict[str, str]]:
    with pytest.raises(InvalidStatus) as refused:
        connect(**how)
    return refused.value.response.status_code, json.loads(refused.value.response.body)


def allow(client: Callable[..., Any], keys: dict[str, str], resource: str) -> None:
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client("iam").put_user_policy(UserName=keys["UserName"], PolicyName="own", PolicyDocument=document)


class TestConnect:
    def test_needs_a_policy(
        self, node: Any, client: Callable[..., Any], api: str, keys: dict[str, str]
    ) -> None:
        url = plain_url(node, api)
        status, body = answer(**signed(url, keys))
        assert status == 403 and body["Message"] == (
            f"User: arn:aws:iam::{ACCOUNT}:user/{keys['UserName']} is not authorized to perform: execute-api:Invoke"
            f" on resource: arn:aws:execute-api:{REGION}:********{ACCOUNT[-4:]}:{api}/dev/$connect because no"
            " identity-based policy allows the execute-api:Invoke action"
        )
        allow(client, keys, f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/dev/*")
        for query in (False, True):
            with connect(**signed(url, keys, query)):
                pass

    def test_needs_the_right_secret(
        self, node: Any, client: Callable[..., Any], api: str, keys: dict[str, str]
    ) -> None:
        allow(client, keys, "*")
        status, body = answer(**signed(plain_url(node, api), keys, secret="guess"))
        assert status == 403 and "signature we calculated does not match" in body["message"]
        assert answer(uri=plain_url(node, api)) == (403, {"message": "Missing Authentication Token"})
