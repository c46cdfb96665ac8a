"""The services' own words about what a request lacks or has too much of."""

from __future__ import annotations

from typing import Any

from cloudlet.aws import constraints
from tests.aws.kit import MODELS


def check(service: str, operation: str, params: dict[str, Any]) -> str | None:
    return constraints.check(MODELS[service].operations[operation].input, params)


class TestCheck:
    def test_nothing_wrong(self) -> None:
        assert check("dynamodb", "GetItem", {"TableName": "t", "Key": {"a": {"S": "x"}}}) is None

    def test_missing(self) -> None:
        assert check("dynamodb", "DescribeTimeToLive", {}) == (
            "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: "
            "Member must not be null"
        )

    def test_all_are_told(self) -> None:
        told = check("sts", "AssumeRole", {"RoleArn": "short", "DurationSeconds": 1})
        assert told is not None
        assert told.startswith("3 validation errors detected: Value null at 'roleSessionName'")
        assert "; Value 'short' at 'roleArn' failed to satisfy constraint: Member must have length" in told
        assert told.endswith(
            "Value '1' at 'durationSeconds' failed to satisfy constraint: "
            "Member must have value greater than or equal to 900"
        )

    def test_some_members_have_words_of_their_own(self) -> None:
        told = check("dynamodb", "DescribeTable", {})
        assert told == "The parameter 'TableName' is required but was not present in the request"
        told = check("dynamodb", "DescribeTable", {"TableName": ""})
        assert told is not None and told.endswith("Member must have length greater than or equal to 1")
        told = check("dynamodb", "BatchGetItem", {"RequestItems": {}})
        assert told == (
            "1 validation error detected: Value at 'RequestItems' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )

    def test_a_post_that_is_too_large_is_left_to_its_operation(self) -> None:
        assert (
            check(
                "apigatewaymanagementapi", "PostToConnection", {"ConnectionId": "c", "Data": b"x" * 200_000}
            )
            is None
        )

    def test_ten_at_most_are_told(self) -> None:
        told = check(
            "dynamodb", "CreateTable", {"TableName": "abc", "KeySchema": [{}] * 2, "Tags": [{}] * 20}
        )
        assert told is not None
        assert told.startswith("10 validation errors detected: ")

    def test_inside_a_list(self) -> None:
        given = {"TableName": "abc", "KeySchema": [{"AttributeName": "a", "KeyType": "HUSH"}]}
        told = check("dynamodb", "CreateTable", given)
        assert told is not None
        assert (
            "Value 'HUSH' at 'keySchema.1.member.keyType' failed to satisfy constraint: Member must" in told
        )
        assert "satisfy enum value set: [HASH, RANGE]" in told

    def test_inside_a_map(self) -> None:
        told = check("dynamodb", "BatchGetItem", {"RequestItems": {"t": {}}})
        assert told is not None
        assert "Value null at 'requestItems.t.member.keys' failed to satisfy constraint" in told

    def test_a_map_value_of_wrong_length(self) -> None:
        told = check("dynamodb", "BatchWriteItem", {"RequestItems": {"table": []}})
        assert told is not None
        assert told.endswith(
            "Value '{table=[]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: "
            "[Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"
        )

    def test_a_pattern(self) -> None:
        told = check("iam", "GetRole", {"RoleName": "no spaces"})
        assert told is not None
        assert "Value 'no spaces' at 'roleName' failed to satisfy constraint" in told
        assert told.endswith(r"Member must satisfy regular expression pattern: [\w+=,.@-]+")

    def test_patterns_are_about_the_whole_value_and_ascii(self) -> None:
        for name in ("fine\n", "fin\u00e9"):
            assert check("iam", "GetRole", {"RoleName": name}) is not None

    def test_a_secret_is_not_repeated(self) -> None:
        shape = MODELS["lambda"].shapes["EnvironmentVariables"]
        assert shape.sensitive


class TestJava:
    def test_values_print_as_the_services_print_them(self) -> None:
        shape = MODELS["dynamodb"].shapes["KeySchema"]
        value = [{"AttributeName": "a", "KeyType": "HASH"}, {"AttributeName": "b"}]
        assert constraints.java(shape, value) == (
            "[KeySchemaElement(attributeName=a, keyType=HASH), KeySchemaElement(attributeName=b, keyType=null)]"
        )
