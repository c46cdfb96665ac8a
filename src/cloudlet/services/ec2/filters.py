"""What Describe has in common: ids, filters with wildcards, pages."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from . import model
from .storage import Network, Record

Values = Callable[[Record], Iterable[Any]]
Filters = Mapping[str, str | Values]
"""By a filter's name: where its values are in a record ("Attachments.VpcId" looks into each), or a function."""


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    """`*` is any text, `?` any character, a backslash takes their meaning from them."""
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(part, re.escape(part[-1])) for part in parts), re.DOTALL)


def matches(value: Any, wanted: str) -> bool:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return _pattern(wanted).fullmatch(text) is not None


def values_at(record: Any, path: str) -> list[Any]:
    found = [record]
    for name in path.split("."):
        inner = [item.get(name) for item in found if isinstance(item, dict)]
        found = [v for item in inner for v in (item if isinstance(item, list) else [item]) if v is not None]
    return found


def _values(record: Record, name: str, filters: Filters) -> Iterable[Any]:
    tags = record.get("Tags", [])
    if name.startswith("tag:"):
        return [tag["Value"] for tag in tags if tag["Key"] == name[4:]]
    if name == "tag-key":
        return [tag["Key"] for tag in tags]
    if name == "tag-value":
        return [tag["Value"] for tag in tags]
    where = filters.get(name)
    if where is None:
        raise model.no_filter(name)
    return values_at(record, where) if isinstance(where, str) else where(record)


def select(records: list[Record], request: dict[str, Any], filters: Filters) -> list[Record]:
    for wish in request.get("Filters", request.get("Filter", ())):
        name, wanted = wish.get("Name", ""), wish.get("Values", [])
        if not records and not name.startswith("tag") and name not in filters:
            raise model.no_filter(name)
        records = [
            record
            for record in records
            if any(matches(value, want) for value in _values(record, name, filters) for want in wanted)
        ]
    return records


def page(items: list[Any], request: dict[str, Any], ids: str = "") -> tuple[list[Any], dict[str, str]]:
    """The page that the request asks for, and `{"NextToken": ...}` if more follow."""
    if ids and request.get(ids) and "MaxResults" in request:
        name = ids[0].lower() + ids[1:-1] + "Set"
        raise model.invalid_combination(f"The parameter {name} cannot be used with the parameter maxResults")
    start = 0
    if "NextToken" in request:
        try:
            start = int(urlsafe_b64decode(request["NextToken"]))
        except ValueError:
            raise model.invalid("Unable to parse pagination token") from None
    end = start + request.get("MaxResults", model.PAGE)
    more = {"NextToken": urlsafe_b64encode(str(end).encode()).decode()} if end < len(items) else {}
    return items[start:end], more


async def describe(
    net: Network, kind: str, request: dict[str, Any], ids: str, filters: Filters, result: str
) -> dict[str, Any]:
    """A kind's records: those with the request's ids, or those that its filters let through, in pages."""
    wanted = request.get(ids)
    if wanted:
        records = []
        for id in wanted:
            if not id.startswith(_start(kind)):
                raise model.malformed(kind, id)
            records.append(await net.get(kind, id))
    else:
        records = await net.all(kind)
    found, more = page(select(records, request, filters), request, ids)
    return {result: found, **more}


@lru_cache(maxsize=32)
def _start(kind: str) -> str:
    return next(start for start, named in model.KINDS.items() if named == kind) + "-"
