"""Route getmessages: the room's history by pages, as the route's response."""

import time

import incoming
import messages
import people
import posts
import table

MOST = 100
USUAL = 50


def handler(event, context):
    request = {}
    try:
        request = incoming.parse(event.get("body"))
        person = people.of(event["requestContext"]["connectionId"])
        frame = incoming.with_ref(page(person, request), request)
    except incoming.Bad as bad:
        frame = incoming.error(bad, request)
    return {"statusCode": 200, "body": posts.text(frame)}


def page(person, request):
    limit = min(incoming.number(request, "limit", 1) or USUAL, MOST)
    after, before = incoming.number(request, "after"), incoming.number(request, "before")
    if after is not None and before is not None:
        raise incoming.Bad("BadRequest", "say before or after, not both")
    items, more = read(person["room"], after, before, limit)
    found, size = [], 0
    for item in items:
        frame = messages.wire(item, person.get("language"))
        if item["owner"] == person["owner"]:
            frame = incoming.with_ref(frame, item)
        size += len(posts.text(frame).encode())
        if found and size > messages.LARGEST_FRAME:
            more = True
            break
        found.append(frame)
    if after is None:
        found.reverse()
    return {
        "type": "history",
        "messages": found,
        "more": more,
        "before": found[0]["seq"] if found else None,
        "after": found[-1]["seq"] if found else None,
    }


def read(room, after, before, limit):
    """Up to `limit` messages in the direction that was asked for, and whether there are more. What is to be gone
    already, and isn't deleted yet, is left out."""
    expression, values = "room = :room", {":room": room, ":now": int(time.time())}
    if after is not None:
        expression, values[":seq"] = "room = :room AND seq > :seq", after
    elif before is not None:
        expression, values[":seq"] = "room = :room AND seq < :seq", before
    found, start = [], {}
    while True:
        items, last = table.query(
            table.MESSAGES,
            expression,
            values,
            IndexName=messages.INDEX,
            ScanIndexForward=after is not None,
            Limit=limit + 1,
            FilterExpression="#timestamp > :now",
            ExpressionAttributeNames={"#timestamp": "timestamp"},
            **start,
        )
        found += items
        if len(found) > limit or not last:
            return found[:limit], len(found) > limit
        start = {"ExclusiveStartKey": last}
