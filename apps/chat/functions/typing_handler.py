"""Route typing: tells the others in the room that somebody writes, or does no longer."""

import incoming
import people
import posts
import rooms


def handler(event, context):
    return incoming.serve(event, tell)


def tell(connection, request):
    typing = request.get("typing")
    if not isinstance(typing, bool):
        raise incoming.Bad("BadRequest", "typing must be true or false")
    person = people.of(connection)
    id = people.id_of(person["owner"])
    members = rooms.members_of(rooms.here(person["room"]))
    others = [other for other, member in members.items() if member["id"] != id]
    posts.post_same(others, {"type": "typing", "id": id, "name": person["name"], "typing": typing})
