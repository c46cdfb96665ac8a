"""Route updatedetails: a connection says who it is, and comes into a room."""

import incoming
import messages
import people
import posts
import rooms
import table


def handler(event, context):
    return incoming.serve(event, lambda connection, request: join(connection, request, context))


def join(connection, request, context):
    room, name, language = incoming.room(request), incoming.name(request), incoming.language(request)
    token = people.token_of(request)
    owner = people.owner_of(token)
    before = table.get(table.CONNECTIONS, {"connectionId": connection}) or {}
    people.claim(room, name, owner, connection)
    if "room" in before and (before["room"], before["name"]) != (room, name):
        people.release(before)
    if not note(connection, room, name, owner, language):
        people.release({"connectionId": connection, "room": room, "name": name})
        return
    item = rooms.enter(room, connection, people.id_of(owner), name, language)
    frame = {
        "type": "joined",
        "room": room,
        "name": name,
        "token": token,
        "you": people.id_of(owner),
        "language": language,
        "last": messages.last_number(room),
        "here": rooms.people(rooms.members_of(item)),
    }
    if posts.post(connection, incoming.with_ref(frame, request)) == posts.GONE:
        rooms.leave(room, [connection])
    if before.get("room", room) != room:
        rooms.leave(before["room"], [connection])
        rooms.tell_who_is_here(before["room"], context)
    rooms.tell_who_is_here(room, context)


def note(connection, room, name, owner, language):
    """Whether the connection is still there."""
    values = {":room": room, ":name": name, ":owner": owner}
    names = {"#name": "name", "#owner": "owner", "#language": "language"}
    expression = "SET room = :room, #name = :name, #owner = :owner"
    if language is None:
        expression += " REMOVE #language"
    else:
        expression += ", #language = :language"
        values[":language"] = language
    try:
        table.update(
            table.CONNECTIONS,
            {"connectionId": connection},
            expression,
            values,
            names,
            "attribute_exists(connectionId)",
            "NONE",
        )
    except table.Unmet:
        return False
    return True
