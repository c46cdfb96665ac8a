"""What signatures say, and how malformed ones are refused."""

from __future__ import annotations

import pytest

from cloudlet.aws import sigv4
from tests.aws.kit import authorization


class TestReadHeader:
    def test_all_parts(self) -> None:
        read = sigv4.read_header(authorization("dynamodb", "AKID", "eu-west-1"), True)
        assert (read.access_key, read.date, read.region, read.service) == (
            "AKID",
            "20260101",
            "eu-west-1",
            "dynamodb",
        )
        assert read.signed_headers == ("host", "x-amz-date")
        assert read.signature == "abcdef"

    def test_without_spaces(self) -> None:
        header = authorization("sts").replace(", ", ",")
        assert sigv4.read_header(header, True).service == "sts"

    def test_keys_may_have_slashes(self) -> None:
        assert sigv4.read_header(authorization("sts", "a/b"), True).access_key == "a/b"

    @pytest.mark.parametrize(
        ("header", "text"),
        [
            (
                "AWS4-HMAC-SHA256",
                (
                    "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' "
                    "parameter. Authorization header requires 'SignedHeaders' parameter. "
                    "Authorization=AWS4-HMAC-SHA256"
                ),
            ),
            (
                "AWS4-HMAC-SHA256 Credential",
                (
                    "'Credential' not a valid key=value pair (missing equal-sign) in Authorization header: "
                    "'AWS4-HMAC-SHA256 Credential'."
                ),
            ),
            (
                "AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=host, Signature=x",
                (
                    "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
                    "got 'a/b/c/d'"
                ),
            ),
            (
                "AWS4-HMAC-SHA1 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=x",
                "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1' (only AWS4-HMAC-SHA256 for now). ",
            ),
        ],
    )
    def test_malformed(self, header: str, text: str) -> None:
        with pytest.raises(sigv4.Unauthenticated) as refused:
            sigv4.read_header(header, True)
        assert (refused.value.kind, refused.value.message) == ("incomplete_signature", text)

    def test_without_a_date(self) -> None:
        with pytest.raises(sigv4.Unauthenticated, match="'X-Amz-Date' or a 'Date' header"):
            sigv4.read_header(authorization("sts"), False)

    @pytest.mark.parametrize(
        ("header", "kind"),
        [
            ("Bearer x", "unknown_signature"),
            ("AWS AKID:signature", "old_signature"),
            ("", "unknown_signature"),
        ],
    )
    def test_other_schemes(self, header: str, kind: str) -> None:
        with pytest.raises(sigv4.Unauthenticated) as refused:
            sigv4.read_header(header, True)
        assert (refused.value.kind, refused.value.message) == (kind, sigv4.MISSING_TOKEN)


class TestReadQuery:
    QUERY = (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20260101%2Feu-west-1%2Fsts%2Faws4_request"
        "&X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=ab&X-Amz-Security-Token=tok"
    )

    def test_all_parts(self) -> None:
        read = sigv4.read_query(self.QUERY)
        assert (read.access_key, read.region, read.service, read.token) == ("AKID", "eu-west-1", "sts", "tok")

    def test_a_missing_part(self) -> None:
        with pytest.raises(sigv4.Unauthenticated) as refused:
            sigv4.read_query(self.QUERY.replace("X-Amz-Date", "X-Date"))
        assert refused.value.message == (
            "AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."
        )
