"""Telling everybody: one at a time, everything that is new in as few frames as possible, until nothing is left.

Whoever finds the lock taken leaves it to its holder. No wake-up is lost: the holder lets go in the same step in which
it sees that nothing is left, and whatever is new was written before somebody tried the lock. In case the holder dies,
somebody comes back when the lock has run out. What is told twice doesn't hurt, as every batch has its id.
"""

import json
import uuid

import board
import frames
import posts
import queues
import settings

RESERVE_MS = 25_000
"""So much of the function's time is left when another invocation takes over."""


def run(context, watching):
    token = uuid.uuid4().hex
    told_id, told_here, roster, connections = "", "", "", []
    while True:
        said, rest = board.turn(token, told_id, told_here, roster, watching)
        if said == "leave":
            queues.wake(rest[0])
        if said in ("leave", "done"):
            return
        if said == "wait":
            board.wait_for_points(*rest)
        else:
            new, cursors, told_here, roster, ids, missing = rest
            if ids is not None:
                connections = [id.decode() for id in ids]
            tell(connections, board.entries(new), [json.loads(cursor) for cursor in cursors], told_here)
            if missing:
                for connection in connections:
                    queues.catch_up(connection, None)
            told_id = new[-1][0] if new else told_id
        if context.get_remaining_time_in_millis() < RESERVE_MS:
            board.stop(token, told_id)
            queues.wake(0)
            return


def tell(connections, entries, cursors, here):
    texts = frames.points(entries, here, cursors)
    if not texts:
        texts = [frames.cursors(cursors, here) if cursors else frames.here(here)]
    gone, deaf, left = [], [], connections
    for text in texts:
        statuses = posts.post_all(left, text)
        gone += [id for id in left if statuses[id] == 410]
        deaf += [id for id in left if statuses[id] not in (200, 410)]
        left = [id for id in left if statuses[id] == 200]
    if gone:
        board.forget(gone, settings.YOUNG_MS)
    if deaf:
        print(json.dumps({"disconnected": deaf}))
        posts.disconnect(deaf)
