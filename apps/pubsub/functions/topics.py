"""Topics and their subscribers: what the functions share.

A topic is up to eight levels joined by "/", e.g. "scores/tennis/final". A subscription may end in "*", which stands for
everything below: "scores/*", or "*" alone. Topics that begin with "$" are the system's ("$presence/scores/tennis/final"
tells who comes and goes there); "*" alone doesn't include them.
"""

import json
import os
import re

import boto3

MAX_LEVELS = 8
MAX_LENGTH = 256
LEVEL = re.compile(r"[^\s/*#+]+")
PRESENCE = "$presence/"

_dynamodb = boto3.resource("dynamodb")
_lambda = boto3.client("lambda")
subscriptions = _dynamodb.Table(os.environ["SUBSCRIPTIONS_TABLE"])
last_messages = _dynamodb.Table(os.environ["LAST_MESSAGES_TABLE"])
keeps_last_message = os.environ.get("KEEP_LAST_MESSAGE") == "yes"


class BadTopic(ValueError):
    """Says what is wrong with a topic, in words for whoever sent it."""


def check(topic, *, wildcard=False):
    """The topic, if it is one; with `wildcard` its last level may be "*"."""
    if not isinstance(topic, str) or not topic:
        raise BadTopic("topic must be a string that is not empty")
    if len(topic.encode()) > MAX_LENGTH:
        raise BadTopic(f"topic is longer than {MAX_LENGTH} bytes")
    levels = topic.split("/")
    if len(levels) > MAX_LEVELS:
        raise BadTopic(f"topic has more than {MAX_LEVELS} levels")
    if wildcard and levels[-1] == "*":
        levels.pop()
    for level in levels:
        if not LEVEL.fullmatch(level):
            raise BadTopic("each level of a topic needs a character and has no space, '*', '#' or '+'")
    return topic


def patterns(topic):
    """What a subscription may say to get this topic: itself, and a wildcard at each level above."""
    levels = topic.split("/")
    found = [topic] + ["/".join([*levels[:depth], "*"]) for depth in range(len(levels) - 1, 0, -1)]
    return found if topic.startswith("$") else [*found, "*"]


def answer(**fields):
    """A function's result; its body goes back to the client by the route's response."""
    return {"statusCode": 200, "body": json.dumps(fields)}


def message_of(event):
    """The client's message; the route was chosen from its JSON, so that it is an object."""
    return json.loads(event["body"])


def forget(connection_id):
    """Delete all subscriptions of a connection; returns their topics."""
    found, start = [], {}
    while True:
        page = subscriptions.query(
            KeyConditionExpression="connectionId = :id",
            ExpressionAttributeValues={":id": connection_id},
            ProjectionExpression="topic",
            **start,
        )
        found += [item["topic"] for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    with subscriptions.batch_writer() as batch:
        for topic in found:
            batch.delete_item(Key={"connectionId": connection_id, "topic": topic})
    return found


def tell_presence(topic, what, connection_id):
    """Publish on the topic's presence topic that somebody came or went; nobody waits for it."""
    if topic.startswith("$") or topic.endswith("*"):
        return
    message = {"topic": PRESENCE + topic, "body": {"event": what, "connectionId": connection_id}}
    _lambda.invoke(
        FunctionName=os.environ["PUBLISH_FUNCTION"],
        InvocationType="Event",
        Payload=json.dumps(message).encode(),
    )
