"""Who may read: policies, ACLs, the public access block; presigned requests; CORS."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import Config
from botocore.exceptions import ClientError

from .conftest import OPEN, ask, readable


@pytest.fixture
def filled(s3: Any, bucket: str) -> str:
    s3.put_object(Bucket=bucket, Key="a", Body=b"hello")
    return bucket


class TestAnonymous:
    def test_not_unless_allowed(self, node: Any, filled: str) -> None:
        status, body, _ = ask(node, "GET", f"/{filled}/a")
        assert status == 403
        assert b"<Code>AccessDenied</Code><Message>Access Denied</Message>" in body
        assert ask(node, "PUT", f"/{filled}/b", b"x")[0] == 403

    def test_by_policy(self, node: Any, s3: Any, filled: str) -> None:
        with pytest.raises(ClientError, match="BlockPublicPolicy"):
            s3.put_bucket_policy(Bucket=filled, Policy=readable(filled))
        s3.put_public_access_block(Bucket=filled, PublicAccessBlockConfiguration=OPEN)
        s3.put_bucket_policy(Bucket=filled, Policy=readable(filled))
        assert ask(node, "GET", f"/{filled}/a")[:2] == (200, b"hello")
        assert ask(node, "GET", f"/{filled}/none")[0] == 403
        assert ask(node, "GET", f"/{filled}")[0] == 403
        assert s3.get_bucket_policy_status(Bucket=filled)["PolicyStatus"]["IsPublic"] is True
        restricted = OPEN | {"RestrictPublicBuckets": True}
        s3.put_public_access_block(Bucket=filled, PublicAccessBlockConfiguration=restricted)
        assert ask(node, "GET", f"/{filled}/a")[0] == 403

    def test_by_policy_with_a_condition(self, node: Any, s3: Any, filled: str) -> None:
        s3.put_public_access_block(Bucket=filled, PublicAccessBlockConfiguration=OPEN)
        for network, status in [("127.0.0.0/8", 200), ("10.0.0.0/8", 403)]:
            condition = {"IpAddress": {"aws:SourceIp": network}}
            s3.put_bucket_policy(Bucket=filled, Policy=readable(filled, Condition=condition))
            assert ask(node, "GET", f"/{filled}/a")[0] == status

    def test_by_acl(self, node: Any, s3: Any, filled: str) -> None:
        with pytest.raises(ClientError, match="The bucket does not allow ACLs"):
            s3.put_object_acl(Bucket=filled, Key="a", ACL="public-read")
        rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        s3.put_bucket_ownership_controls(Bucket=filled, OwnershipControls=rules)
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object_acl(Bucket=filled, Key="a", ACL="public-read")
        s3.delete_public_access_block(Bucket=filled)
        s3.put_object_acl(Bucket=filled, Key="a", ACL="public-read")
        assert ask(node, "GET", f"/{filled}/a")[:2] == (200, b"hello")
        grantees = [
            grant["Grantee"].get("URI") for grant in s3.get_object_acl(Bucket=filled, Key="a")["Grants"]
        ]
        assert grantees == [None, "http://acs.amazonaws.com/groups/global/AllUsers"]
        ignored = OPEN | {"IgnorePublicAcls": True}
        s3.put_public_access_block(Bucket=filled, PublicAccessBlockConfiguration=ignored)
        assert ask(node, "GET", f"/{filled}/a")[0] == 403

    def test_who_may_list_is_told_what_is_not_there(self, node: Any, s3: Any, filled: str) -> None:
        s3.put_public_access_block(Bucket=filled, PublicAccessBlockConfiguration=OPEN)
        rules = [{"ObjectOwnership": "BucketOwnerPreferred"}]
        s3.put_bucket_ownership_controls(Bucket=filled, OwnershipControls={"Rules": rules})
        assert ask(node, "GET", f"/{filled}/missing")[0] == 403
        s3.put_bucket_acl(Bucket=filled, ACL="public-read")
        status, body, _ = ask(node, "GET", f"/{filled}/missing")
        assert (status, b"<Code>NoSuchKey</Code>" in body) == (404, True)

    def test_an_enforced_owner_takes_no_acls(self, s3: Any, filled: str) -> None:
        for ask_for in [
            lambda: s3.put_bucket_acl(Bucket=filled, ACL="private"),
            lambda: s3.put_object_acl(Bucket=filled, Key="a", ACL="private"),
            lambda: s3.put_object(Bucket=filled, Key="b", Body=b"x", ACL="public-read"),
            lambda: s3.put_object(Bucket=filled, Key="b", Body=b"x", GrantRead=f"id={'0' * 64}"),
            lambda: s3.copy_object(Bucket=filled, Key="b", CopySource=f"{filled}/a", ACL="public-read"),
            lambda: s3.create_multipart_upload(Bucket=filled, Key="b", ACL="public-read"),
        ]:
            with pytest.raises(ClientError, match="AccessControlListNotSupported"):
                ask_for()
        s3.put_object(Bucket=filled, Key="b", Body=b"x", ACL="bucket-owner-full-control")
        [grant] = s3.get_object_acl(Bucket=filled, Key="b")["Grants"]
        assert grant["Permission"] == "FULL_CONTROL"

    def test_acls_of_new_buckets(self, s3: Any, unique: Callable[[str], str]) -> None:
        s3.create_bucket(Bucket=unique("private"), ACL="private")
        with pytest.raises(ClientError, match="InvalidBucketAclWithObjectOwnership"):
            s3.create_bucket(Bucket=unique("public"), ACL="public-read")
        with pytest.raises(ClientError, match="InvalidBucketAclWithBlockPublicAccessError"):
            s3.create_bucket(Bucket=unique("public"), ACL="public-read", ObjectOwnership="ObjectWriter")

    def test_what_nobody_signed_changes_no_headers(self, node: Any, s3: Any, filled: str) -> None:
        s3.put_public_access_block(Bucket=filled, PublicAccessBlockConfiguration=OPEN)
        s3.put_bucket_policy(Bucket=filled, Policy=readable(filled))
        status, body, _ = ask(node, "GET", f"/{filled}/a?response-content-type=text/html")
        assert status == 400
        assert b"cannot be used for anonymous GET requests" in body

    def test_a_denial_counts_for_the_owner_too(self, s3: Any, filled: str) -> None:
        s3.put_bucket_policy(Bucket=filled, Policy=readable(filled, Effect="Deny"))
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.get_object(Bucket=filled, Key="a")
        s3.delete_bucket_policy(Bucket=filled)
        assert s3.get_object(Bucket=filled, Key="a")["Body"].read() == b"hello"


class TestConditions:
    """Policies that look at the request, and bind the administrator too."""

    @pytest.mark.parametrize(
        ("condition", "fits"),
        [
            (
                {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
                {"ServerSideEncryption": "aws:kms"},
            ),
            ({"Null": {"s3:if-none-match": "true"}}, {"IfNoneMatch": "*"}),
            ({"StringNotEquals": {"s3:RequestObjectTag/team": "blue"}}, {"Tagging": "team=blue"}),
        ],
    )
    def test_on_what_is_written(
        self, s3: Any, bucket: str, condition: dict[str, Any], fits: dict[str, str]
    ) -> None:
        policy = readable(bucket, Effect="Deny", Action="s3:PutObject", Condition=condition)
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object(Bucket=bucket, Key="a", Body=b"1")
        s3.put_object(Bucket=bucket, Key="a", Body=b"1", **fits)

    def test_on_what_is_uploaded_in_parts(self, s3: Any, bucket: str) -> None:
        wanted = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}}
        policy = readable(bucket, Effect="Deny", Action="s3:PutObject", Condition=wanted)
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.create_multipart_upload(Bucket=bucket, Key="a")
        made = {"Bucket": bucket, "Key": "a"}
        made["UploadId"] = s3.create_multipart_upload(**made, ServerSideEncryption="AES256")["UploadId"]
        part = s3.upload_part(**made, PartNumber=1, Body=b"x")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        s3.complete_multipart_upload(**made, MultipartUpload=parts)

    def test_on_tags_that_are_there(self, node: Any, s3: Any, filled: str) -> None:
        s3.put_public_access_block(Bucket=filled, PublicAccessBlockConfiguration=OPEN)
        condition = {"StringEquals": {"s3:ExistingObjectTag/shown": "yes"}}
        s3.put_bucket_policy(Bucket=filled, Policy=readable(filled, Condition=condition))
        assert ask(node, "GET", f"/{filled}/a")[0] == 403
        s3.put_object_tagging(Bucket=filled, Key="a", Tagging={"TagSet": [{"Key": "shown", "Value": "yes"}]})
        assert ask(node, "GET", f"/{filled}/a")[0] == 200


class TestUsers:
    @pytest.mark.parametrize(
        ("asked", "needed"),
        [
            ({"Tagging": "a=b"}, "s3:PutObjectTagging"),
            ({"ACL": "bucket-owner-full-control"}, "s3:PutObjectAcl"),
        ],
    )
    def test_who_writes_tags_and_acls_needs_more(
        self, client: Callable[..., Any], s3: Any, bucket: str, unique: Callable[[str], str],
        asked: dict[str, str], needed: str,
    ) -> None:  # fmt: skip
        iam, name = client("iam"), unique("writer")
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        user = client(
            "s3", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )

        def allow(*actions: str) -> None:
            statement = {"Effect": "Allow", "Action": list(actions), "Resource": f"arn:aws:s3:::{bucket}/*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)

        allow("s3:PutObject")
        user.put_object(Bucket=bucket, Key="a", Body=b"x")
        for write in (user.put_object, user.create_multipart_upload):
            with pytest.raises(ClientError, match=f"is not authorized to perform: {needed} on resource"):
                write(Bucket=bucket, Key="a", **asked)
        s3.put_object(Bucket=bucket, Key="a", Body=b"x")
        allow("s3:GetObject")
        with pytest.raises(ClientError, match="not authorized to perform: s3:GetObjectAttributes"):
            user.get_object_attributes(Bucket=bucket, Key="a", ObjectAttributes=["ETag"])
        allow("s3:PutObject", needed)
        user.put_object(Bucket=bucket, Key="a", Body=b"x", **asked)
        user.create_multipart_upload(Bucket=bucket, Key="a", **asked)


class TestAnotherAccount:
    def test_by_policy(self, client: Callable[..., Any], s3: Any, filled: str) -> None:
        other = client("s3", aws_access_key_id="111122223333")
        with pytest.raises(ClientError, match="AccessDenied"):
            other.get_object(Bucket=filled, Key="a")
        principal = {"AWS": "arn:aws:iam::111122223333:root"}
        s3.put_bucket_policy(Bucket=filled, Policy=readable(filled, Principal=principal))
        assert other.get_object(Bucket=filled, Key="a")["Body"].read() == b"hello"
        with pytest.raises(ClientError, match="BucketAlreadyExists"):
            other.create_bucket(Bucket=filled)

    @pytest.mark.parametrize(
        ("ownership", "acl", "given"),
        [
            ("ObjectWriter", "bucket-owner-full-control", False),
            ("BucketOwnerPreferred", "private", False),
            ("BucketOwnerPreferred", "bucket-owner-full-control", True),
            ("BucketOwnerEnforced", "bucket-owner-full-control", True),
        ],
    )
    def test_whose_its_objects_are(
        self,
        client: Callable[..., Any],
        s3: Any,
        bucket: str,
        ownership: str,
        acl: str,
        given: bool,
    ) -> None:
        other = client("s3", aws_access_key_id="111122223333")
        rules = {"Rules": [{"ObjectOwnership": ownership}]}
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)
        principal = {"AWS": "arn:aws:iam::111122223333:root"}
        s3.put_bucket_policy(
            Bucket=bucket, Policy=readable(bucket, Principal=principal, Action="s3:PutObject")
        )
        other.put_object(Bucket=bucket, Key="theirs", Body=b"x", ACL=acl)
        [entry] = s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"]
        ours = s3.list_buckets()["Owner"]["ID"]
        assert (entry["Owner"]["ID"] == ours) == given


class TestHosts:
    @pytest.mark.parametrize(
        "host",
        ["{}.s3.us-east-1.localhost:4566", "{}.s3.localhost.localstack.cloud", "{}.s3.amazonaws.com",
         "{}.s3.eu-west-1.amazonaws.com", "{}.s3.localhost:4566"],
    )  # fmt: skip
    def test_the_bucket_in_the_host(self, node: Any, s3: Any, filled: str, host: str) -> None:
        s3.put_public_access_block(Bucket=filled, PublicAccessBlockConfiguration=OPEN)
        s3.put_bucket_policy(Bucket=filled, Policy=readable(filled))
        assert ask(node, "GET", "/a", Host=host.format(filled))[:2] == (200, b"hello")

    @pytest.mark.parametrize("host", ["{}.s3.localhost:4566", "{}.s3.us-west-2.amazonaws.com"])
    def test_a_bucket_with_dots(self, node: Any, s3: Any, unique: Callable[[str], str], host: str) -> None:
        name = unique("www.example.com")
        s3.create_bucket(Bucket=name)
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=OPEN)
        s3.put_bucket_policy(Bucket=name, Policy=readable(name))
        s3.put_object(Bucket=name, Key="a/b", Body=b"dots")
        assert ask(node, "GET", "/a/b", Host=host.format(name))[:2] == (200, b"dots")


class TestPresigned:
    def test_put_with_headers(self, fresh_node: Callable[..., Any]) -> None:
        node = fresh_node()  # nobody has moved its clock
        s3 = node.client("s3", config=Config(signature_version="s3v4"))
        s3.create_bucket(Bucket="mine")
        given = {"ContentType": "text/css", "Metadata": {"one": "1"}, "CacheControl": "max-age=9"}
        url = s3.generate_presigned_url("put_object", Params={"Bucket": "mine", "Key": "a", **given})
        headers = {"Content-Type": "text/css", "x-amz-meta-one": "1", "Cache-Control": "max-age=9"}
        assert ask(node, "PUT", url.removeprefix(node.endpoint), b"a {}", **headers)[0] == 200
        head = s3.head_object(Bucket="mine", Key="a")
        assert {name: head[name] for name in given} == given

    @pytest.mark.parametrize("version", ["s3", "s3v4"])
    def test_get_and_put_until_they_expire(self, fresh_node: Callable[..., Any], version: str) -> None:
        node = fresh_node()
        node.client("s3").create_bucket(Bucket="mine")
        s3 = node.client("s3", config=Config(signature_version=version))
        params = {"Bucket": "mine", "Key": "a"}
        put = s3.generate_presigned_url("put_object", Params=params, ExpiresIn=60).removeprefix(node.endpoint)
        get = s3.generate_presigned_url("get_object", Params=params, ExpiresIn=60).removeprefix(node.endpoint)
        assert ask(node, "PUT", put, b"hello")[0] == 200
        assert ask(node, "GET", get)[:2] == (200, b"hello")
        node.advance(61)
        status, body, _ = ask(node, "GET", get)
        assert status == 403
        assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in body
        assert (b"<X-Amz-Expires>60</X-Amz-Expires>" in body) == (version == "s3v4")

    @pytest.mark.parametrize(
        ("old", "new", "wrong"),
        [
            (
                "X-Amz-Expires=60",
                "X-Amz-Expires=604801",
                "X-Amz-Expires must be less than a week (in seconds)",
            ),
            ("X-Amz-Expires=60", "X-Amz-Expires=-1", "X-Amz-Expires must be non-negative"),
            ("X-Amz-Expires=60", "X-Amz-Expires=x", "X-Amz-Expires should be a number"),
            ("&X-Amz-Expires=60", "", "Query-string authentication version 4 requires the X-Amz-Algorithm"),
            (
                "X-Amz-Signature",
                "X-Amz-Sign",
                "Query-string authentication version 4 requires the X-Amz-Algorithm",
            ),
            ("HMAC-SHA256", "HMAC-MD5", "X-Amz-Algorithm only supports"),
            (
                "%2Faws4_request",
                "",
                "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed",
            ),
            ("X-Amz-Date=2", "X-Amz-Date=x2", "X-Amz-Date must be in the ISO8601 Long Format"),
        ],
    )
    def test_that_are_malformed(
        self, node: Any, client: Callable[..., Any], filled: str, old: str, new: str, wrong: str
    ) -> None:
        s3 = client("s3", config=Config(signature_version="s3v4"))
        url = s3.generate_presigned_url("get_object", Params={"Bucket": filled, "Key": "a"}, ExpiresIn=60)
        assert old in url
        status, body, _ = ask(node, "GET", url.removeprefix(node.endpoint).replace(old, new))
        assert (status, b"<Code>AuthorizationQueryParametersError</Code>" in body) == (400, True), body
        assert wrong.encode() in body.replace(b"&quot;", b'"')

    def test_headers_that_were_not_signed(self, fresh_node: Callable[..., Any]) -> None:
        node = fresh_node()  # nobody has moved its clock
        iam = node.client("iam")
        iam.create_user(UserName="signer")
        key = iam.create_access_key(UserName="signer")["AccessKey"]
        user = node.client(
            "s3",
            config=Config(signature_version="s3v4"),
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )
        url = user.generate_presigned_url("put_object", Params={"Bucket": "any", "Key": "new"})
        status, body, _ = ask(node, "PUT", url.removeprefix(node.endpoint), b"x", x_amz_meta_a="1")
        assert (status, b"<HeadersNotSigned>x-amz-meta-a</HeadersNotSigned>" in body) == (403, True), body

    @pytest.mark.parametrize(
        ("authorization", "wrong"),
        [
            ("AWS test:c2lnbmF0dXJl", "Please use AWS4-HMAC-SHA256."),
            ("Bearer token", "Unsupported Authorization Type"),
        ],
    )
    def test_other_ways_to_sign(self, node: Any, filled: str, authorization: str, wrong: str) -> None:
        status, body, _ = ask(node, "GET", f"/{filled}/a", Authorization=authorization)
        assert (status, wrong.encode() in body) == (400, True), body


class TestCors:
    @pytest.mark.parametrize(
        ("rule", "wrong"),
        [
            ({"AllowedHeaders": ["a*b*"]}, 'AllowedHeader "a*b*" can not have more than one wildcard.'),
            ({"ExposeHeaders": ["x-*"]}, 'ExposeHeader "x-*" contains wildcard.'),
            ({"AllowedOrigins": ["a*b*"]}, 'AllowedOrigin "a*b*" can not have more than one wildcard.'),
            ({"AllowedMethods": ["PATCH"]}, "Unsupported method is PATCH"),
        ],
    )
    def test_rules_that_are_none(self, s3: Any, filled: str, rule: dict[str, Any], wrong: str) -> None:
        fine = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
        with pytest.raises(ClientError, match=re.escape(wrong)):
            s3.put_bucket_cors(Bucket=filled, CORSConfiguration={"CORSRules": [fine | rule]})

    def test_a_method_that_is_none(self, node: Any, filled: str) -> None:
        asked = {"Origin": "http://a", "Access_Control_Request_Method": "PATCH"}
        status, body, _ = ask(node, "OPTIONS", f"/{filled}/a", **asked)
        assert (status, b"Invalid Access-Control-Request-Method: PATCH" in body) == (400, True)

    def test_preflight_and_answer(self, node: Any, s3: Any, filled: str) -> None:
        origin = "https://a.example.com"
        asked = {
            "Origin": origin,
            "Access_Control_Request_Method": "GET",
            "Access_Control_Request_Headers": "x-a",
        }
        assert ask(node, "OPTIONS", f"/{filled}/a", **asked)[0] == 403
        rule = {
            "AllowedMethods": ["GET"], "AllowedOrigins": ["https://*.example.com"], "AllowedHeaders": ["X-*"],
            "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 9,
        }  # fmt: skip
        s3.put_bucket_cors(Bucket=filled, CORSConfiguration={"CORSRules": [rule]})
        assert s3.get_bucket_cors(Bucket=filled)["CORSRules"] == [rule]
        status, _, headers = ask(node, "OPTIONS", f"/{filled}/a", **asked)
        assert status == 200
        assert headers["access-control-allow-origin"] == origin
        assert headers["access-control-allow-headers"] == "x-a"
        assert headers["access-control-max-age"] == "9"
        assert ask(node, "OPTIONS", f"/{filled}/a", **(asked | {"Origin": "https://evil.org"}))[0] == 403
        assert ask(node, "OPTIONS", f"/{filled}", **asked)[0] == 200
        _, _, headers = ask(node, "GET", f"/{filled}/a", Origin=origin)
        assert headers["access-control-allow-origin"] == origin
        assert headers["access-control-expose-headers"] == "ETag"


@pytest.mark.node_only
def test_a_policy_that_denies_plain_http_means_other_machines(client: Any, unique: Any) -> None:
    """Such a policy is on the buckets that SAM and CDK make for themselves."""
    bucket, s3 = unique("secure"), client("s3")
    s3.create_bucket(Bucket=bucket)
    statement = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }  # fmt: skip
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
