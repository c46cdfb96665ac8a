"""S3 asks for permission where bucket and object are at hand, with their policy and ACLs: see `access`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    return ()
