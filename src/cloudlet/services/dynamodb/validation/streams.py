"""Validation of the streams' operations: what their model doesn't say."""

from __future__ import annotations

from ..model import MAX_STREAM_RECORDS, validation_error
from .common import Request


def get_records(request: Request) -> Request:
    if request.get("Limit", 1) > MAX_STREAM_RECORDS:
        raise validation_error(
            f"1 validation error detected: Value '{request['Limit']}' at 'limit' failed to satisfy constraint: "
            f"Member must have value less than or equal to {MAX_STREAM_RECORDS}"
        )
    return request
