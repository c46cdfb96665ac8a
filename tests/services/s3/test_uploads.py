"""Multipart uploads, uploads that are cut, kills, files that nothing refers to, the AWS CLI."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from tests.harness import ROLE, ROOT, eventually, zipped

MB = 1024 * 1024
LARGE = os.urandom(20 * MB)
CLI = ROOT / ".runtimes/tools/bin/aws"


def parts_of(
    s3: Any, bucket: str, key: str, bodies: list[bytes], **more: Any
) -> tuple[str, list[dict[str, Any]]]:
    id = s3.create_multipart_upload(Bucket=bucket, Key=key, **more)["UploadId"]
    parts = []
    for number, body in enumerate(bodies, 1):
        algorithm = {name: more[name] for name in more if name == "ChecksumAlgorithm"}
        put = s3.upload_part(Bucket=bucket, Key=key, UploadId=id, PartNumber=number, Body=body, **algorithm)
        sums = {name: put[name] for name in put if name.startswith("Checksum")} if more else {}
        parts.append({"PartNumber": number, "ETag": put["ETag"], **sums})
    return id, parts


def files(node: Any) -> list[str]:
    return [path.name for path in (node.data / "s3").rglob("*") if path.is_file()]


class TestMultipart:
    def test_twenty_megabytes(self, s3: Any, bucket: str) -> None:
        config = TransferConfig(multipart_threshold=5 * MB, multipart_chunksize=5 * MB)
        s3.upload_fileobj(io.BytesIO(LARGE), bucket, "a", Config=config)
        assert s3.head_object(Bucket=bucket, Key="a")["ETag"].endswith('-4"')
        back = io.BytesIO()
        s3.download_fileobj(bucket, "a", back)
        assert back.getvalue() == LARGE
        across = s3.get_object(Bucket=bucket, Key="a", Range=f"bytes={5 * MB - 3}-{5 * MB + 2}")
        assert across["Body"].read() == LARGE[5 * MB - 3 : 5 * MB + 3]
        part = s3.get_object(Bucket=bucket, Key="a", PartNumber=2)
        assert part["Body"].read() == LARGE[5 * MB : 10 * MB]
        assert part["PartsCount"] == 4

    @pytest.mark.parametrize(("algorithm", "kind"), [("SHA256", "COMPOSITE"), ("CRC32", "FULL_OBJECT")])
    def test_checksums(self, s3: Any, bucket: str, algorithm: str, kind: str) -> None:
        more = {"ChecksumAlgorithm": algorithm, "ChecksumType": kind}
        id, parts = parts_of(s3, bucket, "a", [LARGE[: 5 * MB], b"end"], **more)
        s3.complete_multipart_upload(Bucket=bucket, Key="a", UploadId=id, MultipartUpload={"Parts": parts})
        s3.put_object(Bucket=bucket, Key="b", Body=LARGE[: 5 * MB] + b"end", ChecksumAlgorithm=algorithm)
        whole = s3.head_object(Bucket=bucket, Key="b", ChecksumMode="ENABLED")[f"Checksum{algorithm}"]
        head = s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
        assert head["ChecksumType"] == kind
        assert (head[f"Checksum{algorithm}"] == whole) == (kind == "FULL_OBJECT")

    def test_what_is_wrong_with_parts(self, s3: Any, bucket: str) -> None:
        id, parts = parts_of(s3, bucket, "a", [b"small", b"small"])

        def complete(parts: list[dict[str, Any]]) -> Any:
            return s3.complete_multipart_upload(
                Bucket=bucket, Key="a", UploadId=id, MultipartUpload={"Parts": parts}
            )

        for given, wrong in [
            (parts, "EntityTooSmall"),
            (parts[::-1], "InvalidPartOrder"),
            ([{"PartNumber": 7, "ETag": "x"}], "InvalidPart"),
            ([], "You must specify at least one part"),
        ]:
            with pytest.raises(ClientError, match=wrong):
                complete(given)
        complete(parts[1:])
        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"small"

    @pytest.mark.parametrize("versions", [False, True])
    def test_completed_again(self, s3: Any, bucket: str, versions: bool) -> None:
        if versions:
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        id, parts = parts_of(s3, bucket, "a", [b"x"])
        asked = {"Bucket": bucket, "Key": "a", "UploadId": id}

        def complete(parts: list[dict[str, Any]]) -> dict[str, Any]:
            answer = s3.complete_multipart_upload(**asked, MultipartUpload={"Parts": parts})
            return {name: answer.get(name) for name in ("ETag", "VersionId", "Location", "ChecksumCRC64NVME")}

        first = complete(parts)
        assert complete(parts) == first
        with pytest.raises(ClientError, match="NoSuchUpload"):
            complete([{"PartNumber": 1, "ETag": "0" * 32}])
        s3.put_object(Bucket=bucket, Key="a", Body=b"another")
        if versions:
            assert complete(parts) == first
        else:
            with pytest.raises(ClientError, match="NoSuchUpload"):
                complete(parts)

    def test_are_listed_in_order(self, s3: Any, bucket: str) -> None:
        """By key, and of one key the oldest first."""
        made = [(key, s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]) for key in "abababab"]
        pages = s3.get_paginator("list_multipart_uploads").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": 3}
        )
        found = [(one["Key"], one["UploadId"]) for page in pages for one in page["Uploads"]]
        assert found == sorted(made, key=lambda pair: pair[0])

    def test_listed_and_aborted(self, s3: Any, bucket: str) -> None:
        id, _ = parts_of(s3, bucket, "a", [b"x", b"y"])
        assert [one["UploadId"] for one in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [id]
        page = s3.list_parts(Bucket=bucket, Key="a", UploadId=id, MaxParts=1)
        assert "ChecksumAlgorithm" not in page  # nobody had named one
        assert ([part["PartNumber"] for part in page["Parts"]], page["IsTruncated"]) == ([1], True)
        s3.abort_multipart_upload(Bucket=bucket, Key="a", UploadId=id)
        assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
        assert "Contents" not in s3.list_objects_v2(Bucket=bucket)

    def test_parts_copied(self, s3: Any, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="source", Body=LARGE[: 6 * MB])
        id = s3.create_multipart_upload(Bucket=bucket, Key="a")["UploadId"]
        copied = s3.upload_part_copy(
            Bucket=bucket, Key="a", UploadId=id, PartNumber=1, CopySource=f"{bucket}/source",
            CopySourceRange=f"bytes=10-{5 * MB + 9}",
        )["CopyPartResult"]  # fmt: skip
        parts = [{"PartNumber": 1, "ETag": copied["ETag"]}]
        s3.complete_multipart_upload(Bucket=bucket, Key="a", UploadId=id, MultipartUpload={"Parts": parts})
        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == LARGE[10 : 5 * MB + 10]


class TestFaults:
    def test_an_upload_that_is_cut_leaves_nothing(self, fresh_node: Callable[..., Any]) -> None:
        node = fresh_node()
        s3 = node.client("s3")
        s3.create_bucket(Bucket="mine")
        url = s3.generate_presigned_url("put_object", Params={"Bucket": "mine", "Key": "a"})
        with socket.create_connection(("127.0.0.1", node.port)) as connection:
            head = f"PUT {url.removeprefix(node.endpoint)} HTTP/1.1\r\nHost: x\r\nContent-Length: {20 * MB}\r\n\r\n"
            connection.sendall(head.encode() + LARGE[: 10 * MB])
            eventually(lambda: files(node))
        eventually(lambda: not files(node))
        assert "Contents" not in s3.list_objects_v2(Bucket="mine")

    def test_kill(self, fresh_node: Callable[..., Any]) -> None:
        node = fresh_node()
        s3 = node.client("s3")
        s3.create_bucket(Bucket="mine")
        s3.put_object(Bucket="mine", Key="large", Body=LARGE)
        s3.put_object(Bucket="mine", Key="small", Body=b"hello")
        url = s3.generate_presigned_url("put_object", Params={"Bucket": "mine", "Key": "cut"})
        with socket.create_connection(("127.0.0.1", node.port)) as connection:
            head = f"PUT {url.removeprefix(node.endpoint)} HTTP/1.1\r\nHost: x\r\nContent-Length: {20 * MB}\r\n\r\n"
            connection.sendall(head.encode() + LARGE[: 10 * MB])
            eventually(lambda: len(files(node)) == 2)
            node.kill()
        orphan = node.data / "s3" / "objects" / "00" / ("00" * 32)
        orphan.parent.mkdir(exist_ok=True)
        orphan.write_bytes(b"renamed, but never referred to")
        node.restart()
        assert s3.get_object(Bucket="mine", Key="large")["Body"].read() == LARGE
        assert s3.get_object(Bucket="mine", Key="small")["Body"].read() == b"hello"
        eventually(lambda: len(files(node)) == 1)
        assert len(s3.list_objects_v2(Bucket="mine")["Contents"]) == 2

    def test_files_go_with_their_last_object(self, fresh_node: Callable[..., Any]) -> None:
        node = fresh_node()
        s3 = node.client("s3")
        s3.create_bucket(Bucket="mine")
        for key in "abc":
            s3.put_object(Bucket="mine", Key=key, Body=LARGE[:MB])
        assert len(files(node)) == 1
        s3.delete_object(Bucket="mine", Key="a")
        s3.put_object(Bucket="mine", Key="b", Body=b"small")
        assert s3.get_object(Bucket="mine", Key="c")["Body"].read() == LARGE[:MB]
        s3.delete_object(Bucket="mine", Key="c")
        eventually(lambda: not files(node))


class TestOthers:
    @pytest.mark.slow
    @pytest.mark.skipif(not CLI.exists(), reason="the AWS CLI is not installed")
    def test_the_cli(self, node: Any, s3: Any, bucket: str, tmp_path: Path) -> None:
        def aws(*arguments: str) -> str:
            environment = os.environ | {
                "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ENDPOINT_URL": node.endpoint,
            }  # fmt: skip
            done = subprocess.run(
                [CLI, "s3", *arguments], env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        site = tmp_path / "site"
        (site / "css").mkdir(parents=True)
        (site / "index.html").write_text("<h1>Hello</h1>")
        (site / "css" / "a.css").write_text("a {}")
        (site / "large.bin").write_bytes(LARGE)
        aws("sync", str(site), f"s3://{bucket}/site")
        assert "PRE css/" in aws("ls", f"s3://{bucket}/site/")
        assert s3.head_object(Bucket=bucket, Key="site/index.html")["ContentType"] == "text/html"
        shutil.rmtree(site)
        aws("sync", f"s3://{bucket}/site", str(site))
        assert (site / "large.bin").read_bytes() == LARGE
        aws("cp", f"s3://{bucket}/site/index.html", f"s3://{bucket}/copy.html")
        aws("rm", "--recursive", f"s3://{bucket}/site")
        assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["copy.html"]

    def test_a_function_from_a_bucket(
        self, client: Callable[..., Any], s3: Any, bucket: str, unique: Callable[[str], str]
    ) -> None:
        source = "def handler(event, context):\n    return 'from a bucket'\n"
        package = zipped({"index.py": source, "padding": os.urandom(200_000)})
        s3.put_object(Bucket=bucket, Key="code.zip", Body=package)
        functions, name = client("lambda"), unique("function")
        functions.create_function(
            FunctionName=name, Runtime="python3.11", Handler="index.handler", Role=ROLE,
            Code={"S3Bucket": bucket, "S3Key": "code.zip"},
        )  # fmt: skip
        assert functions.invoke(FunctionName=name)["Payload"].read() == b'"from a bucket"'
        functions.delete_function(FunctionName=name)
