"""$disconnect: the connection leaves the list."""

import board
import queues


def handler(event, context):
    queues.wake(board.forget([event["requestContext"]["connectionId"]]))
    return {"statusCode": 200}
