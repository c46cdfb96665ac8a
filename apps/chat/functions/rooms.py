"""Who is in a room: one item for each room, so that whoever reads it knows all who are there at that moment."""

import json
import time

import posts
import table
import turns

LANGUAGE_KEPT = 86_400
"""For so many seconds after somebody wanted a language, messages are translated into it."""
AT_ONCE = 50
"""Members that are taken out by one request."""


def key(room):
    """Of the item that numbers the room's messages."""
    return f"room#{room}"


def here_key(room):
    """Of the item that has the room's members, and counts who comes and goes."""
    return f"here#{room}"


def here(room):
    """The item."""
    return table.get(table.CONNECTIONS, {"connectionId": here_key(room)}) or {}


def members_of(item):
    """{connection: {"id", "name", "language"}}"""
    return {name[2:]: json.loads(value) for name, value in item.items() if name.startswith("c:")}


def languages_of(item):
    """The languages that are wanted in the room; also of those who are away for a while and will read it later."""
    since = int(time.time()) - LANGUAGE_KEPT
    return sorted(name[2:] for name, wanted in item.items() if name.startswith("l:") and wanted > since)


def people(members):
    """As everybody is told: each once, however many windows they have."""
    names = {member["id"]: member["name"] for member in members.values()}
    return [{"id": id, "name": name} for id, name in sorted(names.items(), key=lambda one: (one[1], one[0]))]


def enter(room, connection, id, name, language):
    """The item then."""
    member = json.dumps({"id": id, "name": name, "language": language}, ensure_ascii=False)
    wanted = ", #l = :now" if language else ""
    return table.update(
        table.CONNECTIONS,
        {"connectionId": here_key(room)},
        f"SET #c = :member{wanted} ADD seq :one",
        {":member": member, ":one": 1} | ({":now": int(time.time())} if language else {}),
        {"#c": f"c:{connection}"} | ({"#l": f"l:{language}"} if language else {}),
    )


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
