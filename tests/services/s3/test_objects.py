"""Objects put, read, copied, deleted."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from .conftest import ask

LARGE = os.urandom(3_000_000)


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    answer = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


class TestPutObject:
    @pytest.mark.parametrize("body", [b"", b"hello", LARGE[:65536], LARGE[:65537], LARGE], ids=len)
    def test_comes_back_as_it_was(self, s3: Any, bucket: str, body: bytes) -> None:
        put = s3.put_object(Bucket=bucket, Key="a", Body=body)
        got = s3.get_object(Bucket=bucket, Key="a")
        assert got["Body"].read() == body
        assert got["ETag"] == put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
        assert got["ContentLength"] == len(body)

    def test_metadata_and_headers(self, s3: Any, bucket: str) -> None:
        given = {
            "CacheControl": "max-age=5", "ContentDisposition": "inline", "ContentEncoding": "gzip",
            "ContentLanguage": "de", "ContentType": "text/plain", "Metadata": {"one": "1", "two-three": "x y"},
        }  # fmt: skip
        s3.put_object(
            Bucket=bucket, Key="a", Body=b"x", StorageClass="GLACIER_IR", Tagging="a=1&b=2", **given
        )
        head = s3.head_object(Bucket=bucket, Key="a")
        assert {name: head[name] for name in given} == given
        assert head["StorageClass"] == "GLACIER_IR"
        assert s3.get_object_tagging(Bucket=bucket, Key="a")["TagSet"] == [
            {"Key": "a", "Value": "1"},
            {"Key": "b", "Value": "2"},
        ]

    @pytest.mark.parametrize("key", ["a b", "ü/ß", "a//b/", "/lead", "x+y&z=1?", "%41", "<&>"])
    def test_any_key(self, s3: Any, bucket: str, key: str) -> None:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]

    @pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
    @pytest.mark.parametrize("size", [10, 3_000_000])
    def test_checksums(self, s3: Any, bucket: str, algorithm: str, size: int) -> None:
        put = s3.put_object(Bucket=bucket, Key="a", Body=LARGE[:size], ChecksumAlgorithm=algorithm)
        got = s3.get_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
        assert got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
        assert got["Body"].read() == LARGE[:size]

    def test_a_wrong_checksum(self, s3: Any, bucket: str) -> None:
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="a", Body=b"x", ChecksumCRC32="AAAAAA==")
        assert code(error) == ("BadDigest", 400)
        with pytest.raises(ClientError) as error:
            s3.head_object(Bucket=bucket, Key="a")
        assert code(error) == ("404", 404)

    def test_only_if_nothing_is_there(self, s3: Any, bucket: str) -> None:
        etag = s3.put_object(Bucket=bucket, Key="a", Body=b"1", IfNoneMatch="*")["ETag"]
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="a", Body=b"2", IfNoneMatch="*")
        assert code(error) == ("PreconditionFailed", 412)
        s3.put_object(Bucket=bucket, Key="a", Body=b"3", IfMatch=etag)
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="a", Body=b"4", IfMatch=etag)
        assert code(error) == ("PreconditionFailed", 412)
        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"3"

    def test_many_at_once_and_one_is_first(self, s3: Any, bucket: str) -> None:
        def put(number: int) -> bool:
            try:
                s3.put_object(Bucket=bucket, Key="a", Body=b"%d" % number, IfNoneMatch="*")
            except ClientError as error:
                assert error.response["Error"]["Code"] == "PreconditionFailed"
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            won = [number for number, first in enumerate(pool.map(put, range(16))) if first]
        assert [b"%d" % number for number in won] == [s3.get_object(Bucket=bucket, Key="a")["Body"].read()]

    def test_conditions_of_other_writes(self, s3: Any, bucket: str) -> None:
        etag = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["ETag"]
        s3.put_object(Bucket=bucket, Key="b", Body=b"3")
        id = s3.create_multipart_upload(Bucket=bucket, Key="a")["UploadId"]
        part = s3.upload_part(Bucket=bucket, Key="a", UploadId=id, PartNumber=1, Body=b"2")["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
        complete = {"Bucket": bucket, "Key": "a", "UploadId": id, "MultipartUpload": parts}
        for write in [
            lambda: s3.complete_multipart_upload(**complete, IfNoneMatch="*"),
            lambda: s3.complete_multipart_upload(**complete, IfMatch='"other"'),
            lambda: s3.copy_object(Bucket=bucket, Key="a", CopySource=f"{bucket}/b", IfNoneMatch="*"),
            lambda: s3.delete_object(Bucket=bucket, Key="a", IfMatch='"other"'),
        ]:
            with pytest.raises(ClientError) as error:
                write()
            assert code(error) == ("PreconditionFailed", 412)
        s3.complete_multipart_upload(**complete, IfMatch=etag)
        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"2"
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="none", Body=b"x", IfMatch=etag)
        assert code(error) == ("NoSuchKey", 404)

    def test_a_body_that_looks_like_a_form(self, node: Any, s3: Any, bucket: str) -> None:
        """As curl sends it."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = b"Action=ListQueues&Version=2012-11-05"
        auth = AWSRequest("PUT", f"{node.endpoint}/{bucket}/a", headers, body)
        SigV4Auth(Credentials("test", "test"), "s3", "us-east-1").add_auth(auth)
        assert ask(node, "PUT", f"/{bucket}/a", body, **auth.headers)[0] == 200
        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == body

    def test_no_such_bucket(self, s3: Any, unique: Callable[[str], str]) -> None:
        with pytest.raises(ClientError, match="The specified bucket does not exist") as error:
            s3.put_object(Bucket=unique("none"), Key="a", Body=b"x")
        assert code(error) == ("NoSuchBucket", 404)


class TestGetObject:
    @pytest.mark.parametrize("body", [LARGE[:1000], LARGE], ids=len)
    def test_ranges(self, s3: Any, bucket: str, body: bytes) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=body)
        for asked, part in [
            ("0-0", body[:1]),
            ("10-99", body[10:100]),
            ("990-", body[990:]),
            ("-5", body[-5:]),
        ]:
            got = s3.get_object(Bucket=bucket, Key="a", Range=f"bytes={asked}")
            assert got["Body"].read() == part
            assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
            assert got["ContentRange"].endswith(f"/{len(body)}")
        with pytest.raises(ClientError) as error:
            s3.get_object(Bucket=bucket, Key="a", Range=f"bytes={len(body)}-")
        assert code(error) == ("InvalidRange", 416)

    def test_conditions(self, s3: Any, bucket: str) -> None:
        etag = s3.put_object(Bucket=bucket, Key="a", Body=b"x")["ETag"]
        written: datetime = s3.head_object(Bucket=bucket, Key="a")["LastModified"]
        later, earlier = written + timedelta(hours=1), written - timedelta(hours=1)
        for given, status in [
            ({"IfMatch": '"other"'}, 412),
            ({"IfNoneMatch": etag}, 304),
            ({"IfModifiedSince": later}, 304),
            ({"IfUnmodifiedSince": earlier}, 412),
        ]:
            with pytest.raises(ClientError) as error:
                s3.get_object(Bucket=bucket, Key="a", **given)
            assert code(error)[1] == status
        assert (
            s3.get_object(Bucket=bucket, Key="a", IfMatch=etag, IfUnmodifiedSince=earlier)["Body"].read()
            == b"x"
        )

    def test_missing(self, s3: Any, bucket: str) -> None:
        with pytest.raises(ClientError, match="The specified key does not exist") as error:
            s3.get_object(Bucket=bucket, Key="none")
        assert code(error) == ("NoSuchKey", 404)
        assert error.value.response["Error"]["Key"] == "none"

    def test_what_the_query_overrides(self, s3: Any, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"x")
        assert s3.get_object(Bucket=bucket, Key="a", ResponseContentType="a/b")["ContentType"] == "a/b"


class TestCopyObject:
    @pytest.mark.parametrize("body", [b"small", LARGE], ids=len)
    def test_keeps_or_replaces_metadata(self, s3: Any, bucket: str, body: bytes) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=body, Metadata={"x": "1"})
        source = {"Bucket": bucket, "Key": "a"}
        s3.copy_object(Bucket=bucket, Key="b", CopySource=source)
        s3.copy_object(
            Bucket=bucket, Key="c", CopySource=source, MetadataDirective="REPLACE", Metadata={"y": "2"}
        )
        s3.delete_object(Bucket=bucket, Key="a")
        assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == body
        assert s3.head_object(Bucket=bucket, Key="b")["Metadata"] == {"x": "1"}
        assert s3.head_object(Bucket=bucket, Key="c")["Metadata"] == {"y": "2"}

    def test_to_itself(self, s3: Any, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"x")
        with pytest.raises(ClientError, match="copy an object to itself without changing") as error:
            s3.copy_object(Bucket=bucket, Key="a", CopySource=f"{bucket}/a")
        assert code(error) == ("InvalidRequest", 400)


class TestDeleteObjects:
    def test_many(self, s3: Any, bucket: str) -> None:
        for key in "abc":
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        answer = s3.delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "b"}, {"Key": "none"}]}
        )
        assert [one["Key"] for one in answer["Deleted"]] == ["a", "b", "none"]
        assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["c"]


class TestVersions:
    def test_life_of_a_key(self, s3: Any, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"0")
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        first = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["VersionId"]
        second = s3.put_object(Bucket=bucket, Key="a", Body=b"2")["VersionId"]
        marker = s3.delete_object(Bucket=bucket, Key="a")
        assert marker["DeleteMarker"] is True
        with pytest.raises(ClientError) as error:
            s3.get_object(Bucket=bucket, Key="a")
        assert code(error) == ("NoSuchKey", 404)
        listed = s3.list_object_versions(Bucket=bucket)
        assert [v["VersionId"] for v in listed["Versions"]] == [second, first, "null"]
        assert [m["VersionId"] for m in listed["DeleteMarkers"]] == [marker["VersionId"]]
        for id, body in [(first, b"1"), (second, b"2"), ("null", b"0")]:
            assert s3.get_object(Bucket=bucket, Key="a", VersionId=id)["Body"].read() == body
        s3.delete_object(Bucket=bucket, Key="a", VersionId=marker["VersionId"])
        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"2"
        s3.delete_object(Bucket=bucket, Key="a", VersionId=second)
        assert s3.get_object(Bucket=bucket, Key="a")["VersionId"] == first

    def test_suspended_has_one_null_version(self, s3: Any, bucket: str) -> None:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        kept = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["VersionId"]
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
        for body in (b"2", b"3"):
            s3.put_object(Bucket=bucket, Key="a", Body=body)
        ids = [v["VersionId"] for v in s3.list_object_versions(Bucket=bucket)["Versions"]]
        assert ids == ["null", kept]

    def test_common_prefixes_of_what_is_deleted(self, s3: Any, bucket: str) -> None:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=bucket, Key="a/b", Body=b"x")
        s3.delete_object(Bucket=bucket, Key="a/b")
        found = s3.list_object_versions(Bucket=bucket, Delimiter="/")
        assert found["CommonPrefixes"] == [{"Prefix": "a/"}]
        assert "CommonPrefixes" not in s3.list_objects_v2(Bucket=bucket, Delimiter="/")

    def test_pages_of_versions(self, s3: Any, bucket: str) -> None:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for key in ("a", "b", "a", "a"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": 2}
        )
        assert [v["Key"] for page in pages for v in page["Versions"]] == ["a", "a", "a", "b"]
