"""Near-valid requests of every operation: whatever is wrong, it is said, and never a failure of ours."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudlet.aws.model import Models, Shape
from cloudlet.names import snake
from tests.harness import ACCOUNT, REGION

from .conftest import Bench

pytestmark = [pytest.mark.node_only, pytest.mark.slow]
MODEL = Models()["scheduler"]
SDK = "arn:aws:scheduler:::aws-sdk"
EXPRESSIONS = [
    "at(2038-01-01T00:00:00)", "at(0001-01-01T00:00:00)", "at(9999-12-31T23:59:59)", "rate(1 minute)",
    "rate(999999999 days)", "cron(0 0 31 2 ? *)", "cron(* * * * ? *)", "cron(0 0 ? * 2#5 2199)", "cron()", "at()", "x",
]  # fmt: skip
WORDS = [
    "a", "default", "fuzz", "ü", "1", "{}", "null", "[]", "UTC", "Asia/Kathmandu", "America", "ENABLED", "DISABLED",
    "OFF", "FLEXIBLE", "DELETE", '{"QueueUrl":"x"}', "W10=", "e30=", "x" * 300,
]  # fmt: skip
ARNS = [
    f"arn:aws:sqs:{REGION}:{ACCOUNT}:own", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:x", f"{SDK}:sqs:sendMessage",
    f"{SDK}:lambda:invoke", f"{SDK}:", f"{SDK}:sqs", "arn:aws:sqs:::x", ":::::",
    f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/default",
    f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/x",
]  # fmt: skip


def values(shape: Shape, name: str, role: str) -> st.SearchStrategy[Any]:
    if name == "RoleArn":
        return st.sampled_from([role, role, role, "x"])
    if name == "ScheduleExpression":
        return st.sampled_from(EXPRESSIONS)
    if name.endswith("Arn"):
        return st.sampled_from(ARNS)
    if shape.type == "structure":
        members = {name: values(member.shape, name, role) for name, member in shape.members.items()}
        required = {name: members.pop(name) for name in shape.required}
        return st.fixed_dictionaries(required, optional=members)
    if shape.type == "list":
        assert shape.member
        return st.lists(values(shape.member.shape, "", role), max_size=2)
    if shape.type == "map":
        assert shape.value
        return st.dictionaries(st.sampled_from(WORDS), values(shape.value.shape, "", role), max_size=2)
    if shape.type == "boolean":
        return st.booleans()
    if shape.type in ("integer", "long"):
        return st.sampled_from([0, 1, 60, 200, -1])
    if shape.type == "timestamp":
        return st.sampled_from([0, 4_000_000_000, 10**12, -(10**12)])
    return st.sampled_from(shape.enum or WORDS)


def test_near_valid_requests(own: Bench):
    requests = st.sampled_from(sorted(MODEL.operations)).flatmap(
        lambda name: st.tuples(st.just(name), values(MODEL.operations[name].input, "", own.role))
    )

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(requests)
    def check(request: tuple[str, Any]) -> None:
        operation, parameters = request
        try:
            getattr(own.scheduler, snake(operation))(**parameters)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            assert 400 <= status < 500, (operation, parameters, error, own.node.log)
        except ValueError as error:
            assert "year" in str(error) or "date value out of range" in str(error), error  # boto3's own dates

    check()
