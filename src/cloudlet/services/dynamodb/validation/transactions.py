"""Validation of TransactWriteItems and TransactGetItems: each action as the operation that it stands for."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from ..attributes import encode_json
from ..model import validation_error
from .common import Request, check_table_name, check_values, compile_expressions, in_older_words
from .items import check_size, delete, put, update

_ACTIONS: dict[str, Callable[[Request], Request]] = {"Put": put, "Update": update, "Delete": delete}


@in_older_words
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
    check_table_name(parameters["TableName"])
    if kind == "ConditionCheck":
        check_values(parameters["Key"])
        compile_expressions(parameters)
    else:
        _ACTIONS[kind](parameters)
    if kind == "Put":
        check_size(parameters)
    return kind, parameters


@in_older_words
def transact_get_items(request: Request) -> Request:
    request["TransactItems"] = [{"Get": dict(item["Get"])} for item in request["TransactItems"]]
    for item in request["TransactItems"]:
        get = item["Get"]
        check_table_name(get["TableName"])
        check_values(get["Key"])
        compile_expressions(get)
    return request
