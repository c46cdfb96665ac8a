"""Texts and documents."""

from __future__ import annotations

from typing import Any

from ....context import Context
from .. import model, storage, stream, terms
from ..engine import engine
from ..storage import Place

Response = dict[str, Any]


async def translate_text(ctx: Context, request: dict[str, Any]) -> Response:
    text, answer = await _translated(ctx, request, html=False)
    return {"TranslatedText": text, **answer}


async def translate_document(ctx: Context, request: dict[str, Any]) -> Response:
    html = request["Document"]["ContentType"] == "text/html"
    text, answer = await _translated(ctx, request, html=html)
    return {"TranslatedDocument": {"Content": text.encode()}, **answer}


async def _translated(ctx: Context, request: dict[str, Any], *, html: bool) -> tuple[str, Response]:
    text, source, target = request["Text"], request["SourceLanguageCode"], request["TargetLanguageCode"]
    names = request.get("TerminologyNames", ())
    records = [await _terminology(ctx, name) for name in names]
    if source == model.AUTO:
        source = await _detected(ctx, text)
    answer: Response = {"SourceLanguageCode": source, "TargetLanguageCode": target}
    if "Settings" in request:
        answer[
            "AppliedSettings"
        ] = {}  # the engine has none of them, and they are ignored where there are none
    wanted = terms.for_pair(records[0], source, target) if records else {}
    text, used = await _through(ctx, text, source, target, wanted, html=html)
    if records:
        pairs = [{"SourceText": term, "TargetText": wanted[term]} for term in used][: model.TERMS_USED]
        answer["AppliedTerminologies"] = [{"Name": names[0], "Terms": pairs}]
    return text, answer


async def _through(
    ctx: Context, text: str, source: str, target: str, wanted: dict[str, str], *, html: bool
) -> tuple[str, list[str]]:
    """The text in the other language, and the terms that were found in it."""
    if source == target and source in model.LANGUAGES:
        return text, []
    way = engine(ctx).route(source, target)
    pieces, places = stream.split(text, html=html)
    segments = [stream.encode(pieces[place], wanted) for place in places]
    made = await engine(ctx).translate(way, [segment.stream for segment in segments])
    for place, segment, answer in zip(places, segments, made, strict=True):
        pieces[place] = stream.decode(answer, segment.stopped)
    return "".join(pieces), list(dict.fromkeys(term for segment in segments for term in segment.used))


async def _detected(ctx: Context, text: str) -> str:
    if not any(c.isalpha() for c in text):
        raise model.low_confidence("en")
    found = [(code, score) for code, score in await engine(ctx).detect(text) if code in model.LANGUAGES]
    best, score = found[0] if found else ("en", 0.0)
    if score < model.CONFIDENT:
        raise model.low_confidence(best)
    return best


async def _terminology(ctx: Context, name: str) -> storage.Record:
    place = Place(ctx.account, ctx.region)
    found = await ctx.store.read(lambda tx: storage.terminology(tx, place, name))
    if found is None:
        raise model.no_terminology(name)
    return found
