"""DynamoDB, as far as the chat needs it: items and values are plain Python, requests are JSON."""

import json
import os
import random
import time

from aws import REGION, Service

CONNECTIONS = os.environ.get("CONNECTIONS", "Connections")
MESSAGES = os.environ.get("MESSAGES", "Messages")

TRIES = 5
PAUSE = 0.02
AGAIN = ("ThrottlingException", "ProvisionedThroughputExceededException", "TransactionConflictException")

_host = f"dynamodb.{REGION}.{os.environ.get('URL_SUFFIX', 'amazonaws.com')}"
_services = {}


class Failed(Exception):
    """DynamoDB refused; `code` is its name for the reason."""

    def __init__(self, operation, code, message):
        super().__init__(f"{operation}: {code}: {message}")
        self.code = code


class Unmet(Failed):
    """The condition was not met."""


class Cancelled(Failed):
    """A transaction came to nothing; `reasons` has for each of its writes a code and the item that there was."""

    reasons = ()


def get(table, key):
    answer = ask("GetItem", {"TableName": table, "Key": packed(key), "ConsistentRead": True})
    return unpacked(answer["Item"]) if "Item" in answer else None


def put(table, item):
    ask("PutItem", {"TableName": table, "Item": packed(item)})


def delete(table, key):
    """What was there, or None."""
    answer = ask("DeleteItem", {"TableName": table, "Key": packed(key), "ReturnValues": "ALL_OLD"})
    return unpacked(answer["Attributes"]) if "Attributes" in answer else None


def update(table, key, expression, values=None, names=None, condition=None, returns="ALL_NEW"):
    """The item as it is then; raises Unmet."""
    request = change(table, key, expression, values, names, condition)
    request["ReturnValues"] = returns
    return unpacked(ask("UpdateItem", request).get("Attributes", {}))


def query(table, expression, values, **options):
    """One page: its items, and whether there are more."""
    request = {"TableName": table, "KeyConditionExpression": expression, **options}
    request["ExpressionAttributeValues"] = packed(values)
    answer = ask("Query", request)
    return [unpacked(item) for item in answer["Items"]], answer.get("LastEvaluatedKey")


def transact(*writes):
    """All of the writes or none; raises Cancelled. Each is {"Put": …} or {"Update": …}."""
    ask("TransactWriteItems", {"TransactItems": list(writes)})


def change(table, key, expression, values=None, names=None, condition=None):
    """The request of an update, for `update` or a transaction."""
    request = {"TableName": table, "Key": packed(key), "UpdateExpression": expression}
    if values:
        request["ExpressionAttributeValues"] = packed(values)
    if names:
        request["ExpressionAttributeNames"] = names
    if condition:
        request["ConditionExpression"] = condition
    return request


def new(table, item):
    """A put for a transaction, of an item that must not be there yet."""
    key = next(iter(item))
    return {
        "TableName": table,
        "Item": packed(item),
        "ConditionExpression": f"attribute_not_exists({key})",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def ask(operation, request):
    service = _services.get(operation)
    if service is None:
        service = _services[operation] = Service(
            "dynamodb",
            _host,
            {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"DynamoDB_20120810.{operation}"},
        )
    body = json.dumps(request).encode()
    for attempt in range(TRIES):
        answer = service.ask("/", body)
        if answer.status == 200:
            return json.loads(answer.body)
        error = failure(operation, answer)
        if not answer.again and error.code not in AGAIN:
            break
        time.sleep(PAUSE * 2**attempt * random.random())
    raise error


def failure(operation, answer):
    """The exception that says what DynamoDB says."""
    try:
        said = json.loads(answer.body)
        code = said["__type"].rpartition("#")[2]
    except (ValueError, KeyError):
        return Failed(operation, str(answer.status), repr(answer.body[:300]))
    message = said.get("message", said.get("Message", ""))
    if code == "ConditionalCheckFailedException":
        error = Unmet(operation, code, message)
    elif code == "TransactionCanceledException":
        error = Cancelled(operation, code, message)
        error.reasons = [
            (reason["Code"], unpacked(reason["Item"]) if "Item" in reason else None)
            for reason in said["CancellationReasons"]
        ]
    else:
        error = Failed(operation, code, message)
    return error


# Values


def packed(item):
    return {name: pack(value) for name, value in item.items() if value is not None}


def unpacked(item):
    return {name: unpack(value) for name, value in item.items()}


def pack(value):
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, set):
        return {"SS": sorted(value)}
    return {"M": packed(value)}


def unpack(value):
    ((kind, inner),) = value.items()
    if kind == "N":
        return int(inner)
    if kind == "M":
        return unpacked(inner)
    return set(inner) if kind == "SS" else inner
