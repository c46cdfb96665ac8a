"""Route sendMessage, and whatever finds no route: checks the message, draws it, and leaves the telling to the queue."""

import time

import board
import frames
import messages
import posts
import queues

PAUSE = 0.1
"""Seconds that a message which came too fast holds its place among its connection's messages."""

OK = {"statusCode": 200}


def handler(event, context):
    connection = event["requestContext"]["connectionId"]
    ref = None
    try:
        try:
            message = messages.parse(event.get("body"))
        except messages.Bad as error:
            ref = error.ref
            board.charge(connection, messages.LEAST_COST)
            posts.post(connection, frames.error(str(error), ref))
            return OK
        ref = getattr(message, "ref", None)
        known = take(connection, message)
    except board.Slow as slow:
        posts.post(connection, frames.slow(slow.wait_ms, ref))
        time.sleep(PAUSE)
        return OK
    if not known:  # the cache has lost its list
        board.register(connection, "")
        queues.catch_up(connection, None)
    return OK


def take(connection, message):
    """Do what the message says; whether the connection is registered."""
    if isinstance(message, messages.Draw):
        batch = frames.batch(board.short(connection), message.ref, message.points)
        id, known = board.draw(connection, message.cost, batch, message.points)
        queues.points(id, message.points)
        return known
    known = board.charge(connection, message.cost)
    if isinstance(message, messages.Ping):
        posts.post(connection, frames.pong(message.number, board.here()))
    elif board.point(connection, *message.at):
        queues.wake()
    return known
