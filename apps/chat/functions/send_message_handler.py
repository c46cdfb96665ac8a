"""Route sendmessage: keeps the message, has it translated, and tells everybody in the room.

It is acknowledged (told to its writer, with `ref`) only after it was kept and handed to translation.
"""

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
        "timestamp": 0,
        "room": person["room"],
        "text": text,
        "owner": person["owner"],
        "connection": connection,
        "ref": request.get("ref"),
        "language": person.get("language"),
        "version": 1,
        "edited": False,
        "deleted": False,
        "translations": {},
    }
    try:
        messages.write(message, once)
    except messages.Written as written:
        tell(person["room"], context)
        acknowledge_again(connection, written.key, request)
    else:
        tell(person["room"], context, message)


def tell(room, context, own=None):
    """Tells what is new in the room, unless somebody else does."""

    def turn(item, told):
        last = min(item["seq"], told + 100)
        if own is not None and own["seq"] == told + 1 == last:
            new = [own]
        else:
            new = messages.between(room, told + 1, last)
        members = rooms.members(room)
        topic.publish(new, members)
        for frames in messages.frames(new, members):
            rooms.tell(room, context, frames)
        return last

    turns.run(rooms.key(room), context, turn)


def acknowledge_again(connection, key, request):
    """The answer to a message that was written before; none if it waits to be told: then it is to be sent again."""
    if messages.counter(key["room"]).get("told", 0) < key["seq"]:
        return
    item = table.get(table.MESSAGES, {name: key[name] for name in ("userHandle", "timestamp")})
    if item is not None:
        frame = incoming.with_ref(messages.wire(item), request)
        posts.post(connection, {"type": "message", "messages": [frame]})
