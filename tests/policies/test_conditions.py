"""Condition operators, after "IAM JSON policy elements: Condition operators" in the IAM User Guide."""

from __future__ import annotations

from typing import Any

import pytest

from cloudlet.policies.conditions import BadCondition, compiled


def holds(operator: str, key: str, wanted: Any, **facts: Any) -> bool:
    given = {name.replace("_", ":").lower(): value for name, value in facts.items()}
    values = {name: [value] if isinstance(value, str) else value for name, value in given.items()}
    return compiled(operator, key, wanted)(values.get)


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", ["b", "a"], "a", True),
        ("StringEquals", "A", "a", False),
        ("StringEquals", "a*", "ab", False),
        ("StringNotEquals", ["b", "a"], "a", False),
        ("StringNotEquals", ["b", "c"], "a", True),
        ("StringEqualsIgnoreCase", "A", "a", True),
        ("StringNotEqualsIgnoreCase", "A", "a", False),
        ("StringLike", "a*c?", "abbbcd", True),
        ("StringLike", "a*c?", "abbbc", False),
        ("StringNotLike", "a*", "abc", False),
        ("NumericEquals", "10", "10.0", True),
        ("NumericNotEquals", 10, "10", False),
        ("NumericLessThan", 10, "9", True),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "9", False),
        ("NumericGreaterThanEquals", "10", "10", True),
        ("NumericEquals", "10", "ten", False),
        ("DateLessThan", "2030-01-01T00:00:00Z", "2029-12-31T23:59:59Z", True),
        ("DateGreaterThan", "1700000000", "2029-12-31T23:59:59Z", True),
        ("DateEquals", "2029-12-31T00:00:00Z", "2029-12-31T01:00:00+01:00", True),
        ("Bool", "true", "true", True),
        ("Bool", True, "false", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", True),
        ("NotIpAddress", "10.0.0.0/8", "10.1.2.3", False),
        ("ArnLike", "arn:aws:sns:*:123456789012:t*", "arn:aws:sns:us-east-1:123456789012:topic", True),
        ("ArnLike", "arn:aws:*:topic", "arn:aws:sns:us-east-1:123456789012:topic", False),
        ("ArnEquals", "arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a/b", True),
        ("ArnNotLike", "arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a/b", False),
        ("stringequals", "a", "a", True),
    ],
)
def test_an_operator(operator: str, wanted: Any, given: str, expected: bool) -> None:
    assert holds(operator, "aws:Key", wanted, aws_Key=given) is expected


class TestAKeyThatIsAbsent:
    def test_fails_what_compares_and_passes_what_negates(self) -> None:
        assert not holds("StringEquals", "aws:Key", "a")
        assert holds("StringNotEquals", "aws:Key", "a")
        assert not holds("Bool", "aws:SecureTransport", "false")

    def test_passes_with_if_exists(self) -> None:
        assert holds("StringEqualsIfExists", "aws:Key", "a")
        assert not holds("StringEqualsIfExists", "aws:Key", "a", aws_Key="b")

    def test_is_what_null_asks_for(self) -> None:
        assert holds("Null", "aws:Key", "true")
        assert not holds("Null", "aws:Key", "true", aws_Key="b")
        assert holds("Null", "aws:Key", False, aws_Key="b")


class TestKeysOfManyValues:
    def test_for_all_values(self) -> None:
        operator = "ForAllValues:StringEquals"
        assert holds(operator, "aws:TagKeys", ["a", "b"], aws_TagKeys=["a", "b"])
        assert not holds(operator, "aws:TagKeys", ["a", "b"], aws_TagKeys=["a", "c"])
        assert holds(operator, "aws:TagKeys", ["a", "b"])

    def test_for_any_value(self) -> None:
        operator = "ForAnyValue:StringLike"
        assert holds(operator, "aws:TagKeys", "a*", aws_TagKeys=["x", "ab"])
        assert not holds(operator, "aws:TagKeys", "a*", aws_TagKeys=["x", "y"])
        assert not holds(operator, "aws:TagKeys", "a*")

    def test_for_any_value_of_a_negated_operator(self) -> None:
        operator = "ForAnyValue:StringNotEquals"
        assert holds(operator, "aws:TagKeys", "a", aws_TagKeys=["a", "b"])
        assert not holds(operator, "aws:TagKeys", "a", aws_TagKeys=["a"])


class TestVariables:
    def test_take_the_value_of_the_request(self) -> None:
        assert holds(
            "StringLike", "s3:prefix", "home/${aws:username}/*", s3_prefix="home/ann/x", aws_username="ann"
        )
        assert not holds(
            "StringLike", "s3:prefix", "home/${aws:username}/*", s3_prefix="home/bob/x", aws_username="ann"
        )

    def test_match_nothing_without_a_value(self) -> None:
        assert not holds("StringLike", "s3:prefix", "${aws:username}*", s3_prefix="")
        assert not holds("StringLike", "s3:prefix", "${aws:username}*", s3_prefix="a")
        assert holds("StringEquals", "s3:prefix", "${aws:username, 'all'}", s3_prefix="all")

    def test_escape_wild_cards(self) -> None:
        assert holds("StringLike", "aws:Key", "a${*}", aws_Key="a*")
        assert not holds("StringLike", "aws:Key", "a${*}", aws_Key="ab")


def test_an_unknown_operator_is_refused() -> None:
    for operator in ("StringMatches", "ForSomeValues:StringEquals"):
        with pytest.raises(BadCondition, match="Invalid Condition type"):
            compiled(operator, "aws:Key", "a")
