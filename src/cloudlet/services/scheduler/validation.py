"""Stateless checks of schedules, in the service's words. The model's own constraints come first."""

from __future__ import annotations

from typing import Any

from . import expressions, model, targets

Request = dict[str, Any]


def _checked(request: Request) -> Request:
    expression = request["ScheduleExpression"]
    timezone = request.get("ScheduleExpressionTimezone", "UTC")
    try:
        expressions.zone(timezone)
    except expressions.ExpressionError as error:
        raise model.bad_timezone(timezone) from error
    try:
        expressions.times(expression, timezone, 0.0)
    except expressions.ExpressionError as error:
        raise model.bad_expression(expression) from error
    _check_window(request["FlexibleTimeWindow"])
    start, end = request.get("StartDate"), request.get("EndDate")
    if start is not None and end is not None and start >= end:
        raise model.invalid("The StartDate you specify must come before the EndDate.")
    targets.check(request["Target"])
    return request


def _check_window(window: dict[str, Any]) -> None:
    if window["Mode"] == "OFF" and "MaximumWindowInMinutes" in window:
        raise model.invalid(
            "MaximumWindowInMinutes must not be provided when FlexibleTimeWindowMode is set to OFF."
        )
    if window["Mode"] == "FLEXIBLE" and "MaximumWindowInMinutes" not in window:
        raise model.invalid(
            "MaximumWindowInMinutes must be provided when FlexibleTimeWindowMode is set to FLEXIBLE."
        )


create_schedule = _checked
update_schedule = _checked


def create_schedule_group(request: Request) -> Request:
    if request["Name"] == model.DEFAULT_GROUP:
        raise model.not_the_default()
    return request


def delete_schedule_group(request: Request) -> Request:
    if request["Name"] == model.DEFAULT_GROUP:
        raise model.not_the_default()
    return request
