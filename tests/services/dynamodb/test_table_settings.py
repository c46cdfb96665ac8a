"""What is refused of the settings of tables: time to live, continuous backups, tags, backups, policies, streams."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import failure, refusal

NOWHERE = ("ResourceNotFoundException", "Requested resource not found: Table: nowhere not found")
NO_TABLE = ("TableNotFoundException", "Table not found: nowhere")
ELSEWHERE = "arn:aws:dynamodb:us-east-1:999999999999:table/any"


def on(attribute: str = "until", enabled: bool = True) -> dict[str, Any]:
    return {"TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": attribute}}


class TestTimeToLive:
    def test_one_attribute_at_a_time(self, ddb, make_table):
        table = make_table(["id"], {"id": "S"})
        told = refusal(ddb.update_time_to_live, TableName=table, **on(enabled=False))
        assert told == "TimeToLive is already disabled"
        ddb.update_time_to_live(TableName=table, **on())
        other = "TimeToLive is active on a different AttributeName: current AttributeName is until"
        for enabled in (True, False):
            assert refusal(ddb.update_time_to_live, TableName=table, **on("other", enabled)) == other
        assert refusal(ddb.update_time_to_live, TableName=table, **on()) == "TimeToLive is already enabled"

    def test_an_attribute_has_a_name(self, ddb, users):
        told = refusal(ddb.update_time_to_live, TableName=users, **on(""))
        assert "at 'timeToLiveSpecification.attributeName' failed to satisfy constraint" in told

    def test_no_table(self, ddb):
        assert failure(ddb.describe_time_to_live, TableName="nowhere") == NOWHERE
        assert failure(ddb.update_time_to_live, TableName="nowhere", **on()) == NOWHERE


class TestContinuousBackups:
    def test_no_table(self, ddb):
        specification = {"PointInTimeRecoveryEnabled": True}
        assert failure(ddb.describe_continuous_backups, TableName="nowhere") == NO_TABLE
        assert (
            failure(
                ddb.update_continuous_backups,
                TableName="nowhere",
                PointInTimeRecoverySpecification=specification,
            )
            == NO_TABLE
        )

    @pytest.mark.parametrize("days", [0, 36])
    def test_days(self, ddb, users, days):
        specification = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": days}
        told = refusal(
            ddb.update_continuous_backups, TableName=users, PointInTimeRecoverySpecification=specification
        )
        assert told.startswith(
            f"1 validation error detected: Value '{days}' at 'pointInTimeRecoverySpecification."
        )


class TestTags:
    @pytest.fixture
    def arn(self, ddb: Any, users: str) -> str:
        return str(ddb.describe_table(TableName=users)["Table"]["TableArn"])

    def test_of_others(self, ddb):
        code, _ = failure(ddb.list_tags_of_resource, ResourceArn=ELSEWHERE)
        assert code == "AccessDeniedException"

    def test_of_nothing(self, ddb, arn):
        code, message = failure(ddb.list_tags_of_resource, ResourceArn=arn + "x")
        assert (code, message) == (
            "ResourceNotFoundException", f"Requested resource not found: ResourcArn: {arn}x not found"
        )  # fmt: skip


class TestBackups:
    def test_no_backup(self, ddb, users):
        arn = ddb.describe_table(TableName=users)["Table"]["TableArn"] + "/backup/01489602797149-73d8d5bc"
        missing = ("BackupNotFoundException", f"Backup not found: {arn}")
        assert failure(ddb.describe_backup, BackupArn=arn) == missing
        assert failure(ddb.delete_backup, BackupArn=arn) == missing
        assert failure(ddb.restore_table_from_backup, TargetTableName="any", BackupArn=arn) == missing

    def test_names(self, ddb, users):
        told = refusal(ddb.create_backup, TableName=users, BackupName="a")
        assert told.endswith(
            "at 'backupName' failed to satisfy constraint: Member must have length greater than or equal to 3"
        )

    def test_which_moment(self, ddb, users):
        source = {"SourceTableName": users, "TargetTableName": "restored"}
        told = refusal(ddb.restore_table_to_point_in_time, **source)
        assert told == (
            "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be specified, but not both"
        )
        elsewhere = {"SourceTableName": "nowhere", "TargetTableName": "any", "UseLatestRestorableTime": True}
        assert failure(ddb.restore_table_to_point_in_time, **elsewhere) == NO_TABLE


class TestStreams:
    def test_constraints(self, client):
        streams = client("dynamodbstreams")
        at_least = "failed to satisfy constraint: Member must have"
        assert f"at 'limit' {at_least} value greater than or equal to 1" in refusal(
            streams.list_streams, Limit=0
        )
        assert f"at 'streamArn' {at_least} length greater than or equal to 37" in refusal(
            streams.describe_stream, StreamArn="x"
        )

    def test_no_stream(self, client, ddb, users):
        streams = client("dynamodbstreams")
        arn = ddb.describe_table(TableName=users)["Table"]["TableArn"] + "/stream/2026-01-01T00:00:00.000"
        missing = ("ResourceNotFoundException", f"Requested resource not found: Stream: {arn} not found")
        assert failure(streams.describe_stream, StreamArn=arn) == missing
        assert streams.list_streams(TableName=users)["Streams"] == []
