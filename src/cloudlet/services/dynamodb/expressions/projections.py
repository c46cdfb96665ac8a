"""Projection expressions: which parts of an item to give out. A tree of names and indexes, walked along the item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from ..attributes import Item, Value
from .binding import Binder, Names, Parts, check_overlaps
from .parser import parse_projection

_Tree = dict[str | int, Any]


class Projection:
    __slots__ = ("_tree", "aliases", "heads", "nested")

    def __init__(self, paths: Iterable[Parts], binder: Binder | None = None) -> None:
        self._tree: _Tree = {}
        for parts in paths:
            branch = self._tree
            for part in parts[:-1]:
                branch = branch.setdefault(part, {})
            branch[parts[-1]] = None
        self.aliases = frozenset(binder.aliases if binder else ())
        self.heads = {str(part): None for part in self._tree}.keys()
        """The top-level attributes, in their order."""
        self.nested = frozenset(str(part) for part, branch in self._tree.items() if branch is not None)

    def apply(self, item: Mapping[str, Value]) -> Item:
        found: Item = {}
        for name, branch in self._tree.items():
            value = item.get(str(name))
            if value is not None:
                part = value if branch is None else _pick(branch, value)
                if part is not None:
                    found[str(name)] = part
        return found


def _pick(tree: _Tree, value: Value) -> Value | None:
    fields: dict[str, Value] | None = value.get("M")
    if fields is not None:
        picked: dict[str, Value] = {}
        for name, branch in tree.items():
            member = fields.get(name) if isinstance(name, str) else None
            if member is not None:
                part = member if branch is None else _pick(branch, member)
                if part is not None:
                    picked[str(name)] = part
        return {"M": picked} if picked else None
    members: list[Value] | None = value.get("L")
    if members is None:
        return None
    chosen = []
    for index in sorted(part for part in tree if isinstance(part, int)):
        if index < len(members):
            branch = tree[index]
            element = members[index] if branch is None else _pick(branch, members[index])
            if element is not None:
                chosen.append(element)
    return {"L": chosen} if chosen else None


@lru_cache(maxsize=1024)
def compile_projection(text: str, names: Names) -> Projection:
    binder = Binder(names)
    paths = [binder.path(path) for path in parse_projection(text)]
    check_overlaps(paths)
    return Projection(paths, binder)


@lru_cache(maxsize=1024)
def project_attributes(names: tuple[str, ...]) -> Projection:
    """The projection on top-level attributes, as AttributesToGet wants it."""
    return Projection([(name,) for name in names])
