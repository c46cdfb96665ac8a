"""$disconnect: forgets the connection, keeps its name for a while, and tells the room."""

import people
import rooms
import table


def handler(event, context):
    connection = event["requestContext"]["connectionId"]
    item = table.delete(table.CONNECTIONS, {"connectionId": connection})
    if item and "room" in item:
        people.release(item)
        rooms.leave(item["room"], [connection])
        rooms.tell_who_is_here(item["room"], context)
    return {"statusCode": 200}
