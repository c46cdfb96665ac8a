"""Who may make schedules, and which roles one may hand to them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import OFF, refused

FAR = "at(2038-01-01T00:00:00)"


@pytest.fixture
def user(node: Any, client: Any, unique: Any) -> Any:
    """`user(statement…)`: the scheduler as a user who is allowed just that."""
    iam, name = client("iam"), unique("user")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]

    def allowed(*statements: dict[str, Any]) -> Any:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(document))
        return node.client(
            "scheduler", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )

    return allowed


def test_a_role_has_to_be_passed(bench, user):
    arn = f"arn:aws:scheduler:us-east-1:000000000000:schedule/default/{bench.name}"
    create = {"Effect": "Allow", "Action": "scheduler:CreateSchedule", "Resource": arn}
    wanted = {
        "Name": bench.name,
        "ScheduleExpression": FAR,
        "FlexibleTimeWindow": OFF,
        "Target": bench.target(),
    }
    with refused("AccessDeniedException", "is not authorized to perform: iam:PassRole", 403):
        user(create).create_schedule(**wanted)
    only = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": bench.role, "Condition": only}
    user(create, passing).create_schedule(**wanted)
    with refused("AccessDeniedException", "is not authorized to perform: scheduler:GetSchedule", 403):
        user(create).get_schedule(Name=bench.name)
