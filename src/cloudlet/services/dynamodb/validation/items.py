"""Validation of GetItem, PutItem, UpdateItem and DeleteItem: all that can be told without the table."""

from __future__ import annotations

from ..attributes import check_item
from ..expressions import project_attributes
from ..model import MAX_ITEM_SIZE, validation_error
from . import legacy
from .common import (
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


def put_item(request: Request) -> Request:
    check_table_name(request["TableName"])
    if len(request) > 2:
        check_parameters(request, ("ConditionExpression",), ("Expected", "ConditionalOperator"))
    size = check_item(request["Item"])
    if size > MAX_ITEM_SIZE:
        raise validation_error("Item size has exceeded the maximum allowed size")
    request["_size"] = size
    if len(request) > 3:
        _check_return_values(request)
        _conditions(request)
    return request


def delete_item(request: Request) -> Request:
    check_table_name(request["TableName"])
    if len(request) > 2:
        check_parameters(request, ("ConditionExpression",), ("Expected", "ConditionalOperator"))
    check_values(request["Key"])
    if len(request) > 2:
        _check_return_values(request)
        _conditions(request)
    return request


def update_item(request: Request) -> Request:
    check_table_name(request["TableName"])
    check_parameters(
        request,
        ("UpdateExpression", "ConditionExpression"),
        ("AttributeUpdates", "Expected", "ConditionalOperator"),
    )
    check_values(request["Key"])
    if "AttributeUpdates" in request:
        request["_update"] = legacy.attribute_updates(request["AttributeUpdates"])
    _conditions(request)
    return request


def _check_return_values(request: Request) -> None:
    if request.get("ReturnValues", "NONE") not in ("NONE", "ALL_OLD"):
        raise validation_error("ReturnValues can only be ALL_OLD or NONE")


def _conditions(request: Request) -> None:
    if "Expected" in request:
        request["_condition"] = legacy.expected(
            request["Expected"], request.get("ConditionalOperator", "AND")
        )
    elif "ConditionalOperator" in request:
        raise validation_error("ConditionalOperator cannot be used without Filter or Expected")
    compile_expressions(request)
