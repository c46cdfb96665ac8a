"""Entries of ExpressionAttributeNames and ExpressionAttributeValues that are none, and what is looked at later."""

from __future__ import annotations

import pytest

from .conftest import failure, refusal

LONG = "x" * 255


@pytest.mark.parametrize("operation", ["get_item", "query", "scan", "update_item"])
def test_long_keys_of_names(ddb, users, operation):
    told = refusal(getattr(ddb, operation), **asked(users, operation, names={"#" + LONG: "x"}))
    assert told.endswith(
        "ExpressionAttributeNames contains invalid key: "
        "The expression attribute map contains a key that is too long; size of key: 256"
    )


@pytest.mark.parametrize("operation", ["query", "scan", "update_item"])
def test_long_keys_of_values(ddb, users, operation):
    told = refusal(getattr(ddb, operation), **asked(users, operation, values={":" + LONG: {"S": "x"}}))
    assert told.endswith(
        "ExpressionAttributeValues contains invalid key: "
        "The expression attribute map contains a key that is too long;"
    )


def test_the_length_is_told_before_the_form(ddb, users):
    told = refusal(ddb.get_item, **asked(users, "get_item", names={"#-" + LONG: "x"}))
    assert "too long; size of key: 257" in told


@pytest.mark.parametrize("operation", ["get_item", "query", "scan", "update_item"])
def test_names_are_not_empty(ddb, users, operation):
    told = refusal(getattr(ddb, operation), **asked(users, operation, names={"#a": ""}))
    assert told.endswith("ExpressionAttributeNames contains invalid value: Empty attribute name for key #a")


def test_keys_of_255_bytes_are_keys(ddb, users):
    name, value = "#" + LONG[1:], ":" + LONG[1:]
    ddb.update_item(
        TableName=users,
        Key={"id": {"S": "long keys"}},
        UpdateExpression=f"SET {name} = {value}",
        ExpressionAttributeNames={name: "x"},
        ExpressionAttributeValues={value: {"S": "y"}},
    )


def test_size_is_looked_at_when_there_is_a_table(ddb):
    item = {"id": {"S": "a"}, "x": {"S": "x" * 410_000}}
    code, _ = failure(ddb.put_item, TableName="absent-table", Item=item)
    assert code == "ResourceNotFoundException"
    code, _ = failure(ddb.batch_write_item, RequestItems={"absent-table": [{"PutRequest": {"Item": item}}]})
    assert code == "ResourceNotFoundException"


def asked(table, operation, names=None, values=None):
    names, values = names or {"#b": "x"}, values or {":b": {"S": "x"}}
    name, value = next(iter(names)), next(iter(values))
    request = {"TableName": table, "ExpressionAttributeNames": names}
    if operation == "get_item":
        return {**request, "Key": {"id": {"S": "a"}}, "ProjectionExpression": name}
    request["ExpressionAttributeValues"] = values
    if operation == "update_item":
        return {**request, "Key": {"id": {"S": "a"}}, "UpdateExpression": f"SET {name} = {value}"}
    if operation == "scan":
        return {**request, "FilterExpression": f"{name} = {value}"}
    request["ExpressionAttributeValues"] = {**values, ":id": {"S": "a"}}
    return {**request, "KeyConditionExpression": "id = :id", "FilterExpression": f"{name} = {value}"}
