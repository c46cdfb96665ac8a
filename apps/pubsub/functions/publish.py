"""Publishing: {"topic": "scores/tennis", "body": anything}, invoked directly, or such objects as records of SQS or SNS.

Posts to each subscriber of the topic once, however many of its subscriptions match. A connection that is gone is
forgotten; one that fails otherwise doesn't keep the message from the others.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import boto3
import topics
from botocore.config import Config

MOST_BYTES = 128 * 1024
POSTS_AT_ONCE = 16

_api = boto3.client(
    "apigatewaymanagementapi",
    endpoint_url=os.environ["API_URL"],
    config=Config(max_pool_connections=POSTS_AT_ONCE, retries={"mode": "standard", "total_max_attempts": 3}),
)
_pool = ThreadPoolExecutor(POSTS_AT_ONCE)


def handler(event, context):
    results = [publish(message) for message in messages_of(event)]
    return results[0] if len(results) == 1 else results


def messages_of(event):
    if "Records" not in event:
        return [event]
    return [
        json.loads(record["Sns"]["Message"] if "Sns" in record else record["body"])
        for record in event["Records"]
    ]


def publish(message):
    """Deliver one message; returns how many got it, how many were gone, how many failed."""
    topic = topics.check(message.get("topic"))
    told = {"type": "message", "topic": topic, "body": message.get("body")}
    told["at"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    data = json.dumps(told, ensure_ascii=False)
    if len(data.encode()) > MOST_BYTES:
        raise ValueError(f"the message is larger than {MOST_BYTES} bytes")
    if topics.keeps_last_message and not topic.startswith("$"):
        topics.last_messages.put_item(Item={"root": topic.split("/")[0], "topic": topic, "message": data})
    outcomes = list(_pool.map(lambda connection: post(connection, data), subscribers(topic)))
    return {outcome: outcomes.count(outcome) for outcome in ("delivered", "gone", "failed")}


def subscribers(topic):
    """The connections that want the topic, each once."""
    found = {}
    for pattern in topics.patterns(topic):
        start = {}
        while True:
            page = topics.subscriptions.query(
                IndexName="byTopic",
                KeyConditionExpression="topic = :topic",
                ExpressionAttributeValues={":topic": pattern},
                **start,
            )
            found.update((item["connectionId"], None) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return list(found)


def post(connection_id, data):
    try:
        _api.post_to_connection(ConnectionId=connection_id, Data=data)
    except _api.exceptions.GoneException:
        topics.forget(connection_id)
        return "gone"
    except Exception as error:  # one bad connection must not cost the others their message
        print(f"post to {connection_id} failed: {error!r}")
        return "failed"
    return "delivered"
