"""Route sendmessage: keeps the message, has it translated, and tells everybody in the room.

It is acknowledged (told to its writer, with `ref`) only after it was kept and handed to translation.
"""

import time

import incoming
import messages
import people
import posts
import rooms
import table
import topic
import turns


def handler(event, context):
    return incoming.serve(event, lambda connection, request: send(connection, request, context))


def send(connection, request, context):
    text, once = incoming.text(request), incoming.once(request)
    person = people.of(connection)
    message = {
        "userHandle": person["name"],
        "room": person["room"],
        "text": text,
        "owner": person["owner"],
        "connection": connection,
        "at": int(time.time() * 1000),
        "version": 1,
        "edited": False,
        "deleted": False,
        "translations": {},
    }
    more = {"ref": request.get("ref"), "language": person.get("language"), "once": once}
    message |= {name: value for name, value in more.items() if value is not None}
    while not messages.hand_in(message):
        if context.get_remaining_time_in_millis() < 2 * turns.RESERVE_MS:
            raise incoming.Bad("Busy", "too much is said in this room; try again")
        time.sleep(messages.PAUSE)
        run(person["room"], context)
    run(person["room"], context)


def run(room, context):
    turns.run(rooms.key(room), context, lambda item: tell(item, room, context))


def tell(item, room, context):
    """A turn of the room's teller."""
    waiting = messages.waiting(item)
    chosen = choose(waiting)
    fresh, before = messages.number(item, chosen) if chosen else ({}, [])
    new = messages.numbered(item) | fresh
    here = rooms.here(room)
    topic.publish(new.values(), rooms.languages_of(here))
    for frames in messages.frames(new.values(), rooms.members_of(here)):
        rooms.tell(room, context, frames)
    for message, kept in before:
        acknowledge_again(message, kept)
    return item["seq"] - len(waiting) + len(chosen), list(new)


def choose(waiting):
    """Of what was sent twice, one."""
    chosen, keys = {}, set()
    for name, message in waiting.items():
        key = messages.once_key(message) if "once" in message else name
        if key not in keys:
            keys.add(key)
            chosen[name] = message
    return chosen


def acknowledge_again(message, kept):
    """The answer to a message that was written before."""
    item = table.get(table.MESSAGES, {name: kept[name] for name in ("userHandle", "timestamp")})
    if item is not None:
        frame = incoming.with_ref(messages.wire(item), message)
        posts.post(message["connection"], {"type": "message", "messages": [frame]})
