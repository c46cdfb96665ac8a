"""Validation of Query and Scan: all that can be told without the table."""

from __future__ import annotations

from ....errors import AwsError
from ..attributes import check
from ..expressions import project_attributes
from ..model import ValueRefused, validation_error
from . import legacy
from .common import (
    Request,
    check_distinct_names,
    check_parameters,
    check_table_name,
    compile_expressions,
    in_older_words,
    older,
)


def query(request: Request) -> Request:
    check_table_name(request["TableName"])
    check_parameters(
        request,
        ("ProjectionExpression", "FilterExpression", "KeyConditionExpression"),
        ("AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"),
    )
    if "QueryFilter" in request:
        legacy.check_conditions(request["QueryFilter"])
    _attributes_to_get(request)
    _start_key(request)
    if "KeyConditions" not in request and "KeyConditionExpression" not in request:
        raise validation_error(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        )
    compile_expressions(request)
    _filter(request, "QueryFilter")
    _key_conditions(request)
    _check_select(request)
    return request


@in_older_words
def scan(request: Request) -> Request:
    check_table_name(request["TableName"])
    check_parameters(
        request,
        ("ProjectionExpression", "FilterExpression"),
        ("AttributesToGet", "ScanFilter", "ConditionalOperator"),
    )
    _attributes_to_get(request)
    if "ScanFilter" in request:
        legacy.check_conditions(request["ScanFilter"])
    _start_key(request)
    _check_segments(request)
    compile_expressions(request)
    _filter(request, "ScanFilter")
    _check_select(request)
    return request


def _key_conditions(request: Request) -> None:
    """`_conditions`: the key's conditions as {attribute: (operator, values)}, from either kind of parameter."""
    if "_key" in request:
        values = request["_values"]
        conditions = {
            name: (operator, [values[reference] for reference in references])
            for name, (operator, references) in request["_key"].conditions.items()
        }
    else:
        legacy.check_conditions(request["KeyConditions"])
        conditions = {
            name: (condition["ComparisonOperator"], condition.get("AttributeValueList", []))
            for name, condition in request["KeyConditions"].items()
        }
    if not conditions or ("KeyConditions" in request and len(conditions) > 2 and "IndexName" not in request):
        raise validation_error("Conditions can be of length 1 or 2 only")
    request["_conditions"] = conditions


def _filter(request: Request, parameter: str) -> None:
    if parameter in request:
        request["_filter"] = legacy.filter_of(request[parameter], request.get("ConditionalOperator", "AND"))


def _attributes_to_get(request: Request) -> None:
    if "AttributesToGet" in request:
        check_distinct_names(request["AttributesToGet"])
        request["_projection"] = project_attributes(tuple(request["AttributesToGet"]))


def _start_key(request: Request) -> None:
    for value in request.get("ExclusiveStartKey", {}).values():
        try:
            check(value)
        except AwsError as error:
            told = f"The provided starting key is invalid: {older(error)}"
            raise ValueRefused(error.message, told) from error


def _check_segments(request: Request) -> None:
    segment, total = request.get("Segment"), request.get("TotalSegments")
    if segment is not None and total is None:
        raise validation_error(
            "The TotalSegments parameter is required but was not present in the request "
            "when Segment parameter is present"
        )
    if total is not None:
        if segment is None:
            raise validation_error(
                "The Segment parameter is required but was not present in the request "
                "when parameter TotalSegments is present"
            )
        if segment >= total:
            raise validation_error(
                "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
                f"Segment: {segment} is not less than TotalSegments: {total}"
            )


def _check_select(request: Request) -> None:
    select = request.get("Select")
    if select is None:
        return
    projected = "AttributesToGet" in request or "ProjectionExpression" in request
    parameter = "ProjectionExpression" if "ProjectionExpression" in request else "AttributesToGet"
    if projected and select != "SPECIFIC_ATTRIBUTES":
        told = "only the Count" if select == "COUNT" else select
        raise validation_error(f"Cannot specify the {parameter} when choosing to get {told}")
    if not projected and select == "SPECIFIC_ATTRIBUTES":
        raise validation_error(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        )
    if select == "ALL_PROJECTED_ATTRIBUTES" and "IndexName" not in request:
        raise validation_error("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
