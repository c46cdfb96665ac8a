"""Update expressions, compiled to a function from an old item to a new one.

Every operand is read from the item as it was. The new item shares what didn't change with the old one; what changes is
copied on the way down, so the old item stays whole for conditions, indexes and ReturnValues.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from .. import numbers
from ..attributes import SETS, Item, Value, in_order, kind_of
from ..model import validation_error
from .binding import Binder, Getter, Names, Parts, Values, check_overlaps, defined, getter, read, value_kind
from .errors import ExpressionError
from .nodes import Action, Arithmetic, Call, Operand, Path, ValueRef
from .parser import parse_update
from .projections import Projection

_KIND_WORDS = {
    "S": "STRING", "N": "NUMBER", "B": "BINARY", "NULL": "NULL", "BOOL": "BOOL", "L": "LIST", "M": "MAP",
}  # fmt: skip


def _wrong_operand() -> Exception:
    return validation_error("An operand in the update expression has an incorrect data type")


def _wrong_path() -> Exception:
    return validation_error("The document path provided in the update expression is invalid for update")


class Change:
    """One action: what to do at `path`, with what `operand` gives."""

    __slots__ = ("kind", "operand", "path", "source")

    def __init__(self, kind: str, path: Parts, operand: Getter | None, source: Operand | None) -> None:
        self.kind = kind
        self.path = path
        self.operand = operand
        self.source = source


class Update:
    """`apply(item, values)` once `check(values)` found nothing."""

    __slots__ = (
        "_order",
        "_overlap",
        "_references",
        "aliases",
        "changes",
        "heads",
        "nested",
        "touched",
        "values",
    )

    def __init__(self, changes: Sequence[Change], binder: Binder) -> None:
        self.changes = tuple(changes)
        paths = [change.path for change in changes]
        self._overlap: ExpressionError | None = None
        try:
            check_overlaps(paths)
        except ExpressionError as error:
            self._overlap = error
        self._order = sorted(self.changes, key=_turn)
        self.touched = Projection(paths) if self._overlap is None else Projection(())
        """Picks from an item what the update named, for UPDATED_OLD and UPDATED_NEW."""
        self.aliases = frozenset(binder.aliases)
        self.values = frozenset(binder.values)
        self._references = tuple(sorted(binder.values))
        self.heads = frozenset(str(path[0]) for path in paths)
        """The top-level attributes that change."""
        self.nested = frozenset(binder.nested)

    def check(self, values: Values) -> None:
        defined(self._references, values)
        if self._overlap is not None:
            raise self._overlap
        for change in self.changes:
            if change.kind in ("ADD", "DELETE") and isinstance(change.source, ValueRef):
                kind = kind_of(values[change.source.name])
                if kind in _KIND_WORDS and not (change.kind == "ADD" and kind == "N"):
                    raise ExpressionError(
                        "Incorrect operand type for operator or function; "
                        f"operator: {change.kind}, operand type: {_KIND_WORDS[kind]}, "
                        "typeSet: ALLOWED_FOR_ADD_OPERAND"
                    )
        for change in self.changes:
            if change.source is not None:
                _check_operand(change.source, values)

    def kind_set(self, name: str, values: Values) -> str | None:
        """The type that the top-level attribute gets, if the expression alone tells."""
        for change in self.changes:
            if change.path == (name,) and change.source is not None:
                return _static_kind(change.source, values)
        return None

    def apply(self, item: Item, values: Values) -> Item:
        results = [None if change.operand is None else change.operand(item, values) for change in self._order]
        new: Item = dict(item)
        for change, value in zip(self._order, results, strict=True):
            if change.kind == "SET":
                if value is None:
                    raise validation_error(
                        "The provided expression refers to an attribute that does not exist in the item"
                    )
                _put(new, change.path, value)
            elif change.kind == "REMOVE":
                _remove(new, change.path)
            else:
                _merge(new, change, item, value)
        return new


def _turn(change: Change) -> tuple[bool, int]:
    """Assignments to list elements go upwards, so that what lies beyond the end is appended in order; removals come
    last and go downwards, so that indexes mean the elements of the old list."""
    last = change.path[-1]
    index = last if isinstance(last, int) else -1
    return (True, -index) if change.kind == "REMOVE" else (False, index)


@lru_cache(maxsize=2048)
def compile_update(text: str, names: Names) -> Update:
    return compile_actions(parse_update(text), names)


@lru_cache(maxsize=1024)
def compile_actions(actions: tuple[Action, ...], names: Names) -> Update:
    binder = Binder(names)
    return Update([_change(action, binder) for action in actions], binder)


def _change(action: Action, binder: Binder) -> Change:
    path = binder.path(action.path)
    operand = None if action.operand is None else _operand(action.operand, binder)
    return Change(action.kind, path, operand, action.operand)


def _operand(operand: Operand, binder: Binder) -> Getter:
    if isinstance(operand, Path):
        return getter(binder.path(operand))
    if isinstance(operand, ValueRef):
        name = operand.name
        binder.values.add(name)
        return lambda item, values: values[name]
    if isinstance(operand, Arithmetic):
        left, right = _operand(operand.left, binder), _operand(operand.right, binder)
        combine = numbers.add if operand.sign == "+" else numbers.subtract
        return lambda item, values: {
            "N": combine(_needed(left, item, values, "N"), _needed(right, item, values, "N"))
        }
    assert isinstance(operand, Call)
    args = [_operand(arg, binder) for arg in operand.args]
    first, last = args[0], args[-1]
    if operand.name == "if_not_exists":
        return lambda item, values: first(item, values) or last(item, values)
    return lambda item, values: {"L": _needed(first, item, values, "L") + _needed(last, item, values, "L")}


def _needed(operand: Getter, item: Item, values: Values, kind: str) -> Any:
    value = operand(item, values)
    if value is None:
        raise validation_error(
            "The provided expression refers to an attribute that does not exist in the item"
        )
    if kind not in value:
        raise _wrong_operand()
    return value[kind]


def _check_operand(operand: Operand, values: Values) -> None:
    """Counts and types of functions and arithmetic, from the inside out."""
    args: tuple[Operand, ...]
    if isinstance(operand, Arithmetic):
        name, args, kind = operand.sign, (operand.left, operand.right), "N"
    elif isinstance(operand, Call):
        name, args, kind = operand.name, operand.args, "L"
    else:
        return
    for arg in args:
        _check_operand(arg, values)
    if len(args) != 2:
        raise ExpressionError(
            "Incorrect number of operands for operator or function; "
            f"operator or function: {name}, number of operands: {len(args)}"
        )
    if name == "if_not_exists":
        if not isinstance(args[0], Path):
            raise ExpressionError(
                f"Operator or function requires a document path; operator or function: {name}"
            )
        return
    for arg in args:
        actual = value_kind(arg, values)
        if actual and actual != kind:
            raise ExpressionError(
                "Incorrect operand type for operator or function; "
                f"operator or function: {name}, operand type: {actual}"
            )


def _static_kind(operand: Operand, values: Values) -> str | None:
    if isinstance(operand, Arithmetic):
        return "N"
    if isinstance(operand, Call):
        return "L" if operand.name == "list_append" else _static_kind(operand.args[-1], values)
    return value_kind(operand, values)


def _container(item: Item, path: Parts) -> Value:
    """The map or list that holds the end of the path, copied on the way down so that it may be changed."""
    holder: Value = {"M": item}
    for part in path[:-1]:
        member = _member(holder, part)
        if "M" in member:
            copied: Value = {"M": dict(member["M"])}
        elif "L" in member:
            copied = {"L": list(member["L"])}
        else:
            raise _wrong_path()
        holder["L" if isinstance(part, int) else "M"][part] = copied
        holder = copied
    if ("L" if isinstance(path[-1], int) else "M") not in holder:
        raise _wrong_path()
    return holder


def _member(holder: Value, part: str | int) -> Value:
    if isinstance(part, int):
        members: list[Value] = holder.get("L", [])
        if part >= len(members):
            raise _wrong_path()
        return members[part]
    member: Value | None = holder.get("M", {}).get(part)
    if member is None:
        raise _wrong_path()
    return member


def _put(item: Item, path: Parts, value: Value) -> None:
    if len(path) == 1:
        item[str(path[0])] = value
        return
    holder, last = _container(item, path), path[-1]
    if isinstance(last, str):
        holder["M"][last] = value
    elif last < len(holder["L"]):
        holder["L"][last] = value
    else:
        holder["L"].append(value)


def _remove(item: Item, path: Parts) -> None:
    if len(path) == 1:
        item.pop(str(path[0]), None)
        return
    holder, last = _container(item, path), path[-1]
    if isinstance(last, str):
        holder["M"].pop(last, None)
    elif last < len(holder["L"]):
        del holder["L"][last]


def _merge(new: Item, change: Change, old: Item, operand: Value | None) -> None:
    """ADD and DELETE: numbers are added, sets united or cut."""
    assert operand is not None
    kind = kind_of(operand)
    current = read(old, change.path)
    if current is not None and kind not in current:
        raise _wrong_operand()
    if change.kind == "DELETE":
        if current is None:
            _container(new, change.path)
            return
        gone = set(operand[kind])
        rest = [member for member in current[kind] if member not in gone]
        if rest:
            _put(new, change.path, {kind: rest})
        else:
            _remove(new, change.path)
    elif current is None:
        _put(new, change.path, operand)
    elif kind in SETS:
        held = set(current[kind])
        _put(new, change.path, {kind: in_order(kind, held.union(operand[kind]))})
    else:
        _put(new, change.path, {"N": numbers.add(current["N"], operand["N"])})
