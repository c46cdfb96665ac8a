"""Selection expressions: `$request.body.action`, `${request.header.a}/${context.stage}`, `\\$default`.

An expression is literal text with references in it. A reference is `${path}`, or `$path` where the path starts with one
of the known roots and runs to the first character that can't belong to it. `\\$` is a dollar sign. Evaluated against a
`lookup` of references it gives a string, or None when a reference has no value, which means: nothing is selected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

ROOTS = ("request", "context", "stageVariables", "integration", "input")

Step = str | int
Lookup = Callable[["Reference"], Any]


class SelectionError(ValueError):
    """The expression can't be read; the message says where."""


@dataclass(slots=True, frozen=True)
class Reference:
    """`request.body.items[0].id` is `root` "request", `source` "body", `steps` ("items", 0, "id")."""

    root: str
    source: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        text = ".".join(part for part in (self.root, self.source) if part)
        for step in self.steps:
            text += f"[{step}]" if isinstance(step, int) else f".{step}"
        return text


@dataclass(slots=True, frozen=True)
class Selection:
    parts: tuple[str | Reference, ...]

    @property
    def references(self) -> list[Reference]:
        return [part for part in self.parts if isinstance(part, Reference)]

    def select(self, lookup: Lookup) -> str | None:
        texts = []
        for part in self.parts:
            if isinstance(part, str):
                texts.append(part)
            else:
                value = lookup(part)
                if value is None:
                    return None
                texts.append(stringify(value))
        return "".join(texts)


def stringify(value: Any) -> str:
    """As AWS writes a JSON value into text."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def descend(value: Any, steps: tuple[Step, ...]) -> Any:
    """The value at the end of the path, or None."""
    for step in steps:
        if isinstance(step, int):
            if not isinstance(value, list) or not -len(value) <= step < len(value):
                return None
            value = value[step]
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


@lru_cache(maxsize=1024)
def parse(text: str) -> Selection:
    parts: list[str | Reference] = []
    literal = ""
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\" and text[at + 1 : at + 2] == "$":
            literal += "$"
            at += 2
        elif char == "$" and (found := _reference(text, at)) is not None:
            if literal:
                parts.append(literal)
                literal = ""
            parts.append(found[0])
            at = found[1]
        else:
            literal += char
            at += 1
    if literal:
        parts.append(literal)
    return Selection(tuple(parts))


def _reference(text: str, at: int) -> tuple[Reference, int] | None:
    """The reference that starts at the dollar sign, and where it ends."""
    if text.startswith("${", at):
        end = text.find("}", at)
        if end < 0:
            raise SelectionError(f"Unclosed '${{' at position {at} of selection expression '{text}'")
        reference, stop = _path(text, at + 2, end)
        if reference is None or stop != end:
            raise SelectionError(f"Invalid reference '{text[at : end + 1]}' in selection expression '{text}'")
        return reference, end + 1
    reference, stop = _path(text, at + 1, len(text))
    return None if reference is None else (reference, stop)


def _path(text: str, at: int, limit: int) -> tuple[Reference | None, int]:
    start = at
    while at < limit and (text[at].isalnum() or text[at] in "_.-[]"):
        at += 1
    while at > start and text[at - 1] in ".-":
        at -= 1
    names = text[start:at].split(".")
    if names[0] not in ROOTS or len(names) < 2:
        return None, at
    root = names[0]
    if root == "integration":
        names = names[1:]
        if names[0] not in ("response", "request") or len(names) < 2:
            return None, at
        root = f"integration.{names[0]}"
    steps = _steps(names[2:])
    if steps is None or "[" in names[1] or not names[1]:
        return None, at
    if root in ("context", "stageVariables"):
        return Reference(root, "", (names[1], *steps)), at
    return Reference(root, names[1], steps), at


def _steps(names: list[str]) -> tuple[Step, ...] | None:
    steps: list[Step] = []
    for name in names:
        head, bracket, rest = name.partition("[")
        if not head or "]" in head:
            return None
        steps.append(head)
        while bracket:
            index, closed, rest = rest.partition("]")
            if not closed or not index.isascii() or not index.isdigit():
                return None
            steps.append(int(index))
            if rest and not rest.startswith("["):
                return None
            bracket, rest = rest[:1], rest[1:]
    return tuple(steps)
