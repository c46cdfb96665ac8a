"""Bodies in signed pieces, as a user with keys sends them: each piece's signature counts."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.harness import REGION

EMPTY = hashlib.sha256(b"").hexdigest()


@pytest.fixture
def keys(client: Callable[..., Any], unique: Callable[[str], str]) -> dict[str, str]:
    iam, name = client("iam"), unique("uploader")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
    made: dict[str, str] = iam.create_access_key(UserName=name)["AccessKey"]
    return made


@pytest.fixture
def bucket(client: Callable[..., Any], unique: Callable[[str], str]) -> str:
    name = unique("pieces")
    client("s3").create_bucket(Bucket=name)
    return name


class Upload:
    """One PUT in signed chunks, made by hand after the S3 API Reference's "Signature calculations: chunked upload"."""

    def __init__(self, node: Any, keys: dict[str, str], path: str, *, trailer: bool) -> None:
        self.trailer = trailer
        self.port, self.path = node.port, path
        kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
        large = 1_200_000 if trailer else 70_000  # what is large is streamed
        self.pieces = [b"a" * large, b"b" * 1_000, b""]
        self.headers = {
            "host": f"127.0.0.1:{node.port}",
            "x-amz-content-sha256": kind,
            "x-amz-decoded-content-length": str(sum(map(len, self.pieces))),
            "content-encoding": "aws-chunked",
        }
        if trailer:
            self.headers["x-amz-trailer"] = "x-amz-meta-end"
        request = AWSRequest("PUT", f"http://{self.headers['host']}{path}", headers=dict(self.headers))
        secret = keys["SecretAccessKey"]
        request.context["payload_signing_enabled"] = True
        auth = Given(Credentials(keys["AccessKeyId"], secret), "s3", REGION)
        auth.kind = kind
        auth.add_auth(request)
        self.headers |= {name: request.headers[name] for name in ("Authorization", "X-Amz-Date")}
        self.date = request.headers["X-Amz-Date"]
        self.last = request.headers["Authorization"].rpartition("Signature=")[2]
        self.key = f"AWS4{secret}".encode()
        for part in (self.date[:8], REGION, "s3", "aws4_request"):
            self.key = hmac.digest(self.key, part.encode(), "sha256")

    def sign(self, *lines: str, kind: str) -> str:
        scope = f"{self.date[:8]}/{REGION}/s3/aws4_request"
        text = "\n".join((f"AWS4-HMAC-SHA256-{kind}", self.date, scope, self.last, *lines))
        self.last = hmac.digest(self.key, text.encode(), "sha256").hex()
        return self.last

    def body(self, change: Callable[[int, bytes], bytes]) -> bytes:
        out = b""
        for number, piece in enumerate(self.pieces):
            signature = self.sign(EMPTY, hashlib.sha256(piece).hexdigest(), kind="PAYLOAD")
            sent = change(number, piece)
            out += f"{len(sent):x};chunk-signature={signature}\r\n".encode() + sent
            out += b"\r\n" if piece or not self.trailer else b""
        if self.trailer:
            digest = hashlib.sha256(b"x-amz-meta-end:yes\n").hexdigest()
            signature = self.sign(digest, kind="TRAILER")
            value = change(len(self.pieces), b"yes")
            out += b"x-amz-meta-end:" + value + f"\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()
        return out

    def send(self, change: Callable[[int, bytes], bytes] = lambda number, piece: piece) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("PUT", self.path, self.body(change), self.headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body


class Given(S3SigV4Auth):
    kind = ""

    def payload(self, request: Any) -> str:
        return self.kind


@pytest.mark.node_only
@pytest.mark.parametrize("trailer", [False, True])
class TestChunks:
    def test_arrive_as_they_were_signed(
        self, node: Any, client: Callable[..., Any], keys: dict[str, str], bucket: str, trailer: bool
    ) -> None:
        upload = Upload(node, keys, f"/{bucket}/key", trailer=trailer)
        assert upload.send() == (200, b"")
        assert client("s3").get_object(Bucket=bucket, Key="key")["Body"].read() == b"".join(upload.pieces)

    @pytest.mark.parametrize("which", [0, 1])
    def test_one_that_was_changed_is_refused(
        self,
        node: Any,
        client: Callable[..., Any],
        keys: dict[str, str],
        bucket: str,
        trailer: bool,
        which: int,
    ) -> None:
        upload = Upload(node, keys, f"/{bucket}/changed", trailer=trailer)
        status, body = upload.send(lambda number, piece: piece[:-1] + b"!" if number == which else piece)
        assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in body
        assert client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.node_only
def test_a_trailer_that_was_changed_is_refused(node: Any, keys: dict[str, str], bucket: str) -> None:
    upload = Upload(node, keys, f"/{bucket}/key", trailer=True)
    status, body = upload.send(lambda number, piece: b"no" if number == 3 else piece)
    assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in body
