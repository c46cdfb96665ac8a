"""Tables' streams that are read for functions: what the function sees, and what becomes of records that it fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.harness import ACCOUNT, REGION, ROLE, eventually, zipped

from .conftest import refused

REPORT = """
import boto3, json, os
sqs = boto3.client("sqs")

def tell(what):
    sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(what))

def ids(event):
    return [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
"""
WHOLE = REPORT + "\ndef handler(event, context):\n    tell(event)\n"
PLAIN = REPORT + "\ndef handler(event, context):\n    tell(ids(event))\n"
PICKY = (
    REPORT
    + """
def handler(event, context):
    tell(ids(event))
    if "bad" in ids(event):
        raise ValueError("bad")
"""
)
REPORTS = (
    REPORT
    + """
def handler(event, context):
    tell(ids(event))
    failed = [r for r in event["Records"] if r["dynamodb"]["Keys"]["id"]["S"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": r["dynamodb"]["SequenceNumber"]} for r in failed]}
"""
)


class Flow:
    """A table, a function that is mapped to its stream, and a queue to which the function tells what it sees."""

    def __init__(self, client: Callable[..., Any], name: str, source: str) -> None:
        self.ddb, self.lam, self.sqs = client("dynamodb"), client("lambda"), client("sqs")
        self.name = name
        table = self.ddb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self.arn = table["TableDescription"]["LatestStreamArn"]
        self.out = self.sqs.create_queue(QueueName=f"{name}-out")["QueueUrl"]
        self.lam.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Handler="index.handler",
            Role=ROLE,
            Timeout=20,
            Code={"ZipFile": zipped({"index.py": source})},
            Environment={"Variables": {"OUT": self.out}},
        )
        self.uuid = ""

    def map(self, **settings: Any) -> dict[str, Any]:
        asked = {"StartingPosition": "TRIM_HORIZON", **settings}
        made: dict[str, Any] = self.lam.create_event_source_mapping(
            FunctionName=self.name, EventSourceArn=self.arn, **asked
        )
        self.uuid = made["UUID"]
        return made

    def put(self, *ids: str, **attributes: Any) -> None:
        writes = [{"PutRequest": {"Item": {"id": {"S": id}, **attributes}}} for id in ids]
        self.ddb.batch_write_item(RequestItems={self.name: writes})

    def told(self, number: int, queue: str = "") -> list[Any]:
        found: list[Any] = []

        def more() -> bool:
            answer = self.sqs.receive_message(
                QueueUrl=queue or self.out, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            for message in answer.get("Messages", []):
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=queue or self.out, ReceiptHandle=message["ReceiptHandle"])
            return len(found) >= number

        eventually(more)
        return found


@pytest.fixture
def flow(client: Callable[..., Any], unique: Callable[[str], str]) -> Iterator[Callable[..., Flow]]:
    made: list[Flow] = []

    def make(source: str = PLAIN) -> Flow:
        made.append(Flow(client, unique("stream"), source))
        return made[-1]

    yield make
    for one in made:
        if one.uuid:
            one.lam.delete_event_source_mapping(UUID=one.uuid)
        one.lam.delete_function(FunctionName=one.name)
        one.ddb.delete_table(TableName=one.name)


def test_what_a_function_sees(flow: Any) -> None:
    one = flow(WHOLE)
    made = one.map()
    assert (made["BatchSize"], made["StartingPosition"], made["MaximumRetryAttempts"]) == (
        100,
        "TRIM_HORIZON",
        -1,
    )
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
    eventually(lambda: one.lam.get_event_source_mapping(UUID=one.uuid)["State"] == "Enabled")
    one.put("after")
    assert one.told(1)[0][-1] == "after"


def test_filters(flow: Any) -> None:
    one = flow()
    pattern = json.dumps({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": ["wanted"]}}}})
    one.map(FilterCriteria={"Filters": [{"Pattern": pattern}]})
    one.put("a", kind={"S": "other"})
    one.put("b", kind={"S": "wanted"})
    assert one.told(1) == [["b"]]


def test_given_up_after_its_retries(
    flow: Any, client: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    one = flow(PICKY)
    dead = client("sqs").create_queue(QueueName=unique("dead"))["QueueUrl"]
    name = dead.rsplit("/", 1)[1]
    one.put("fine")
    one.put("bad")
    one.map(
        BatchSize=1,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"}},
    )
    one.put("next")
    assert one.told(4) == [["fine"], ["bad"], ["bad"], ["next"]]
    (told,) = one.told(1, dead)
    assert told["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert told["responseContext"]["functionError"] == "Unhandled"
    assert (told["DDBStreamBatchInfo"]["batchSize"], told["DDBStreamBatchInfo"]["streamArn"]) == (1, one.arn)


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


@pytest.mark.node_only
def test_goes_on_after_a_restart(fresh_node: Any) -> None:
    node = fresh_node()
    one = Flow(node.client, "kept", PLAIN)
    one.map()
    one.put("a")
    assert one.told(1) == [["a"]]
    node.restart()
    again = Flow.__new__(Flow)
    again.__dict__ = {**one.__dict__, "ddb": node.client("dynamodb"), "sqs": node.client("sqs")}
    again.out = again.sqs.get_queue_url(QueueName="kept-out")["QueueUrl"]
    again.put("b")
    assert again.told(1) == [["b"]]


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
    create = one.lam.create_event_source_mapping
    code, message, _ = refused(
        create, FunctionName=one.name, EventSourceArn=one.arn, StartingPosition="TRIM_HORIZON"
    )
    assert code == "InvalidParameterValueException"
    assert message.startswith(
        f"Cannot access stream {one.arn}. Please ensure the role can perform the GetRecords"
    )
    actions = ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"]
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{one.name}-out"
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": one.arn},
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=role, PolicyName="read", PolicyDocument=policy)
    one.put("a")
    one.map()
    assert one.told(1) == [["a"]]
