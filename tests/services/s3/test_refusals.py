"""What S3 refuses, in its own words: bodies that aren't what they were, odd names, methods, policies, conditions."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import ask

SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, "
    "Signature=0",
    "x-amz-date": "20260101T000000Z",
}
GONE = b"<Delete><Object><Key>a</Key></Object></Delete>"


def signed(
    node: Any, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    return ask(node, method, path, body, **SIGNED, **headers)


class TestDocuments:
    """Bodies that are read as a whole."""

    def test_deleting_many_asks_for_a_checksum(self, node: Any, s3: Any, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"x")
        status, body, _ = signed(node, "POST", f"/{bucket}?delete", GONE)
        assert (status, b"Missing required header for this request: Content-MD5" in body) == (400, True)
        s3.head_object(Bucket=bucket, Key="a")
        md5 = base64.b64encode(hashlib.md5(GONE).digest()).decode()
        assert signed(node, "POST", f"/{bucket}?delete", GONE, Content_MD5=md5)[0] == 200

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({"Content_MD5": base64.b64encode(b"0" * 16).decode()}, b"<Code>BadDigest</Code>"),
            ({"Content_MD5": "nonsense"}, b"<Code>InvalidDigest</Code>"),
            ({"x_amz_checksum_crc32": "AAAAAA=="}, b"The CRC32 you specified did not match the calculated"),
            ({"x_amz_checksum_sha256": "AAAA"}, b"Value for x-amz-checksum-sha256 header is invalid."),
            ({"x_amz_content_sha256": "0" * 64}, b"<Code>XAmzContentSHA256Mismatch</Code>"),
        ],
    )
    def test_that_are_not_what_they_were(
        self, node: Any, s3: Any, bucket: str, headers: dict[str, str], code: bytes
    ) -> None:
        tags = b"<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>"
        status, body, _ = signed(node, "PUT", f"/{bucket}?tagging", tags, **headers)
        assert (status, code in body) == (400, True), body
        with pytest.raises(ClientError, match="NoSuchTagSet"):
            s3.get_bucket_tagging(Bucket=bucket)

    def test_a_wrong_digest_is_told_with_the_right_one(self, node: Any, bucket: str) -> None:
        wrong = base64.b64encode(b"0" * 16).decode()
        _, body, _ = signed(node, "PUT", f"/{bucket}/a", b"x", Content_MD5=wrong)
        right = base64.b64encode(hashlib.md5(b"x").digest()).decode()
        assert f"<CalculatedDigest>{right}</CalculatedDigest>".encode() in body
        assert f"<ExpectedDigest>{wrong}</ExpectedDigest>".encode() in body


class TestRequests:
    @pytest.mark.parametrize(
        ("method", "path"), [("PATCH", "/a"), ("POST", "/a"), ("PUT", "?nonsense=1&acl=")]
    )
    def test_methods(self, node: Any, bucket: str, method: str, path: str) -> None:
        status, body, _ = signed(node, method, f"/{bucket}{path}", b"")
        if method == "PUT":
            assert status == 400
            return
        assert (status, b"<Message>The specified method is not allowed against this resource.<" in body) == (
            405,
            True,
        )

    @pytest.mark.parametrize(
        ("path", "wrong"),
        [
            ("/x", b"<Code>InvalidBucketName</Code>"),
            ("/a%20b/c", b"<Code>InvalidBucketName</Code>"),
            ("/{bucket}/a?versionId=", b"Version id cannot be the empty string"),
            ("/{bucket}?max-keys=-1", b"Argument maxKeys must be an integer between 0 and 2147483647"),
            ("/{bucket}/" + "k" * 1025, b"<Code>KeyTooLongError</Code>"),
            ("/{bucket}/%ff", b"<Code>InvalidURI</Code>"),
            ("/{bucket}/a?response-content-type=a%0d%0ab", b"<Code>InvalidArgument</Code>"),
            ("/{bucket}/a?partNumber=0", b"Part number must be an integer between 1 and 10000, inclusive"),
            (
                "/{bucket}/a?attributes",
                b"specifying the attributes to be retrieved is either missing or empty",
            ),
            ("/{bucket}?list-type=2&encoding-type=x", b"Invalid Encoding Method specified in Request"),
            ("/{bucket}?versions&version-id-marker=x", b"cannot be specified without a key marker"),
        ],
    )
    def test_names_and_parameters(self, node: Any, s3: Any, bucket: str, path: str, wrong: bytes) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"x")
        status, body, _ = signed(node, "GET", path.format(bucket=bucket))
        assert (status, wrong in body) == (400, True), body

    def test_an_algorithm_without_its_checksum(self, node: Any, bucket: str) -> None:
        headers = {"x_amz_sdk_checksum_algorithm": "CRC32"}
        status, body, _ = signed(node, "PUT", f"/{bucket}/a", b"x", **headers)
        assert (status, b"but no corresponding x-amz-checksum-* or x-amz-trailer" in body) == (400, True)

    def test_metadata_beyond_ascii(self, node: Any, s3: Any, bucket: str) -> None:
        signed(node, "PUT", f"/{bucket}/a", b"x", x_amz_meta_name="ÄMÄ")
        shown = s3.head_object(Bucket=bucket, Key="a")["Metadata"]["name"]
        assert shown == f"=?UTF-8?B?{base64.b64encode('ÄMÄ'.encode()).decode()}?="

    def test_times_have_their_milliseconds(self, node: Any, s3: Any, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"x")
        for path in (f"/{bucket}", f"/{bucket}?versions", "/"):
            assert b".000Z</" in signed(node, "GET", path)[1]

    def test_a_delete_marker_can_only_be_deleted(self, node: Any, s3: Any, bucket: str) -> None:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        marker = s3.delete_object(Bucket=bucket, Key="a")["VersionId"]
        for method in ("GET", "HEAD"):
            status, body, headers = signed(node, method, f"/{bucket}/a?versionId={marker}")
            assert (status, headers["allow"], b"<ResourceType>DeleteMarker<" in body) == (
                405,
                "DELETE",
                method == "GET",
            )

    def test_pages_have_up_to_a_thousand(self, s3: Any, bucket: str) -> None:
        assert s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000
        s3.create_multipart_upload(Bucket=bucket, Key="a")
        none = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=0)
        assert (none["IsTruncated"], "Uploads" in none) == (False, False)
        with pytest.raises(ClientError, match="NoSuchBucket"):
            s3.list_object_versions(Bucket=f"no-{bucket}", MaxKeys=0)

    def test_keys_in_lists_are_forms(self, node: Any, s3: Any, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="a b+(c)", Body=b"x")
        _, body, _ = signed(node, "GET", f"/{bucket}?encoding-type=url")
        assert b"<Key>a+b%2B%28c%29</Key>" in body
        assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"] == "a b+(c)"

    def test_not_modified_says_how_long_it_may_be_kept(self, node: Any, s3: Any, bucket: str) -> None:
        etag = s3.put_object(Bucket=bucket, Key="a", Body=b"x", CacheControl="max-age=9")["ETag"]
        status, body, headers = signed(node, "GET", f"/{bucket}/a", If_None_Match=etag)
        assert (status, body, headers["etag"], headers["cache-control"]) == (304, b"", etag, "max-age=9")

    def test_dates_that_are_none_are_not_heeded(self, node: Any, s3: Any, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"x")
        for name in ("If_Modified_Since", "If_Unmodified_Since"):
            assert signed(node, "GET", f"/{bucket}/a", **{name: "yesterday"})[0] == 200
        past = "Thu, 01 Jan 2015 00:00:00 GMT"
        assert signed(node, "GET", f"/{bucket}/a", If_Unmodified_Since=past)[0] == 412
        _, _, headers = signed(node, "GET", f"/{bucket}/a?response-expires=never")
        assert headers["expires"] == "never"


class TestConditions:
    def test_deleting_what_is_hidden(self, s3: Any, bucket: str) -> None:
        with pytest.raises(ClientError, match="NoSuchKey"):
            s3.delete_object(Bucket=bucket, Key="a", IfMatch="*")
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=bucket, Key="a", Body=b"x")
        s3.delete_object(Bucket=bucket, Key="a", IfMatch="*")
        with pytest.raises(ClientError, match="PreconditionFailed"):
            s3.delete_object(Bucket=bucket, Key="a", IfMatch="*")


class TestCopies:
    @pytest.mark.parametrize(
        ("source", "more", "wrong"),
        [
            ("nonsense", {}, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"),
            ("{bucket}/a", {"TaggingDirective": "MOVE"}, "Unknown tagging directive."),
            ("{bucket}/a", {"MetadataDirective": "MOVE"}, "Unknown metadata directive."),
        ],
    )
    def test_what_is_wrong(self, s3: Any, bucket: str, source: str, more: dict[str, str], wrong: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"x")
        with pytest.raises(ClientError, match=wrong):
            s3.copy_object(Bucket=bucket, Key="b", CopySource=source.format(bucket=bucket), **more)

    @pytest.mark.parametrize(
        ("span", "wrong"),
        [
            ("bytes=0-10", "Range specified is not valid for source object of size: 10"),
            ("bytes=2-", "must be of the form bytes=first-last"),
            ("bytes=-2", "must be of the form bytes=first-last"),
            ("bytes=5-2", "must be of the form bytes=first-last"),
        ],
    )
    def test_ranges_of_parts(self, s3: Any, bucket: str, span: str, wrong: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"0123456789")
        asked = {"Bucket": bucket, "Key": "b", "PartNumber": 1, "CopySource": f"{bucket}/a"}
        id = s3.create_multipart_upload(Bucket=bucket, Key="b")["UploadId"]
        with pytest.raises(ClientError, match=wrong):
            s3.upload_part_copy(**asked, UploadId=id, CopySourceRange=span)

    def test_a_delete_marker_has_nothing_to_copy(self, s3: Any, bucket: str) -> None:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        marker = s3.delete_object(Bucket=bucket, Key="a")["VersionId"]
        source = {"Bucket": bucket, "Key": "a"}
        with pytest.raises(ClientError, match="NoSuchKey"):
            s3.copy_object(Bucket=bucket, Key="b", CopySource=source)
        with pytest.raises(ClientError, match="may not specifically refer to a delete marker by version id"):
            s3.copy_object(Bucket=bucket, Key="b", CopySource=source | {"VersionId": marker})

    def test_where_a_website_leads_is_not_copied(self, s3: Any, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", WebsiteRedirectLocation="/x", ContentType="a/b")
        s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a")
        head = s3.head_object(Bucket=bucket, Key="b")
        assert (head["ContentType"], head.get("WebsiteRedirectLocation")) == ("a/b", None)
        s3.copy_object(Bucket=bucket, Key="a", CopySource=f"{bucket}/a", WebsiteRedirectLocation="/y")
        head = s3.head_object(Bucket=bucket, Key="a")
        assert (head["ContentType"], head["WebsiteRedirectLocation"]) == ("a/b", "/y")


class TestSettings:
    @pytest.mark.parametrize(
        ("given", "name"),
        [
            ({"GrantRead": "id=somebody"}, "id"),
            (
                {
                    "AccessControlPolicy": {
                        "Owner": {"ID": "0" * 64},
                        "Grants": [
                            {"Grantee": {"Type": "CanonicalUser", "ID": "somebody"}, "Permission": "READ"}
                        ],
                    }
                },
                "CanonicalUser/ID",
            ),
        ],
    )
    def test_grants_to_nobody(self, s3: Any, bucket: str, given: dict[str, Any], name: str) -> None:
        rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)
        with pytest.raises(ClientError, match="Invalid id") as caught:
            s3.put_bucket_acl(Bucket=bucket, **given)
        assert caught.value.response["Error"]["ArgumentName"] == name

    def test_public_acls_that_are_blocked(self, s3: Any, bucket: str) -> None:
        rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)
        s3.put_object(Bucket=bucket, Key="a", Body=b"x")
        for action, name, call in [
            ("PutBucketAcl", bucket, lambda: s3.put_bucket_acl(Bucket=bucket, ACL="public-read")),
            (
                "PutObjectAcl",
                f"{bucket}/a",
                lambda: s3.put_object_acl(Bucket=bucket, Key="a", ACL="public-read"),
            ),
            ("PutObject", f"{bucket}/b", lambda: s3.put_object(Bucket=bucket, Key="b", ACL="public-read")),
        ]:
            with pytest.raises(ClientError) as caught:
                call()
            assert caught.value.response["Error"]["Message"] == (
                f"User: arn:aws:iam::000000000000:root is not authorized to perform: s3:{action} on resource: "
                f'"arn:aws:s3:::{name}" because public ACLs are prevented by the BlockPublicAcls setting in S3 Block '
                "Public Access."
            )

    def test_too_many_tags(self, s3: Any, bucket: str) -> None:
        tags = [{"Key": str(number), "Value": ""} for number in range(51)]
        with pytest.raises(ClientError, match=r"BadRequest.*Bucket tag count cannot be greater than 50"):
            s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})

    def test_two_kinds_of_acl_at_once(self, s3: Any, bucket: str) -> None:
        with pytest.raises(ClientError, match="Specifying both Canned ACLs and Header Grants is not allowed"):
            s3.put_object(Bucket=bucket, Key="a", ACL="private", GrantRead="id=1")

    @pytest.mark.parametrize(
        ("change", "wrong"),
        [
            ({"Principal": "nobody"}, "Invalid principal in policy"),
            ({"Principal": {"AWS": "nobody"}}, "Invalid principal in policy"),
            ({"Principal": {"Service": "nobody"}}, "Invalid principal in policy"),
            ({"Action": "s3:ListBucket"}, "Action does not apply to any resource"),
            ({"Resource": "arn:aws:s3:::{bucket}"}, "Action does not apply to any resource"),
            ({"Nonsense": 1}, "Unknown field Nonsense"),
            ({"Effect": "Perhaps"}, "Invalid effect: Perhaps"),
            ({"Effect": None}, "Missing required field Effect"),
            (
                {"Condition": {"StringSimilar": {"aws:Referer": "x"}}},
                "Invalid Condition type : StringSimilar",
            ),
            ({"Resource": "arn:aws:s3:::another/*"}, "Policy has invalid resource"),
        ],
    )
    def test_policies(self, s3: Any, bucket: str, change: dict[str, Any], wrong: str) -> None:
        fine = {
            "Effect": "Allow",
            "Principal": {"AWS": "111111111111"},
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::{bucket}/*",
        }
        statement = {name: value for name, value in (fine | change).items() if value is not None}
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]}).replace("{bucket}", bucket)
        with pytest.raises(ClientError, match=wrong) as caught:
            s3.put_bucket_policy(Bucket=bucket, Policy=text)
        assert caught.value.response["Error"]["Code"] == "MalformedPolicy"

    @pytest.mark.parametrize(
        "principal",
        [
            {"AWS": 111111111111},
            {"AWS": ["arn:aws:iam::111111111111:role/a/b", "arn:aws:iam::111111111111:root"]},
            {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"},
            {"AWS": "arn:aws:sts::111111111111:assumed-role/a/session"},
            {"Service": ["cloudfront.amazonaws.com", "logs.eu-west-1.amazonaws.com"]},
            {"CanonicalUser": "0" * 64},
            {"Federated": "cognito-identity.amazonaws.com"},
        ],
    )
    def test_principals_of_a_policy(self, s3: Any, bucket: str, principal: dict[str, Any]) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": principal,
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/${{aws:username}}/*"],
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == policy

    def test_the_version_of_a_policy(self, s3: Any, bucket: str) -> None:
        with pytest.raises(ClientError, match="The policy must contain a valid version string"):
            s3.put_bucket_policy(Bucket=bucket, Policy='{"Version": "2020-01-01", "Statement": []}')
