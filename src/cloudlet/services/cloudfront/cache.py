"""What the edge keeps: whole objects in memory, bounded by bytes; what was used least recently goes first.

A CDN's cache may be lost at any time, so a restart begins with an empty one. Time is the node's clock.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from . import model
from .freshness import Lifetime

if TYPE_CHECKING:
    from .behaviors import Behavior

Headers = list[tuple[str, str]]
Key = tuple[str, tuple[Any, ...]]
"""A distribution, and what its behavior makes the key of."""

OVERHEAD = 1024
"""Bytes that an entry costs beside its body, roughly."""


class Entry:
    __slots__ = (
        "body", "born", "error", "etag", "headers", "heads", "if_error", "key", "modified", "origin_etag", "status",
        "until", "while_revalidating",
    )  # fmt: skip

    def __init__(
        self, key: Key, status: int, headers: Headers, body: bytes, *, origin_etag: str = ""
    ) -> None:
        self.key = key
        self.status = status
        self.body = body
        self.heads: dict[Behavior, bytes] = {}
        """The head of a plain answer, by the behavior that dresses it."""
        self.error = status >= 400
        self.born = 0.0
        self.until = 0.0
        self.while_revalidating = 0.0
        self.if_error: float | None = None
        self.describe(headers, origin_etag)

    def describe(self, headers: Headers, origin_etag: str = "") -> None:
        lower = {name.lower(): value for name, value in headers}
        self.headers = headers
        self.etag = lower.get("etag", "")
        self.origin_etag = origin_etag or self.etag
        """What the origin called it, if compressing made something else of it."""
        self.modified = lower.get("last-modified", "")
        self.heads.clear()

    def live(self, now: float, life: Lifetime, age: float = 0.0) -> None:
        """`age`: seconds for which caches before this one had it."""
        self.born = now - age
        self.until = now + life.ttl
        self.while_revalidating = life.while_revalidating
        self.if_error = life.if_error

    @property
    def size(self) -> int:
        return len(self.body) + OVERHEAD

    @property
    def can_revalidate(self) -> bool:
        return not self.error and bool(self.origin_etag or self.modified)

    def may_replace_error(self, now: float) -> bool:
        """Whether it may be given, though it is too old, where the origin fails."""
        return not self.error and (self.if_error is None or now < self.until + self.if_error)

    @property
    def url(self) -> str:
        path, query = self.key[1][:2]
        return f"{path}?{query}" if query else str(path)


class Cache:
    def __init__(self, limit: int = model.CACHE_BYTES) -> None:
        self._limit = limit
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._size = 0

    def get(self, key: Key) -> Entry | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, entry: Entry) -> None:
        self.drop(entry.key)
        self._entries[entry.key] = entry
        self._size += entry.size
        while self._size > self._limit:
            _, oldest = self._entries.popitem(last=False)
            self._size -= oldest.size

    def drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size

    def rewind(self, seconds: float) -> None:
        """Time was set back: what is kept is as old as it was, and lives no longer than it would have."""
        for entry in self._entries.values():
            entry.born -= seconds
            entry.until -= seconds

    def forget(self, distribution: str, paths: Paths | None = None) -> None:
        """Drop what a distribution has, or what the paths name of it."""
        gone = [
            key
            for key, entry in self._entries.items()
            if key[0] == distribution and (paths is None or paths.name(entry.url))
        ]
        for key in gone:
            self.drop(key)


class Paths:
    """The paths of an invalidation. A `*` at the end stands for anything."""

    def __init__(self, paths: Iterable[str], root: str) -> None:
        """`root`: the distribution's default root object, which `/` means."""
        self._exact = {path for path in paths if not path.endswith("*")}
        if "/" in self._exact and root:
            self._exact.add(f"/{root}")
        self._prefixes = tuple(path[:-1] for path in paths if path.endswith("*"))

    def name(self, url: str) -> bool:
        return url in self._exact or url.startswith(self._prefixes)


_RANGE = re.compile(r"bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*")


def span(text: str, size: int) -> tuple[int, int] | None:
    """Begin and end of a range: (0, 0) if it can't be satisfied, None if it is none that is heeded."""
    found = _RANGE.fullmatch(text)
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        begin, end = max(0, size - int(found[2])), size
    else:
        begin = int(found[1])
        end = min(int(found[2]) + 1, size) if found[2] else size
        if found[2] and int(found[2]) < begin:
            return None
    return (begin, end) if begin < end else (0, 0)


def spans(text: str, size: int) -> list[tuple[int, int]] | None:
    """Begins and ends of several ranges, in order and apart; None if they are none that are heeded. What lies beyond
    the end is left out."""
    unit, _, listed = text.partition("=")
    found: list[tuple[int, int]] = []
    for one in listed.split(","):
        part = span(f"{unit}={one.strip()}", size)
        if part is None or (found and part != (0, 0) and part[0] < found[-1][1]):
            return None
        if part != (0, 0):
            found.append(part)
    return found or [(0, 0)]


def same_tag(wanted: str, etag: str) -> bool:
    """Weakly, as GET compares."""
    plain = etag.removeprefix("W/")
    return any(one.strip().removeprefix("W/") in (plain, "*") for one in wanted.split(","))


def moment(text: str) -> float:
    """An HTTP date; -1 if it is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return -1.0
