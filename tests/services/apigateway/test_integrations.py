"""MOCK, HTTP, HTTP_PROXY and AWS integrations with their templates, responses and parameters."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.harness import eventually

from .conftest import Api, Gateway, uri_of

pytestmark = pytest.mark.node_only


class Backend:
    """An HTTP server that notes what it gets and answers `status`, `body`."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 200
        self.body = b'{"from":"backend"}'
        self.hold: threading.Event | None = None
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                backend.got.append(
                    {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body}
                )
                if backend.hold is not None:
                    backend.hold.wait(20)
                self.send_response(backend.status)
                self.send_header("X-From", "backend")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(backend.body), backend.body))

            do_GET = do_PUT = do_POST

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def backend() -> Iterator[Backend]:
    backend = Backend()
    thread = threading.Thread(target=backend.server.serve_forever)
    thread.start()
    yield backend
    if backend.hold is not None:
        backend.hold.set()
    backend.server.shutdown()
    thread.join()
    backend.server.server_close()


def made(gateway: Gateway, response: dict[str, Any] | None = None, **integration: Any) -> Api:
    """An API whose `$default` has this integration, with an integration response, and answers."""
    api = gateway.api()
    id = gateway.integrate(api, **integration)
    for key, options in (response or {}).items():
        gateway.control.create_integration_response(
            ApiId=api.id, IntegrationId=id, IntegrationResponseKey=key, **options
        )
    gateway.route(api, "$default", id, answers=True)
    return gateway.stage(api, StageVariables={"colour": "blue"})


def role_that_may(node: Any, name: str, action: str) -> str:
    """A role for API Gateway: actions of services other than Lambda are done as one."""
    iam = node.client("iam")

    def document(**statement: Any) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})

    trust = document(Action="sts:AssumeRole", Principal={"Service": "apigateway.amazonaws.com"})
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(Action=action, Resource="*"))
    return arn


class TestMock:
    def test_a_template_answers(self, gateway: Gateway) -> None:
        template = (
            '{"connection":"$context.connectionId","route":"$context.routeKey","colour":"$stageVariables.colour",'
            '"method":"$context.eventType"}'
        )
        api = made(
            gateway,
            {"$default": {"ResponseTemplates": {"$default": template}}},
            IntegrationType="MOCK",
            RequestTemplates={"$default": '{"statusCode":200}'},
        )
        with api.socket() as socket:
            answer = api.ask(socket, hello=1)
        assert len(answer.pop("connection")) == 16
        assert answer == {"route": "$default", "colour": "blue", "method": "MESSAGE"}

    def test_the_status_selects_the_response(self, gateway: Gateway) -> None:
        api = made(
            gateway,
            {
                "/4\\d\\d/": {"ResponseTemplates": {"$default": '{"is":"bad"}'}},
                "$default": {"ResponseTemplates": {"$default": '{"is":"good"}'}},
            },
            IntegrationType="MOCK",
            TemplateSelectionExpression="${request.body.want}",
            RequestTemplates={"bad": '{"statusCode":404}', "$default": '{"statusCode":200}'},
        )
        with api.socket() as socket:
            assert api.ask(socket, want="bad") == {"is": "bad"}
            assert api.ask(socket, want="other") == {"is": "good"}
            assert api.ask(socket) == {"is": "good"}

    def test_a_mock_connect_refuses_with_its_status(self, gateway: Gateway) -> None:
        api = gateway.api()
        mock = gateway.integrate(
            api,
            IntegrationType="MOCK",
            TemplateSelectionExpression="200",
            RequestTemplates={
                "200": "{\"statusCode\": #if($input.params('key') == 'right') 200 #else 403 #end}"
            },
        )
        gateway.route(api, "$connect", mock)
        gateway.stage(api)
        with api.socket("key=right"):
            pass
        with pytest.raises(InvalidStatus) as refused, api.socket("key=wrong"):
            pass
        assert refused.value.response.status_code == 403

    def test_a_broken_template_is_an_error_frame(self, gateway: Gateway) -> None:
        api = made(gateway, IntegrationType="MOCK", RequestTemplates={"$default": "#if($x"})
        with api.socket() as socket:
            assert api.ask(socket)["message"] == "Internal server error"


class TestHttpProxy:
    def test_the_body_goes_and_the_answer_comes_as_they_are(self, gateway: Gateway, backend: Backend) -> None:
        api = made(
            gateway,
            IntegrationType="HTTP_PROXY",
            IntegrationMethod="PUT",
            IntegrationUri=backend.url + "/in/${stageVariables.colour}?a=1",
            RequestParameters={
                "integration.request.header.Connection-Id": "context.connectionId",
                "integration.request.header.Static": "'text'",
                "integration.request.querystring.word": "route.request.body.word",
            },
        )
        with api.socket() as socket:
            assert api.ask(socket, word="hi") == {"from": "backend"}
        got = backend.got[0]
        assert (got["method"], got["path"]) == ("PUT", "/in/blue?a=1&word=hi")
        assert json.loads(got["body"]) == {"word": "hi"}
        assert len(got["headers"]["Connection-Id"]) == 16
        assert got["headers"]["Static"] == "text"
        assert got["headers"]["User-Agent"] == f"AmazonAPIGateway_{api.id}"

    def test_its_status_refuses_a_connect(self, gateway: Gateway, backend: Backend) -> None:
        api = gateway.api()
        integration = gateway.integrate(
            api, IntegrationType="HTTP_PROXY", IntegrationMethod="POST", IntegrationUri=backend.url
        )
        gateway.route(api, "$connect", integration)
        gateway.stage(api)
        with api.socket("a=1"):
            assert backend.got[0]["path"] == "/?a=1"
        backend.status = 401
        with pytest.raises(InvalidStatus) as refused, api.socket():
            pass
        assert refused.value.response.status_code == 401

    @pytest.mark.parametrize(
        "uri",
        ["http://127.0.0.1:1/", "http://127.0.0.1:99999/", "http://[::1/", f"http://{'x' * 64}.localhost/"],
    )
    def test_a_backend_that_is_not_there_is_an_error_frame(self, gateway: Gateway, uri: str) -> None:
        api = made(gateway, IntegrationType="HTTP_PROXY", IntegrationMethod="POST", IntegrationUri=uri)
        with api.socket() as socket:
            assert api.ask(socket)["message"] == "Internal server error"

    def test_a_backend_that_is_late_is_given_up(self, gateway: Gateway, backend: Backend) -> None:
        backend.hold = threading.Event()
        api = made(
            gateway,
            IntegrationType="HTTP_PROXY",
            IntegrationMethod="POST",
            IntegrationUri=backend.url,
            TimeoutInMillis=100,
        )
        with api.socket() as socket:
            assert api.ask(socket)["message"] == "Endpoint request timed out"
            backend.hold.set()
            backend.hold = None
            assert eventually(lambda: api.ask(socket) == {"from": "backend"})


class TestHttp:
    def test_request_and_response_templates(self, gateway: Gateway, backend: Backend) -> None:
        backend.status = 201
        api = made(
            gateway,
            {
                "/201/": {
                    "ResponseTemplates": {
                        "$default": '{"said":$input.json("$.from"),"upper":"$input.path("$.from").toUpperCase()"}'
                    }
                }
            },
            IntegrationType="HTTP",
            IntegrationMethod="POST",
            IntegrationUri=backend.url,
            RequestTemplates={
                "$default": '{"text":"$util.escapeJavaScript($input.path("$.items[0].name"))","all":$input.json("$")}'
            },
        )
        with api.socket() as socket:
            answer = api.ask(socket, items=[{"name": 'a "b"'}])
        assert json.loads(backend.got[0]["body"]) == {
            "text": 'a "b"',
            "all": {"items": [{"name": 'a "b"'}]},
        }
        assert answer["said"] == "backend"

    @pytest.mark.parametrize(
        ("behaviour", "templates", "passes"),
        [
            ("WHEN_NO_MATCH", {}, True),
            ("WHEN_NO_MATCH", {"other": "x"}, True),
            ("WHEN_NO_TEMPLATES", {}, True),
            ("WHEN_NO_TEMPLATES", {"other": "x"}, False),
            ("NEVER", {}, False),
        ],
    )
    def test_passthrough(
        self, gateway: Gateway, backend: Backend, behaviour: str, templates: dict[str, str], passes: bool
    ) -> None:
        api = made(
            gateway,
            IntegrationType="HTTP",
            IntegrationMethod="POST",
            IntegrationUri=backend.url,
            PassthroughBehavior=behaviour,
            RequestTemplates=templates,
        )
        with api.socket() as socket:
            answer = api.ask(socket, a=1)
        assert (answer == {"from": "backend"}) is passes
        assert passes or answer["message"] == "Unsupported Media Type"

    def test_base64_text_becomes_binary_on_the_way_in_and_text_again(
        self, gateway: Gateway, backend: Backend
    ) -> None:
        backend.body = b"\x00\xff"
        api = made(
            gateway,
            {"$default": {"ContentHandlingStrategy": "CONVERT_TO_TEXT"}},
            IntegrationType="HTTP",
            IntegrationMethod="POST",
            IntegrationUri=backend.url,
            ContentHandlingStrategy="CONVERT_TO_BINARY",
        )
        with api.socket() as socket:
            socket.send("AAEC")
            assert socket.recv(timeout=10) == "AP8="
        assert backend.got[0]["body"] == b"\x00\x01\x02"


class TestAws:
    def test_a_function_gets_the_templates_output(self, gateway: Gateway) -> None:
        api = made(
            gateway,
            {"$default": {"ResponseTemplates": {"$default": '{"got":$input.json("$.a")}'}}},
            IntegrationType="AWS",
            IntegrationUri=uri_of(gateway.function),
            RequestTemplates={
                "$default": '{"requestContext":{"eventType":"MESSAGE"},'
                '"body":"{\\"give\\":{\\"a\\":$input.json("$.n")}}"}'
            },
        )
        with api.socket() as socket:
            assert api.ask(socket, n=5) == {"got": 5}

    def test_a_services_action(self, gateway: Gateway, unique: Any) -> None:
        dynamodb = gateway.node.client("dynamodb")
        table = unique("gateway")
        dynamodb.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        template = '{"TableName":"%s","Item":{"id":{"S":"$context.connectionId"},"text":{"S":$input.json("$.text")}}}'
        api = made(
            gateway,
            {"/200/": {"ResponseTemplates": {"$default": '{"stored":true}'}}},
            IntegrationType="AWS",
            IntegrationUri="arn:aws:apigateway:us-east-1:dynamodb:action/PutItem",
            CredentialsArn=role_that_may(gateway.node, unique("storing"), "dynamodb:PutItem"),
            RequestTemplates={"$default": template % table},
        )
        with api.socket() as socket:
            assert api.ask(socket, text="hi") == {"stored": True}
        items = dynamodb.scan(TableName=table)["Items"]
        assert [item["text"] for item in items] == [{"S": "hi"}]
        dynamodb.delete_table(TableName=table)
