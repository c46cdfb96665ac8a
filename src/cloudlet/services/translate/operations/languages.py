"""The languages that there are."""

from __future__ import annotations

from typing import Any

from ....context import Context
from .. import model
from ..engine import engine
from . import pages


async def list_languages(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Those that the engine on this machine can do."""
    display = request.get("DisplayLanguageCode", "en")
    if display != "en":
        raise model.unsupported_display(display)
    spoken = {*engine(ctx).languages(), model.AUTO}
    codes = [code for code in model.LANGUAGES if code in spoken]
    page, more = pages.cut(codes, request, key=str)
    listed = [{"LanguageName": model.LANGUAGES[code], "LanguageCode": code} for code in page]
    return {"Languages": listed, "DisplayLanguageCode": display, **more}
