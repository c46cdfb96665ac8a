"""scribbleV3Queue: writes points to the table, then tells everybody what is new.

A message that can't be processed is left in the queue, the others are not: after a few tries it goes to the dead-letter
queue.
"""

import json

import board
import broadcast
import frames
import queues
import table


def handler(event, context):
    messages, failed, watching = read(event["Records"])
    failed |= save(messages)
    broadcast.run(context, watching)
    return {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}


def read(records):
    """{message id: (entry id, points)} of those with points, the ids of those that make no sense, and whether one was
    sent to look whether the teller still lives."""
    messages, failed, watching = {}, set(), False
    for record in records:
        try:
            message = json.loads(record["body"])
            if "wake" in message:
                watching = watching or message["wake"] > 0
            else:
                points = [(int(x), int(y), int(colour)) for x, y, colour in message["points"]]
                messages[record["messageId"]] = (int(message["id"]), points)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            print(f"message {record['messageId']} makes no sense: {error!r}")
            failed.add(record["messageId"])
    return messages, failed, watching


def save(messages):
    """Write the points to the table; the ids of the messages of which some could not be written."""
    if not messages:
        return set()
    written, failed = table.put(last_of_each(messages.values()))
    lost = {name for name, (_, points) in messages.items() if any((x, y) in failed for x, y, _ in points)}
    kept = [message for name, message in messages.items() if name not in lost]
    if kept:
        restored = board.saved([id for id, _ in kept])
        for id, points in kept:
            if id <= restored:
                draw_again([point for point in points if (point[0], point[1]) in written])
    return lost


def last_of_each(entries):
    """{pixel: (id, colour)}: what the entries leave behind."""
    pixels = {}
    for id, points in sorted(entries):
        for x, y, colour in points:
            pixels[x, y] = (id, colour)
    return pixels


def draw_again(points):
    """Points that waited in the queue while the cache was lost: the restored board hasn't got them."""
    if points:
        id = board.draw("", 0, frames.batch("", None, points), points)
        queues.points(id, points)
