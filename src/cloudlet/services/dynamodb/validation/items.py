"""Validation of GetItem, PutItem, UpdateItem and DeleteItem: all that can be told without the table."""

from __future__ import annotations

from collections.abc import Callable

from ....errors import AwsError
from ..attributes import check_item
from ..expressions import project_attributes
from ..model import MAX_ITEM_SIZE, validation_error
from . import legacy
from .common import (
    CONDITION_FIRST,
    KINDS,
    Kinds,
    Request,
    check_distinct_names,
    check_parameters,
    check_table_name,
    check_values,
    compile_expressions,
)


def get_item(request: Request) -> Request:
    check_table_name(request["TableName"])
    if len(request) > 2:
        check_parameters(request, ("ProjectionExpression",), ("AttributesToGet",))
        if "AttributesToGet" in request:
            check_distinct_names(request["AttributesToGet"])
            request["_projection"] = project_attributes(tuple(request["AttributesToGet"]))
    check_values(request["Key"])
    if "ProjectionExpression" in request:
        compile_expressions(request)
    return request


def put(request: Request) -> Request:
    if len(request) > 2:
        check_parameters(request, ("ConditionExpression",), ("Expected", "ConditionalOperator"), False)
    request["_size"] = check_item(request["Item"])
    if len(request) > 3:
        _check_return_values(request)
        _conditions(request)
    return request


def delete(request: Request) -> Request:
    if len(request) > 2:
        check_parameters(request, ("ConditionExpression",), ("Expected", "ConditionalOperator"), False)
    check_values(request["Key"])
    if len(request) > 2:
        _check_return_values(request)
        _conditions(request)
    return request


def update(request: Request, condition_first: bool = False) -> Request:
    check_parameters(
        request,
        ("UpdateExpression", "ConditionExpression"),
        ("AttributeUpdates", "Expected", "ConditionalOperator"),
        False,
    )
    check_values(request["Key"])
    if "AttributeUpdates" in request:
        request["_update"] = legacy.attribute_updates(request["AttributeUpdates"])
    _conditions(request, CONDITION_FIRST if condition_first else KINDS)
    return request


def put_item(request: Request) -> Request:
    return _detected(put, request)


def delete_item(request: Request) -> Request:
    return _detected(delete, request)


def update_item(request: Request) -> Request:
    return _detected(_update_alone, request)


def _update_alone(request: Request) -> Request:
    return update(request, condition_first=True)


def _detected(validate: Callable[[Request], Request], request: Request) -> Request:
    """What is wrong with a write of one item is a validation error that was detected, if the table needn't be known."""
    check_table_name(request["TableName"])
    try:
        return validate(request)
    except AwsError as error:
        raise validation_error(f"1 validation error detected: {error.message}") from error


def check_size(put: Request) -> Request:
    if put["_size"] > MAX_ITEM_SIZE:
        raise validation_error("Item size has exceeded the maximum allowed size")
    return put


def _check_return_values(request: Request) -> None:
    if request.get("ReturnValues", "NONE") not in ("NONE", "ALL_OLD"):
        raise validation_error("ReturnValues can only be ALL_OLD or NONE")


def _conditions(request: Request, kinds: Kinds = KINDS) -> None:
    if "Expected" in request:
        request["_condition"] = legacy.expected(
            request["Expected"], request.get("ConditionalOperator", "AND")
        )
    compile_expressions(request, kinds)
