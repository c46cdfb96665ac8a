"""Where queues and messages lie.

    ("queue", account, region, name)                  -> queue: uid, generation, attributes, tags, ...
    ("deleted", account, region, name)                -> when a queue of that name was deleted, within the minute
    ("source", account, region, name, *source)        -> nothing: the queue `source` names this one for its dead letters
    ("move", account, region, name, started, task)    -> a task that moves the queue's messages
    and of the queue's messages, under its uid and generation:
    ("message", uid, generation, sent, stamp)         -> the message as it was sent
    ("order", uid, generation, visible, sent, stamp)  -> "" of a message never received here, else "r"
    ("held", uid, generation, sent, stamp)            -> of a received one: visible, receives, first and last receive,
                                                         when its visibility was changed
    ("count", uid, generation)                        -> number of messages, when the retention timer is due (0: unset)
    ("later", uid, generation, kind, second)          -> how many of a kind (0 delayed, 1 in flight) that second frees

All times are milliseconds. A message can be received from `visible` on, so a receive is the begin of one range, delay
and visibility timeout are a place in it, and nothing has to happen when they end. What is in flight or delayed now is
the sum of `later` beyond this second and the keys of `order` in the rest of it. A purged queue goes on in a new
generation; the old one, like a deleted queue, is swept piece by piece.
"""

from .messages import (
    Id,
    Taken,
    add,
    arm,
    delete,
    expire,
    first_visible,
    held,
    next_shown,
    pull_first,
    put_back,
    show_at,
    sweep,
    take,
)
from .queues import (
    HISTORY,
    MOVE_TASK,
    NAME_TIMER,
    RETENTION_TIMER,
    SWEEP_TASK,
    Name,
    Queue,
    Record,
    counts,
    delete_move,
    delete_queue,
    find,
    free_name,
    is_name_taken,
    move,
    moves,
    name_of,
    names,
    put_move,
    put_queue,
    queue,
    rouse,
    sources,
    total,
)
from .rewinding import rewind

__all__ = [
    "HISTORY",
    "MOVE_TASK",
    "NAME_TIMER",
    "RETENTION_TIMER",
    "SWEEP_TASK",
    "Id",
    "Name",
    "Queue",
    "Record",
    "Taken",
    "add",
    "arm",
    "counts",
    "delete",
    "delete_move",
    "delete_queue",
    "expire",
    "find",
    "first_visible",
    "free_name",
    "held",
    "is_name_taken",
    "move",
    "moves",
    "name_of",
    "names",
    "next_shown",
    "pull_first",
    "put_back",
    "put_move",
    "put_queue",
    "queue",
    "rewind",
    "rouse",
    "show_at",
    "sources",
    "sweep",
    "take",
    "total",
]
