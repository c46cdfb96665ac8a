"""JSON values as templates see them: with the methods that Java's values have, and printed as Java prints them.

Templates are written for Velocity, where `$list.size()`, `$text.toUpperCase()` and a printed `true` are a matter of
course. airspeed shows Python's values, so its values are wrapped, and its texts get more methods.
"""

from __future__ import annotations

import re
from typing import Any

import orjson


class Flag(int):
    """A boolean that prints as `true` or `false`."""

    def __str__(self) -> str:
        return "true" if self else "false"


class Items(list[Any]):
    def __str__(self) -> str:
        return orjson.dumps(self, option=orjson.OPT_PASSTHROUGH_SUBCLASS, default=_plain).decode()

    def size(self) -> int:
        return len(self)

    def get(self, index: int) -> Any:
        return self[int(index)]

    def add(self, value: Any) -> Flag:
        self.append(value)
        return Flag(True)

    def isEmpty(self) -> Flag:
        return Flag(not self)

    def contains(self, value: Any) -> Flag:
        return Flag(value in self)


class Members(dict[str, Any]):
    def __str__(self) -> str:
        return orjson.dumps(self, option=orjson.OPT_PASSTHROUGH_SUBCLASS, default=_plain).decode()

    def size(self) -> int:
        return len(self)

    def isEmpty(self) -> Flag:
        return Flag(not self)

    def containsKey(self, key: str) -> Flag:
        return Flag(key in self)

    def put(self, key: str, value: Any) -> Any:
        before = self.get(key)
        self[key] = value
        return before

    def keySet(self) -> Items:
        return Items(self)

    def entrySet(self) -> Items:
        return Items(Members(key=key, value=value) for key, value in self.items())


def wrap(value: Any) -> Any:
    """A value from JSON for a template."""
    if isinstance(value, bool):
        return Flag(value)
    if isinstance(value, dict):
        return Members((key, wrap(inner)) for key, inner in value.items())
    if isinstance(value, list):
        return Items(wrap(inner) for inner in value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Flag):
        return bool(value)
    if isinstance(value, Members):
        return dict(value)
    if isinstance(value, Items):
        return list(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def _substring(text: str, start: int, end: int | None = None) -> str:
    return text[start:end]


TEXT_METHODS = {
    "charAt": lambda text, index: text[index],
    "concat": lambda text, more: text + more,
    "endsWith": lambda text, end: text.endswith(end),
    "equals": lambda text, other: text == other,
    "equalsIgnoreCase": lambda text, other: text.lower() == str(other).lower(),
    "indexOf": lambda text, part: text.find(part),
    "isEmpty": lambda text: not text,
    "matches": lambda text, pattern: re.fullmatch(pattern, text) is not None,
    "substring": _substring,
    "toLowerCase": lambda text: text.lower(),
    "toString": lambda text: text,
    "toUpperCase": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
}
"""Methods of texts that airspeed doesn't have; it keeps its own in a table by type, which is made to be added to."""
