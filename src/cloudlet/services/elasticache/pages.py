"""Pages of answers: a marker is the number of what has been given."""

from __future__ import annotations

import base64
from typing import TypeVar

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
