"""Tables' streams that are read for functions: what the function sees, and what becomes of records that it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import ACCOUNT, REGION, eventually

from .conftest import refused
from .streams import PICKY, PLAIN, REPORT, Flow

WHOLE = REPORT + "\ndef handler(event, context):\n    tell(event)\n"
REPORTS = (
    REPORT
    + """
def handler(event, context):
    tell(ids(event))
    failed = [r for r in event["Records"] if r["dynamodb"]["Keys"]["id"]["S"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": r["dynamodb"]["SequenceNumber"]} for r in failed]}
"""
)


def test_what_a_function_sees(flow: Any) -> None:
    one = flow(WHOLE)
    one.map()
    one.put("a", blob={"B": b"\x00\xff"})
    (event,) = one.told(1)
    (record,) = event["Records"]
    assert record["eventName"] == "INSERT"
    assert (record["eventSource"], record["eventSourceARN"]) == ("aws:dynamodb", one.arn)
    assert record["dynamodb"]["NewImage"] == {"id": {"S": "a"}, "blob": {"B": "AP8="}}
    assert isinstance(record["dynamodb"]["ApproximateCreationDateTime"], int)


def test_in_order_in_batches(flow: Any) -> None:
    one = flow()
    one.put(*"abcde")
    one.map(BatchSize=2)
    assert one.told(3) == [["a", "b"], ["c", "d"], ["e"]]


def test_the_latest_position_leaves_out_what_was_before(flow: Any) -> None:
    one = flow()
    one.put("before")
    one.map(StartingPosition="LATEST")
    one.put("after")
    assert one.told(1) == [["after"]]


def test_filters(flow: Any) -> None:
    one = flow()
    pattern = json.dumps({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": ["wanted"]}}}})
    one.map(FilterCriteria={"Filters": [{"Pattern": pattern}]})
    one.put("a", kind={"S": "other"})
    one.put("b", kind={"S": "wanted"})
    assert one.told(1) == [["b"]]


def test_bisected(flow: Any) -> None:
    one = flow(PICKY)
    one.put("a", "b", "bad", "c")
    one.map(BisectBatchOnFunctionError=True, MaximumRetryAttempts=1)
    seen = one.told(6)
    assert seen[:4] == [["a", "b", "bad", "c"], ["a", "b"], ["bad", "c"], ["bad"]]
    assert seen[-1] == ["c"]


def test_reported_items(flow: Any) -> None:
    one = flow(REPORTS)
    one.put("a", "bad", "c")
    one.map(FunctionResponseTypes=["ReportBatchItemFailures"], MaximumRetryAttempts=1)
    assert one.told(2) == [["a", "bad", "c"], ["bad", "c"]]


def test_the_lowest_of_the_reported_items_counts(flow: Any) -> None:
    one = flow(
        REPORT
        + """
def handler(event, context):
    tell(ids(event))
    names = {name: r["dynamodb"]["SequenceNumber"] for name, r in zip(ids(event), event["Records"])}
    return {"batchItemFailures": [{"itemIdentifier": names[n]} for n in "db" if len(names) == 4]}
"""
    )
    one.put(*"abcd")
    one.map(FunctionResponseTypes=["ReportBatchItemFailures"])
    assert one.told(2) == [["a", "b", "c", "d"], ["b", "c", "d"]]


@pytest.mark.parametrize("answer", ["''", "[]", "{}", "None", "{'batchItemFailures': None}"])
def test_an_empty_answer_reports_nothing(flow: Any, answer: str) -> None:
    one = flow(f"{PLAIN}\n    return {answer}\n")
    one.put("a", "b")
    one.map(FunctionResponseTypes=["ReportBatchItemFailures"], BatchSize=1)
    assert one.told(2) == [["a"], ["b"]]


@pytest.mark.parametrize("id", ["''", "None", "'1'"])
def test_an_answer_that_names_no_record_fails_all(flow: Any, id: str) -> None:
    one = flow(f"{PLAIN}\n    return {{'batchItemFailures': [{{'itemIdentifier': {id}}}]}}\n")
    one.put("a", "b")
    one.map(FunctionResponseTypes=["ReportBatchItemFailures"], MaximumRetryAttempts=1)
    assert one.told(2) == [["a", "b"], ["a", "b"]]


@pytest.mark.node_only
def test_the_batching_window_collects(flow: Any, node: Any) -> None:
    one = flow()
    one.map(MaximumBatchingWindowInSeconds=60)
    one.put(*"abcde")
    assert one.told(1, while_waiting=lambda: node.advance(61)) == [list("abcde")]


def test_a_full_batch_does_not_wait(flow: Any) -> None:
    one = flow()
    one.map(MaximumBatchingWindowInSeconds=300, BatchSize=2)
    one.put("a", "b")
    assert one.told(1) == [["a", "b"]]


def test_a_disabled_mapping_skips_nothing(flow: Any) -> None:
    one = flow()
    one.map(StartingPosition="LATEST")
    one.put("a")
    assert one.told(1) == [["a"]]
    one.update(Enabled=False)
    one.put("b")
    one.update(Enabled=True)
    assert one.told(1) == [["b"]]


def test_goes_on_when_its_function_is_back(flow: Any) -> None:
    one = flow()
    one.map()
    one.put("a")
    assert one.told(1) == [["a"]]
    one.lam.delete_function(FunctionName=one.name)
    one.put("b")
    one.lam.create_function(**one.made)
    assert one.told(1) == [["b"]]


@pytest.mark.slow
@pytest.mark.node_only
def test_goes_on_after_a_kill(fresh_node: Any) -> None:
    node = fresh_node()
    one = Flow(node.client, "kept", PLAIN)
    one.map(BatchSize=1)
    one.put("a")
    assert one.told(1) == [["a"]]
    eventually(lambda: one.seen()["LastProcessingResult"] == "OK")
    node.kill()
    node.start()
    one.put("b")
    assert one.told(1) == [["b"]]


def test_a_changed_mapping_goes_on_where_it_was(flow: Any) -> None:
    """Also when it changes in the middle of a batch, which isn't handed over twice."""
    one = flow(REPORT + "\ndef handler(event, context):\n    tell(ids(event))\n    time.sleep(0.5)\n")
    one.map()
    one.put("a")
    assert one.told(1) == [["a"]]
    one.update(BatchSize=7)
    one.put("b")
    assert one.told(1) == [["b"]]


@pytest.mark.node_only
def test_what_the_stream_no_longer_has_is_left_out(flow: Any, node: Any) -> None:
    one = flow()
    one.map(Enabled=False)
    one.put("old")
    node.advance(25 * 3600)
    one.put("new")
    one.update(Enabled=True)
    assert one.told(1) == [["new"]]


@pytest.mark.node_only
def test_only_what_the_time_to_live_ended(flow: Any, node: Any) -> None:
    one = flow(WHOLE)
    one.ddb.update_time_to_live(
        TableName=one.name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "end"}
    )
    service = {"type": ["Service"], "principalId": ["dynamodb.amazonaws.com"]}
    one.map(FilterCriteria={"Filters": [{"Pattern": json.dumps({"userIdentity": service})}]})
    one.put("a", end={"N": str(int(node.now()) + 100)})
    one.put("b")
    one.ddb.delete_item(TableName=one.name, Key={"id": {"S": "b"}})
    node.advance(101)
    (event,) = one.told(1)
    (record,) = event["Records"]
    assert record["eventName"] == "REMOVE"
    assert record["dynamodb"]["Keys"] == {"id": {"S": "a"}}
    assert record["userIdentity"] == {"principalId": "dynamodb.amazonaws.com", "type": "Service"}


class TestTheMapping:
    def test_what_it_shows(self, flow: Any) -> None:
        one = flow()
        made = one.map()
        for member in ("ResponseMetadata", "LastModified", "UUID", "EventSourceMappingArn", "FunctionArn"):
            made.pop(member)
        assert made == {
            "BatchSize": 100,
            "BisectBatchOnFunctionError": False,
            "DestinationConfig": {"OnFailure": {}},
            "EventSourceArn": one.arn,
            "FunctionResponseTypes": [],
            "LastProcessingResult": "No records processed",
            "MaximumBatchingWindowInSeconds": 0,
            "MaximumRecordAgeInSeconds": -1,
            "MaximumRetryAttempts": -1,
            "ParallelizationFactor": 1,
            "StartingPosition": "TRIM_HORIZON",
            "State": "Creating",
            "StateTransitionReason": "User action",
            "TumblingWindowInSeconds": 0,
        }
        assert one.seen()["State"] == "Enabled"

    def test_what_came_of_the_last_try(self, flow: Any) -> None:
        one = flow(PICKY)
        one.map(MaximumRetryAttempts=0)
        one.put("fine")
        eventually(lambda: one.seen()["LastProcessingResult"] == "OK")
        one.put("bad")
        eventually(lambda: one.seen()["LastProcessingResult"] == "PROBLEM: Function call failed")

    def test_one_of_a_kind(self, flow: Any) -> None:
        one = flow()
        one.map()
        create = one.lam.create_event_source_mapping
        asked = {"FunctionName": one.name, "EventSourceArn": one.arn, "StartingPosition": "LATEST"}
        assert refused(create, **asked) == (
            "ResourceConflictException",
            (
                f'The event source arn (" {one.arn} ") and function (" {one.name} ") provided mapping already '
                f"exists. Please update or delete the existing mapping with UUID {one.uuid}"
            ),
            409,
        )

    @pytest.mark.parametrize(
        ("settings", "text"),
        [
            (
                {"StartingPosition": "AT_TIMESTAMP"},
                "Unsupported starting position for arn type: arn:aws:dynamodb:",
            ),
            ({"StartingPositionTimestamp": 1}, "Timestamp only valid with StartingPosition AT_TIMESTAMP"),
            (
                {"ScalingConfig": {"MaximumConcurrency": 2}},
                "Unsupported ScalingConfig parameter for given event",
            ),
            ({"Topics": ["topic"]}, "Unsupported Topics parameter for given event source mapping type."),
            ({"TumblingWindowInSeconds": 1, "ParallelizationFactor": 2}, "TumblingWindowInSeconds needs"),
            ({"MaximumRecordAgeInSeconds": 59}, "MaximumRecordAgeInSeconds must be -1, or 60 at least"),
            (
                {
                    "DestinationConfig": {
                        "OnFailure": {"Destination": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"}
                    }
                },
                "The destination ARN",
            ),
            (
                {"DestinationConfig": {"OnSuccess": {"Destination": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}}},
                "Unsupported DestinationConfig parameter",
            ),
        ],
    )
    def test_what_a_stream_can_not_have(self, flow: Any, settings: dict[str, Any], text: str) -> None:
        one = flow()
        asked = {
            "FunctionName": one.name,
            "EventSourceArn": one.arn,
            "StartingPosition": "LATEST",
            **settings,
        }
        code, message, status = refused(one.lam.create_event_source_mapping, **asked)
        assert (code, status) == ("InvalidParameterValueException", 400)
        assert message.startswith(text)

    @pytest.mark.parametrize(
        "settings",
        [
            {"BatchSize": 10_001},
            {"MaximumRetryAttempts": 10_001},
            {"MaximumRecordAgeInSeconds": 604_801},
            {"ParallelizationFactor": 0},
            {"ParallelizationFactor": 11},
            {"TumblingWindowInSeconds": 901},
            {"StartingPosition": "NOW"},
        ],
    )
    def test_ranges(self, flow: Any, settings: dict[str, Any]) -> None:
        one = flow()
        asked = {
            "FunctionName": one.name,
            "EventSourceArn": one.arn,
            "StartingPosition": "LATEST",
            **settings,
        }
        assert refused(one.lam.create_event_source_mapping, **asked)[0] == "ValidationException"

    def test_an_update_is_checked_with_what_is_there(self, flow: Any) -> None:
        one = flow()
        one.map(ParallelizationFactor=2)
        update = one.lam.update_event_source_mapping
        assert refused(update, UUID=one.uuid, TumblingWindowInSeconds=60)[1].startswith("TumblingWindow")
        one.update(TumblingWindowInSeconds=60, ParallelizationFactor=1, MaximumRetryAttempts=5)
        seen = one.seen()
        assert (seen["TumblingWindowInSeconds"], seen["MaximumRetryAttempts"]) == (60, 5)


def test_refusals(flow: Any) -> None:
    one = flow()
    create = one.lam.create_event_source_mapping
    code, message, _ = refused(create, FunctionName=one.name, EventSourceArn=one.arn)
    assert "startingPosition" in message
    missing = one.arn + "1"
    code, message, _ = refused(
        create, FunctionName=one.name, EventSourceArn=missing, StartingPosition="LATEST"
    )
    assert (code, message) == ("InvalidParameterValueException", f"Stream not found: {missing}")


def test_the_role_must_be_allowed_to_read_the_stream(
    flow: Any, client: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    one, iam, role = flow(), client("iam"), unique("role")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    one.lam.update_function_configuration(FunctionName=one.name, Role=made["Role"]["Arn"])
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{one.name}-out"
    statements = [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}]
    for action in ("DescribeStream", "GetShardIterator", "GetRecords"):
        assert refused(one.map) == (
            "InvalidParameterValueException",
            (
                f"Cannot access stream {one.arn}. Please ensure the role can perform the GetRecords, "
                "GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM."
            ),
            400,
        )
        statements.append({"Effect": "Allow", "Action": f"dynamodb:{action}", "Resource": one.arn})
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=role, PolicyName="read", PolicyDocument=policy)
    one.put("a")
    one.map()
    assert one.told(1) == [["a"]]
