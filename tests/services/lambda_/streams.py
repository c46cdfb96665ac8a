"""A table's stream that is read for a function, for the tests of what the function sees.

The functions may take long, so that a test that moves the clock doesn't end them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.harness import ROLE, eventually, zipped

REPORT = """
import boto3, json, os, time
sqs = boto3.client("sqs")

def tell(what):
    sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(what))

def ids(event):
    return [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
"""
"""What tests' functions begin with: they tell of what they see through a queue."""
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


class Flow:
    """A table, a function that is mapped to its stream, and a queue to which the function tells what it sees."""

    def __init__(self, client: Callable[..., Any], name: str, source: str = PLAIN) -> None:
        self.client = client
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
        self.made = {
            "FunctionName": name,
            "Runtime": "python3.11",
            "Handler": "index.handler",
            "Role": ROLE,
            "Timeout": 900,
            "Code": {"ZipFile": zipped({"index.py": source})},
            "Environment": {"Variables": {"OUT": self.out}},
        }
        self.lam.create_function(**self.made)
        self.uuid = ""

    def map(self, **settings: Any) -> dict[str, Any]:
        asked = {"StartingPosition": "TRIM_HORIZON", **settings}
        made: dict[str, Any] = self.lam.create_event_source_mapping(
            FunctionName=self.name, EventSourceArn=self.arn, **asked
        )
        self.uuid = made["UUID"]
        return made

    def update(self, **settings: Any) -> None:
        self.lam.update_event_source_mapping(UUID=self.uuid, **settings)

    def seen(self) -> dict[str, Any]:
        """The mapping."""
        mapping: dict[str, Any] = self.lam.get_event_source_mapping(UUID=self.uuid)
        return mapping

    def put(self, *ids: str, **attributes: Any) -> None:
        """One after the other: a batch of writes has no order."""
        for id in ids:
            self.ddb.put_item(TableName=self.name, Item={"id": {"S": id}, **attributes})

    def shard(self) -> str:
        """The id of the stream's shard."""
        described = self.client("dynamodbstreams").describe_stream(StreamArn=self.arn)
        return str(described["StreamDescription"]["Shards"][0]["ShardId"])

    def records(self) -> list[dict[str, Any]]:
        """What the stream says of each write."""
        streams = self.client("dynamodbstreams")
        asked = {"StreamArn": self.arn, "ShardId": self.shard(), "ShardIteratorType": "TRIM_HORIZON"}
        iterator = streams.get_shard_iterator(**asked)["ShardIterator"]
        return [record["dynamodb"] for record in streams.get_records(ShardIterator=iterator)["Records"]]

    def told(self, number: int, queue: str = "", while_waiting: Callable[[], Any] | None = None) -> list[Any]:
        """The next things that come, at least so many."""
        found: list[Any] = []

        def more() -> bool:
            if while_waiting is not None:
                while_waiting()
            answer = self.sqs.receive_message(
                QueueUrl=queue or self.out, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            for message in answer.get("Messages", []):
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=queue or self.out, ReceiptHandle=message["ReceiptHandle"])
            return len(found) >= number

        eventually(more)
        return found

    def delete(self) -> None:
        if self.uuid:
            self.lam.delete_event_source_mapping(UUID=self.uuid)
        self.lam.delete_function(FunctionName=self.name)
        self.ddb.delete_table(TableName=self.name)
