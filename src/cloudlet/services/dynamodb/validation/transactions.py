"""Validation of TransactWriteItems and TransactGetItems: each action as the operation that it stands for."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from ..attributes import encode_json
from ..model import validation_error
from .common import Request, check_table_name, check_values, compile_expressions
from .items import delete_item, put_item, update_item

_ACTIONS = {"Put": put_item, "Update": update_item, "Delete": delete_item}


def transact_write_items(request: Request) -> Request:
    """Puts `_actions` into the request, (kind, parameters), and `_digest`, which tells a repetition from a misuse."""
    if "ClientRequestToken" in request:
        request["_digest"] = sha256(encode_json(request["TransactItems"])).hexdigest()
    request["_actions"] = [_action(item) for item in request["TransactItems"]]
    return request


def _action(item: dict[str, Request]) -> tuple[str, Request]:
    if len(item) != 1:
        raise validation_error("TransactItems can only contain one of Check, Put, Update or Delete")
    ((kind, given),) = item.items()
    parameters = dict(given)
    if kind == "ConditionCheck":
        check_table_name(parameters["TableName"])
        check_values(parameters["Key"])
        compile_expressions(parameters)
        return kind, parameters
    validated: Any = _ACTIONS[kind](parameters)
    return kind, validated


def transact_get_items(request: Request) -> Request:
    request["TransactItems"] = [{"Get": dict(item["Get"])} for item in request["TransactItems"]]
    for item in request["TransactItems"]:
        get = item["Get"]
        check_table_name(get["TableName"])
        check_values(get["Key"])
        compile_expressions(get)
    return request
