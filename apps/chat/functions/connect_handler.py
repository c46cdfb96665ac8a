"""$connect: notes the connection and where it comes from. Who it is, it says by `updatedetails`."""

import time

import people
import table


def handler(event, context):
    request = event["requestContext"]
    now = int(time.time())
    item = {
        "connectionId": request["connectionId"],
        "ip": request["identity"]["sourceIp"],
        "since": request["connectedAt"],
        "expires": now + people.LONGEST_CONNECTION,
    }
    table.put(table.CONNECTIONS, item)
    return {"statusCode": 200}
