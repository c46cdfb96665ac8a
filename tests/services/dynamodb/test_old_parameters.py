"""Parameters from before expressions: what ConditionalOperator needs."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import refusal

WITHOUT = "ConditionalOperator cannot be used without Filter or Expected"
TOO_FEW = "ConditionalOperator can only be used when Filter or Expected has two or more elements"
ONE: dict[str, Any] = {"x": {"ComparisonOperator": "NOT_NULL"}}
KEY: dict[str, Any] = {"id": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}}


@pytest.mark.parametrize(
    ("operation", "parameters", "told"),
    [
        ("scan", {}, WITHOUT),
        ("scan", {"ScanFilter": {}}, WITHOUT),
        ("scan", {"ScanFilter": ONE}, TOO_FEW),
        ("scan", {"AttributesToGet": ["id", "x"]}, WITHOUT),
        ("query", {}, WITHOUT),
        ("query", {"KeyConditions": KEY}, WITHOUT),
        ("query", {"KeyConditions": KEY, "QueryFilter": {}}, WITHOUT),
        ("query", {"KeyConditions": KEY, "QueryFilter": ONE}, TOO_FEW),
        ("put_item", {"Item": {"id": {"S": "a"}}}, WITHOUT),
        ("put_item", {"Item": {"id": {"S": "a"}}, "Expected": {}}, WITHOUT),
        ("put_item", {"Item": {"id": {"S": "a"}}, "Expected": ONE}, TOO_FEW),
        ("delete_item", {"Key": {"id": {"S": "a"}}}, WITHOUT),
        ("delete_item", {"Key": {"id": {"S": "a"}}, "Expected": ONE}, TOO_FEW),
        ("update_item", {"Key": {"id": {"S": "a"}}}, WITHOUT),
        ("update_item", {"Key": {"id": {"S": "a"}}, "Expected": ONE}, TOO_FEW),
    ],
)
@pytest.mark.parametrize("operator", ["AND", "OR"])
def test_an_operator_joins_two(ddb, users, operation, parameters, told, operator):
    call = getattr(ddb, operation)
    assert refusal(call, TableName=users, ConditionalOperator=operator, **parameters).endswith(told)


def test_mixing_is_told_first(ddb, users):
    told = refusal(ddb.scan, TableName=users, ConditionalOperator="AND", ProjectionExpression="id")
    assert told == (
        "Can not use both expression and non-expression parameters in the same request: "
        "Non-expression parameters: {ConditionalOperator} Expression parameters: {ProjectionExpression}"
    )


def test_empty_conditions_are_none(ddb, users):
    ddb.put_item(TableName=users, Item={"id": {"S": "no conditions"}}, Expected={})
    found = ddb.query(
        TableName=users,
        KeyConditions={"id": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "no conditions"}]}},
        QueryFilter={},
    )
    assert found["Count"] == 1
