"""What Translate's operations need: "Actions, resources, and condition keys for Amazon Translate"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...context import Context, Need
from . import terms

OF_TERMINOLOGIES = frozenset({"DeleteTerminology", "GetTerminology", "ImportTerminology"})


async def needs(ctx: Context, operation: str, request: dict[str, Any]) -> Sequence[Need]:
    """Whoever lets the service find out the language asks for Comprehend's help."""
    if operation in OF_TERMINOLOGIES:
        return (Need(f"translate:{operation}", terms.arn_of(ctx, request["Name"])),)
    found = [Need(f"translate:{operation}", "*")]
    if operation in ("TranslateText", "TranslateDocument") and request["SourceLanguageCode"] == "auto":
        found.append(Need("comprehend:DetectDominantLanguage", "*"))
    return found
