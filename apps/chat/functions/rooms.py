"""Who is in a room: one item for each room, so that whoever reads it knows all who are there at that moment."""

import json

import posts
import table
import turns

AT_ONCE = 50
"""Members that are taken out by one request."""


def key(room):
    """Of the item that numbers the room's messages."""
    return f"room#{room}"


def here_key(room):
    """Of the item that has the room's members, and counts who comes and goes."""
    return f"here#{room}"


def members(room):
    """{connection: {"id", "name", "language"}}"""
    return members_of(table.get(table.CONNECTIONS, {"connectionId": here_key(room)}))


def members_of(item):
    return {name[2:]: json.loads(value) for name, value in (item or {}).items() if name.startswith("c:")}


def people(members):
    """As everybody is told: each once, however many windows they have."""
    names = {member["id"]: member["name"] for member in members.values()}
    return [{"id": id, "name": name} for id, name in sorted(names.items(), key=lambda one: (one[1], one[0]))]


def enter(room, connection, id, name, language):
    """The members then."""
    member = json.dumps({"id": id, "name": name, "language": language}, ensure_ascii=False)
    item = table.update(
        table.CONNECTIONS,
        {"connectionId": here_key(room)},
        "SET #c = :member ADD seq :one",
        {":member": member, ":one": 1},
        {"#c": f"c:{connection}"},
    )
    return members_of(item)


def leave(room, connections):
    for start in range(0, len(connections), AT_ONCE):
        names = {f"#c{n}": f"c:{id}" for n, id in enumerate(connections[start : start + AT_ONCE])}
        try:
            table.update(
                table.CONNECTIONS,
                {"connectionId": here_key(room)},
                f"REMOVE {', '.join(names)} ADD seq :one",
                {":one": 1},
                names,
                " OR ".join(f"attribute_exists({name})" for name in names),
                "NONE",
            )
        except table.Unmet:
            continue


def tell_who_is_here(room, context):
    """Tells all members who they are, as often as that changes."""

    def tell(item):
        now = members_of(item)
        statuses = posts.post_same(now, {"type": "here", "here": people(now)})
        leave(room, gone(statuses))
        return item["seq"], ()

    turns.run(here_key(room), context, tell)


def gone(statuses):
    return [connection for connection, status in statuses.items() if status == posts.GONE]


def tell(room, context, frames):
    """{connection: text} to members; those who are gone are members no longer."""
    if lost := gone(posts.post_all(frames)):
        leave(room, lost)
        tell_who_is_here(room, context)
