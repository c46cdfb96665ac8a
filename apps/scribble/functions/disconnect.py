"""$disconnect: the connection leaves the list."""

import board
import queues


def handler(event, context):
    if board.forget([event["requestContext"]["connectionId"]]):
        queues.wake()
    return {"statusCode": 200}
