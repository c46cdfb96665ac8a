"""Route sendMessage, and whatever finds no route: checks the message, draws it, and leaves the telling to the queue."""

import random
import time

import board
import frames
import messages
import posts
import queues

PAUSES = 0.3, 0.7
"""Seconds that a message which came too fast holds its place among its connection's messages; not all the same, or a
flood would come in waves."""

OK = {"statusCode": 200}


def handler(event, context):
    connection = event["requestContext"]["connectionId"]
    body = event.get("body")
    try:
        answer(connection, body)
    except board.Unknown:
        if posts.post(connection, frames.here(board.here())) == 410:
            draw_last(connection, body)
        else:  # the cache has lost its list
            queues.wake(board.register(connection, ""))
            queues.catch_up(connection, None)
            answer(connection, body)
    return OK


def answer(connection, body):
    ref = None
    try:
        message = messages.parse(body)
        ref = getattr(message, "ref", None)
        do(connection, message)
    except messages.Bad as error:
        refuse(connection, str(error), error.ref)
    except board.Slow as slow:
        too_fast(connection, slow, ref)


def do(connection, message):
    if isinstance(message, messages.Draw):
        batch = frames.batch(board.short(connection), message.ref, message.points)
        queues.points(board.draw(connection, message.cost, batch, message.points), message.points)
        return
    board.charge(connection, message.cost)
    if isinstance(message, messages.Ping):
        posts.post(connection, frames.pong(message.number, board.here()))
    else:
        queues.wake(board.point(connection, *message.at))


def draw_last(connection, body):
    """The last stroke of somebody who has left before it came here."""
    try:
        message = messages.parse(body)
    except messages.Bad:
        return
    if isinstance(message, messages.Draw):
        batch = frames.batch(board.short(connection), message.ref, message.points)
        queues.points(board.draw("", 0, batch, message.points), message.points)


def refuse(connection, why, ref):
    try:
        board.charge(connection, messages.LEAST_COST)
        posts.post(connection, frames.error(why, ref))
    except board.Slow as slow:
        too_fast(connection, slow, ref)


def too_fast(connection, slow, ref):
    posts.post(connection, frames.slow(slow.wait_ms, ref))
    time.sleep(random.uniform(*PAUSES))
