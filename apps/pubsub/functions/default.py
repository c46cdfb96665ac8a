"""$default: a message that no route takes gets an answer that says what one looks like."""

import json


def handler(event, context):
    message = 'say {"action": "subscribe", "topic": "…"} or {"action": "unsubscribe", "topic": "…"}'
    return {"statusCode": 200, "body": json.dumps({"type": "error", "message": message}, ensure_ascii=False)}
