"""Pages of lists: a token is where the last page ended."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import orjson

from .. import model


def token(*place: str) -> str:
    return urlsafe_b64encode(orjson.dumps(place)).decode()


def place(request: dict[str, Any], parts: int) -> list[str]:
    """Where to go on; [] at the beginning."""
    given = request.get("NextToken")
    if not given:
        return []
    try:
        found = orjson.loads(urlsafe_b64decode(given))
    except ValueError as error:
        raise model.invalid("NextToken") from error
    if not isinstance(found, list) or len(found) != parts or not all(isinstance(part, str) for part in found):
        raise model.invalid("NextToken")
    return found
