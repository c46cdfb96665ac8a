"""Asynchronous invocations after they are accepted: retries, throttling, dead letters, destinations, kills."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness import ACCOUNT, REGION, ROLE, Node, eventually, zipped

pytestmark = pytest.mark.node_only

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
WRITE = """
import json, os, time

def write(line):
    with open(os.environ["FILE"], "a") as file:
        file.write(f"{line}\\n")
"""
FAIL = WRITE + (
    "\ndef handler(event, context):\n"
    "    write(context.aws_request_id)\n"
    "    raise ValueError('no such thing')\n"
)
HOLD = WRITE + (
    "\ndef handler(event, context):\n"
    "    write(f'begin {event}')\n"
    "    while os.path.exists(os.environ['FILE'] + '.hold'):\n"
    "        time.sleep(0.01)\n"
    "    write(f'end {event}')\n"
)


class Function:
    """A function that writes lines to a file."""

    def __init__(self, node: Node, folder: Path, name: str, source: str, **options: Any) -> None:
        self.node, self.name = node, name
        self.lam = node.client("lambda")
        self.file = folder / name
        self.file.touch()
        self.hold = folder / f"{name}.hold"
        options = {"Runtime": "python3.11", "Handler": "index.handler", "Role": ROLE, "Timeout": 60} | options
        self.lam.create_function(
            FunctionName=name,
            Code={"ZipFile": zipped({"index.py": source})},
            Environment={"Variables": {"FILE": str(self.file)}},
            **options,
        )

    def invoke(self, event: Any = None, kind: str = "Event") -> str:
        answer = self.lam.invoke(
            FunctionName=self.name, InvocationType=kind, Payload=json.dumps(event).encode()
        )
        return str(answer["ResponseMetadata"]["RequestId"])

    def lines(self, number: int) -> list[str]:
        """What it has written, once these are so many lines at least."""
        return eventually(
            lambda: found if len(found := self.file.read_text().split("\n")[:-1]) >= number else []
        )

    def configure(self, **settings: Any) -> None:
        self.lam.put_function_event_invoke_config(FunctionName=self.name, **settings)

    def given_up(self, tries: int, condition: str) -> None:
        text = f"{ARN}{self.name} is given up after {tries} tries: {condition}"
        eventually(lambda: text in self.node.log)


class Inbox:
    """A queue for dead letters and records."""

    def __init__(self, node: Any, name: str) -> None:
        self.sqs = node.client("sqs")
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def next(self) -> tuple[Any, dict[str, dict[str, str]]]:
        """Body and attributes."""
        (message,) = self.sqs.receive_message(
            QueueUrl=self.url, WaitTimeSeconds=20, MessageAttributeNames=["All"]
        )["Messages"]
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return json.loads(message["Body"]), message.get("MessageAttributes", {})


@pytest.fixture
def function(node: Any, tmp_path: Path, unique: Callable[[str], str]) -> Any:
    """`function(source)`: on the session's node, until the test ends."""
    made: list[Function] = []

    def make(source: str, **options: Any) -> Function:
        made.append(Function(node, tmp_path, unique("function"), source, **options))
        return made[-1]

    yield make
    for one in made:
        one.hold.unlink(missing_ok=True)
        one.lam.delete_function(FunctionName=one.name)


@pytest.fixture
def inbox(node: Any, unique: Callable[[str], str]) -> Callable[[], Inbox]:
    return lambda: Inbox(node, unique("inbox"))


@pytest.fixture
def topic(node: Any, unique: Callable[[str], str]) -> Callable[[Inbox], str]:
    """`topic(inbox)`: the ARN of a topic whose messages go to the inbox as they are."""
    sns = node.client("sns")

    def make(inbox: Inbox) -> str:
        arn = str(sns.create_topic(Name=unique("topic"))["TopicArn"])
        sns.subscribe(
            TopicArn=arn, Protocol="sqs", Endpoint=inbox.arn, Attributes={"RawMessageDelivery": "true"}
        )
        allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": inbox.arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        inbox.sqs.set_queue_attributes(QueueUrl=inbox.url, Attributes={"Policy": policy})
        return arn

    return make


class TestRetries:
    def test_after_one_minute_and_then_two(self, node: Any, function: Any) -> None:
        one = function(FAIL)
        id = one.invoke()
        assert one.lines(1) == [id]
        node.advance(61)
        one.lines(2)
        node.advance(121)
        assert one.lines(3) == [id] * 3, "all tries have the event's one request id"
        one.given_up(3, "RetriesExhausted")

    def test_fewer_when_configured(self, function: Any) -> None:
        one = function(FAIL)
        one.configure(MaximumRetryAttempts=0)
        one.invoke()
        one.given_up(1, "RetriesExhausted")
        assert len(one.lines(1)) == 1

    def test_none_that_would_come_too_late(self, function: Any) -> None:
        one = function(FAIL)
        one.configure(MaximumEventAgeInSeconds=60)
        one.invoke()
        one.given_up(1, "EventAgeExceeded")
        assert len(one.lines(1)) == 1


class TestThrottling:
    @pytest.fixture
    def busy(self, function: Any) -> Any:
        """A function with a concurrency of one, which a caller has, until the file `hold` goes."""
        one = function(HOLD)
        one.hold.touch()
        one.lam.put_function_concurrency(FunctionName=one.name, ReservedConcurrentExecutions=1)
        caller = threading.Thread(target=one.invoke, args=("caller", "RequestResponse"))
        caller.start()
        one.lines(1)
        yield one
        one.hold.unlink(missing_ok=True)
        caller.join()

    def test_an_event_waits_and_runs(self, node: Any, busy: Any) -> None:
        busy.invoke("event")
        node.advance(10)
        assert busy.lines(1) == ["begin caller"]
        busy.hold.unlink()
        busy.lines(2)
        node.advance(300)
        assert busy.lines(4)[2:] == ["begin event", "end event"]

    def test_until_it_is_too_old(self, node: Any, busy: Any, inbox: Any) -> None:
        told = inbox()
        busy.configure(
            MaximumEventAgeInSeconds=60, DestinationConfig={"OnFailure": {"Destination": told.arn}}
        )
        busy.invoke("event")
        node.advance(20)
        node.advance(41)
        record, _ = told.next()
        assert record["requestContext"]["condition"] == "EventAgeExceeded"
        assert record["requestContext"]["approximateInvokeCount"] == 0
        assert record["requestPayload"] == "event"
        assert "responsePayload" not in record

    def test_no_concurrency_at_all_gives_events_up(self, function: Any, inbox: Any) -> None:
        told, dead = inbox(), inbox()
        one = function(HOLD, DeadLetterConfig={"TargetArn": dead.arn})
        one.configure(DestinationConfig={"OnFailure": {"Destination": told.arn}})
        one.lam.put_function_concurrency(FunctionName=one.name, ReservedConcurrentExecutions=0)
        one.invoke("event")
        record, _ = told.next()
        assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
        body, attributes = dead.next()
        assert body == "event"
        assert attributes["ErrorCode"]["StringValue"] == "429"


class TestDeadLetters:
    def test_a_queue_gets_the_event_and_why_it_failed(self, function: Any, inbox: Any) -> None:
        dead = inbox()
        one = function(FAIL, DeadLetterConfig={"TargetArn": dead.arn})
        one.configure(MaximumRetryAttempts=0)
        id = one.invoke({"n": 1})
        body, attributes = dead.next()
        assert body == {"n": 1}
        assert attributes == {
            "RequestID": {"DataType": "String", "StringValue": id},
            "ErrorCode": {"DataType": "Number", "StringValue": "200"},
            "ErrorMessage": {"DataType": "String", "StringValue": "no such thing"},
        }

    def test_a_topic_gets_it_too(self, function: Any, inbox: Any, topic: Any) -> None:
        heard = inbox()
        one = function(FAIL, DeadLetterConfig={"TargetArn": topic(heard)})
        one.configure(MaximumRetryAttempts=0)
        id = one.invoke({"n": 1})
        body, attributes = heard.next()
        assert body == {"n": 1}
        assert attributes["RequestID"]["StringValue"] == id
        assert attributes["ErrorMessage"]["StringValue"] == "no such thing"

    def test_it_is_sent_by_the_functions_role(
        self, node: Any, function: Any, inbox: Any, unique: Any
    ) -> None:
        iam, name, dead = node.client("iam"), unique("role"), inbox()
        allow = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
        rights = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": dead.arn}
        document = json.dumps({"Version": "2012-10-17", "Statement": [rights]})
        iam.put_role_policy(RoleName=name, PolicyName="send", PolicyDocument=document)
        one = function(FAIL, DeadLetterConfig={"TargetArn": dead.arn}, Role=role["Arn"])
        one.configure(MaximumRetryAttempts=0)
        one.invoke()
        (message,) = dead.sqs.receive_message(
            QueueUrl=dead.url, WaitTimeSeconds=20, AttributeNames=["SenderId"]
        )["Messages"]
        assert message["Attributes"]["SenderId"] == f"{role['RoleId']}:{one.name}"

    def test_a_queue_that_is_not_there_is_told_in_the_log(self, node: Any, function: Any) -> None:
        missing = f"arn:aws:sqs:{REGION}:{ACCOUNT}:missing"
        one = function(FAIL, DeadLetterConfig={"TargetArn": missing})
        one.configure(MaximumRetryAttempts=0)
        one.invoke()
        eventually(lambda: f"{ARN}{one.name} can't go to {missing}: QueueDoesNotExist" in node.log)


class TestDestinations:
    def test_a_queue_is_told_of_success(self, function: Any, inbox: Any) -> None:
        told = inbox()
        one = function("def handler(event, context):\n    return {'sum': event['n'] + 1}\n")
        one.configure(DestinationConfig={"OnSuccess": {"Destination": told.arn}})
        id = one.invoke({"n": 1})
        record, attributes = told.next()
        assert record.pop("timestamp").endswith("Z")
        assert record == {
            "version": "1.0",
            "requestContext": {
                "requestId": id,
                "functionArn": f"{ARN}{one.name}:$LATEST",
                "condition": "Success",
                "approximateInvokeCount": 1,
            },
            "requestPayload": {"n": 1},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
            "responsePayload": {"sum": 2},
        }
        assert attributes == {}

    def test_a_topic_is_told(self, function: Any, inbox: Any, topic: Any) -> None:
        heard = inbox()
        one = function("def handler(event, context):\n    return 'done'\n")
        one.configure(DestinationConfig={"OnSuccess": {"Destination": topic(heard)}})
        one.invoke({"n": 1})
        record, _ = heard.next()
        assert (record["requestContext"]["condition"], record["responsePayload"]) == ("Success", "done")

    def test_a_function_is_told_of_failure(self, function: Any) -> None:
        told = function(WRITE + "\ndef handler(event, context):\n    write(json.dumps(event))\n")
        one = function(FAIL)
        one.configure(
            MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": f"{ARN}{told.name}"}}
        )
        one.invoke({"n": 1})
        record = json.loads(told.lines(1)[0])
        assert record["requestContext"]["condition"] == "RetriesExhausted"
        assert record["responseContext"] == {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        }
        assert record["responsePayload"]["errorMessage"] == "no such thing"

    def test_an_event_bus_is_refused(self, function: Any) -> None:
        one = function(FAIL)
        bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
        with pytest.raises(one.lam.exceptions.InvalidParameterValueException, match="not supported here yet"):
            one.configure(DestinationConfig={"OnSuccess": {"Destination": bus}})


@pytest.mark.slow
class TestKills:
    def test_accepted_events_run(self, fresh_node: Callable[..., Node], tmp_path: Path) -> None:
        node = fresh_node()
        source = WRITE + "\ndef handler(event, context):\n    write(event)\n"
        one = Function(node, tmp_path, "lasting", source)
        sent = 0
        for _ in range(3):
            for _ in range(20):
                one.invoke(sent)
                sent += 1
            node.kill()
            node.start()
        eventually(lambda: set(one.lines(sent)) == {str(number) for number in range(sent)})

    def test_a_retry_and_its_dead_letter_come(self, fresh_node: Callable[..., Node], tmp_path: Path) -> None:
        node = fresh_node()
        dead = Inbox(node, "dead")
        one = Function(node, tmp_path, "failing", FAIL, DeadLetterConfig={"TargetArn": dead.arn})
        one.configure(MaximumRetryAttempts=1)
        one.invoke("event")
        one.lines(1)
        node.kill()
        node.start()
        node.advance(61)
        one.lines(2)
        node.kill()
        node.start()
        node.advance(61)
        assert dead.next()[0] == "event"
