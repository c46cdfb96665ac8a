"""What all compiled expressions share: aliases resolved to names, document paths read from items, values looked up.

Compiling happens once for a text and its aliases; the values of a request come later, as an argument. So what is wrong
with values is found by `check(values)`, for each request, and never twice for the same expression otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..attributes import Item, Value, kind_of
from .errors import ExpressionError
from .nodes import Operand, Path, Truth, ValueRef

Names = tuple[tuple[str, str], ...]
Values = Mapping[str, Value]
Getter = Callable[[Item, Values], Value | None]
Parts = tuple[str | int, ...]


class Binder:
    """Resolves the placeholders of one expression and remembers which it met."""

    __slots__ = ("_names", "aliases", "heads", "nested", "values")

    def __init__(self, names: Names) -> None:
        self._names = dict(names)
        self.aliases: set[str] = set()
        self.values: set[str] = set()
        self.heads: set[str] = set()
        """The top-level attributes that the expression names."""
        self.nested: set[str] = set()
        """Those of them that it goes into, by `.` or `[]`."""

    def path(self, path: Path) -> Parts:
        parts = tuple(
            self._name(part) if isinstance(part, str) and part[0] == "#" else part for part in path.parts
        )
        head = str(parts[0])
        self.heads.add(head)
        if len(parts) > 1:
            self.nested.add(head)
        return parts

    def _name(self, alias: str) -> str:
        name = self._names.get(alias)
        if name is None:
            raise ExpressionError(
                "An expression attribute name used in the document path is not defined; "
                f"attribute name: {alias}"
            )
        self.aliases.add(alias)
        return name


def defined(names: Iterable[str], values: Values) -> None:
    for name in names:
        if name not in values:
            raise ExpressionError(
                f"An expression attribute value used in expression is not defined; attribute value: {name}"
            )


def getter(parts: Parts) -> Getter:
    """A function that reads a document path."""
    if len(parts) == 1:
        head = str(parts[0])
        return lambda item, values: item.get(head)
    return lambda item, values: read(item, parts)


def read(item: Item, parts: Parts) -> Value | None:
    value: Value | None = {"M": item}
    for part in parts:
        assert value is not None
        if isinstance(part, int):
            members = value.get("L")
            if members is None or part >= len(members):
                return None
            value = members[part]
        else:
            fields = value.get("M")
            value = None if fields is None else fields.get(part)
            if value is None:
                return None
    return value


def value_kind(operand: Operand, values: Values) -> str | None:
    """The type of an operand that is a value; None of one that depends on the item."""
    if isinstance(operand, Truth):
        return "BOOL"
    return kind_of(values[operand.name]) if isinstance(operand, ValueRef) else None


def path_text(parts: Parts) -> str:
    return "[" + ", ".join(f"[{part}]" if isinstance(part, int) else part for part in parts) + "]"


def check_overlaps(paths: Sequence[Parts]) -> None:
    """No path may be another or lead into one, and none may use as a list what another uses as a map."""
    conflict = ""
    for i, second in enumerate(paths):
        for first in paths[:i]:
            relation = _relation(first, second)
            if not relation:
                continue
            told = (
                f"Two document paths {relation} with each other; must remove or rewrite one of these paths; "
                f"path one: {path_text(first)}, path two: {path_text(second)}"
            )
            if relation == "overlap":
                raise ExpressionError(told)
            conflict = conflict or told
    if conflict:
        raise ExpressionError(conflict)


def _relation(first: Parts, second: Parts) -> str:
    for a, b in zip(first, second, strict=False):
        if type(a) is not type(b):
            return "conflict"
        if a != b:
            return ""
    return "overlap"
