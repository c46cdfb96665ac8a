"""Schedules as records: what is kept and shown, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.harness import ACCOUNT, REGION

from .conftest import OFF, TRUST, refused, role_of

FAR = "at(2038-01-01T00:00:00)"
SDK = "arn:aws:scheduler:::aws-sdk"


class TestCreateSchedule:
    def test_is_shown_with_its_defaults(self, bench):
        answer = bench.scheduler.create_schedule(
            Name=bench.name, ScheduleExpression=FAR, FlexibleTimeWindow=OFF, Target=bench.target()
        )
        arn = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{bench.name}"
        assert answer["ScheduleArn"] == arn
        shown = bench.scheduler.get_schedule(Name=bench.name)
        retry = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
        assert shown.pop("CreationDate") == shown.pop("LastModificationDate")
        shown.pop("ResponseMetadata")
        assert shown == {
            "Arn": arn,
            "ActionAfterCompletion": "NONE",
            "FlexibleTimeWindow": OFF,
            "GroupName": "default",
            "Name": bench.name,
            "ScheduleExpression": FAR,
            "ScheduleExpressionTimezone": "UTC",
            "State": "ENABLED",
            "Target": {**bench.target(), "RetryPolicy": retry},
        }

    def test_keeps_all_that_is_given(self, bench):
        given: dict[str, Any] = {
            "ActionAfterCompletion": "DELETE",
            "Description": "what for",
            "EndDate": datetime(2039, 1, 1, tzinfo=UTC),
            "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
            "ScheduleExpression": "cron(0 9 ? * MON *)",
            "ScheduleExpressionTimezone": "Europe/Berlin",
            "StartDate": datetime(2038, 1, 1, tzinfo=UTC),
            "State": "DISABLED",
            "Target": bench.target(RetryPolicy={"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}),
        }
        bench.scheduler.create_schedule(Name=bench.name, **given)
        shown = bench.scheduler.get_schedule(Name=bench.name)
        assert {name: shown[name] for name in given} == given

    def test_a_name_is_taken_once(self, bench):
        bench.create(FAR)
        with refused("ConflictException", f"Schedule {bench.name} already exists.", 409):
            bench.create(FAR)

    def test_the_same_request_again_is_no_conflict(self, bench):
        bench.create(FAR, ClientToken="again")
        bench.create(FAR, ClientToken="again")
        with refused("ConflictException", status=409):
            bench.create("rate(1 day)", ClientToken="again")

    def test_needs_its_group(self, bench):
        with refused("ResourceNotFoundException", "Schedule group nowhere does not exist.", 404):
            bench.create(FAR, GroupName="nowhere")

    @pytest.mark.parametrize(
        "expression", ["rate(30 seconds)", "cron(* * * * *)", "at(2038-01-01T00:00:00.5)", "daily"]
    )
    def test_wrong_expressions(self, bench, expression):
        with refused("ValidationException", f"Invalid Schedule Expression {expression}."):
            bench.create(expression)

    def test_wrong_time_zone(self, bench):
        with refused("ValidationException", "Mars/Olympus"):
            bench.create(FAR, ScheduleExpressionTimezone="Mars/Olympus")

    @pytest.mark.parametrize(
        ("window", "text"),
        [
            (
                {"Mode": "OFF", "MaximumWindowInMinutes": 5},
                "must not be provided when FlexibleTimeWindowMode",
            ),
            ({"Mode": "FLEXIBLE"}, "must be provided when FlexibleTimeWindowMode is set to FLEXIBLE"),
            ({"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1441}, "less than or equal to 1440"),
        ],
    )
    def test_wrong_windows(self, bench, window, text):
        with refused("ValidationException", text):
            bench.create(FAR, FlexibleTimeWindow=window)

    def test_wrong_dates(self, bench):
        early, late = datetime(2038, 1, 1, tzinfo=UTC), datetime(2039, 1, 1, tzinfo=UTC)
        with refused("ValidationException", "The StartDate you specify must come before the EndDate."):
            bench.create("rate(1 day)", StartDate=late, EndDate=early)
        with refused(
            "ValidationException", "The StartDate you specify cannot be earlier than 5 minutes ago."
        ):
            bench.create("rate(1 day)", StartDate=datetime(2020, 1, 1, tzinfo=UTC))

    @pytest.mark.parametrize("name", ["a b", "x" * 65, "ü"])
    def test_wrong_names(self, bench, name):
        with refused("ValidationException", "at 'name' failed to satisfy constraint"):
            bench.create(FAR, name)

    @pytest.mark.parametrize(
        ("member", "value"), [("MaximumRetryAttempts", 186), ("MaximumEventAgeInSeconds", 59)]
    )
    def test_wrong_retry_policies(self, bench, member, value):
        with refused("ValidationException", "failed to satisfy constraint: Member must have value"):
            bench.create(FAR, Target=bench.target(RetryPolicy={member: value}))


class TestTarget:
    @pytest.mark.parametrize(
        ("change", "text"),
        [
            ({"Arn": "nonsense"}, "Provided Arn is not in correct format."),
            ({"Arn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:x"}, "rds is not a supported service for a target."),
            ({"Arn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:x"}, "does not match the current region us-east-1."),
            ({"Arn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:x", "Input": "{}"}, "'stepfunctions' yet"),
            ({"Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:x", "Input": "{"}, "JSON syntax error in input"),
            ({"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:x.fifo"}, "Parameters SqsParameters must be specified."),
            ({"SqsParameters": {"MessageGroupId": "x"}}, "Parameters MessageGroupId not valid for the target."),
            ({"KinesisParameters": {"PartitionKey": "x"}}, "Parameters KinesisParameters not supported for the"),
            ({"Arn": f"{SDK}:nothing:doIt", "Input": "{}"}, "nothing is not a supported service for a target."),
            ({"Arn": f"{SDK}:sqs:doIt", "Input": "{}"}, "doIt API is not supported."),
            ({"Arn": f"{SDK}:sqs:getQueueUrl", "Input": "{}"}, "getQueueUrl API is not supported."),
            ({"Arn": f"{SDK}:sqs:sendMessage", "Input": "no"}, "JSON syntax error in input for the target"),
            ({"Arn": "arn:aws:scheduler:us-east-1:000000000000:aws-sdk:sqs:sendMessage"}, "scheduler is not a support"),
            ({"RoleArn": "no role"}, "at 'target.roleArn' failed to satisfy constraint"),
        ],
    )  # fmt: skip
    def test_refused(self, bench, change, text):
        with refused("ValidationException", text):
            bench.create(FAR, Target={**bench.target(), **change})

    def test_a_universal_target_needs_an_input(self, bench):
        target = bench.target(Arn=f"{SDK}:sqs:sendMessage")
        del target["Input"]
        with refused("ValidationException", "You must provide an input to set this target for your schedule"):
            bench.create(FAR, Target=target)


class TestRole:
    text = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."

    def trust(self, **more):
        return {"Version": "2012-10-17", "Statement": [{**TRUST["Statement"][0], **more}]}

    def test_has_to_be_there(self, bench):
        with refused("ValidationException", self.text):
            bench.create(FAR, Target=bench.target(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/nobody"))

    @pytest.mark.parametrize(
        "more",
        [
            {"Principal": {"Service": "lambda.amazonaws.com"}},
            {"Effect": "Deny"},
            {"Action": "sts:TagSession"},
            {"Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}}},
            {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "x"}}},
        ],
    )
    def test_has_to_trust_the_scheduler(self, bench, client, unique, more):
        role = role_of(client("iam"), unique("role"), self.trust(**more))
        with refused("ValidationException", self.text):
            bench.create(FAR, Target=bench.target(RoleArn=role))

    @pytest.mark.parametrize(
        "more",
        [
            {"Principal": {"Service": ["lambda.amazonaws.com", "scheduler.amazonaws.com"]}},
            {"Action": ["sts:*"]},
            {"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}},
            {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:scheduler:*:*:schedule-group/default"}}},
        ],
    )
    def test_may_trust_it_in_other_words(self, bench, client, unique, more):
        role = role_of(client("iam"), unique("role"), self.trust(**more))
        bench.create(FAR, Target=bench.target(RoleArn=role))


class TestUpdateSchedule:
    def test_replaces_all_of_it(self, bench):
        bench.create(FAR, Description="before", State="DISABLED")
        made = bench.scheduler.get_schedule(Name=bench.name)
        bench.scheduler.update_schedule(
            Name=bench.name,
            ScheduleExpression="rate(9 days)",
            FlexibleTimeWindow=OFF,
            State="DISABLED",
            Target=bench.target(Input="x"),
        )
        shown = bench.scheduler.get_schedule(Name=bench.name)
        assert (shown["ScheduleExpression"], shown["Target"]["Input"]) == ("rate(9 days)", "x")
        assert "Description" not in shown
        assert shown["CreationDate"] == made["CreationDate"] < shown["LastModificationDate"]

    def test_of_what_is_not_there(self, bench):
        with refused("ResourceNotFoundException", "Schedule nothing does not exist.", 404):
            bench.scheduler.update_schedule(
                Name="nothing", ScheduleExpression=FAR, FlexibleTimeWindow=OFF, Target=bench.target()
            )


class TestDeleteSchedule:
    def test_is_gone(self, bench):
        bench.create(FAR)
        bench.scheduler.delete_schedule(Name=bench.name)
        for call in (bench.scheduler.get_schedule, bench.scheduler.delete_schedule):
            with refused("ResourceNotFoundException", f"Schedule {bench.name} does not exist.", 404):
                call(Name=bench.name)


class TestListSchedules:
    @pytest.fixture
    def names(self, bench):
        names = [f"{bench.name}-{letter}" for letter in "abcde"]
        for name in names:
            bench.create(FAR, name, State="DISABLED" if name.endswith("c") else "ENABLED")
        return names

    def test_by_pages(self, bench, names):
        pages = bench.scheduler.get_paginator("list_schedules").paginate(
            NamePrefix=bench.name, PaginationConfig={"PageSize": 2}
        )
        found = [[one["Name"] for one in page["Schedules"]] for page in pages]
        assert found == [names[:2], names[2:4], names[4:]]

    def test_by_state_and_group(self, bench, names):
        list = bench.scheduler.list_schedules
        off = list(NamePrefix=bench.name, State="DISABLED", GroupName="default", MaxResults=1)
        assert [one["Name"] for one in off["Schedules"]] == [names[2]]
        assert off["Schedules"][0]["Target"] == {"Arn": bench.queue}
        assert "NextToken" not in off

    def test_wrong_token_and_group(self, bench):
        with refused("ValidationException"):
            bench.scheduler.list_schedules(NextToken="nonsense")
        with refused("ResourceNotFoundException", status=404):
            bench.scheduler.list_schedules(GroupName="nowhere")


def test_members_that_are_missing_are_told_together(client):
    with refused("ValidationException", "2 validation errors detected"):
        client("scheduler").create_schedule(Name="x", ScheduleExpression=FAR, Description=json.dumps({}))
