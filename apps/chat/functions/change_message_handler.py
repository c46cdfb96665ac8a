"""Route changemessage: a writer edits or deletes a message of his own."""

import incoming
import messages
import people
import posts
import rooms
import table
import topic


def handler(event, context):
    return incoming.serve(event, lambda connection, request: change(connection, request, context))


def change(connection, request, context):
    seq = incoming.number(request, "seq", 1)
    if seq is None:
        raise incoming.Bad("BadRequest", "seq must say which message")
    if request.get("delete", False) not in (True, False):
        raise incoming.Bad("BadRequest", "delete must be true or absent")
    text = "" if request.get("delete") else incoming.text(request)
    person = people.of(connection)
    item = messages.find(person["room"], seq)
    if item is None:
        raise incoming.Bad("NotFound", f"there is no message {seq}")
    changed = write(item, person["owner"], text, bool(request.get("delete")))
    here = rooms.here(person["room"])
    topic.publish([changed], rooms.languages_of(here))
    frame = {"type": "changed", "message": messages.wire(changed)}
    frames = dict.fromkeys(rooms.members_of(here), posts.text(frame))
    frames[connection] = posts.text(incoming.with_ref(frame, request))
    rooms.tell(person["room"], context, frames)


def write(item, owner, text, deleted):
    """The item as it is then."""
    if item["owner"] != owner:
        raise incoming.Bad("NotYours", "that is somebody else's message")
    what = "deleted = :yes" if deleted else "edited = :yes"
    try:
        return table.update(
            table.MESSAGES,
            {"userHandle": item["userHandle"], "timestamp": item["timestamp"]},
            f"SET #text = :text, {what}, translations = :none ADD version :one",
            {":text": text, ":yes": True, ":no": False, ":none": {}, ":one": 1, ":seq": item["seq"]},
            {"#text": "text"},
            "seq = :seq AND deleted = :no",
        )
    except table.Unmet:
        raise incoming.Bad("Gone", "the message is deleted already") from None
