"""Custom terminologies: how a file of terms is read, and which translations of terms a request gets from it."""

from __future__ import annotations

import csv
import io
from typing import Any, NamedTuple

from ...context import Context
from ...names import arn
from . import model
from .storage import Record


class Parsed(NamedTuple):
    languages: list[str]
    rows: list[list[str]]


def parse(file: bytes, format: str) -> Parsed:
    """Rows of terms under a head of language codes. Raises InvalidParameterValueException."""
    if format not in model.FORMATS:
        raise model.invalid_value(
            f"Terminologies in the format {format} are not supported here: use CSV or TSV"
        )
    try:
        table = csv.reader(
            io.StringIO(file.decode("utf-8-sig")), delimiter=model.FORMATS[format], strict=True
        )
        rows = [[cell.strip() for cell in row] for row in table if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise model.invalid_value(f"The terminology file could not be read: {error}") from error
    languages = rows[0] if rows else []
    if len(languages) < 2 or len(rows) < 2:
        raise model.invalid_value(
            "The terminology file must have a row of language codes and at least one term"
        )
    unknown = [code for code in languages if code not in model.LANGUAGES or code == model.AUTO]
    if unknown or len(set(languages)) != len(languages):
        raise model.invalid_value(f"The terminology file's languages are not valid: {', '.join(languages)}")
    if len(rows) > model.TERMS_MAX:
        raise model.invalid_value(f"A terminology has {model.TERMS_MAX} terms at most")
    return Parsed(languages, [(row + [""] * len(languages))[: len(languages)] for row in rows[1:]])


def for_pair(record: Record, source: str, target: str) -> dict[str, str]:
    """What the terminology makes of the source language's terms; {} if it doesn't have the languages."""
    languages: list[str] = record["Languages"]
    if source not in languages or target not in languages:
        return {}
    start, end = languages.index(source), languages.index(target)
    if record["Directionality"] == "UNI" and start != 0:
        return {}
    return {row[start]: row[end] for row in record["Rows"] if row[start] and row[end]}


def shown(record: Record) -> dict[str, Any]:
    hidden = ("Languages", "Rows")
    return {name: value for name, value in record.items() if name not in hidden}


def arn_of(ctx: Context, name: str) -> str:
    return arn("translate", ctx.region, ctx.account, f"terminology/{name}/LATEST")
