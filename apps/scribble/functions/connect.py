"""$connect: registers the connection, and has what it missed sent to it."""

import board
import queues

LONGEST_NAME = 32


def handler(event, context):
    connection = event["requestContext"]["connectionId"]
    query = event.get("queryStringParameters") or {}
    queues.wake(board.register(connection, name_of(query)))
    queues.catch_up(connection, since_of(query))
    return {"statusCode": 200}


def since_of(query):
    """The id up to which the client has everything; None if it doesn't say so."""
    since = query.get("since", "")
    return int(since) if since.isascii() and since.isdigit() and len(since) <= 16 else None


def name_of(query):
    name = "".join(letter for letter in query.get("name", "") if letter.isprintable())
    return " ".join(name.split())[:LONGEST_NAME]
