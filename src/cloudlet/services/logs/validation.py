"""Stateless checks of CloudWatch Logs' requests, beyond what the service's model says, in the service's words."""

from __future__ import annotations

from typing import Any

from . import model

Request = dict[str, Any]
_ORDER = "Log events in a single PutLogEvents request must be in chronological order."
_SPAN = "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."


def _names(request: Request) -> Request:
    for member in ("logGroupName", "logStreamName"):
        if len(request.get(member, "")) > model.MAX_NAME:
            raise model.invalid(
                "Invalid LogGroup or LogStream, both must have length less than or equal to 512."
            )
    return request


def create_log_group(request: Request) -> Request:
    if request["logGroupName"].startswith("aws/"):
        raise model.invalid("Log groups starting with AWS/ are reserved for AWS.")
    return _names(request)


create_log_stream = _names


def put_log_events(request: Request) -> Request:
    size = 0
    last = first = request["logEvents"][0]["timestamp"]
    for event in request["logEvents"]:
        message, at = event["message"], event["timestamp"]
        bytes_ = len(message) if message.isascii() else len(message.encode())
        if bytes_ + model.EVENT_OVERHEAD > model.MAX_EVENT_BYTES:
            raise model.invalid(
                f"Log event too large: {bytes_ + model.EVENT_OVERHEAD} bytes exceeds limit of {model.MAX_EVENT_BYTES}"
            )
        size += bytes_ + model.EVENT_OVERHEAD
        if at < last:
            raise model.invalid(_ORDER)
        last = at
    if size > model.MAX_BATCH_BYTES:
        raise model.invalid(f"Upload too large: {size} bytes exceeds limit of {model.MAX_BATCH_BYTES}")
    if last - first > model.MAX_BATCH_SPAN_MS:
        raise model.invalid(_SPAN)
    return request


def put_retention_policy(request: Request) -> Request:
    days = request["retentionInDays"]
    if days not in model.RETENTION_DAYS:
        allowed = ", ".join(str(one) for one in model.RETENTION_DAYS)
        raise model.invalid(
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{allowed}]"
        )
    return request
