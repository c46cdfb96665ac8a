"""$default: answers what no route matches, and pings."""

import incoming
import posts

ROUTES = ("updatedetails", "sendmessage", "getmessages", "changemessage", "typing")


def handler(event, context):
    connection = event["requestContext"]["connectionId"]
    request = {}
    try:
        request = incoming.parse(event.get("body"))
        if request.get("action") != "ping":
            raise incoming.Bad("BadRequest", f"there is no such action; say one of {', '.join(ROUTES)}")
        frame = incoming.with_ref({"type": "pong"}, request)
    except incoming.Bad as bad:
        frame = {**incoming.error(bad, request), "connection": info(connection)}
    posts.post(connection, frame)
    return incoming.OK


def info(connection):
    """What API Gateway knows of it."""
    said = posts.connection_info(connection)
    return {
        "id": connection,
        "ip": said.get("identity", {}).get("sourceIp"),
        "connectedAt": said.get("connectedAt"),
        "lastActiveAt": said.get("lastActiveAt"),
    }
