"""Lists by pages: a token names the last entry of the page before."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .. import model

T = TypeVar("T")


def cut(
    entries: Sequence[T], request: dict[str, Any], key: Callable[[T], str]
) -> tuple[Sequence[T], dict[str, str]]:
    """The page that a request asks for, and the token of the next, if there is one."""
    start = 0
    if "NextToken" in request:
        last = _read(request["NextToken"])
        names = [key(entry) for entry in entries]
        if last not in names:
            raise model.invalid_value("The NextToken is not valid")
        start = names.index(last) + 1
    end = start + request.get("MaxResults", model.PAGE)
    if end >= len(entries):
        return entries[start:], {}
    return entries[start:end], {
        "NextToken": base64.urlsafe_b64encode(key(entries[end - 1]).encode()).decode()
    }


def _read(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, ValueError) as error:
        raise model.invalid_value("The NextToken is not valid") from error
