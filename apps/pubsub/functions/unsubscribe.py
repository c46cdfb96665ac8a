"""Route unsubscribe, {"action": "unsubscribe", "topic": "scores/*"}: the topic as it was subscribed to."""

import topics


def handler(event, context):
    connection_id = event["requestContext"]["connectionId"]
    try:
        topic = topics.check(topics.message_of(event).get("topic"), wildcard=True)
    except topics.BadTopic as error:
        return topics.answer(type="error", message=str(error))
    key = {"connectionId": connection_id, "topic": topic}
    was_there = "Attributes" in topics.subscriptions.delete_item(Key=key, ReturnValues="ALL_OLD")
    if was_there:
        topics.tell_presence(topic, "left", connection_id)
    return topics.answer(type="unsubscribed", topic=topic, was=was_there)
