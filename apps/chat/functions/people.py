"""Who a connection is, and whose a name is.

A person is known by a secret token: the tables have only its hash (`owner`), everybody else a part of that (`id`). So
one's own messages stay one's own after a reconnect. A name belongs, within its room, to the owner that has it, while
one of its connections (`holders`) is there and for `NAME_KEPT` seconds after.
"""

import hashlib
import os
import re
import secrets
import time
import unicodedata

import table
from incoming import Bad

NAME_KEPT = int(os.environ.get("NAME_KEPT", "600"))
LONGEST_CONNECTION = 2 * 3600 + 900
"""Seconds after which a connection is surely gone, though nobody said so: API Gateway closes them after two hours."""
TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")


def of(connection):
    """The item of a connection that is in a room."""
    item = table.get(table.CONNECTIONS, {"connectionId": connection})
    if item is None or "room" not in item:
        raise Bad("NotJoined", 'say first who you are: {"action": "updatedetails", "room": "…", "name": "…"}')
    return item


def token_of(request):
    """The token that the client has, or a new one."""
    said = request.get("token")
    return said if isinstance(said, str) and TOKEN.fullmatch(said) else secrets.token_urlsafe(24)


def owner_of(token):
    return hashlib.sha256(token.encode()).hexdigest()[:40]


def id_of(owner):
    """What others may know of it."""
    return owner[:12]


def claim(room, name, owner, connection):
    """The connection holds the name; raises Bad if it is somebody else's."""
    key, now = _key(room, name), int(time.time())
    names = {"#owner": "owner", "#until": "until"}
    values = {":owner": owner, ":me": {connection}, ":lost": now + LONGEST_CONNECTION + NAME_KEPT}
    free = (
        "attribute_not_exists(connectionId) OR lost < :now OR attribute_not_exists(holders) AND #until < :now"
    )
    take = "SET #owner = :owner, holders = :me, lost = :lost, expires = :lost REMOVE #until"
    hold = "SET lost = :lost, expires = :lost ADD holders :me REMOVE #until"
    try:
        table.update(table.CONNECTIONS, key, hold, values, names, "#owner = :owner", "NONE")
    except table.Unmet:
        try:
            table.update(table.CONNECTIONS, key, take, {**values, ":now": now}, names, free, "NONE")
        except table.Unmet:
            raise Bad("NameTaken", f"{name} is somebody else's name in {room}") from None


def release(item):
    """The connection of this item holds its name no longer."""
    connection = item["connectionId"]
    try:
        table.update(
            table.CONNECTIONS,
            _key(item["room"], item["name"]),
            "SET #until = :until DELETE holders :me",
            {":until": int(time.time()) + NAME_KEPT, ":me": {connection}, ":one": connection},
            {"#until": "until"},
            "contains(holders, :one)",
            "NONE",
        )
    except table.Unmet:
        return


def _key(room, name):
    folded = unicodedata.normalize("NFKC", name.casefold())
    return {"connectionId": f"name#{room}#{folded}"}
