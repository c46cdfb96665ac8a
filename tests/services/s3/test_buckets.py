"""Buckets, their settings, lists of objects, CloudFormation."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.names import snake


class TestCreateBucket:
    @pytest.mark.parametrize("name", ["Upper", "a_b", "1.2.3.4", "x" * 64, "a..b", "-ab", "a.mrap"])
    def test_names(self, s3: Any, name: str) -> None:
        with pytest.raises(ClientError, match="The specified bucket is not valid"):
            s3.create_bucket(Bucket=name)

    def test_twice(
        self, client: Callable[..., Any], s3: Any, bucket: str, unique: Callable[[str], str]
    ) -> None:
        s3.create_bucket(Bucket=bucket)
        west, name = client("s3", region_name="eu-west-1"), unique("west")
        with pytest.raises(ClientError, match="IllegalLocationConstraintException"):
            west.create_bucket(Bucket=name)
        where = {"LocationConstraint": "eu-west-1"}
        west.create_bucket(Bucket=name, CreateBucketConfiguration=where)
        assert west.get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"
        with pytest.raises(ClientError, match="BucketAlreadyOwnedByYou"):
            west.create_bucket(Bucket=name, CreateBucketConfiguration=where)

    def test_found_and_deleted(self, s3: Any, bucket: str) -> None:
        assert bucket in [one["Name"] for one in s3.list_buckets()["Buckets"]]
        assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"
        assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
        s3.put_object(Bucket=bucket, Key="a", Body=b"x")
        with pytest.raises(ClientError, match="BucketNotEmpty"):
            s3.delete_bucket(Bucket=bucket)
        s3.delete_object(Bucket=bucket, Key="a")
        s3.delete_bucket(Bucket=bucket)
        with pytest.raises(ClientError, match="404"):
            s3.head_bucket(Bucket=bucket)


class TestSettings:
    def test_tags(self, s3: Any, bucket: str) -> None:
        with pytest.raises(ClientError, match="NoSuchTagSet"):
            s3.get_bucket_tagging(Bucket=bucket)
        tags = [{"Key": "a", "Value": "1"}]
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
        assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags

    def test_a_policy_that_is_none(self, s3: Any, bucket: str) -> None:
        with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
            s3.get_bucket_policy(Bucket=bucket)
        with pytest.raises(ClientError, match="MalformedPolicy"):
            s3.put_bucket_policy(Bucket=bucket, Policy="{")
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::another/*",
        }
        with pytest.raises(ClientError, match="Policy has invalid resource"):
            s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": statement}))

    def test_what_a_new_bucket_is(self, s3: Any, bucket: str) -> None:
        assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
        rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)

    def test_what_is_not_built_says_so(self, s3: Any, bucket: str) -> None:
        for name in ("GetBucketLifecycleConfiguration", "GetBucketNotificationConfiguration"):
            with pytest.raises(ClientError, match=f"NotImplemented.*does not support {name}: "):
                getattr(s3, snake(name))(Bucket=bucket)


def expected(keys: set[str], prefix: str, delimiter: str) -> list[str]:
    found = set()
    for key in keys:
        if key.startswith(prefix):
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            found.add(key if at < 0 else key[: at + len(delimiter)])
    return sorted(found)


KEYS = ("a", "a/", "a/b", "a/b/c", "a/bc", "a0", "b/1", "b/2", "ä", "z z", "z+z")


@pytest.fixture(scope="module")
def listed(client: Callable[..., Any]) -> str:
    s3, name = client("s3"), f"listed-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name)
    for key in KEYS:
        s3.put_object(Bucket=name, Key=key, Body=b"x")
    return name


class TestListObjects:
    @given(
        prefix=st.sampled_from(["", "a", "a/", "a/b", "b/", "nothing", "z"]),
        delimiter=st.sampled_from(["", "/", "b", "/b"]),
        size=st.integers(1, 12),
        form=st.sampled_from(["list_objects", "list_objects_v2"]),
    )
    def test_pages(
        self, client: Callable[..., Any], listed: str, prefix: str, delimiter: str, size: int, form: str
    ) -> None:
        pages = (
            client("s3")
            .get_paginator(form)
            .paginate(Bucket=listed, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": size})
        )
        found: list[str] = []
        for page in pages:
            names = [one["Key"] for one in page.get("Contents", [])]
            names += [one["Prefix"] for one in page.get("CommonPrefixes", [])]
            assert len(names) <= size
            found += sorted(names)
        assert found == expected(set(KEYS), prefix, delimiter)

    def test_start_after(self, s3: Any, listed: str) -> None:
        answer = s3.list_objects_v2(Bucket=listed, StartAfter="b/1", MaxKeys=2)
        assert [one["Key"] for one in answer["Contents"]] == ["b/2", "z z"]
        assert answer["IsTruncated"] is True
        assert answer["KeyCount"] == 2


TEMPLATE = """
Resources:
  Site:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      PublicAccessBlockConfiguration: {BlockPublicPolicy: false, RestrictPublicBuckets: false}
      CorsConfiguration: {CorsRules: [{AllowedMethods: [GET], AllowedOrigins: ['*'], MaxAge: 5}]}
      Tags: [{Key: a, Value: b}]
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Site
      PolicyDocument:
        Statement: [{Effect: Allow, Principal: '*', Action: 's3:GetObject', Resource: !Sub '${Site.Arn}/*'}]
Outputs:
  Name: {Value: !Ref Site}
  Domain: {Value: !GetAtt Site.RegionalDomainName}
"""


class TestCloudFormation:
    def test_a_bucket_and_its_policy(
        self, client: Callable[..., Any], s3: Any, unique: Callable[[str], str]
    ) -> None:
        cfn, stack = client("cloudformation"), unique("Stack")
        cfn.create_stack(StackName=stack, TemplateBody=TEMPLATE)
        waiter = cfn.get_waiter("stack_create_complete")
        waiter.config.delay = 0.1
        waiter.wait(StackName=stack)
        outputs = cfn.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
        out = {one["OutputKey"]: one["OutputValue"] for one in outputs}
        name = out["Name"]
        assert name == name.lower()
        assert out["Domain"] == f"{name}.s3.us-east-1.amazonaws.com"
        assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
        assert s3.get_bucket_cors(Bucket=name)["CORSRules"][0]["MaxAgeSeconds"] == 5
        assert s3.get_bucket_policy_status(Bucket=name)["PolicyStatus"]["IsPublic"] is True
        cfn.delete_stack(StackName=stack)
        waiter = cfn.get_waiter("stack_delete_complete")
        waiter.config.delay = 0.1
        waiter.wait(StackName=stack)
        with pytest.raises(ClientError, match="404"):
            s3.head_bucket(Bucket=name)
