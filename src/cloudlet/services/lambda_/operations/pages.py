"""Pages of the short lists that hang on one function: a marker is the place of the next item."""

from __future__ import annotations

from typing import Any, TypeVar

from .. import model

T = TypeVar("T")


def page(
    items: list[T], request: dict[str, Any], most: int = model.LIST_PAGE
) -> tuple[list[T], dict[str, str]]:
    """The page that the request asks for, and `{"NextMarker": ...}` if more follow."""
    try:
        start = int(request.get("Marker", "0"))
    except ValueError as error:
        raise model.invalid("Invalid Marker") from error
    end = start + min(request.get("MaxItems", most), most)
    return items[start:end], {"NextMarker": str(end)} if end < len(items) else {}
