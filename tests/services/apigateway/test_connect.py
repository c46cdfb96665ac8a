"""$connect: who gets in, what the function sees, what the client sees when it doesn't."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from .conftest import Api, Gateway, uri_of

pytestmark = pytest.mark.node_only


def told(**what: Any) -> str:
    return "told=" + quote(json.dumps(what))


def refused(api: Api, query: str = "", **options: Any) -> Any:
    """The response to a handshake that must not succeed."""
    with pytest.raises(InvalidStatus) as failure, api.socket(query, **options):
        pass
    return failure.value.response


class TestConnect:
    def test_the_event_has_the_shape_of_aws(self, gateway: Gateway) -> None:
        api = gateway.usual(StageVariables={"colour": "blue"})
        with api.socket("a=1&a=2&b=", additional_headers={"X-Mine": "yes"}, user_agent_header="tester"):
            event = api.event("CONNECT")
        context = event["requestContext"]
        assert event["headers"]["X-Mine"] == "yes"
        assert event["headers"]["X-Forwarded-Proto"] == "http"
        assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"
        assert event["headers"]["Host"] == context["domainName"]
        assert {"Sec-WebSocket-Key", "Sec-WebSocket-Version", "X-Forwarded-Port"} <= event["headers"].keys()
        assert not {"Connection", "Upgrade"} & event["headers"].keys()
        assert event["multiValueHeaders"]["X-Mine"] == ["yes"]
        assert event["queryStringParameters"] == {"a": "2", "b": ""}
        assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": [""]}
        assert event["stageVariables"] == {"colour": "blue"}
        assert event["isBase64Encoded"] is False
        assert "body" not in event
        assert context["routeKey"] == "$connect"
        assert context["eventType"] == "CONNECT"
        assert context["messageDirection"] == "IN"
        assert context["stage"] == "prod"
        assert context["identity"] == {"userAgent": "tester", "sourceIp": "127.0.0.1"}
        assert context["domainName"] == f"{api.id}.execute-api.us-east-1.amazonaws.com"
        assert context["apiId"] == api.id
        assert context["requestId"] == context["extendedRequestId"]
        assert len(context["connectionId"]) == 16 and context["connectionId"].endswith("=")
        assert context["connectedAt"] <= context["requestTimeEpoch"]
        assert context["requestTime"].endswith(" +0000")
        assert "messageId" not in context

    def test_without_a_query_string_there_are_no_parameters(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket():
            assert "queryStringParameters" not in api.event("CONNECT")

    def test_without_a_connect_route_everybody_gets_in(self, gateway: Gateway) -> None:
        api = gateway.usual("$default")
        with api.socket() as socket:
            assert api.ask(socket, hello=1)["route"] == "$default"

    def test_a_function_that_returns_nothing_lets_in(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket(told(give=None)) as socket:
            assert api.ask(socket)["route"] == "$default"

    @pytest.mark.parametrize("status", [301, 401, 403, 501])
    def test_the_status_of_the_function_refuses(self, gateway: Gateway, status: int) -> None:
        api = gateway.usual()
        response = refused(api, told(give={"statusCode": status, "body": "not you"}))
        assert response.status_code == status
        assert response.body == b"not you"
        assert not api.events("DISCONNECT")

    def test_a_function_that_fails_refuses_with_502(self, gateway: Gateway) -> None:
        api = gateway.usual()
        response = refused(api, told(fail="no"))
        assert response.status_code == 502
        assert json.loads(response.body)["message"] == "Internal server error"

    def test_what_is_no_proxy_response_refuses_with_502(self, gateway: Gateway) -> None:
        assert refused(gateway.usual(), told(give={"statusCode": "soon"})).status_code == 502

    @pytest.mark.parametrize(
        "give",
        [
            {"statusCode": 403, "headers": {"X-Told": "a\r\nSet-Cookie: b"}},
            {"statusCode": 403, "headers": {"no name": "x"}},
            {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "a\r\nb"}},
            {"statusCode": 101},
        ],
    )
    def test_what_http_cannot_say_refuses_with_502(self, gateway: Gateway, give: dict[str, Any]) -> None:
        assert refused(gateway.usual(), told(give=give)).status_code == 502

    def test_a_function_that_is_not_there_refuses_with_500(self, gateway: Gateway) -> None:
        api = gateway.api()
        uri = uri_of("arn:aws:lambda:us-east-1:000000000000:function:none")
        gateway.route(
            api, "$connect", gateway.integrate(api, IntegrationType="AWS_PROXY", IntegrationUri=uri)
        )
        assert refused(gateway.stage(api)).status_code == 500

    def test_an_unknown_api_or_stage_is_forbidden(self, gateway: Gateway) -> None:
        api = gateway.usual()
        for id, stage in ((api.id, "other"), ("nosuchapi0", "prod")):
            response = refused(Api(api.control, api.node, id, stage, api.events_file))
            assert response.status_code == 403
            assert json.loads(response.body) == {"message": "Forbidden"}

    def test_a_plain_request_must_upgrade(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with pytest.raises(urllib.error.HTTPError) as failure:
            urllib.request.urlopen(api.node.endpoint + api.path)
        assert failure.value.code == 426
        failure.value.close()

    def test_a_required_parameter_that_is_missing_is_400(self, gateway: Gateway) -> None:
        api = gateway.api()
        required = {"route.request.querystring.room": {"Required": True}}
        gateway.route(api, "$connect", gateway.integrate(api), RequestParameters=required)
        gateway.stage(api)
        response = refused(api)
        assert response.status_code == 400
        assert json.loads(response.body) == {"message": "Missing required request parameters: [room]"}
        with api.socket("room=1"):
            pass

    def test_iam_wants_a_signature(self, gateway: Gateway) -> None:
        api = gateway.api()
        gateway.route(api, "$connect", gateway.integrate(api), AuthorizationType="AWS_IAM")
        gateway.stage(api)
        assert refused(api).status_code == 403
        signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/execute-api/aws4_request, "
                  "SignedHeaders=host, Signature=00", "X-Amz-Date": "20260101T000000Z"}  # fmt: skip
        with api.socket(additional_headers=signed):
            pass


class TestSubprotocols:
    def test_the_function_chooses(self, gateway: Gateway) -> None:
        api = gateway.usual()
        give = {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "chat.v2"}}
        with api.socket(told(give=give), subprotocols=["chat.v1", "chat.v2"]) as socket:
            assert socket.subprotocol == "chat.v2"
            assert api.event("CONNECT")["headers"]["Sec-WebSocket-Protocol"] == "chat.v1, chat.v2"

    def test_without_a_choice_the_handshake_goes_on(self, gateway: Gateway) -> None:
        with gateway.usual().socket(subprotocols=["chat.v1"]) as socket:
            assert socket.subprotocol is None


class TestHosts:
    @pytest.mark.parametrize(
        "domain", ["us-east-1.amazonaws.com", "us-east-1.localhost", "localhost.localstack.cloud"]
    )
    def test_an_api_is_reached_by_its_host_name(self, gateway: Gateway, domain: str) -> None:
        api = gateway.usual()
        raw = socket.create_connection(("127.0.0.1", api.node.port))
        with connect(f"ws://{api.id}.execute-api.{domain}:{api.node.port}/prod", sock=raw) as client:
            assert api.ask(client)["route"] == "$default"

    def test_the_real_name_over_tls(self, gateway: Gateway) -> None:
        api = gateway.usual()
        with api.socket():
            api.event("CONNECT")  # workers get the authority's certificate, so it exists from now on
        trust = ssl.create_default_context(cafile=str(api.node.data / "tls" / "ca.pem"))
        raw = socket.create_connection(("127.0.0.1", api.node.port))
        with connect(
            f"wss://{api.id}.execute-api.us-east-1.amazonaws.com/prod", sock=raw, ssl=trust
        ) as client:
            assert api.ask(client)["route"] == "$default"
        assert api.event("CONNECT")["headers"]["X-Forwarded-Proto"] == "https"
        assert api.event("CONNECT")["headers"]["X-Forwarded-Port"] == "443"
