"""Pages of answers: a marker is the number of what has been given."""

from __future__ import annotations

import base64
from typing import Any, TypeVar

from . import model

T = TypeVar("T")


def page(items: list[T], limit: int, token: str | None) -> tuple[list[T], str]:
    """A page, and the token of the next one or ""."""
    begin = 0
    if token:
        try:
            begin = int(base64.b64decode(token, validate=True))
        except ValueError as error:
            raise model.invalid("The marker is not valid.") from error
    end = begin + limit
    more = base64.b64encode(str(end).encode()).decode() if end < len(items) else ""
    return items[begin:end], more


def by_marker(request: dict[str, Any], member: str, items: list[Any]) -> dict[str, Any]:
    """The page that a request asks for, as operations answer it that count records."""
    found, marker = page(items, request.get("MaxRecords", model.MAX_RECORDS), request.get("Marker"))
    return {member: found} | ({"Marker": marker} if marker else {})


def by_token(request: dict[str, Any], member: str, items: list[Any]) -> dict[str, Any]:
    """The same, as the younger operations answer it."""
    found, token = page(items, request.get("MaxResults", model.MAX_RESULTS), request.get("NextToken"))
    return {member: found} | ({"NextToken": token} if token else {})
