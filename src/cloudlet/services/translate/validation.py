"""Stateless checks, in the service's words. The model's own constraints come first."""

from __future__ import annotations

from typing import Any

from . import model, terms

Request = dict[str, Any]


def translate_text(request: Request) -> Request:
    size = len(request["Text"].encode())
    if size > model.TEXT_MAX:
        raise model.text_too_long(size)
    return _one_terminology(request)


def translate_document(request: Request) -> Request:
    kind = request["Document"]["ContentType"]
    if kind not in model.TEXTS:
        raise model.invalid_request(
            f"The content type {kind} is not supported here; it may be {' or '.join(model.TEXTS)}"
        )
    try:
        text = request["Document"]["Content"].decode()
    except UnicodeDecodeError as error:
        raise model.invalid_request("The document must be encoded in UTF-8") from error
    return _one_terminology({**request, "Text": text})


def _one_terminology(request: Request) -> Request:
    if len(request.get("TerminologyNames", ())) > 1:
        raise model.invalid_request("Only one terminology can be applied to a request")
    return request


def import_terminology(request: Request) -> Request:
    data = request["TerminologyData"]
    return {**request, "Parsed": terms.parse(data["File"], data["Format"])}
