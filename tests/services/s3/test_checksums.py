"""Checksums as SDKs send them: in headers over plain HTTP, in trailers over TLS; of wholes and of parts."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import socket
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bench.load import signed
from tests.harness import client

MB = 1024 * 1024
BODY = os.urandom(6 * MB)
BY_BOTO = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
XX = {"XXHASH64": "new_xxhash64", "XXHASH3": "new_xxhash3_64", "XXHASH128": "new_xxhash3_128"}


def made_here(algorithm: str, body: bytes) -> str:
    if algorithm in XX:
        from awscrt.checksums import XXHash

        one = getattr(XXHash, XX[algorithm])()
        one.update(body)
        return base64.b64encode(one.finalize()).decode()
    return base64.b64encode(hashlib.new(algorithm.lower(), body).digest()).decode()


@pytest.fixture(scope="module")
def secure(node: Any) -> Any:
    """A client over TLS: botocore sends a body's checksum in a trailer then."""
    if not hasattr(node, "data"):
        pytest.skip("needs the local node's authority")
    verify = str(node.data / "tls" / "ca.pem")
    return client("s3", node.endpoint.replace("http:", "https:"), verify=verify)


class TestTrailers:
    @pytest.mark.parametrize("algorithm", BY_BOTO)
    @pytest.mark.parametrize("size", [0, 10, len(BODY)])
    def test_every_algorithm(self, secure: Any, bucket: str, algorithm: str, size: int) -> None:
        body = io.BytesIO(BODY[:size])
        put = secure.put_object(Bucket=bucket, Key="a", Body=body, ChecksumAlgorithm=algorithm)
        got = secure.get_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
        assert got["Body"].read() == BODY[:size]
        assert got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
        assert got["ChecksumType"] == "FULL_OBJECT"
        assert "ContentEncoding" not in got

    @pytest.mark.node_only
    @pytest.mark.parametrize(
        ("trailer", "wrong"),
        [
            (b"x-amz-checksum-crc32:AAAAAA==\r\n", b"BadDigest"),
            (b"x-amz-checksum-crc32:nonsense\r\n", b"InvalidRequest"),
            (b"", b"MalformedTrailerError"),
        ],
    )
    def test_that_are_wrong(self, node: Any, s3: Any, bucket: str, trailer: bytes, wrong: bytes) -> None:
        headers = {
            "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length": "5",
            "X-Amz-Trailer": "x-amz-checksum-crc32", "Content-Encoding": "aws-chunked",
        }  # fmt: skip
        body = b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n"
        with socket.create_connection(("127.0.0.1", node.port), timeout=20) as connection:
            connection.sendall(signed(node.endpoint, "PUT", f"/{bucket}/a", headers, body, "s3"))
            answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"<Code>" + wrong + b"</Code>" in answer
        assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


class TestOthers:
    @pytest.mark.parametrize("algorithm", ["SHA512", "MD5", *XX])
    @pytest.mark.parametrize("size", [10, len(BODY)])
    def test_given_in_a_header(self, s3: Any, bucket: str, algorithm: str, size: int) -> None:
        value = made_here(algorithm, BODY[:size])
        put = s3.put_object(Bucket=bucket, Key="a", Body=BODY[:size], **{f"Checksum{algorithm}": value})
        assert put[f"Checksum{algorithm}"] == value
        wrong = made_here(algorithm, b"something else")
        with pytest.raises(ClientError, match="BadDigest"):
            s3.put_object(Bucket=bucket, Key="a", Body=BODY[:size], **{f"Checksum{algorithm}": wrong})

    def test_more_than_one(self, s3: Any, bucket: str) -> None:
        both = {
            name: made_here(name.removeprefix("Checksum"), b"x")
            for name in ("ChecksumSHA1", "ChecksumSHA256")
        }
        with pytest.raises(ClientError, match="Multiple checksum Types are not allowed"):
            s3.put_object(Bucket=bucket, Key="a", Body=b"x", **both)

    def test_md5_of_the_body(self, s3: Any, bucket: str) -> None:
        right, wrong = (base64.b64encode(hashlib.md5(b).digest()).decode() for b in (b"x", b"y"))
        s3.put_object(Bucket=bucket, Key="a", Body=b"x", ContentMD5=right)
        with pytest.raises(ClientError, match="BadDigest"):
            s3.put_object(Bucket=bucket, Key="a", Body=b"x", ContentMD5=wrong)
        with pytest.raises(ClientError, match="InvalidDigest"):
            s3.put_object(Bucket=bucket, Key="a", Body=b"x", ContentMD5="nonsense")


class TestParts:
    def upload(self, s3: Any, bucket: str, algorithm: str) -> tuple[str, list[dict[str, Any]]]:
        id = s3.create_multipart_upload(Bucket=bucket, Key="a", ChecksumAlgorithm=algorithm)["UploadId"]
        parts = []
        for number, body in enumerate((BODY[: 5 * MB], b"end"), 1):
            put = s3.upload_part(
                Bucket=bucket, Key="a", UploadId=id, PartNumber=number, Body=body, ChecksumAlgorithm=algorithm
            )
            sums = {name: put[name] for name in put if name.startswith("Checksum")}
            parts.append({"PartNumber": number, "ETag": put["ETag"], **sums})
        return id, parts

    def test_attributes_tell_of_each(self, s3: Any, bucket: str) -> None:
        id, parts = self.upload(s3, bucket, "SHA256")
        s3.complete_multipart_upload(Bucket=bucket, Key="a", UploadId=id, MultipartUpload={"Parts": parts})
        wanted = ["ObjectParts", "Checksum", "ObjectSize"]
        told = s3.get_object_attributes(Bucket=bucket, Key="a", ObjectAttributes=wanted)
        assert told["ObjectSize"] == 5 * MB + 3
        whole = s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")["ChecksumSHA256"]
        assert whole == told["Checksum"]["ChecksumSHA256"] + "-2"
        assert told["ObjectParts"]["TotalPartsCount"] == 2
        shown = told["ObjectParts"]["Parts"]
        assert [(part["PartNumber"], part["Size"]) for part in shown] == [(1, 5 * MB), (2, 3)]
        assert [part["ChecksumSHA256"] for part in shown] == [part["ChecksumSHA256"] for part in parts]
        page = s3.get_object_attributes(
            Bucket=bucket, Key="a", ObjectAttributes=wanted, MaxParts=1, PartNumberMarker=1
        )["ObjectParts"]
        assert ([part["PartNumber"] for part in page["Parts"]], page["IsTruncated"]) == ([2], False)

    def test_each_has_to_be_told(self, s3: Any, bucket: str) -> None:
        id, parts = self.upload(s3, bucket, "SHA256")
        bare = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts]
        asked = {"Bucket": bucket, "Key": "a", "UploadId": id}
        with pytest.raises(ClientError, match="It was missing for part 1 in the request"):
            s3.complete_multipart_upload(**asked, MultipartUpload={"Parts": bare})
        with pytest.raises(ClientError, match="created using the COMPOSITE checksum mode"):
            s3.complete_multipart_upload(
                **asked, MultipartUpload={"Parts": parts}, ChecksumType="FULL_OBJECT"
            )
        s3.complete_multipart_upload(**asked, MultipartUpload={"Parts": parts})
        whole = {"Bucket": bucket, "Key": "b", "ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
        id = s3.create_multipart_upload(**whole)["UploadId"]
        part = s3.upload_part(Bucket=bucket, Key="b", UploadId=id, PartNumber=1, Body=b"x")
        bare = [{"PartNumber": 1, "ETag": part["ETag"]}]
        done = s3.complete_multipart_upload(
            Bucket=bucket, Key="b", UploadId=id, MultipartUpload={"Parts": bare}
        )
        assert done["ChecksumType"] == "FULL_OBJECT"

    def test_are_shown_of_a_part(self, s3: Any, bucket: str) -> None:
        id, parts = self.upload(s3, bucket, "SHA256")
        s3.complete_multipart_upload(Bucket=bucket, Key="a", UploadId=id, MultipartUpload={"Parts": parts})
        for part in parts:
            asked = {"Bucket": bucket, "Key": "a", "PartNumber": part["PartNumber"]}
            head = s3.head_object(**asked, ChecksumMode="ENABLED")
            assert head["ChecksumSHA256"] == part["ChecksumSHA256"]
            s3.get_object(**asked, ChecksumMode="ENABLED")["Body"].read()

    def test_of_another_algorithm_than_was_said(self, s3: Any, bucket: str) -> None:
        id = s3.create_multipart_upload(Bucket=bucket, Key="a", ChecksumAlgorithm="SHA256")["UploadId"]
        with pytest.raises(ClientError, match="expected checksum Type: sha256, actual checksum Type: sha1"):
            s3.upload_part(
                Bucket=bucket, Key="a", UploadId=id, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA1"
            )
