"""Who calls a table by its ARN is told of it by its ARN."""

from __future__ import annotations

import pytest


@pytest.fixture
def arn(ddb, users):
    ddb.put_item(TableName=users, Item={"id": {"S": "by arn"}})
    return ddb.describe_table(TableName=users)["Table"]["TableArn"]


KEY = {"id": {"S": "by arn"}}


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_item", {"Key": KEY}),
        ("put_item", {"Item": KEY}),
        ("update_item", {"Key": KEY}),
        ("delete_item", {"Key": KEY}),
        ("scan", {"Limit": 1}),
        ("query", {"KeyConditionExpression": "id = :id", "ExpressionAttributeValues": {":id": KEY["id"]}}),
    ],
)
def test_capacity(ddb, users, arn, operation, parameters):
    for called in (arn, users):
        spent = getattr(ddb, operation)(TableName=called, ReturnConsumedCapacity="TOTAL", **parameters)
        assert spent["ConsumedCapacity"]["TableName"] == called


def test_batches(ddb, arn):
    answer = ddb.batch_get_item(RequestItems={arn: {"Keys": [KEY]}}, ReturnConsumedCapacity="TOTAL")
    assert answer["Responses"] == {arn: [KEY]}
    assert [spent["TableName"] for spent in answer["ConsumedCapacity"]] == [arn]
    answer = ddb.batch_write_item(
        RequestItems={arn: [{"PutRequest": {"Item": KEY}}]}, ReturnConsumedCapacity="TOTAL"
    )
    assert [spent["TableName"] for spent in answer["ConsumedCapacity"]] == [arn]


def test_transactions(ddb, arn):
    action = {"TableName": arn, "Key": KEY}
    answer = ddb.transact_get_items(TransactItems=[{"Get": action}], ReturnConsumedCapacity="TOTAL")
    assert [spent["TableName"] for spent in answer["ConsumedCapacity"]] == [arn]
