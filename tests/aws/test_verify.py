"""Signatures made by botocore, verified."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloudlet.aws import sigv4, verify
from cloudlet.net.messages import Request

HOST = "http://localhost:4566"
KEYS = Credentials("AKIAEXAMPLE", "secret", "token")


def sent(request: AWSRequest) -> Request:
    """The request as it would come over the wire."""
    prepared = request.prepare()
    url = urlsplit(prepared.url)
    made = Request()
    made.method, made.path, made.query = prepared.method, url.path or "/", url.query
    pairs = prepared.headers.items()
    made.headers = {
        name.lower(): value if isinstance(value, str) else value.decode() for name, value in pairs
    }
    made.headers.setdefault("host", url.netloc)
    body: Any = prepared.body or b""
    made.body = body.encode() if isinstance(body, str) else body
    return made


def signed(signer: Any, service: str, method: str, path: str, body: bytes = b"", **headers: str) -> Request:
    request = AWSRequest(
        method, HOST + path, {name.replace("_", "-"): text for name, text in headers.items()}, body
    )
    signer(KEYS, service, "eu-west-1").add_auth(request)
    return sent(request)


REQUESTS = {
    "json": signed(SigV4Auth, "dynamodb", "POST", "/", b"{}", X_Amz_Target="DynamoDB_20120810.ListTables"),
    "rest": signed(
        SigV4Auth, "lambda", "POST", "/2015-03-31/functions/arn%3Aaws/invocations?b=a%20b&B=1", b"{}"
    ),
    "spaces": signed(SigV4Auth, "lambda", "POST", "/a", b"{}", X_Amz_Client_Context="a   b  "),
    "connections": signed(SigV4Auth, "execute-api", "POST", "/dev/@connections/abc%3D", b"hello"),
    "object": signed(
        S3SigV4Auth, "s3", "PUT", "/b/k%20k/%C3%A4?x-id=PutObject&acl", b"data", Content_Type="text/plain"
    ),
}
PRESIGNED = {
    "object": signed(S3SigV4QueryAuth, "s3", "GET", "/b/k%20k?versionId=1"),
    "socket": signed(SigV4QueryAuth, "execute-api", "GET", "/dev?room=a%2Fb"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_header(name: str) -> None:
    request = REQUESTS[name]
    signature = sigv4.read_header(request.headers["authorization"], True)
    verify.check(request, signature, "secret")
    with pytest.raises(verify.Mismatch):
        verify.check(request, signature, "another")


@pytest.mark.parametrize("name", PRESIGNED)
def test_a_presigned_query(name: str) -> None:
    request = PRESIGNED[name]
    signature = sigv4.read_query(request.query)
    verify.check(request, signature, "secret")
    request.query += "&more=1"
    with pytest.raises(verify.Mismatch):
        verify.check(request, signature, "secret")


@pytest.mark.parametrize("part", ["method", "path", "query", "body", "header"])
def test_whatever_is_changed_on_the_way_is_noticed(part: str) -> None:
    request = signed(SigV4Auth, "lambda", "POST", "/a?b=c", b"{}")
    signature = sigv4.read_header(request.headers["authorization"], True)
    if part == "body":
        request.body = b"{ }"
    elif part == "header":
        request.headers["x-amz-security-token"] = "another"
    else:
        setattr(request, part, {"method": "PUT", "path": "/b", "query": "b=d"}[part])
    with pytest.raises(verify.Mismatch):
        verify.check(request, signature, "secret")


def test_a_presigned_query_of_version_2() -> None:
    request = AWSRequest("GET", f"{HOST}/b/k%20k?versionId=1", {}, b"", auth_path="/b/k%20k")
    HmacV1QueryAuth(Credentials("AKIAEXAMPLE", "secret"), 60).add_auth(request)
    made = sent(request)
    signature = sigv4.read_old_query(made.query)
    verify.check(made, signature, "secret")
    made.path = "/b/other"
    with pytest.raises(verify.Mismatch):
        verify.check(made, signature, "secret")


def test_the_chunks_of_a_body() -> None:
    """The example of "Signature calculations for the Authorization header: Transferring payload in multiple chunks"."""
    request = Request()
    request.method, request.path = "PUT", "/examplebucket/chunkObject.txt"
    request.headers = {"x-amz-date": "20130524T000000Z"}
    seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    signature = sigv4.Signature("AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1", "s3", (), seed)
    chunks = verify.Chunks(request, signature, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    pieces = [
        (b"a" * 65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (b"a" * 1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (b"", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ]
    for body, given in pieces:
        assert chunks.fits(sha256(body).hexdigest(), given)
    assert not chunks.fits(verify.EMPTY, pieces[-1][1])
