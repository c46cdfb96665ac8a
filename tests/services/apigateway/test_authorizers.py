"""REQUEST authorizers on $connect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.harness import let_gateway, python_function

from .conftest import Api, Gateway, uri_of

pytestmark = pytest.mark.node_only

SOURCE = """
import json, os

def handler(event, context):
    with open(os.environ["EVENTS"], "a") as file:
        file.write(json.dumps(event) + "\\n")
    token = event["headers"].get("Auth", "")
    if token == "who?":
        raise Exception("Unauthorized")
    if token == "broken":
        raise Exception("boo")
    if token == "strange":
        return {"principalId": "me"}
    if token == "nested":
        return answer("Allow", event["methodArn"], {"a": {"b": 1}})
    if token == "nothing":
        return answer("Allow", "arn:aws:execute-api:*:*:other/*")
    effect = "Deny" if token == "deny" else "Allow"
    return answer(effect, event["methodArn"].rpartition("/")[0] + "/*", {"name": token, "number": 7, "flag": True})

def answer(effect, resource, context=None):
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "me", "policyDocument": policy, "context": context or {}}
"""


@pytest.fixture(scope="module")
def authorizer(node: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    events = tmp_path_factory.mktemp("authorizer") / "events.jsonl"
    environment = {"Variables": {"EVENTS": str(events)}}
    with python_function(node.client("lambda"), "gateway-authorizer", SOURCE, Environment=environment) as arn:
        let_gateway(node.client("lambda"), arn)
        yield arn, events


@pytest.fixture
def guarded(gateway: Gateway, authorizer: tuple[str, Path]) -> Api:
    return guard(gateway, authorizer[0])


def guard(gateway: Gateway, function: str, **options: Any) -> Api:
    api = gateway.api()
    options.setdefault("IdentitySource", ["route.request.header.Auth"])
    made = gateway.control.create_authorizer(
        ApiId=api.id, Name="guard", AuthorizerType="REQUEST", AuthorizerUri=uri_of(function), **options
    )
    integration = gateway.integrate(api)
    gateway.route(api, "$connect", integration, AuthorizationType="CUSTOM", AuthorizerId=made["AuthorizerId"])
    gateway.route(api, "$disconnect", integration)
    gateway.route(api, "$default", integration, answers=True)
    return gateway.stage(api, StageVariables={"level": "high"})


def knock(api: Api, token: str | None, query: str = "") -> tuple[int, Any]:
    """Status and body of the handshake's answer; 101 when it is let in."""
    headers = {} if token is None else {"Auth": token}
    try:
        with api.socket(query, additional_headers=headers):
            return 101, None
    except InvalidStatus as error:
        return error.response.status_code, json.loads(error.response.body)


class TestVerdicts:
    def test_allow_lets_in_and_its_context_is_in_every_event(self, guarded: Api) -> None:
        with guarded.socket(additional_headers={"Auth": "ann"}) as socket:
            guarded.ask(socket)
        for kind in ("CONNECT", "MESSAGE", "DISCONNECT"):
            context = guarded.event(kind)["requestContext"]["authorizer"]
            assert context.pop("integrationLatency") >= 0
            assert context == {"principalId": "me", "name": "ann", "number": "7", "flag": "true"}

    def test_the_function_sees_the_whole_request(self, guarded: Api, authorizer: tuple[str, Path]) -> None:
        assert knock(guarded, "ann", "a=1")[0] == 101
        event = json.loads(authorizer[1].read_text().splitlines()[-1])
        assert event["type"] == "REQUEST"
        assert event["methodArn"] == f"arn:aws:execute-api:us-east-1:000000000000:{guarded.id}/prod/$connect"
        assert event["headers"]["Auth"] == "ann"
        assert event["headers"]["Upgrade"] == "websocket"
        assert event["queryStringParameters"] == {"a": "1"}
        assert event["stageVariables"] == {"level": "high"}
        assert event["requestContext"]["eventType"] == "CONNECT"

    @pytest.mark.parametrize(
        ("token", "status", "body"),
        [
            (None, 401, {"message": "Unauthorized"}),
            ("", 401, {"message": "Unauthorized"}),
            ("who?", 401, {"message": "Unauthorized"}),
            (
                "deny",
                403,
                {"Message": "User is not authorized to access this resource with an explicit deny"},
            ),
            ("nothing", 403, {"Message": "User is not authorized to access this resource"}),
            ("broken", 500, {"message": "Internal server error"}),
            ("strange", 500, {"message": "Internal server error"}),
            ("nested", 500, {"message": "Internal server error"}),
        ],
    )
    def test_who_is_not_let_in_hears_why(
        self, guarded: Api, token: str | None, status: int, body: dict[str, str]
    ) -> None:
        assert knock(guarded, token) == (status, body)
        assert not guarded.events("CONNECT")


class TestIdentity:
    def test_every_source_must_be_there(self, gateway: Gateway, authorizer: tuple[str, Path]) -> None:
        sources = ["route.request.header.Auth", "route.request.querystring.room", "stageVariables.level",
                   "context.identity.sourceIp"]  # fmt: skip
        api = guard(gateway, authorizer[0], IdentitySource=sources)
        assert knock(api, "ann")[0] == 401
        assert knock(api, "ann", "room=1")[0] == 101

    def test_results_are_remembered_for_their_time(
        self, gateway: Gateway, authorizer: tuple[str, Path]
    ) -> None:
        api = guard(gateway, authorizer[0], AuthorizerResultTtlInSeconds=300)

        def asked() -> int:
            lines = authorizer[1].read_text().splitlines() if authorizer[1].exists() else []
            return sum(api.id in line for line in lines)

        assert [knock(api, "ann")[0], knock(api, "ann")[0], asked()] == [101, 101, 1]
        assert [knock(api, "bob")[0], asked()] == [101, 2]
        gateway.control.reset_authorizers_cache(ApiId=api.id, StageName="prod")
        assert [knock(api, "ann")[0], asked()] == [101, 3]
        gateway.node.advance(301)
        assert [knock(api, "ann")[0], asked()] == [101, 4]

    def test_without_a_time_they_are_asked_for_each_time(
        self, guarded: Api, authorizer: tuple[str, Path]
    ) -> None:
        for _ in range(2):
            assert knock(guarded, "ann")[0] == 101
        assert sum(guarded.id in line for line in authorizer[1].read_text().splitlines()) == 2
