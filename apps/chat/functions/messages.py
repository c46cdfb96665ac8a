"""The room's messages: kept in one order, read by pages, told to everybody.

A message's key is its writer and the second in which it is to go (`timestamp`), by which DynamoDB deletes it; its place
is the room and the number that it got there (`seq`), atomically with the room's counter.
"""

import os
import random
import time

import people
import posts
import rooms
import table

LIFETIME = int(os.environ.get("MESSAGE_LIFETIME", "604800"))
INDEX = "byRoom"
TRIES = 60
PATIENCE = 0.02
ONCE_KEPT = 3600
LARGEST_FRAME = 100_000
"""Bytes; API Gateway takes 128 KB."""

_known = {}
"""What this process last saw of rooms' counters and of writers' last seconds."""


class Written(Exception):
    """It was written before; `key` is where."""

    def __init__(self, key):
        super().__init__()
        self.key = key


def write(message, once):
    """Gives the message its number and its time, and keeps it; raises Written."""
    room, writer = message["room"], message["userHandle"]
    seq = _known.get(rooms.key(room))
    if seq is None:
        seq = counter(room).get("seq", 0)
    stamp = max(int(time.time()) + LIFETIME, _known.get(writer, 0) + 1)
    for attempt in range(TRIES):
        message |= {"seq": seq + 1, "timestamp": stamp, "at": int(time.time() * 1000)}
        try:
            table.transact(*_writes(message, seq, once))
            _known[rooms.key(room)], _known[writer] = seq + 1, stamp
            return
        except table.Cancelled as cancelled:
            (number, counted), (put, _), *rest = cancelled.reasons
            if rest and rest[0][0] == "ConditionalCheckFailed":
                raise Written(rest[0][1]) from None
            if number == "ConditionalCheckFailed":
                seq = (counted or {}).get("seq", 0)
            if put == "ConditionalCheckFailed":
                stamp = _last(writer) + 1
        except table.Failed as failed:
            if failed.code != "TransactionInProgressException":
                raise
        if attempt > 1:
            time.sleep(random.random() * PATIENCE)
    raise RuntimeError(f"no place was found for a message in {room} after {TRIES} tries")


def _writes(message, seq, once):
    count = table.change(
        table.CONNECTIONS,
        {"connectionId": rooms.key(message["room"])},
        "SET seq = :next",
        {":next": seq + 1, ":seq": seq},
        condition="seq = :seq" if seq else "attribute_not_exists(seq) OR seq = :seq",
    )
    yield {"Update": count}
    yield {"Put": table.new(table.MESSAGES, message)}
    if once:
        guard = {"connectionId": f"once#{message['owner']}#{once}", "expires": int(time.time()) + ONCE_KEPT}
        guard |= {name: message[name] for name in ("userHandle", "timestamp", "room", "seq")}
        yield {"Put": table.new(table.CONNECTIONS, guard)}


def _last(writer):
    """The second in which a writer's last message is to go."""
    items, _ = table.query(
        table.MESSAGES,
        "userHandle = :writer",
        {":writer": writer},
        ConsistentRead=True,
        ScanIndexForward=False,
        Limit=1,
    )
    return items[0]["timestamp"] if items else int(time.time()) + LIFETIME


def counter(room):
    """The item that counts the room's messages; {} before the first."""
    return table.get(table.CONNECTIONS, {"connectionId": rooms.key(room)}) or {}


def find(room, seq):
    """One message by its number; None if there is none. An index lags behind, so it is looked for more than once."""
    for _ in range(5):
        items, _ = table.query(
            table.MESSAGES, "room = :room AND seq = :seq", {":room": room, ":seq": seq}, IndexName=INDEX
        )
        if items:
            return items[0]
        if seq > counter(room).get("seq", 0):
            return None
        time.sleep(PATIENCE)
    return None


def between(room, first, last):
    """The messages of these numbers, all of them unless the index doesn't get them within a second."""
    for _ in range(50):
        items, _ = table.query(
            table.MESSAGES,
            "room = :room AND seq BETWEEN :first AND :last",
            {":room": room, ":first": first, ":last": last},
            IndexName=INDEX,
        )
        if len(items) == last - first + 1:
            break
        time.sleep(PATIENCE)
    return items


def wire(item, language=None):
    """A message as a client gets it."""
    frame = {
        "seq": item["seq"],
        "from": item["userHandle"],
        "id": people.id_of(item["owner"]),
        "text": item["text"],
        "at": item["at"],
        "language": item.get("language"),
        "edited": item["edited"],
        "deleted": item["deleted"],
        "version": item["version"],
    }
    translated = item["translations"].get(language) if language else None
    return {**frame, "translated": translated} if translated else frame


def frames(items, members):
    """[{connection: text}, …]: the messages for each member, who finds his own refs in his own; in parts, where they
    are too much for one frame."""
    batches, size = [[]], 0
    for item in items:
        size += len(posts.text(wire(item)).encode())
        if size > LARGEST_FRAME and batches[-1]:
            batches.append([])
            size = 0
        batches[-1].append(item)
    return [_frames_of(batch, members) for batch in batches if batch]


def _frames_of(items, members):
    told = dict.fromkeys(members, posts.text({"type": "message", "messages": [wire(item) for item in items]}))
    for connection in {item.get("connection") for item in items if "ref" in item} & members.keys():
        mine = [_with_ref(item, connection) for item in items]
        told[connection] = posts.text({"type": "message", "messages": mine})
    return told


def _with_ref(item, connection):
    if item.get("connection") != connection or "ref" not in item:
        return wire(item)
    return {**wire(item), "ref": item["ref"]}
