"""Queue URLs: made for the client that asked, read whatever their host."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ...context import Context
from . import model
from .storage import Name


def url(ctx: Context, name: Name) -> str:
    """The queue's URL under the address at which the client reached the node."""
    return f"{ctx.origin or f'http://{ctx.node.config.home}'}/{name.account}/{name.name}"


@lru_cache(maxsize=4096)
def _parts(url: str) -> tuple[str, str] | None:
    """Account and name: the last two parts of the path, whatever the host and whatever stands before them."""
    segments = url.partition("://")[2].rstrip("/").split("/")[1:]
    if len(segments) < 2 or not (segments[-2].isdigit() and len(segments[-2]) == 12) or not segments[-1]:
        return None
    return segments[-2], segments[-1]


def named(ctx: Context, request: dict[str, Any]) -> Name:
    """The queue that a request's QueueUrl means."""
    address = request.get("QueueUrl")
    if not address:
        raise model.missing("QueueUrl")
    parts = _parts(address)
    if parts is None:
        raise model.bad_address(address)
    return Name(parts[0], ctx.region, parts[1])
