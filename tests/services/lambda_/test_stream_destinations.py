"""Records of a stream that are given up: when, and what a queue, a topic or a bucket is told of them."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import ACCOUNT, REGION, eventually

from .conftest import refused
from .streams import PICKY, REPORT, Flow

FAILS = REPORT + "\ndef handler(event, context):\n    raise ValueError('no')\n"


@pytest.fixture
def dead(client: Callable[..., Any], unique: Callable[[str], str]) -> tuple[str, str]:
    """A queue's URL and ARN."""
    url = client("sqs").create_queue(QueueName=unique("dead"))["QueueUrl"]
    return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}"


def on_failure(target: str) -> dict[str, Any]:
    return {"OnFailure": {"Destination": target}}


def second(record: dict[str, Any]) -> str:
    return f"{record['ApproximateCreationDateTime'].astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def info(one: Flow, begin: int, end: int) -> dict[str, Any]:
    """The part about the batch, of the records from `begin` to before `end`."""
    records = one.records()
    first, last = records[begin], records[end - 1]
    return {
        "shardId": one.shard(),
        "startSequenceNumber": first["SequenceNumber"],
        "endSequenceNumber": last["SequenceNumber"],
        "approximateArrivalOfFirstRecord": second(first),
        "approximateArrivalOfLastRecord": second(last),
        "batchSize": end - begin,
        "streamArn": one.arn,
    }


class TestRetriesExhausted:
    def test_what_a_queue_is_told(self, flow: Any, dead: tuple[str, str]) -> None:
        one = flow(PICKY)
        one.put("fine", "bad")
        one.map(BatchSize=1, MaximumRetryAttempts=1, DestinationConfig=on_failure(dead[1]))
        one.put("next")
        assert one.told(4) == [["fine"], ["bad"], ["bad"], ["next"]]
        (told,) = one.told(1, dead[0])
        assert len(told["requestContext"].pop("requestId")) == 36
        at = datetime.datetime.strptime(told.pop("timestamp"), "%Y-%m-%dT%H:%M:%S.%f%z")
        assert at.tzinfo == datetime.UTC
        assert told == {
            "requestContext": {
                "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{one.name}",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 2,
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "version": "1.0",
            "DDBStreamBatchInfo": info(one, 1, 2),
        }

    def test_a_batch_that_was_reported_has_no_error(self, flow: Any, dead: tuple[str, str]) -> None:
        one = flow(
            "def handler(event, context):\n    return {'batchItemFailures': [{'itemIdentifier': '1'}]}\n"
        )
        one.put("a", "b")
        one.map(
            FunctionResponseTypes=["ReportBatchItemFailures"],
            MaximumRetryAttempts=0,
            DestinationConfig=on_failure(dead[1]),
        )
        (told,) = one.told(1, dead[0])
        assert told["responseContext"] == {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": None,
        }
        assert told["DDBStreamBatchInfo"] == info(one, 0, 2)

    def test_what_a_topic_is_told(self, flow: Any, dead: tuple[str, str], client: Any, unique: Any) -> None:
        topic = client("sns").create_topic(Name=unique("dead"))["TopicArn"]
        client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=dead[1], Attributes={"RawMessageDelivery": "true"}
        )
        allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": dead[1]}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        client("sqs").set_queue_attributes(QueueUrl=dead[0], Attributes={"Policy": policy})
        one = flow(FAILS)
        one.put("a")
        one.map(MaximumRetryAttempts=0, DestinationConfig=on_failure(topic))
        (told,) = one.told(1, dead[0])
        assert told["DDBStreamBatchInfo"] == info(one, 0, 1)
        assert "payload" not in told

    def test_what_a_bucket_is_told(self, flow: Any, client: Any, unique: Any) -> None:
        s3, bucket = client("s3"), unique("dead")
        s3.create_bucket(Bucket=bucket)
        one = flow(FAILS)
        one.put("a")
        one.map(MaximumRetryAttempts=0, DestinationConfig=on_failure(f"arn:aws:s3:::{bucket}"))
        (entry,) = eventually(lambda: s3.list_objects_v2(Bucket=bucket).get("Contents"))
        told = json.loads(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
        at = datetime.datetime.strptime(told["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z")
        shard = told["DDBStreamBatchInfo"]["shardId"]
        begin = f"aws/lambda/{one.uuid}/{shard}/{at:%Y/%m/%d}/{at:%Y-%m-%dT%H.%M.%S}-"
        assert entry["Key"].startswith(begin)
        assert len(entry["Key"]) == len(begin) + 36
        (record,) = json.loads(told["payload"])["Records"]
        assert record["dynamodb"]["Keys"] == {"id": {"S": "a"}}
        s3.delete_object(Bucket=bucket, Key=entry["Key"])
        s3.delete_bucket(Bucket=bucket)


@pytest.mark.node_only
class TestTooOld:
    def test_records_that_are_too_old_to_be_tried(self, flow: Any, node: Any, dead: tuple[str, str]) -> None:
        one = flow()
        one.put("a", "b")
        node.advance(100)
        one.put("c")
        one.map(MaximumRecordAgeInSeconds=60, DestinationConfig=on_failure(dead[1]))
        assert one.told(1) == [["c"]]
        (told,) = one.told(1, dead[0])
        assert told["requestContext"]["condition"] == "RecordAgeExceeded"
        assert told["requestContext"]["approximateInvokeCount"] == 0
        assert "responseContext" not in told
        assert told["DDBStreamBatchInfo"] == info(one, 0, 2)

    def test_records_that_grow_too_old(self, flow: Any, node: Any, dead: tuple[str, str]) -> None:
        one = flow(PICKY)
        one.map(MaximumRecordAgeInSeconds=600, DestinationConfig=on_failure(dead[1]))
        one.put("bad")
        assert one.told(1)[0] == ["bad"]
        node.advance(700)
        (told,) = one.told(1, dead[0])
        assert told["requestContext"]["condition"] == "RecordAgeExceeded"
        assert told["requestContext"]["approximateInvokeCount"] >= 1
        assert told["responseContext"]["functionError"] == "Unhandled"

    def test_records_for_a_function_that_may_not_run(
        self, flow: Any, node: Any, dead: tuple[str, str]
    ) -> None:
        one = flow()
        one.lam.put_function_concurrency(FunctionName=one.name, ReservedConcurrentExecutions=0)
        one.map(MaximumRecordAgeInSeconds=60, DestinationConfig=on_failure(dead[1]))
        one.put("a")
        (told,) = one.told(1, dead[0], while_waiting=lambda: node.advance(61))
        assert told["requestContext"]["condition"] == "RecordAgeExceeded"
        one.lam.delete_function_concurrency(FunctionName=one.name)
        one.put("b")
        assert one.told(1) == [["b"]]

    def test_nothing_is_tried_longer_than_a_stream_keeps_it(self, flow: Any, node: Any) -> None:
        one = flow(PICKY)
        one.map()
        one.put("bad")
        assert one.told(1)[0] == ["bad"]
        node.advance(24 * 3600 + 10)
        one.put("next")
        assert one.told(1, while_waiting=lambda: node.advance(5))[-1] == ["next"]


def test_the_role_must_be_allowed_to_send(flow: Any, client: Any, unique: Any, dead: tuple[str, str]) -> None:
    one, iam, role = flow(), client("iam"), unique("role")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    allowed = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=role, PolicyName="read", PolicyDocument=policy)
    one.lam.update_function_configuration(FunctionName=one.name, Role=made["Role"]["Arn"])
    code, message, _ = refused(one.map, DestinationConfig=on_failure(dead[1]))
    assert code == "InvalidParameterValueException"
    assert message.endswith(f"does not have permissions to call SendMessage on {dead[1]}")
