"""What objects and buckets say of their encryption."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .test_refusals import signed
from .test_uploads import parts_of

KEY = "arn:aws:kms:us-east-1:000000000000:key/0123"
BLOCKED = {"EncryptionType": ["SSE-C"]}


def said(answer: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(
        answer.get(name) for name in ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")
    )  # fmt: skip


def default(s3: Any, bucket: str, algorithm: str, key: str = "", **more: Any) -> None:
    how = {"SSEAlgorithm": algorithm, **({"KMSMasterKeyID": key} if key else {})}
    rule = {"ApplyServerSideEncryptionByDefault": how, **more}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})


class TestBucketEncryption:
    def test_every_bucket_has_it(self, s3: Any, bucket: str) -> None:
        plain = {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": False,
            "BlockedEncryptionTypes": BLOCKED,
        }
        found = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        assert found == {"Rules": [plain]}
        default(s3, bucket, "aws:kms", KEY, BucketKeyEnabled=True)
        [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"] == {
            "SSEAlgorithm": "aws:kms",
            "KMSMasterKeyID": KEY,
        }
        assert rule["BucketKeyEnabled"] is True
        for _ in range(2):
            s3.delete_bucket_encryption(Bucket=bucket)
        assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"] == found

    @pytest.mark.parametrize(
        ("rules", "wrong"),
        [
            ([], "MalformedXML"),
            ([{}, {}], "MalformedXML"),
            ([{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "rot13"}}], "MalformedXML"),
            (
                [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "x"}}],
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
            ),
            ([{"BlockedEncryptionTypes": {"EncryptionType": ["NONE"]}}], "NotImplemented"),
        ],
    )
    def test_what_is_wrong(self, s3: Any, bucket: str, rules: list[dict[str, Any]], wrong: str) -> None:
        with pytest.raises(ClientError, match=wrong):
            s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


class TestObjects:
    def test_as_the_bucket_says(self, s3: Any, bucket: str) -> None:
        put = s3.put_object(Bucket=bucket, Key="a", Body=b"1")
        assert said(put) == said(s3.head_object(Bucket=bucket, Key="a")) == ("AES256", None, None)
        default(s3, bucket, "aws:kms", KEY, BucketKeyEnabled=True)
        wanted = ("aws:kms", KEY, True)
        assert said(s3.put_object(Bucket=bucket, Key="b", Body=b"1")) == wanted
        assert said(s3.get_object(Bucket=bucket, Key="b")) == wanted
        assert said(s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/a")) == wanted
        assert said(s3.head_object(Bucket=bucket, Key="a")) == ("AES256", None, None)

    def test_as_the_request_says(self, s3: Any, bucket: str) -> None:
        put = s3.put_object(
            Bucket=bucket, Key="a", Body=b"1", ServerSideEncryption="aws:kms", SSEKMSKeyId="0123"
        )
        assert said(put) == ("aws:kms", KEY, None)
        without = s3.put_object(Bucket=bucket, Key="b", Body=b"1", ServerSideEncryption="aws:kms")
        assert without["SSEKMSKeyId"].startswith("arn:aws:kms:us-east-1:000000000000:key/")
        default(s3, bucket, "aws:kms", KEY)
        put = s3.put_object(Bucket=bucket, Key="c", Body=b"1", ServerSideEncryption="AES256")
        assert said(put) == said(s3.head_object(Bucket=bucket, Key="c")) == ("AES256", None, None)

    def test_in_parts(self, s3: Any, bucket: str) -> None:
        asked = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY}
        made = s3.create_multipart_upload(Bucket=bucket, Key="a", **asked)
        part = s3.upload_part(Bucket=bucket, Key="a", UploadId=made["UploadId"], PartNumber=1, Body=b"x")
        done = s3.complete_multipart_upload(
            Bucket=bucket,
            Key="a",
            UploadId=made["UploadId"],
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
        )
        head = s3.head_object(Bucket=bucket, Key="a")
        assert said(made) == said(part) == said(done) == said(head) == ("aws:kms", KEY, None)
        _, parts = parts_of(s3, bucket, "b", [b"x"])
        assert parts

    def test_a_copy_to_itself_changes_it(self, s3: Any, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"1")
        copied = s3.copy_object(
            Bucket=bucket, Key="a", CopySource=f"{bucket}/a", ServerSideEncryption="aws:kms", SSEKMSKeyId=KEY
        )
        assert said(copied) == said(s3.head_object(Bucket=bucket, Key="a")) == ("aws:kms", KEY, None)

    @pytest.mark.parametrize(
        ("asked", "wrong"),
        [
            ({"ServerSideEncryption": "rot13"}, "The encryption method specified is not supported"),
            ({"SSEKMSKeyId": "x"}, "requires HTTP header x-amz-server-side-encryption : aws:kms"),
            ({"ServerSideEncryption": "AES256", "SSEKMSKeyId": "x"}, "requires HTTP header"),
        ],
    )
    def test_what_is_wrong(self, s3: Any, bucket: str, asked: dict[str, str], wrong: str) -> None:
        for make in (s3.put_object, s3.create_multipart_upload):
            with pytest.raises(ClientError, match=wrong) as caught:
                make(Bucket=bucket, Key="a", **asked)
            assert caught.value.response["Error"]["ArgumentName"] == "x-amz-server-side-encryption"

    def test_keys_of_ones_own_are_blocked(self, node: Any, s3: Any, bucket: str) -> None:
        prefix = "x-amz-server-side-encryption-customer"
        headers = {f"{prefix}-algorithm": "AES256", f"{prefix}-key": "eA==", f"{prefix}-key-MD5": "eA=="}
        status, body, _ = signed(node, "PUT", f"/{bucket}/a", b"x", **headers)
        assert (status, b"has blocked upload requests that specify" in body) == (403, True)


TEMPLATE = """
Resources:
  Safe:
    Type: AWS::S3::Bucket
    Properties:
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault: {SSEAlgorithm: aws:kms, KMSMasterKeyID: alias/mine}
            BucketKeyEnabled: true
Outputs:
  Name: {Value: !Ref Safe}
"""


def test_of_a_template(client: Callable[..., Any], s3: Any, unique: Callable[[str], str]) -> None:
    cfn, stack = client("cloudformation"), unique("Safe")
    cfn.create_stack(StackName=stack, TemplateBody=TEMPLATE)
    waiter = cfn.get_waiter("stack_create_complete")
    waiter.config.delay = 0.1
    waiter.wait(StackName=stack)
    name = cfn.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"][0]["OutputValue"]
    arn = "arn:aws:kms:us-east-1:000000000000:alias/mine"
    assert said(s3.put_object(Bucket=name, Key="a", Body=b"1")) == ("aws:kms", arn, True)
    plain = TEMPLATE.partition("    Properties:")[0] + "Outputs:" + TEMPLATE.partition("Outputs:")[2]
    cfn.update_stack(StackName=stack, TemplateBody=plain)
    waiter = cfn.get_waiter("stack_update_complete")
    waiter.config.delay = 0.1
    waiter.wait(StackName=stack)
    assert said(s3.put_object(Bucket=name, Key="b", Body=b"1")) == ("AES256", None, None)
