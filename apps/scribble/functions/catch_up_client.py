"""catchUpQueueV3: gives a new connection what it hasn't got, picture or points.

The connection is in the list already, so that it is told of everything that is drawn from now on. Its first frame shows
that its $connect is over; what is read after that and what it is told together have no gap.
"""

import json
import time

import board
import frames
import posts
import queues

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
PATIENCE = 20
"""Seconds in which a connection has to open."""


def handler(event, context):
    failed = []
    waiting = []
    for record in event["Records"]:
        try:
            message = json.loads(record["body"])
            since = message["since"]
            waiting.append(
                (record["messageId"], str(message["connectionId"]), None if since is None else int(since))
            )
        except (ValueError, KeyError, TypeError) as error:
            print(f"message {record['messageId']} makes no sense: {error!r}")
            failed.append(record["messageId"])
    failed += greet(waiting)
    return {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}


def greet(waiting):
    """Catch each of them up as soon as it is open; the message ids of those with whom that failed."""
    failed = []
    pause, until = FIRST_PAUSE, time.monotonic() + PATIENCE
    while waiting:
        here = board.here()
        later = []
        for name, connection, since in waiting:
            status = posts.post(connection, frames.welcome(board.short(connection), here))
            if status == 200:
                status = catch_up(connection, since, here)
            elif status == 410 and time.monotonic() > until:
                queues.wake(board.forget([connection]))
            elif status == 410 and board.is_here(connection):
                later.append((name, connection, since))
            if status not in (200, 410):
                failed.append(name)
        waiting = later
        if waiting:
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
    return failed


def catch_up(connection, since, here):
    what, last, found = board.since(since)
    texts = frames.points(found, here) if what == "points" else frames.picture(last, found)
    return posts.post(connection, *texts, frames.ready(last))
