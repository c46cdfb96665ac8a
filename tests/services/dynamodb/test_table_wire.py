"""The wire of the operations that tables have beside items: what is refused as no request, and what leaves, to the
member. (Those of items have it in their own modules.)"""

from __future__ import annotations

import re
from typing import Any

import pytest

STREAMS = "DynamoDBStreams_20120810"
OPERATIONS = {
    "CreateBackup": "TableName", "DeleteBackup": "BackupArn", "DeleteResourcePolicy": "ResourceArn",
    "DeleteTable": "TableName", "DescribeBackup": "BackupArn", "DescribeContinuousBackups": "TableName",
    "DescribeTable": "TableName", "DescribeTimeToLive": "TableName", "GetResourcePolicy": "ResourceArn",
    "ListBackups": "TableName", "ListTables": "Limit", "ListTagsOfResource": "ResourceArn",
    "PutResourcePolicy": "Policy", "RestoreTableFromBackup": "BackupArn",
    "RestoreTableToPointInTime": "TargetTableName", "TagResource": "Tags", "UntagResource": "TagKeys",
    "UpdateContinuousBackups": "PointInTimeRecoverySpecification",
    "UpdateTimeToLive": "TimeToLiveSpecification",
}  # fmt: skip
OF_STREAMS = {
    "DescribeStream": "StreamArn", "GetRecords": "ShardIterator", "GetShardIterator": "ShardId", "ListStreams": "Limit"
}  # fmt: skip


class TestNoRequests:
    @pytest.mark.parametrize(
        ("api", "operation", "member"),
        [("DynamoDB_20120810", *pair) for pair in OPERATIONS.items()]
        + [(STREAMS, *pair) for pair in OF_STREAMS.items()],
    )
    def test_wrong_types(self, post, api, operation, member):
        for wrong in ({"x": {}}, [[]]):
            value = [] if member.endswith("Specification") else wrong
            answer = post(operation, {member: value}, api)
            assert answer.status == 400
            assert answer.body["__type"] == "com.amazon.coral.service#SerializationException", answer.body

    @pytest.mark.parametrize(
        ("operation", "member"), [pair for pair in OPERATIONS.items() if not pair[0].startswith("List")]
    )
    def test_nothing(self, post, operation, member):
        answer = post(operation, {})
        assert answer.status == 400
        assert answer.body["__type"] == "com.amazon.coral.validate#ValidationException"
        assert member[0].lower() + member[1:] in answer.body["message"] or member in answer.body["message"]

    @pytest.mark.parametrize("operation", ["DescribeLimits", "DescribeEndpoints", "ListTables"])
    def test_nothing_is_enough(self, post, operation):
        assert post(operation, {}).status == 200


def shape(value: Any) -> Any:
    """Members and types, and that times have milliseconds."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(member) for member in value]
    if isinstance(value, float):
        assert re.fullmatch(r"\d+(\.\d{1,3})?", repr(value)), value
        return "time"
    return type(value).__name__


@pytest.fixture
def told(post: Any) -> Any:
    """`told("DescribeTable", {...})` -> the answer's body."""

    def ask(operation: str, body: dict[str, Any], api: str = "DynamoDB_20120810") -> Any:
        answer = post(operation, body, api)
        assert answer.status == 200, answer.body
        return answer.body

    return ask


STREAM = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}


class TestAnswers:
    @pytest.fixture
    def table(self, make_table: Any) -> str:
        return str(make_table(["id"], {"id": "S"}, StreamSpecification=STREAM))

    def test_a_table(self, told, table):
        described = told("DescribeTable", {"TableName": table})["Table"]
        assert shape(described) == {
            "AttributeDefinitions": [{"AttributeName": "str", "AttributeType": "str"}],
            "TableName": "str",
            "KeySchema": [{"AttributeName": "str", "KeyType": "str"}],
            "TableStatus": "str",
            "CreationDateTime": "time",
            "ProvisionedThroughput": {
                "NumberOfDecreasesToday": "int",
                "ReadCapacityUnits": "int",
                "WriteCapacityUnits": "int",
            },
            "TableSizeBytes": "int",
            "ItemCount": "int",
            "TableArn": "str",
            "TableId": "str",
            "DeletionProtectionEnabled": "bool",
            "WarmThroughput": {"ReadUnitsPerSecond": "int", "WriteUnitsPerSecond": "int", "Status": "str"},
            "BillingModeSummary": {"BillingMode": "str", "LastUpdateToPayPerRequestDateTime": "time"},
            "StreamSpecification": {"StreamEnabled": "bool", "StreamViewType": "str"},
            "LatestStreamLabel": "str",
            "LatestStreamArn": "str",
        }
        assert table in told("ListTables", {"Limit": 100})["TableNames"]
        gone = told("DeleteTable", {"TableName": table})["TableDescription"]
        assert (gone["TableName"], gone["TableStatus"]) == (table, "DELETING")

    def test_settings(self, told, table):
        name = {"TableName": table}
        wanted = {"Enabled": True, "AttributeName": "until"}
        asked = {**name, "TimeToLiveSpecification": wanted}
        assert told("UpdateTimeToLive", asked) == {"TimeToLiveSpecification": wanted}
        assert told("DescribeTimeToLive", name) == {
            "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
        }
        assert told("DescribeContinuousBackups", name) == {
            "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
            }
        }
        on = {**name, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
        assert shape(told("UpdateContinuousBackups", on)["ContinuousBackupsDescription"]) == {
            "ContinuousBackupsStatus": "str",
            "PointInTimeRecoveryDescription": {
                "PointInTimeRecoveryStatus": "str",
                "RecoveryPeriodInDays": "int",
                "EarliestRestorableDateTime": "time",
                "LatestRestorableDateTime": "time",
            },
        }

    def test_tags_have_no_answer(self, told, table):
        arn = told("DescribeTable", {"TableName": table})["Table"]["TableArn"]
        assert told("TagResource", {"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "b"}]}) is None
        assert told("ListTagsOfResource", {"ResourceArn": arn}) == {"Tags": [{"Key": "a", "Value": "b"}]}
        assert told("UntagResource", {"ResourceArn": arn, "TagKeys": ["a"]}) is None
        assert told("ListTagsOfResource", {"ResourceArn": arn}) == {"Tags": []}

    def test_a_backup(self, told, table, ddb, unique):
        target = unique("restored")
        made = told("CreateBackup", {"TableName": table, "BackupName": "first"})["BackupDetails"]
        details = {
            "BackupArn": "str",
            "BackupName": "str",
            "BackupSizeBytes": "int",
            "BackupStatus": "str",
            "BackupType": "str",
            "BackupCreationDateTime": "time",
        }
        assert shape(made) == details
        arn = {"BackupArn": made["BackupArn"]}
        source = {"TableName": "str", "TableId": "str", "TableArn": "str"}
        (listed,) = told("ListBackups", {"TableName": table})["BackupSummaries"]
        assert shape(listed) == {**source, **details}
        described = told("DescribeBackup", arn)["BackupDescription"]
        assert shape(described) == {
            "BackupDetails": details,
            "SourceTableDetails": {
                **source,
                "TableSizeBytes": "int",
                "KeySchema": [{"AttributeName": "str", "KeyType": "str"}],
                "ItemCount": "int",
                "ProvisionedThroughput": {"ReadCapacityUnits": "int", "WriteCapacityUnits": "int"},
                "TableCreationDateTime": "time",
                "BillingMode": "str",
            },
            "SourceTableFeatureDetails": {
                "StreamDescription": {"StreamEnabled": "bool", "StreamViewType": "str"}
            },
        }
        restored = told("RestoreTableFromBackup", {"TargetTableName": target, **arn})["TableDescription"]
        assert restored["TableStatus"] == "CREATING"
        assert restored["RestoreSummary"]["RestoreInProgress"] is True
        assert shape(restored["RestoreSummary"]) == {
            "SourceTableArn": "str",
            "RestoreDateTime": "time",
            "RestoreInProgress": "bool",
            "SourceBackupArn": "str",
        }
        ddb.get_waiter("table_exists").wait(TableName=target)
        ddb.delete_table(TableName=target)
        assert told("DeleteBackup", arn)["BackupDescription"]["BackupDetails"]["BackupStatus"] == "DELETED"

    def test_a_stream(self, told, table, ddb):
        (listed,) = told("ListStreams", {"TableName": table}, STREAMS)["Streams"]
        assert shape(listed) == {"StreamArn": "str", "TableName": "str", "StreamLabel": "str"}
        arn = {"StreamArn": listed["StreamArn"]}
        described = told("DescribeStream", arn, STREAMS)["StreamDescription"]
        assert shape(described) == {
            "StreamArn": "str",
            "StreamLabel": "str",
            "StreamStatus": "str",
            "StreamViewType": "str",
            "CreationRequestDateTime": "time",
            "TableName": "str",
            "KeySchema": [{"AttributeName": "str", "KeyType": "str"}],
            "Shards": [{"ShardId": "str", "SequenceNumberRange": {"StartingSequenceNumber": "str"}}],
        }
        ddb.put_item(TableName=table, Item={"id": {"S": "a"}})
        asked = {
            **arn,
            "ShardId": described["Shards"][0]["ShardId"],
            "ShardIteratorType": "TRIM_HORIZON",
        }
        place = told("GetShardIterator", asked, STREAMS)
        assert place.keys() == {"ShardIterator"}
        page = told("GetRecords", place, STREAMS)
        assert shape(page) == {
            "Records": [
                {
                    "eventID": "str",
                    "eventName": "str",
                    "eventVersion": "str",
                    "eventSource": "str",
                    "awsRegion": "str",
                    "dynamodb": {
                        "ApproximateCreationDateTime": "int",
                        "Keys": {"id": {"S": "str"}},
                        "SequenceNumber": "str",
                        "SizeBytes": "int",
                        "StreamViewType": "str",
                    },
                }
            ],
            "NextShardIterator": "str",
        }
