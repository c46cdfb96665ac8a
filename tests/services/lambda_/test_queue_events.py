"""Queues that are read for functions: what the function sees, and what becomes of the messages."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.harness import ACCOUNT, REGION, ROLE, Node, eventually, zipped

REPORT = """
import boto3, json, os, time
sqs = boto3.client("sqs")

def tell(what):
    sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(what))

def bodies(event):
    return [record["body"] for record in event["Records"]]
"""
"""What tests' functions begin with: they tell of what they see through a queue."""
PLAIN = REPORT + "\ndef handler(event, context):\n    tell(bodies(event))\n"


class Flow:
    """A queue, a function that is mapped to it, and a queue to which the function tells what it sees."""

    def __init__(
        self,
        node: Any,
        name: str,
        source: str = PLAIN,
        *,
        queue: dict[str, Any] | None = None,
        function: dict[str, Any] | None = None,
        **mapping: Any,
    ) -> None:
        self.node = node
        self.name = name
        self.sqs, self.lam = node.client("sqs"), node.client("lambda")
        given = {key: str(value) for key, value in (queue or {}).items()}
        self.url = self.sqs.create_queue(QueueName=name, Attributes=given)["QueueUrl"]
        self.out = self.sqs.create_queue(QueueName=f"{name}-out")["QueueUrl"]
        options = {"Runtime": "python3.11", "Handler": "index.handler", "Role": ROLE, "Timeout": 20}
        self.make = options | (function or {}) | {
            "FunctionName": name,
            "Code": {"ZipFile": zipped({"index.py": source})},
            "Environment": {"Variables": {"OUT": self.out}},
        }  # fmt: skip
        self.lam.create_function(**self.make)
        self.arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        self.uuid = self.lam.create_event_source_mapping(
            FunctionName=name, EventSourceArn=self.arn, **mapping
        )["UUID"]

    def send(self, *bodies: Any, **options: Any) -> list[str]:
        return [
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **options)["MessageId"]
            for body in bodies
        ]

    def told(self, number: int = 1) -> list[Any]:
        """The next things that the function tells."""
        found: list[Any] = []

        def more() -> bool:
            answer = self.sqs.receive_message(QueueUrl=self.out, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.out, ReceiptHandle=message["ReceiptHandle"])
            return len(found) >= number

        eventually(more)
        assert len(found) == number, found
        return found

    def counts(self) -> tuple[int, int]:
        """Visible and in flight."""
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        return (
            int(found["ApproximateNumberOfMessages"]),
            int(found["ApproximateNumberOfMessagesNotVisible"]),
        )

    def until_counts(self, visible: int, in_flight: int) -> None:
        eventually(lambda: self.counts() == (visible, in_flight))

    def is_made(self) -> bool:
        """Make the queue again, once its name is free."""
        try:
            self.sqs.create_queue(QueueName=self.name)
        except self.sqs.exceptions.QueueDeletedRecently:
            return False
        return True

    def update(self, **settings: Any) -> None:
        self.lam.update_event_source_mapping(UUID=self.uuid, **settings)


@pytest.fixture
def flow(node: Any, unique: Callable[[str], str]) -> Any:
    """Makes flows on the session's node, with mappings that end with the test."""
    made: list[Flow] = []

    def make(source: str = PLAIN, **options: Any) -> Flow:
        made.append(Flow(node, unique("flow"), source, **options))
        return made[-1]

    yield make
    for one in made:
        one.lam.delete_event_source_mapping(UUID=one.uuid)
        one.lam.delete_function(FunctionName=one.name)


class TestEvents:
    def test_the_record(self, flow: Any) -> None:
        one = flow(REPORT + "\ndef handler(event, context):\n    tell(event)\n")
        attributes = {
            "text": {"DataType": "String", "StringValue": "x"},
            "raw": {"DataType": "Binary.png", "BinaryValue": b"\x00\xff"},
        }
        (id,) = one.send("hello", MessageAttributes=attributes)
        (event,) = one.told()
        assert list(event) == ["Records"]
        (record,) = event["Records"]
        sent = record["attributes"].pop("SentTimestamp")
        assert sent <= record["attributes"].pop("ApproximateFirstReceiveTimestamp")
        assert record.pop("receiptHandle")
        assert record.pop("md5OfMessageAttributes")
        lists = {"stringListValues": [], "binaryListValues": []}
        assert record == {
            "messageId": id,
            "body": "hello",
            "attributes": {"ApproximateReceiveCount": "1", "SenderId": ACCOUNT},
            "messageAttributes": {
                "text": {"stringValue": "x", **lists, "dataType": "String"},
                "raw": {"binaryValue": "AP8=", **lists, "dataType": "Binary.png"},
            },
            "md5OfBody": hashlib.md5(b"hello", usedforsecurity=False).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": one.arn,
            "awsRegion": REGION,
        }

    def test_success_deletes(self, flow: Any) -> None:
        one = flow()
        one.send("a")
        assert one.told() == [["a"]]
        one.until_counts(0, 0)

    def test_what_lies_there_already_comes_in_batches(self, flow: Any) -> None:
        one = flow(Enabled=False, BatchSize=3, ScalingConfig={"MaximumConcurrency": 2})
        one.send(*"abcdefg")
        one.update(Enabled=True)
        batches = one.told(3)
        assert sorted(body for batch in batches for body in batch) == list("abcdefg")
        assert max(len(batch) for batch in batches) == 3

    def test_messages_that_are_too_much_for_one_event(self, flow: Any) -> None:
        one = flow(
            REPORT + "\ndef handler(event, context):\n    tell(len(event['Records']))\n", Enabled=False
        )
        one.send(*["x" * 1_000_000] * 8)
        one.update(Enabled=True)
        assert sum(one.told(2)) == 8


@pytest.mark.node_only
class TestFailures:
    FAILS = REPORT + (
        "\ndef handler(event, context):\n"
        "    tell([record['attributes']['ApproximateReceiveCount'] for record in event['Records']])\n"
        "    raise ValueError('no')\n"
    )

    def test_a_failed_message_comes_again_and_ends_in_the_dead_letter_queue(
        self, node: Any, flow: Any, client: Any, unique: Any
    ) -> None:
        dead = client("sqs").create_queue(QueueName=unique("dead"))["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{dead.rpartition('/')[2]}"
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
        one = flow(self.FAILS, queue={"VisibilityTimeout": 100, "RedrivePolicy": policy})
        one.send("a")
        assert one.told() == [["1"]]
        one.until_counts(0, 1)
        node.advance(101)
        assert one.told() == [["2"]]
        node.advance(101)
        one.until_counts(0, 0)
        buried = client("sqs").receive_message(QueueUrl=dead, WaitTimeSeconds=5)["Messages"]
        assert [message["Body"] for message in buried] == ["a"]

    PARTIAL = REPORT + (
        "\ndef handler(event, context):\n"
        "    tell(bodies(event))\n"
        "    bad = [r['messageId'] for r in event['Records'] if r['body'].startswith('bad')]\n"
        "    return {'batchItemFailures': [{'itemIdentifier': id} for id in bad]}\n"
    )

    def test_only_what_the_function_names_stays(self, node: Any, flow: Any) -> None:
        types = ["ReportBatchItemFailures"]
        one = flow(self.PARTIAL, queue={"VisibilityTimeout": 100}, Enabled=False, FunctionResponseTypes=types)
        one.send("good", "bad", "better")
        one.update(Enabled=True)
        assert one.told() == [["good", "bad", "better"]]
        one.until_counts(0, 1)
        node.advance(101)
        assert one.told() == [["bad"]]

    def test_it_names_nothing_unless_the_mapping_asks(self, flow: Any) -> None:
        one = flow(self.PARTIAL)
        one.send("bad")
        assert one.told() == [["bad"]]
        one.until_counts(0, 0)

    def test_an_answer_that_can_not_be_understood_fails_all(self, flow: Any) -> None:
        source = PLAIN + "    return {'batchItemFailures': [{'itemIdentifier': ''}]}\n"
        one = flow(source, FunctionResponseTypes=["ReportBatchItemFailures"])
        one.send("a")
        assert one.told() == [["a"]]
        one.until_counts(0, 1)


@pytest.mark.node_only
class TestBatches:
    def test_the_window_collects(self, node: Any, flow: Any) -> None:
        one = flow(queue={"VisibilityTimeout": 600}, BatchSize=100, MaximumBatchingWindowInSeconds=60)
        one.send(*map(str, range(15)))
        one.until_counts(0, 15)
        node.advance(61)
        (batch,) = one.told()
        assert sorted(batch, key=int) == [str(n) for n in range(15)]
        one.until_counts(0, 0)

    @pytest.mark.slow
    def test_the_window_is_no_longer_when_time_is_set_back(self, fresh_node: Any) -> None:
        node = fresh_node()
        node.advance(86_400)
        one = Flow(node, "own", queue={"VisibilityTimeout": 600}, MaximumBatchingWindowInSeconds=60)
        one.send("a", "b")
        one.until_counts(0, 2)
        node.post("/_cloudlet/clock", {"reset": True})

        def handed_over() -> bool:
            node.advance(20)
            answer = one.sqs.receive_message(QueueUrl=one.out)
            return any(json.loads(message["Body"]) == ["a", "b"] for message in answer.get("Messages", ()))

        eventually(handed_over)

    def test_a_window_longer_than_the_visibility_timeout(self, node: Any, flow: Any) -> None:
        """Messages that are received again meanwhile are in the batch once, and are deleted."""
        source = REPORT + (
            "\ndef handler(event, context):\n"
            "    tell([[r['body'], r['attributes']['ApproximateReceiveCount']] for r in event['Records']])\n"
        )
        limits = {"queue": {"VisibilityTimeout": 100}, "function": {"Timeout": 100}}
        one = flow(source, **limits, BatchSize=100, MaximumBatchingWindowInSeconds=300)
        one.send("a", "b")
        one.until_counts(0, 2)
        for _ in range(2):
            node.advance(101)
            one.until_counts(0, 2)
        node.advance(99)
        (batch,) = one.told()
        assert sorted(batch) == [["a", "3"], ["b", "3"]]
        one.until_counts(0, 0)

    def test_a_full_batch_does_not_wait(self, flow: Any) -> None:
        one = flow(BatchSize=3, MaximumBatchingWindowInSeconds=300)
        one.send("a", "b", "c")
        assert one.told() == [["a", "b", "c"]]

    def test_who_stops_collecting_gives_back(self, flow: Any) -> None:
        one = flow(MaximumBatchingWindowInSeconds=300)
        one.send("a", "b")
        one.until_counts(0, 2)
        one.update(Enabled=False)
        one.until_counts(2, 0)

    def test_filters(self, flow: Any) -> None:
        patterns = [
            {"body": {"price": [{"numeric": [">", 10]}], "kind": [{"prefix": "b"}]}},
            {"messageAttributes": {"way": {"stringValue": ["express"]}}},
        ]
        one = flow(FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]})
        one.send('{"price": 9, "kind": "book"}', "plain", '{"price": 11, "kind": "cup"}')
        one.send("fast", MessageAttributes={"way": {"DataType": "String", "StringValue": "express"}})
        assert one.told() == [["fast"]]
        one.send('{"price": 11, "kind": "book"}')
        assert one.told() == [['{"price": 11, "kind": "book"}']]
        one.until_counts(0, 0)


SLOW = REPORT + (
    "\ndef handler(event, context):\n"
    "    began = time.time()\n"
    "    time.sleep(float(event['Records'][0]['body']))\n"
    "    tell([began, time.time()])\n"
)


def most_at_once(spans: list[list[float]]) -> int:
    return max(sum(begin <= start < end for begin, end in spans) for start, _ in spans)


@pytest.mark.node_only
class TestConcurrency:
    def test_no_more_than_the_mapping_says(self, flow: Any) -> None:
        one = flow(SLOW, Enabled=False, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
        one.send(*["0.05"] * 8)
        one.update(Enabled=True)
        assert most_at_once(one.told(8)) == 2

    @pytest.mark.slow
    def test_a_backlog_of_slow_work_spreads_out(self, node: Any, flow: Any) -> None:
        one = flow(
            SLOW, queue={"VisibilityTimeout": 600}, function={"Timeout": 600}, Enabled=False, BatchSize=1
        )
        one.send(*["2"] * 10)
        one.update(Enabled=True)
        one.until_counts(5, 5)
        node.advance(1.1)
        one.until_counts(0, 10)
        assert most_at_once(one.told(10)) > 5

    def test_a_function_without_concurrency_is_not_given_any(self, flow: Any) -> None:
        one = flow(Enabled=False)
        one.lam.put_function_concurrency(FunctionName=one.name, ReservedConcurrentExecutions=0)
        one.update(Enabled=True)
        one.send("a")
        assert one.counts() == (1, 0)
        one.lam.delete_function_concurrency(FunctionName=one.name)
        assert one.told() == [["a"]]

    def test_a_throttled_batch_is_kept_and_tried_again(self, node: Any, flow: Any, client: Any) -> None:
        source = REPORT + (
            "\ndef handler(event, context):\n"
            "    if 'wait' in event:\n"
            "        tell('busy')\n"
            "        while not sqs.receive_message(QueueUrl=event['wait'], WaitTimeSeconds=20).get('Messages'):\n"
            "            pass\n"
            "        return\n"
            "    tell([record['attributes']['ApproximateReceiveCount'] for record in event['Records']])\n"
        )
        one = flow(source, queue={"VisibilityTimeout": 600}, function={"Timeout": 600})
        one.lam.put_function_concurrency(FunctionName=one.name, ReservedConcurrentExecutions=1)
        go = client("sqs").create_queue(QueueName=f"{one.name}-go")["QueueUrl"]
        busy = json.dumps({"wait": go}).encode()
        one.lam.invoke(FunctionName=one.name, InvocationType="Event", Payload=busy)
        assert one.told() == ["busy"]
        one.send("a")
        one.until_counts(0, 1)
        client("sqs").send_message(QueueUrl=go, MessageBody="go")
        assert one.told() == [["1"]]
        one.until_counts(0, 0)


@pytest.mark.node_only
class TestChanges:
    def test_a_disabled_mapping_takes_nothing(self, flow: Any) -> None:
        one = flow()
        one.send("a")
        assert one.told() == [["a"]]
        one.until_counts(0, 0)
        one.update(Enabled=False)
        one.send("b")
        assert one.counts() == (1, 0)
        one.update(Enabled=True)
        assert one.told() == [["b"]]

    def test_a_function_that_comes_later(self, flow: Any) -> None:
        one = flow()
        one.lam.delete_function(FunctionName=one.name)
        one.send("a")
        one.until_counts(1, 0)
        one.lam.create_function(**one.make)
        assert one.told() == [["a"]]

    def test_a_queue_that_is_made_again(self, node: Any, flow: Any) -> None:
        one = flow()
        one.send("a")
        assert one.told() == [["a"]]
        one.sqs.delete_queue(QueueUrl=one.url)
        node.advance(61)
        eventually(one.is_made)
        one.send("b")
        node.advance(61)
        assert one.told() == [["b"]]


@pytest.mark.slow
class TestTheNodesEnd:
    def test_a_stopped_node_gives_back_what_was_not_handed_over(
        self, fresh_node: Callable[..., Node]
    ) -> None:
        node = fresh_node()
        one = Flow(node, "kept", queue={"VisibilityTimeout": 3000}, MaximumBatchingWindowInSeconds=300)
        one.send("a", "b")
        one.until_counts(0, 2)
        node.restart()
        one.until_counts(0, 2)
        node.advance(301)
        assert sorted(one.told()[0]) == ["a", "b"]

    def test_a_mapping_outlives_a_kill(self, fresh_node: Callable[..., Node]) -> None:
        node = fresh_node()
        source = REPORT + (
            "\ndef handler(event, context):\n"
            "    tell(bodies(event))\n"
            "    if os.path.exists(os.environ['GATE']):\n"
            "        time.sleep(100)\n"
        )
        gate = node.data / "gate"
        gate.touch()
        one = Flow(node, "killed", source, queue={"VisibilityTimeout": 30}, Enabled=False)
        variables = {"OUT": one.out, "GATE": str(gate)}
        one.lam.update_function_configuration(FunctionName=one.name, Environment={"Variables": variables})
        one.update(Enabled=True)
        one.send("a")
        assert one.told() == [["a"]]
        node.kill()
        gate.unlink()
        node.start()
        one.until_counts(0, 1)
        one.send("b")
        assert one.told() == [["b"]]
        node.advance(31)
        assert one.told() == [["a"]]
        one.until_counts(0, 0)

    def test_nothing_acknowledged_is_lost(self, fresh_node: Callable[..., Node]) -> None:
        node = fresh_node()
        source = (
            "import os\n"
            "def handler(event, context):\n"
            "    with open(os.environ['SEEN'], 'a') as seen:\n"
            "        seen.writelines(record['body'] + chr(10) for record in event['Records'])\n"
        )
        seen = node.data.parent / "seen"
        seen.touch()
        one = Flow(
            node, "busy", source, queue={"VisibilityTimeout": 5}, function={"Timeout": 5}, Enabled=False
        )
        one.lam.update_function_configuration(
            FunctionName=one.name, Environment={"Variables": {"SEEN": str(seen)}}
        )
        one.update(Enabled=True)
        sent: set[str] = set()

        def send_until_it_dies(round: int) -> None:
            for number in range(100_000):
                body = f"{round}-{number}"
                try:
                    one.send(body)
                except (ClientError, BotoCoreError):
                    return
                sent.add(body)

        for round in range(3):
            sender = threading.Thread(target=send_until_it_dies, args=(round,))
            sender.start()
            eventually(lambda round=round: len(sent) >= 50 * (round + 1))
            node.kill()
            sender.join()
            node.start()

        def all_seen() -> bool:
            node.advance(6)
            return sent <= set(seen.read_text().split()) and one.counts() == (0, 0)

        eventually(all_seen)
