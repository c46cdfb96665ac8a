"""Over a real socket: whatever is wrong with a request, the service says so in its own form, the connection lives."""

from __future__ import annotations

import http.client
import json
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.aws.kit import authorization

pytestmark = pytest.mark.node_only
JSON = "application/x-amz-json-1.0"
FORM = "application/x-www-form-urlencoded"


class Wire:
    """One connection, kept for several requests."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self._connection.connect()
        self._socket = self._connection.sock

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> http.client.HTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("x-amz-date", "20260101T000000Z")
        self._connection.request(method, path, body, named)
        response = self._connection.getresponse()
        self.body = response.read()
        assert self._connection.sock is self._socket, "the connection was closed"
        return response

    def dynamodb(self, operation: str, body: bytes, **headers: str) -> http.client.HTTPResponse:
        headers = {"content_type": JSON, "authorization": authorization("dynamodb"), **headers}
        return self.ask("POST", "/", body, x_amz_target=f"DynamoDB_20120810.{operation}", **headers)

    def sts(self, body: bytes, **headers: str) -> http.client.HTTPResponse:
        return self.ask("POST", "/", body, content_type=FORM, **headers)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def wire(node: Any) -> Iterator[Wire]:
    made = Wire(node.port)
    yield made
    assert made.dynamodb("ListTables", b"{}").status == 200, "the connection is not usable any more"
    made.close()


class TestJson:
    def test_an_answer_says_who_it_is(self, wire: Wire) -> None:
        response = wire.dynamodb("ListTables", b'{"Limit": 1}')
        assert response.status == 200
        assert response.headers["content-type"] == JSON
        assert len(response.headers["x-amzn-requestid"]) > 30
        assert response.headers["x-amz-crc32"] == str(zlib.crc32(wire.body))

    @pytest.mark.parametrize(
        "body", [b"{", b"", b'"\xff\xfe"', b'{"Limit": "x"}', b'{"ExclusiveStartTableName": 3}']
    )
    def test_unreadable(self, wire: Wire, body: bytes) -> None:
        assert wire.dynamodb("ListTables", body).status == 400
        assert json.loads(wire.body)["__type"] == "com.amazon.coral.service#SerializationException"

    def test_unknown_operation_and_target(self, wire: Wire) -> None:
        assert wire.dynamodb("Nope", b"{}").status == 400
        assert json.loads(wire.body)["__type"] == "com.amazon.coral.service#UnknownOperationException"
        wire.ask("POST", "/", b"{}", content_type=JSON, x_amz_target="What.Is.This")
        assert json.loads(wire.body)["message"] == "Cloudlet does not have the service 'what.is' yet"

    def test_a_service_that_is_not_here(self, wire: Wire) -> None:
        headers = {"authorization": authorization("kinesis"), "x_amz_target": "Kinesis_20131202.ListStreams"}
        assert wire.ask("POST", "/", b"{}", content_type=JSON, **headers).status == 501
        assert json.loads(wire.body)["message"] == "Cloudlet does not have the service 'kinesis' yet"

    def test_malformed_signature(self, wire: Wire) -> None:
        response = wire.dynamodb("ListTables", b"{}", authorization="AWS4-HMAC-SHA256 Credential=a")
        assert response.status == 400
        answer = json.loads(wire.body)
        assert answer["__type"] == "com.amazon.coral.service#IncompleteSignatureException"
        assert answer["message"].startswith("Authorization header requires 'Signature' parameter.")

    def test_another_scheme(self, wire: Wire) -> None:
        assert wire.dynamodb("ListTables", b"{}", authorization="Bearer x").status == 400
        assert (
            json.loads(wire.body)["__type"] == "com.amazon.coral.service#MissingAuthenticationTokenException"
        )


class TestQuery:
    def test_an_answer(self, wire: Wire) -> None:
        response = wire.sts(b"Action=GetCallerIdentity&Version=2011-06-15")
        assert (response.status, response.headers["content-type"]) == (200, "text/xml")
        assert f"<RequestId>{response.headers['x-amzn-requestid']}</RequestId>".encode() in wire.body

    def test_by_a_presigned_url(self, wire: Wire) -> None:
        query = (
            "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=123456789012%2F20260101%2Fus-east-1%2Fsts%2Faws4_request"
            "&X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=ab"
        )
        assert wire.ask("GET", f"/?{query}").status == 200
        assert b"<Account>123456789012</Account>" in wire.body

    def test_unknown_action(self, wire: Wire) -> None:
        headers = {"authorization": authorization("sts")}
        assert wire.sts(b"Action=Nope&Version=2011-06-15", **headers).status == 400
        assert b"<Code>InvalidAction</Code>" in wire.body
        assert b"Could not find operation Nope for version 2011-06-15" in wire.body

    @pytest.mark.parametrize("body", [b"\xff\xfe", b"Action=%ff", b"no form at all", b"&&&==="])
    def test_no_form(self, wire: Wire, body: bytes) -> None:
        assert wire.sts(body, authorization=authorization("sts")).status in (400, 404)
        assert b"<ErrorResponse" in wire.body

    def test_a_wrong_type(self, wire: Wire) -> None:
        body = b"Action=ListRoles&Version=2010-05-08&MaxItems=many"
        assert wire.sts(body, authorization=authorization("iam")).status == 400
        assert b"'many' can not be converted to Integer" in wire.body

    def test_a_list_where_a_text_is_meant(self, wire: Wire) -> None:
        body = b"Action=GetRole&Version=2010-05-08&RoleName.member.1=a"
        assert wire.sts(body, authorization=authorization("iam")).status == 400
        assert b"<Code>MalformedInput</Code>" in wire.body


class TestRest:
    def test_broken_json(self, wire: Wire) -> None:
        response = wire.ask(
            "POST",
            "/2015-03-31/functions",
            b"{",
            content_type="application/json",
            authorization=authorization("lambda"),
        )
        assert (response.status, response.headers["x-amzn-errortype"]) == (
            400,
            "InvalidRequestContentException",
        )

    def test_unknown_path(self, wire: Wire) -> None:
        response = wire.ask("GET", "/2015-03-31/nothing", authorization=authorization("lambda"))
        assert (response.status, response.headers["x-amzn-errortype"]) == (404, "UnknownOperationException")

    def test_no_aws_request(self, wire: Wire) -> None:
        assert wire.ask("GET", "/robots.txt").status == 404
        assert b"<Code>NoSuchBucket</Code>" in wire.body  # a path alone can only be a bucket's


@pytest.mark.parametrize(
    ("service", "size"), [("dynamodb", 16 * 1024 * 1024 + 1), ("lambda", 75 * 1024 * 1024 + 1)]
)
def test_a_body_over_the_limit_is_refused_before_it_comes(node: Any, service: str, size: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=10)
    path = "/2015-03-31/functions" if service == "lambda" else "/"
    connection.putrequest("POST", path)
    connection.putheader("Authorization", authorization(service))
    connection.putheader("X-Amz-Date", "20260101T000000Z")
    if service == "dynamodb":
        connection.putheader("X-Amz-Target", "DynamoDB_20120810.PutItem")
    connection.putheader("Content-Length", str(size))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    with closing(connection), closing(connection.getresponse()) as response:
        assert response.status == 413
        assert b"RequestEntityTooLargeException" in response.read() + str(response.headers).encode()
