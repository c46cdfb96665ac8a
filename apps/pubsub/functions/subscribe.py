"""Route subscribe, {"action": "subscribe", "topic": "scores/*"}: remembers it, answers with the last messages."""

import json
from datetime import UTC, datetime

import topics

MOST_LAST_MESSAGES = 25


def handler(event, context):
    connection_id = event["requestContext"]["connectionId"]
    try:
        topic = topics.check(topics.message_of(event).get("topic"), wildcard=True)
    except topics.BadTopic as error:
        return topics.answer(type="error", message=str(error))
    topics.subscriptions.put_item(
        Item={
            "connectionId": connection_id,
            "topic": topic,
            "since": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
    )
    topics.tell_presence(topic, "joined", connection_id)
    return topics.answer(type="subscribed", topic=topic, last=last_messages_of(topic))


def last_messages_of(topic):
    """The last message of the topic, or of each topic that the wildcard stands for."""
    if not topics.keeps_last_message:
        return []
    table = topics.last_messages
    if topic == "*":
        items = table.scan(Limit=MOST_LAST_MESSAGES)["Items"]
    elif topic.endswith("/*"):
        items = table.query(
            KeyConditionExpression="#root = :root AND begins_with(topic, :below)",
            ExpressionAttributeNames={"#root": "root"},
            ExpressionAttributeValues={":root": topic.split("/")[0], ":below": topic[:-1]},
            Limit=MOST_LAST_MESSAGES,
        )["Items"]
    else:
        item = table.get_item(Key={"root": topic.split("/")[0], "topic": topic}).get("Item")
        items = [item] if item else []
    return [json.loads(item["message"]) for item in items]
