"""The table: each pixel's last point, for good."""

import json
import os

from aws import REGION, Service

STRIDE = 65_536
"""A pixel's key is y * STRIDE + x, so that it doesn't depend on the size of the canvas."""

NEWER = "attribute_not_exists(idx) OR id < :id"

_name = os.environ.get("TABLE", "")
_host = f"dynamodb.{REGION}.{os.environ.get('URL_SUFFIX', 'amazonaws.com')}"
_type = {"content-type": "application/x-amz-json-1.0"}
_puts = Service("dynamodb", _host, {**_type, "x-amz-target": "DynamoDB_20120810.PutItem"})
_scans = Service("dynamodb", _host, {**_type, "x-amz-target": "DynamoDB_20120810.Scan"})


def put(pixels):
    """Write {(x, y): (id, colour)}, each unless the table knows a later one. Returns the pixels that were written, and
    those that could not be."""
    requests = [_puts.request("/", _item(x, y, id, colour)) for (x, y), (id, colour) in pixels.items()]
    written, failed = set(), set()
    for pixel, answer in zip(pixels, _puts.send(requests), strict=True):
        if answer.status == 200:
            written.add(pixel)
        elif b"ConditionalCheckFailedException" not in answer.body:
            print(f"PutItem of {pixel}: {answer.status} {answer.body[:300]!r}")
            failed.add(pixel)
    return written, failed


def _item(x, y, id, colour):
    number = str(id)
    item = {"idx": y * STRIDE + x, "x": x, "y": y, "c": colour, "id": id}
    return json.dumps(
        {
            "TableName": _name,
            "Item": {name: {"N": str(value)} for name, value in item.items()},
            "ConditionExpression": NEWER,
            "ExpressionAttributeValues": {":id": {"N": number}},
        }
    ).encode()


def after(id):
    """Every (x, y, colour) that was drawn after the id."""
    request = {
        "TableName": _name,
        "FilterExpression": "id > :id",
        "ExpressionAttributeValues": {":id": {"N": str(id)}},
    }
    while True:
        answer = _scans.ask("/", json.dumps(request).encode())
        if answer.status != 200:
            raise RuntimeError(f"Scan: {answer.status} {answer.body[:300]!r}")
        page = json.loads(answer.body)
        for item in page["Items"]:
            yield tuple(int(item[name]["N"]) for name in ("x", "y", "c"))
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
