"""$disconnect: forgets the connection's subscriptions and tells those who watch its topics."""

import topics


def handler(event, context):
    connection_id = event["requestContext"]["connectionId"]
    for topic in topics.forget(connection_id):
        topics.tell_presence(topic, "left", connection_id)
    return {"statusCode": 200}
