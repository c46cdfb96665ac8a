"""Uploads by a browser's form, with the policy that boto3 makes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import assume, given
from hypothesis import strategies as st

from cloudlet.services.s3.forms import Form
from tests.harness import eventually

from .conftest import OPEN, ask
from .test_refusals import signed
from .test_uploads import parts_of

EDGE = "----edge"
LASTING = 50 * 365 * 86_400
"""Other tests move the node's clock, by which a policy ends."""


def form(fields: dict[str, str], file: bytes | None = b"content", name: str = "a b.txt") -> bytes:
    parts = [
        f'--{EDGE}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    if file is not None:
        head = f'--{EDGE}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        parts.append(f"{head}Content-Type: text/plain\r\n\r\n".encode() + file + b"\r\n")
    return b"".join(parts) + f"--{EDGE}--\r\n".encode()


def post(
    node: Any, bucket: str, fields: dict[str, str], file: bytes | None = b"content", **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    typed = {"Content_Type": f"multipart/form-data; boundary={EDGE}", **headers}
    return ask(node, "POST", f"/{bucket}", form(fields, file), **typed)


@pytest.fixture(params=["s3", "s3v4"])
def signing(request: pytest.FixtureRequest, client: Callable[..., Any]) -> Any:
    return client("s3", config=Config(signature_version=request.param))


class TestReading:
    @given(
        fields=st.dictionaries(
            st.text("abc-", min_size=1, max_size=5), st.text("x\r\n-é", max_size=20), max_size=4
        ),
        file=st.lists(
            st.sampled_from([b"\r\n", b"--", EDGE.encode(), b"\r\n--", b"x", bytes(100)]), max_size=12
        ).map(b"".join),
        step=st.integers(1, 200),
    )
    def test_is_the_same_however_it_comes(self, fields: dict[str, str], file: bytes, step: int) -> None:
        assume(f"\r\n--{EDGE}".encode() not in file)
        assume(not any(f"\r\n--{EDGE}" in value for value in fields.values()))
        data = form(fields, file)

        async def read() -> tuple[dict[str, str], bytes]:
            async def pieces() -> AsyncIterator[bytes]:
                for at in range(0, len(data), step):
                    yield data[at : at + step]

            reading = Form(pieces(), EDGE.encode())
            found = await reading.fields()
            return found, b"".join([piece async for piece in reading.file()])

        assert asyncio.run(read()) == (fields, file)


class TestPostObject:
    def test_as_promised(self, node: Any, s3: Any, signing: Any, bucket: str) -> None:
        more = {"Content-Type": "text/plain", "x-amz-meta-who": "me", "success_action_status": "201"}
        made = signing.generate_presigned_post(
            bucket,
            "up/${filename}",
            Fields=more,
            Conditions=[{name: value} for name, value in more.items()],
            ExpiresIn=LASTING,
        )
        status, body, headers = post(node, bucket, made["fields"])
        assert status == 201, body
        assert b"<Key>up/a b.txt</Key>" in body
        assert headers["location"].endswith(f"/{bucket}/up%2Fa%20b.txt")
        found = s3.get_object(Bucket=bucket, Key="up/a b.txt")
        assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (
            b"content",
            "text/plain",
            {"who": "me"},
        )
        assert found["ETag"] == headers["etag"]

    @pytest.mark.parametrize("where", ["path", "host"])
    def test_says_where_it_is(self, node: Any, s3: Any, bucket: str, where: str) -> None:
        """So does the end of an upload in parts, in the same way."""
        host = f"{bucket}.s3.localhost:{node.port}"
        headers, path = ({}, f"/{bucket}") if where == "path" else ({"Host": host}, "")
        wanted = f"http://{host}/a%2Fb%20c" if where == "host" else f"{node.endpoint}/{bucket}/a%2Fb%20c"
        fields = s3.generate_presigned_post(bucket, "a/b c", ExpiresIn=LASTING)["fields"]
        typed = {"Content_Type": f"multipart/form-data; boundary={EDGE}", **headers}
        assert ask(node, "POST", f"{path}/", form(fields), **typed)[2]["location"] == wanted
        id, parts = parts_of(s3, bucket, "a/b c", [b"x"])
        body = f"<C><Part><PartNumber>1</PartNumber><ETag>{parts[0]['ETag']}</ETag></Part></C>".encode()
        _, answer, _ = signed(node, "POST", f"{path}/a/b%20c?uploadId={id}", body, **headers)
        assert f"<Location>{wanted}</Location>".encode() in answer

    @pytest.mark.parametrize("name", ["x-amz-meta-a", "Content-Type", "success_action_redirect"])
    def test_headers_of_one_line(self, node: Any, s3: Any, bucket: str, name: str) -> None:
        given = {name: "http://a\r\nSet-Cookie: b"}
        made = s3.generate_presigned_post(bucket, "a", given, [["starts-with", f"${name}", ""]], LASTING)
        assert post(node, bucket, made["fields"])[0] == 400
        odd = s3.generate_presigned_post(bucket, "a", {"x-amz-meta-a: b": "1"}, [], LASTING)
        assert b"<Code>MalformedPOSTRequest</Code>" in post(node, bucket, odd["fields"])[1]
        assert "Contents" not in s3.list_objects_v2(Bucket=bucket)

    def test_a_large_file(self, node: Any, s3: Any, signing: Any, bucket: str) -> None:
        made = signing.generate_presigned_post(bucket, "large", ExpiresIn=LASTING)
        data = os.urandom(3_000_001).replace(EDGE.encode(), b"")
        assert post(node, bucket, made["fields"], data)[0] == 204
        assert s3.get_object(Bucket=bucket, Key="large")["Body"].read() == data

    @pytest.mark.node_only
    def test_that_is_cut_leaves_nothing(self, node: Any, s3: Any, signing: Any, bucket: str) -> None:
        fields = signing.generate_presigned_post(bucket, "cut", ExpiresIn=LASTING)["fields"]
        body = form(fields, os.urandom(3_000_000))
        head = (
            f"POST /{bucket} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: multipart/form-data; boundary={EDGE}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", node.port)) as browser:
            browser.sendall(head.encode() + body[:2_000_000])
            eventually(lambda: list((node.data / "s3" / "uploads").iterdir()))
        eventually(lambda: not list((node.data / "s3" / "uploads").iterdir()))
        assert "Contents" not in s3.list_objects_v2(Bucket=bucket)

    def test_then_another_page(self, node: Any, signing: Any, bucket: str) -> None:
        there = {"success_action_redirect": "http://localhost/done"}
        made = signing.generate_presigned_post(
            bucket, "a", Fields=there, Conditions=[there], ExpiresIn=LASTING
        )
        status, _, headers = post(node, bucket, made["fields"])
        assert (status, headers["location"].partition("&etag")[0]) == (
            303,
            f"http://localhost/done?bucket={bucket}&key=a",
        )

    @pytest.mark.parametrize(
        ("change", "conditions", "file", "wrong"),
        [
            (
                {"x-amz-meta-odd": "1"},
                [],
                b"x",
                "Invalid according to Policy: Extra input fields: x-amz-meta-odd",
            ),
            ({"key": "another"}, [], b"x", "Invalid according to Policy: Policy Condition failed: "),
            ({}, [["content-length-range", 2, 3]], b"x", "<Code>EntityTooSmall</Code>"),
            ({}, [["content-length-range", 2, 3]], b"xxxx", "<Code>EntityTooLarge</Code>"),
            ({"policy": "e30="}, [], b"x", "Invalid Policy: Policy missing expiration."),
            ({"policy": "nonsense"}, [], b"x", "Invalid Policy: Invalid JSON."),
            ({}, [], None, "POST requires exactly one file upload per request."),
        ],
    )
    def test_not_as_promised(
        self,
        node: Any,
        s3: Any,
        signing: Any,
        bucket: str,
        change: dict[str, str],
        conditions: list[Any],
        file: bytes | None,
        wrong: str,
    ) -> None:
        made = signing.generate_presigned_post(bucket, "a", Conditions=conditions, ExpiresIn=LASTING)
        status, body, _ = post(node, bucket, made["fields"] | change, file)
        assert (status in (400, 403), wrong.encode() in body) == (True, True), body
        assert "Contents" not in s3.list_objects_v2(Bucket=bucket)

    def test_until_it_expires(self, fresh_node: Callable[..., Any]) -> None:
        node = fresh_node()
        s3 = node.client("s3")
        s3.create_bucket(Bucket="bucket")
        made = s3.generate_presigned_post("bucket", "a", ExpiresIn=60)
        assert post(node, "bucket", made["fields"])[0] == 204
        node.advance(61)
        status, body, _ = post(node, "bucket", made["fields"])
        assert (status, b"Invalid according to Policy: Policy expired." in body) == (403, True)

    def test_without_a_policy(self, node: Any, s3: Any, bucket: str) -> None:
        assert post(node, bucket, {"key": "a"})[0] == 403
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=OPEN)
        rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
        assert post(node, bucket, {"key": "a"})[0] == 204
        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"content"

    @pytest.mark.parametrize(
        ("body", "kind", "status", "wrong"),
        [
            (b"{}", "application/json", 412, "must be of the enclosure-type multipart/form-data"),
            (b"nonsense", f"multipart/form-data; boundary={EDGE}", 400, "<Code>MalformedPOSTRequest</Code>"),
            (form({}), f"multipart/form-data; boundary={EDGE}", 400, "must contain a field named 'key'"),
            (
                form({"a": "x" * 30_000}),
                f"multipart/form-data; boundary={EDGE}",
                400,
                "MaxPostPreDataLengthExceeded",
            ),
        ],
    )
    def test_no_form(self, node: Any, bucket: str, body: bytes, kind: str, status: int, wrong: str) -> None:
        answer = ask(node, "POST", f"/{bucket}", body, Content_Type=kind)
        assert (answer[0], wrong.encode() in answer[1]) == (status, True), answer

    def test_a_users_signature_counts(
        self, node: Any, client: Callable[..., Any], s3: Any, bucket: str, unique: Callable[[str], str]
    ) -> None:
        iam, name = client("iam"), unique("poster")
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        given = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        for version in ("s3", "s3v4"):
            user = client("s3", config=Config(signature_version=version), **given)
            fields = user.generate_presigned_post(bucket, "a", ExpiresIn=LASTING)["fields"]
            assert b"is not authorized to perform: s3:PutObject" in post(node, bucket, fields)[1]
            statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
            assert post(node, bucket, fields)[0] == 204
            forged = {
                field: re.sub("[a-zA-Z]", "0", value) if field.endswith("signature") else value
                for field, value in fields.items()
            }
            assert b"<Code>SignatureDoesNotMatch</Code>" in post(node, bucket, forged)[1]
            iam.delete_user_policy(UserName=name, PolicyName="p")
        with pytest.raises(ClientError):
            user.get_object(Bucket=bucket, Key="a")
