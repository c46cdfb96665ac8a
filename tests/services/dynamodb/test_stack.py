"""AWS::DynamoDB::Table in a stack: made, changed in place, replaced, deleted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from .conftest import definitions, failure, index, keys


class Stack:
    def __init__(self, cfn: Any, name: str) -> None:
        self.cfn = cfn
        self.name = name

    def deploy(self, operation: str, **properties: Any) -> str:
        """The table's name, once the stack has it as the properties say."""
        resource = {"Type": "AWS::DynamoDB::Table", "Properties": properties}
        outputs = {"Name": {"Value": {"Ref": "T"}}, "Arn": {"Value": {"Fn::GetAtt": ["T", "Arn"]}}}
        template = json.dumps({"Resources": {"T": resource}, "Outputs": outputs})
        getattr(self.cfn, f"{operation}_stack")(StackName=self.name, TemplateBody=template)
        try:
            self.cfn.get_waiter(f"stack_{operation}_complete").wait(
                StackName=self.name, WaiterConfig={"Delay": 1}
            )
        except WaiterError as error:
            events = self.cfn.describe_stack_events(StackName=self.name)["StackEvents"]
            raise AssertionError([event.get("ResourceStatusReason") for event in events]) from error
        (stack,) = self.cfn.describe_stacks(StackName=self.name)["Stacks"]
        found = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        assert found["Arn"].endswith(f":table/{found['Name']}")
        return str(found["Name"])


@pytest.fixture
def stack(client: Callable[..., Any], unique: Callable[[str], str]) -> Iterator[Stack]:
    made = Stack(client("cloudformation"), unique("stack"))
    yield made
    made.cfn.delete_stack(StackName=made.name)


BASE: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": keys("id"),
    "AttributeDefinitions": definitions(id="S", city="S"),
    "GlobalSecondaryIndexes": [index("by_city", "city")],
}


@pytest.mark.slow
def test_life_of_a_table(ddb: Any, stack: Stack) -> None:
    table = stack.deploy(
        "create",
        **BASE,
        TimeToLiveSpecification={"AttributeName": "expires", "Enabled": "true"},
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        StreamSpecification={"StreamViewType": "NEW_IMAGE"},
        Tags=[{"Key": "team", "Value": "red"}],
    )
    described = ddb.describe_table(TableName=table)["Table"]
    assert described["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    ttl = ddb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "expires"
    tags = ddb.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"]
    assert {"Key": "team", "Value": "red"} in tags

    ddb.put_item(TableName=table, Item={"id": {"S": "kept"}, "zip": {"N": "1010"}})
    changed = {
        **BASE,
        "AttributeDefinitions": definitions(id="S", zip="N"),
        "GlobalSecondaryIndexes": [index("by_zip", "zip", ProjectionType="KEYS_ONLY")],
        "DeletionProtectionEnabled": False,
    }
    assert stack.deploy("update", **changed) == table
    (made,) = ddb.describe_table(TableName=table)["Table"]["GlobalSecondaryIndexes"]
    assert made["IndexName"] == "by_zip"
    assert ddb.scan(TableName=table, IndexName="by_zip")["Count"] == 1
    assert "AttributeName" not in ddb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]

    other = stack.deploy(
        "update", **{**BASE, "KeySchema": keys("city"), "GlobalSecondaryIndexes": [index("by_id", "id")]}
    )
    assert other != table
    assert failure(ddb.describe_table, TableName=table)[0] == "ResourceNotFoundException"
    assert ddb.scan(TableName=other)["Count"] == 0


def test_what_a_template_no_longer_says_is_taken_back(ddb: Any, stack: Stack) -> None:
    table = stack.deploy(
        "create",
        **BASE,
        DeletionProtectionEnabled=True,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        TableClass="STANDARD_INFREQUENT_ACCESS",
    )
    stack.deploy("update", **BASE)
    described = ddb.describe_table(TableName=table)["Table"]
    assert not described["DeletionProtectionEnabled"]
    assert described["TableClassSummary"]["TableClass"] == "STANDARD"
    backups = ddb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"


def test_policy_and_stream(ddb: Any, client: Callable[..., Any], stack: Stack) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "000000000000"},
        "Action": "dynamodb:GetItem",
        "Resource": "*",
    }
    properties = {
        **BASE,
        "StreamSpecification": {"StreamViewType": "KEYS_ONLY"},
        "WarmThroughput": {"ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 5000},
        "ContributorInsightsSpecification": {"Enabled": True},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    table = stack.deploy("create", **properties, ResourcePolicy={"PolicyDocument": document})
    described = ddb.describe_table(TableName=table)["Table"]
    assert described["WarmThroughput"]["ReadUnitsPerSecond"] == 13000
    assert client("dynamodbstreams").describe_stream(StreamArn=described["LatestStreamArn"])
    held = ddb.get_resource_policy(ResourceArn=described["TableArn"])["Policy"]
    assert json.loads(held) == document
    stack.deploy("update", **properties)
    assert failure(ddb.get_resource_policy, ResourceArn=described["TableArn"])[0] == "PolicyNotFoundException"


def test_a_stream_of_another_view(ddb: Any, stack: Stack) -> None:
    def deployed(operation: str, view: str, **more: Any) -> tuple[str, str]:
        table = stack.deploy(operation, **BASE, StreamSpecification={"StreamViewType": view}, **more)
        described = ddb.describe_table(TableName=table)["Table"]
        return described["LatestStreamArn"], described["StreamSpecification"]["StreamViewType"]

    first = deployed("create", "KEYS_ONLY")
    kept = deployed("update", "KEYS_ONLY", DeletionProtectionEnabled=False)
    other = deployed("update", "NEW_IMAGE")
    assert (first[1], other[1]) == ("KEYS_ONLY", "NEW_IMAGE")
    assert kept == first and other[0] != first[0]


def test_throughput_of_table_and_indexes_together(ddb: Any, stack: Stack) -> None:
    units = {"ReadCapacityUnits": 2, "WriteCapacityUnits": 3}
    table = stack.deploy("create", **BASE, SSESpecification={"SSEEnabled": True})
    provisioned = {
        **BASE,
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": units,
        "GlobalSecondaryIndexes": [{**index("by_city", "city"), "ProvisionedThroughput": units}],
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
        "DeletionProtectionEnabled": False,
    }
    assert stack.deploy("update", **provisioned) == table
    described = ddb.describe_table(TableName=table)["Table"]
    assert described["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["WriteCapacityUnits"] == 3
    assert described["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    stack.deploy("update", **BASE)
    described = ddb.describe_table(TableName=table)["Table"]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
